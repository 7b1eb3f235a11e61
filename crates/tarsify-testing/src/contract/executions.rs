//! What every store of executions must do, as cases that run against any of them. The
//! in-memory store of the engine and the PostgreSQL adapters pass the same list.

mod admission;
mod advance;
mod attempts;
mod attention;
mod callbacks;
mod calling_off;
mod crew;
mod crowd;
mod fairness;
mod keys;
mod limits;
mod lists;
mod log;
mod look;
mod money;
mod outlook;
mod output;
mod providers;
mod quota;
mod races;
mod replay;
mod resolving;
mod settle;
mod submit;
mod sweep;
mod tally;
mod world;

use super::CaseFuture;

pub use world::{Change, ExecutionProps, ExecutionWorld};

/// One thing that must hold for a fresh store of executions.
#[derive(Clone, Copy)]
pub struct ExecutionCase {
    /// The suite and the case, such as `settle::an_end_comes_once`.
    pub name: &'static str,
    run: fn(ExecutionWorld) -> CaseFuture,
}

/// Runs the case with this name.
///
/// # Panics
/// When there is no such case, or when the case does not hold.
pub async fn run(name: &str, world: ExecutionWorld) {
    let case = all().into_iter().find(|case| case.name == name);
    case.expect("the case is listed").run(world).await;
}

impl ExecutionCase {
    /// Runs the case on a store that holds nothing yet.
    ///
    /// # Panics
    /// When the case does not hold, or leaves money that is wrong.
    pub async fn run(self, world: ExecutionWorld) {
        let props = std::sync::Arc::clone(&world.props);
        (self.run)(world).await;
        let faults = props.faults().await;
        assert!(faults.is_empty(), "its money is wrong: {faults:#?}");
    }
}

