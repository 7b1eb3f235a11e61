//! What every store of money must do, as cases that run against any of them. The treasury in
//! memory and PostgreSQL pass the same list, and [`history`] has both live through the same.

mod adjustments;
mod analytics;
mod clawbacks;
mod earnings;
mod events;
pub mod history;
mod maturing;
mod outbox;
mod packages;
mod payouts;
mod purchases;
mod receipts;
mod refunds;
mod reversals;
mod runs;
mod statements;
mod world;

use super::CaseFuture;

pub use world::{MoneyProps, MoneyWorld};

/// One thing that must hold for a fresh store of money.
#[derive(Clone, Copy)]
pub struct MoneyCase {
    /// The suite and the case, such as `refunds::parts_come_to_the_whole`.
    pub name: &'static str,
    run: fn(MoneyWorld) -> CaseFuture,
}

/// Runs the case with this name.
///
/// # Panics
/// When there is no such case, or when the case does not hold.
pub async fn run(name: &str, world: MoneyWorld) {
    let case = all().into_iter().find(|case| case.name == name);
    case.expect("the case is listed").run(world).await;
}

impl MoneyCase {
    /// Runs the case on a store that holds nothing yet, and checks the books afterwards.
    ///
    /// # Panics
    /// When the case does not hold, or the books are wrong.
    pub async fn run(self, world: MoneyWorld) {
        let (ledger, props) = (world.ledger.clone(), world.props.clone());
        (self.run)(world).await;
        let report = ledger.verify().await.unwrap();
        assert!(report.is_sound(), "{:?}", report.faults);
        let sum: i64 = props.balances().await.values().sum();
        assert_eq!(sum, 0, "all accounts together hold nothing");
    }
}

