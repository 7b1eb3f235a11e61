//! What every adapter of a repository port must do, as cases that run against any of them.
//! The fakes of this crate and the PostgreSQL adapters pass the same suites, so a test on a
//! fake means what it says.

use std::pin::Pin;

mod base_models;
mod check;
mod consumers;
mod developers;
mod endpoints;
pub mod executions;
pub mod limits;
mod market;
pub mod money;
mod search;
mod tars_models;
mod world;

pub use world::World;

/// A case on its way.
pub type CaseFuture = Pin<Box<dyn Future<Output = ()>>>;

/// One thing that must hold for a fresh store.
#[derive(Clone, Copy)]
pub struct Case {
    /// The suite and the case, such as `endpoints::absent_is_none`.
    pub name: &'static str,
    run: fn(World) -> CaseFuture,
}

/// Runs the case with this name.
///
/// # Panics
/// When there is no such case, or when the case does not hold.
pub async fn run(name: &str, world: World) {
    let case = all().into_iter().find(|case| case.name == name);
    case.expect("the case is listed").run(world).await;
}

impl Case {
    /// Runs the case on a store that holds nothing yet.
    ///
    /// # Panics
    /// When the case does not hold.
    pub async fn run(self, world: World) {
        (self.run)(world).await;
    }
}

/// Every case of every suite. The one list: a case that is missing here is dead code, which
/// the build refuses.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ([$($callback:tt)+] $($extra:tt)*) => {
        $($callback)+! { $($extra)* {
            consumers: [
                registration_round_trips,
                absent_details_stay_absent,
                whoever_comes_has_his_welcome_credits,
                any_script_is_kept,
                nobody_is_found_by_another_identity,
                one_identity_registers_once,
                one_address_registers_once_in_any_case,
                people_without_an_address_do_not_collide,
                a_refused_registration_leaves_nothing,
                one_of_two_registrations_at_once_wins,
                a_revision_keeps_what_is_not_the_profile,
                a_revision_of_an_old_version_is_stale,
                one_of_two_revisions_at_once_wins,
            ]
            developers: [
                registration_round_trips,
                absent_details_stay_absent,
                nobody_is_found_by_another_identity,
                one_identity_registers_once,
                one_address_registers_once_in_any_case,
                people_without_an_address_do_not_collide,
                realms_are_apart,
                an_unverified_address_claims_nothing,
                one_of_two_registrations_at_once_wins,
                a_revision_stores_the_whole_profile,
                a_revision_keeps_what_is_not_the_profile,
                a_revision_of_an_old_version_is_stale,
                one_of_two_revisions_at_once_wins,
                a_role_is_given_by_address_in_any_case,
                nobody_gets_a_role_by_a_strange_address,
                models_are_counted,
            ]
            endpoints: [
                creation_round_trips,
                absent_is_none,
                a_taken_provider_id_conflicts,
                one_of_two_creations_at_once_wins,
                a_revision_stores_every_field,
                a_revision_of_an_old_version_is_stale,
                a_revision_to_a_taken_provider_id_conflicts,
                one_of_two_revisions_at_once_wins,
                base_models_are_counted,
                lists_are_newest_first_and_page_both_ways,
            ]
            base_models: [
                creation_round_trips,
                the_schema_is_kept_as_written,
                absent_is_none,
                a_taken_slug_conflicts,
                one_of_two_creations_at_once_wins,
                a_revision_stores_every_field,
                a_revision_of_an_old_version_is_stale,
                a_revision_to_a_taken_slug_conflicts,
                one_of_two_revisions_at_once_wins,
                the_endpoint_is_seen_as_it_is_now,
                tars_models_are_counted,
                lists_are_newest_first_and_page_both_ways,
                lists_filter_by_category,
                the_offer_is_what_is_switched_on_by_name,
            ]
            tars_models: [
                creation_round_trips,
                the_overrides_are_kept_as_written,
                absent_is_none,
                a_taken_slug_conflicts_across_developers,
                one_of_two_creations_at_once_wins,
                scopes_are_apart,
                a_revision_stores_every_field,
                a_revision_never_moves_a_model_to_another_developer,
                a_revision_of_an_old_version_is_stale,
                a_revision_to_a_taken_slug_conflicts,
                one_of_two_revisions_at_once_wins,
                the_base_model_is_seen_as_it_is_now,
                drafts_and_archived_models_are_deleted,
                a_published_model_is_not_deleted,
                deletion_is_guarded_by_version,
                a_deletion_and_a_revision_at_once_do_not_both_win,
                lists_are_newest_first_and_page_both_ways,
                lists_filter_by_status,
                a_cursor_outlives_its_item,
            ]
            market: [
                an_entry_shows_every_field,
                the_source_holds_schema_and_overrides,
                only_what_is_published_shows,
                edits_show_at_once,
                a_nameless_developer_is_called_developer,
                the_developers_new_name_shows,
                the_base_models_new_face_shows,
                lists_filter_by_category,
                newest_is_by_publication,
                prices_sort_both_ways,
                titles_sort,
                every_order_pages_through_ties,
                the_version_follows_what_shows,
                the_version_stands_still_by_itself,
            ]
            search: [
                every_word_must_begin_a_word,
                words_may_match_in_different_places,
                case_does_not_matter_in_any_script,
                punctuation_parts_words,
                every_word_counts_as_written,
                hostile_texts_find_nothing_and_break_nothing,
                operators_are_only_punctuation,
                a_search_without_words_finds_nothing,
                the_title_outweighs_the_description,
                searches_sort_filter_and_page,
                only_what_is_published_is_found,
                edits_are_found_at_once,
            ]
        } }
    };
}

macro_rules! listed {
    ({ $($suite:ident: [$($case:ident,)+])+ }) => {
        vec![$($(
            Case {
                name: concat!(stringify!($suite), "::", stringify!($case)),
                run: |world| Box::pin($suite::$case(world)),
            },
        )+)+]
    };
}

/// Every case of every suite.
#[must_use]
pub fn all() -> Vec<Case> {
    crate::contract_cases!([listed])
}

/// Makes one `#[tokio::test]` of every case, in one module per suite. The argument names an
/// async function without arguments that makes a [`World`] over an empty store:
/// `contract_tests!(fake_world);`
#[macro_export]
macro_rules! contract_tests {
    ($world:ident) => {
        $crate::contract_cases!([$crate::contract_tests] @ $world);
    };
    (@ $world:ident { $($suite:ident: $cases:tt)+ }) => {
        $(
            mod $suite {
                use super::$world;
                $crate::contract_tests!(@@ $world $suite $cases);
            }
        )+
    };
    (@@ $world:ident $suite:ident [$($case:ident,)+]) => {
        $(
            #[tokio::test]
            async fn $case() {
                let name = concat!(stringify!($suite), "::", stringify!($case));
                $crate::contract::run(name, $world().await).await;
            }
        )+
    };
}