/// Every case about executions. The one list: a case that is missing here is dead code, which
/// the build refuses.
#[doc(hidden)]
#[macro_export]
macro_rules! execution_cases {
    ([$($callback:tt)+] $($extra:tt)*) => {
        $($callback)+! { $($extra)* {
            admission: [
                an_admission_stores_what_was_asked,
                a_test_run_is_its_developers_and_costs_nothing,
                any_json_is_kept,
                an_id_is_admitted_once,
                models_are_found_by_name_and_by_owner,
                a_changed_model_is_refused,
                a_deleted_model_is_refused,
                consumers_run_only_what_is_on_offer,
                developers_try_what_is_not_on_offer,
                what_was_admitted_stays_as_it_was,
            ]
            replay: [
                the_same_request_answers_the_same_execution,
                another_body_is_refused,
                everybody_has_his_own_keys,
                a_replay_shows_the_execution_as_it_is_now,
                a_replay_asks_nothing_of_the_model,
                a_refusal_takes_no_key,
                a_replay_is_found_without_admitting,
                a_forgotten_key_begins_anew,
            ]
            crowd: [
                only_so_many_runs_are_unfinished,
                a_replay_needs_no_room,
                of_twins_for_the_last_place_none_is_refused,
                there_is_room_for_exactly_so_many_of_a_crowd,
            ]
            quota: [
                the_quota_of_a_day_is_exact,
                replays_and_refusals_use_nothing_up,
                ended_test_runs_count,
                the_next_day_begins_anew,
            ]
            log: [
                a_history_is_read_on_from_anywhere,
                a_history_is_shown_to_whom_it_concerns,
                the_log_has_everything_once_and_in_order,
                what_a_scope_missed_is_told_again,
                a_place_where_the_scope_has_nothing_is_refused,
            ]
            output: [
                only_models_that_say_something_are_watched,
                who_watches_is_gone_after_a_while,
                how_far_it_was_told_is_kept,
                the_last_parts_come_before_the_end,
                what_has_ended_is_not_watched,
            ]
            lists: [
                scopes_are_apart,
                what_is_absent_is_nowhere,
                lists_are_newest_first_and_page_both_ways,
                lists_filter,
                lists_are_scoped,
            ]
            submit: [
                a_claim_records_an_attempt_and_leases,
                a_trace_goes_on_with_every_claim,
                what_is_leased_is_not_claimed_again,
                what_is_submitted_is_never_submitted_again_by_itself,
                every_attempt_has_its_own_token,
                limits_are_kept,
                allowances_are_kept,
                a_pause_is_kept,
                nothing_is_submitted_past_its_deadline,
            ]
            fairness: [
                requesters_take_turns,
                a_newcomer_waits_for_one_of_many,
                a_newcomer_overtakes_nobody_who_waits_as_long,
                turns_are_taken_at_each_endpoint_by_itself,
                the_first_of_each_endpoint_come_first,
                what_waits_again_keeps_its_turn,
            ]
            limits: [
                an_endpoint_has_no_more_jobs_than_it_may,
                what_comes_to_nothing_leaves_its_place,
                a_job_that_is_left_keeps_its_place,
                a_minute_has_no_more_submissions_than_it_may,
                a_minute_slides,
                a_day_has_no_more_submissions_than_it_may,
                the_narrowest_limit_counts,
                limits_are_each_endpoints_own,
                a_claim_that_takes_less_uses_less_up,
                limits_are_in_force_at_once,
                a_crowd_never_takes_more_than_there_is,
            ]
            providers: [
                all_endpoints_together_have_no_more_jobs_than_it_may,
                a_minute_and_a_day_of_a_provider_are_kept,
                endpoints_keep_their_own_limits_as_well,
                limits_of_a_provider_are_in_force_at_once,
                what_an_endpoint_does_not_say_its_provider_says,
                a_crowd_never_takes_more_of_a_provider_than_there_is,
            ]
            crew: [
                each_worker_counts_once,
                who_is_gone_counts_no_more,
                who_is_silent_counts_for_a_while,
                of_a_crowd_that_comes_at_once_each_knows_of_those_before,
            ]
            outlook: [
                nothing_is_known_of_what_is_not_there,
                a_line_is_counted_in_the_order_of_service,
                what_was_submitted_has_no_place,
                limits_are_known,
                the_times_are_those_of_its_model,
                the_end_has_no_outlook,
            ]
            look: [
                what_is_due_is_looked_at,
                what_waits_to_be_submitted_is_not_looked_at,
                the_longest_due_is_first,
                the_longest_due_is_first_wherever_it_is,
                what_was_called_for_is_first,
                a_lease_that_ran_out_is_void,
                strikes_count_until_somebody_writes,
                limits_and_allowances_are_kept,
            ]
            sweep: [
                whatever_is_past_its_deadline_is_swept,
                what_is_in_time_is_not_swept,
                what_is_leased_is_not_swept,
                what_has_ended_is_not_swept,
                limits_are_kept_and_allowances_are_not_asked,
            ]
            advance: [
                a_move_is_written,
                every_stage_is_told,
                the_start_is_remembered_once,
                what_is_not_new_stays,
                events_are_numbered_without_a_gap,
                any_progress_is_kept,
                the_lease_is_given_back,
                rest_is_rest,
                an_old_lease_writes_nothing,
                a_lease_that_ran_out_writes_until_somebody_takes_over,
                a_lease_that_was_given_back_writes_nothing,
                a_move_from_elsewhere_writes_nothing,
                an_unknown_execution_is_refused,
                forbidden_moves_fail_and_write_nothing,
            ]
            attempts: [
                an_attempt_is_stored,
                exchanges_are_kept_for_administrators,
                the_last_twenty_exchanges_of_each_attempt_are_kept,
                a_second_attempt_leaves_the_first,
                a_job_has_one_attempt,
            ]
            settle: [
                a_result_is_stored,
                every_end_is_told,
                any_result_is_kept,
                an_end_comes_once,
                nothing_is_written_after_the_end,
                an_old_lease_ends_nothing,
                an_end_from_elsewhere_is_refused,
                an_end_rests,
                jobs_that_are_left_are_called_off,
                a_job_that_was_told_too_late_is_called_off,
            ]
            calling_off: [
                what_was_not_sent_ends_at_once,
                what_waits_again_ends_at_once,
                what_waits_again_leaves_no_job_behind,
                what_is_on_its_way_is_requested,
                what_is_at_the_provider_is_requested_once,
                what_is_being_swept_is_requested,
                what_has_ended_is_too_late,
                nobody_calls_off_what_is_not_his,
            ]
            callbacks: [
                an_attempt_is_known_by_its_token,
                a_hint_makes_due,
                a_hint_during_a_lease_is_not_lost,
                a_job_is_adopted_once,
                the_job_of_another_is_not_adopted,
                an_adopted_job_outlives_a_worker_who_did_not_know,
                the_end_hears_no_hints,
            ]
            attention: [
                a_nudge_makes_due_after_a_rest,
                a_nudge_needs_a_job,
                a_nudge_during_a_lease_is_not_lost,
                a_claim_answers_the_calls_before_it,
                expediting_ends_a_pause,
                expediting_forgives_strikes,
                the_end_is_not_expedited,
            ]
            tally: [
                runs_are_counted_once,
                only_runs_that_completed_are_counted,
                a_run_that_is_tidied_up_is_counted_once,
            ]
            money: [
                the_price_is_set_aside,
                exactly_enough_is_enough,
                one_credit_too_few_is_too_few,
                too_little_is_refused_and_stores_nothing,
                a_refusal_for_want_of_credits_uses_nothing_up,
                what_was_refused_is_accepted_once_there_is_enough,
                what_is_free_needs_no_credits,
                test_runs_hold_nothing,
                funds_are_what_can_be_spent,
                the_price_is_frozen,
                a_changed_model_comes_before_its_price,
                a_replay_holds_once,
                a_replay_asks_nothing_of_the_wallet,
                consumers_pay_for_themselves,
            ]
            resolving: [
                a_completed_run_is_paid_and_divided,
                the_share_is_frozen_with_the_run,
                what_has_no_result_costs_nothing,
                what_is_called_off_at_once_costs_nothing,
                a_wish_to_call_off_gives_nothing_back_yet,
                a_price_is_taken_once,
                a_price_is_given_back_once,
                a_refused_end_moves_nothing,
                jobs_that_are_left_do_not_keep_the_price,
                moves_of_a_run_leave_its_price_alone,
                credits_given_back_can_be_spent_again,
            ]
            keys: [
                a_key_is_taken_once,
                an_answer_is_kept,
                another_body_is_refused_while_running_and_after,
                what_was_given_up_begins_anew,
                whoever_takes_too_long_loses_the_key,
                giving_up_late_loses_nobodys_answer,
                old_keys_are_forgotten,
                everybody_has_his_own_keys_everywhere,
            ]
            races: [
                fifty_twins_are_one_execution,
                twins_hold_once_even_when_there_is_no_more,
                a_crowd_spends_no_more_than_there_is,
                a_price_is_resolved_once_whoever_ends_the_run,
                a_price_is_given_back_once_whoever_calls_off,
                the_quota_holds_in_a_crowd,
                two_claimers_never_share,
                two_lookers_never_share,
                submitting_and_calling_off_at_once_agree,
                of_two_ends_one_counts,
                ending_and_calling_off_at_once_agree,
                a_job_is_adopted_by_one_of_two,
                one_of_a_crowd_takes_a_key,
                a_crowd_counts_each_run_once,
            ]
        } }
    };
}