/// Every case about money. The one list: a case that is missing here is dead code, which the
/// build refuses.
#[doc(hidden)]
#[macro_export]
macro_rules! money_cases {
    ([$($callback:tt)+] $($extra:tt)*) => {
        $($callback)+! { $($extra)* {
            runs: [
                a_stranger_has_nothing,
                welcome_credits_can_be_spent,
                a_hold_is_set_aside,
                a_result_is_paid_for,
                without_a_result_everything_is_given_back,
                too_little_is_refused_and_changes_nothing,
                the_developers_part_is_rounded_down,
                free_runs_and_test_runs_move_nothing,
                who_runs_his_own_model_earns_nothing,
            ]
            statements: [
                every_flow_has_its_line,
                a_statement_adds_up,
                a_refund_is_one_line_wherever_it_came_from,
                statements_page_both_ways,
                statements_filter_by_kind,
                everybody_reads_his_own,
            ]
            receipts: [
                a_hold_is_active_until_the_end,
                a_capture_is_one_movement,
                a_release_costs_nothing,
                refunds_are_told_one_by_one,
                a_free_run_has_no_movements,
                nobody_reads_a_strangers,
            ]
            adjustments: [
                credits_are_given_and_taken,
                all_can_be_taken_and_no_more,
                what_is_set_aside_is_not_taken,
                an_unknown_consumer_gets_nothing,
                who_did_it_and_why_is_remembered,
                the_same_id_is_one_adjustment,
            ]
            refunds: [
                all_is_given_back,
                parts_come_to_the_whole,
                no_more_than_was_paid,
                what_was_not_paid_is_not_refunded,
                an_unknown_run_is_not_refunded,
                after_maturing_it_comes_from_what_is_payable,
                after_a_payout_the_platform_pays,
                why_is_remembered,
                the_same_id_is_one_refund,
            ]
            packages: [
                every_store_begins_with_five,
                the_cheapest_is_first,
                what_is_withdrawn_is_not_on_offer,
                a_revision_of_an_old_version_is_stale,
                changes_are_remembered,
            ]
            purchases: [
                a_purchase_is_to_be_paid,
                nobody_finds_a_strangers,
                one_without_a_page_fails,
                the_newest_is_first,
                what_is_not_paid_in_time_expires,
            ]
            events: [
                a_payment_grants_credits_and_bonus,
                every_message_counts_once,
                a_payment_counts_once_whatever_tells_it,
                too_little_grants_nothing,
                another_currency_grants_nothing,
                a_second_payment_grants_nothing,
                what_was_given_up_may_be_paid_after_all,
                what_is_paid_is_not_given_up,
                what_is_nobodys_is_unknown,
                an_account_is_opened_and_closed_for_payouts,
                what_was_told_of_an_account_last_stays,
                a_crowd_of_the_same_message_counts_once,
            ]
            reversals: [
                a_card_refund_takes_its_part,
                totals_grow_and_never_shrink,
                a_reversal_before_its_payment_is_remembered,
                a_bonus_goes_back_in_proportion,
                what_was_spent_is_lost,
                a_won_dispute_gives_everything_back,
                a_dispute_may_end_before_it_begins,
                a_lost_dispute_takes_nothing_more,
                no_more_goes_back_than_was_paid,
                what_was_refunded_is_not_won_back,
                a_dispute_is_won_when_all_was_refunded,
                of_two_disputes_each_is_won_by_itself,
                of_two_disputes_one_is_lost,
                what_is_won_covers_the_platforms_loss_first,
                what_a_lost_dispute_cost_is_not_won_back,
                a_bonus_comes_back_as_far_as_it_went,
                equals_that_waited_have_an_order,
                what_a_run_gives_back_is_taken_after_all,
                what_was_covered_is_not_taken_from_a_run,
            ]
            clawbacks: [
                it_comes_from_what_waits_first,
                then_from_what_is_payable,
                the_rest_is_owed,
                the_last_runs_are_looked_at_first,
                what_was_refunded_is_not_looked_for,
                a_card_refund_is_not_looked_for,
                what_is_clawed_back_is_not_refunded,
                a_fraction_that_is_left_stays,
                a_run_is_clawed_back_no_further_than_it_cost,
                what_was_spent_before_is_not_looked_for,
                what_was_covered_is_not_looked_for,
                parts_that_went_back_are_one_part,
            ]
            earnings: [
                a_stranger_earns_nothing,
                each_run_brings_its_part,
                months_are_apart,
                what_is_refunded_is_earned_no_more,
                the_history_shows_each_run,
                the_history_is_cut_by_time,
            ]
            maturing: [
                nothing_matures_too_early,
                what_was_refunded_before_does_not_mature,
                what_was_refunded_lets_nothing_else_mature,
                only_so_many_mature_at_once,
                a_crowd_matures_each_run_once,
                debts_are_paid_first,
            ]
            payouts: [
                a_payout_is_reserved_and_paid,
                a_failed_one_gives_everything_back,
                no_more_than_is_payable,
                nobody_is_paid_without_an_account,
                an_end_comes_once,
                what_came_back_is_payable_again,
                another_transfer_brings_nothing_back,
                what_comes_back_pays_what_is_owed,
                the_same_id_is_one_payout,
                money_that_went_by_another_transfer_is_told,
                a_message_may_end_it_first,
                one_account_is_one_developers,
                they_are_listed_newest_first_and_by_status,
                a_crowd_gets_no_more_than_there_is,
            ]
            outbox: [
                a_payout_is_delivered_until_it_ends,
                a_lane_is_in_order,
                one_lane_keeps_no_other_waiting,
                a_lease_that_ran_out_is_given_again,
                an_old_lease_defers_nothing,
                two_workers_never_share,
            ]
            analytics: [
                ends_are_counted_by_kind,
                days_are_apart,
                times_fall_into_buckets,
                what_brought_most_is_first,
                one_model_by_itself,
                a_tally_changes_nothing,
            ]
        } }
    };
}

macro_rules! listed {
    ({ $($suite:ident: [$($case:ident,)+])+ }) => {
        vec![$($(
            MoneyCase {
                name: concat!(stringify!($suite), "::", stringify!($case)),
                run: |world| Box::pin($suite::$case(world)),
            },
        )+)+]
    };
}

/// Every case about money.
#[must_use]
pub fn all() -> Vec<MoneyCase> {
    crate::money_cases!([listed])
}

/// Makes one `#[tokio::test]` of every case about money, in one module per suite. The argument
/// names an async function without arguments that makes a [`MoneyWorld`] over an empty store:
/// `money_contract_tests!(money_world);`
#[macro_export]
macro_rules! money_contract_tests {
    ($world:ident) => {
        $crate::money_cases!([$crate::money_contract_tests] @ $world);
    };
    (@ $world:ident { $($suite:ident: $cases:tt)+ }) => {
        $(
            mod $suite {
                use super::$world;
                $crate::money_contract_tests!(@@ $world $suite $cases);
            }
        )+
    };
    (@@ $world:ident $suite:ident [$($case:ident,)+]) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let name = concat!(stringify!($suite), "::", stringify!($case));
                $crate::contract::money::run(name, $world().await).await;
            }
        )+
    };
}