macro_rules! listed {
    ({ $($suite:ident: [$($case:ident,)+])+ }) => {
        vec![$($(
            ExecutionCase {
                name: concat!(stringify!($suite), "::", stringify!($case)),
                run: |world| Box::pin($suite::$case(world)),
            },
        )+)+]
    };
}

/// Every case about executions.
#[must_use]
pub fn all() -> Vec<ExecutionCase> {
    crate::execution_cases!([listed])
}

/// Makes one `#[tokio::test]` of every case about executions, in one module per suite. The
/// argument names an async function without arguments that makes an [`ExecutionWorld`] over an
/// empty store: `execution_contract_tests!(execution_world);`
#[macro_export]
macro_rules! execution_contract_tests {
    ($world:ident) => {
        $crate::execution_cases!([$crate::execution_contract_tests] @ $world);
    };
    (@ $world:ident { $($suite:ident: $cases:tt)+ }) => {
        $(
            mod $suite {
                use super::$world;
                $crate::execution_contract_tests!(@@ $world $suite $cases);
            }
        )+
    };
    (@@ $world:ident $suite:ident [$($case:ident,)+]) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let name = concat!(stringify!($suite), "::", stringify!($case));
                $crate::contract::executions::run(name, $world().await).await;
            }
        )+
    };
}
