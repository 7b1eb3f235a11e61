//! Credits for consumers, earnings for developers, and both for administrators.

use tarsify_domain::ErrorCode as Code;
use tarsify_domain::limits::LimitCategory;

use crate::money::{admin, analytics, credits, earnings as income, packages, payouts, purchases};
use crate::openapi::parameters::{page, payout_status, period, span, transaction_type};
use crate::route::{Access, Route, Shape, delete, get, patch, post, put};

const ADMIN: &str = "Administration";
const CREDITS: &str = "Credits";
const EARNINGS: &str = "Earnings";

pub(super) fn credits() -> Vec<Route> {
    vec![
        get(
            "/api/marketplace/credits",
            CREDITS,
            "Show the own credits",
        )
        .access(Access::Consumer)
        .answers::<credits::CreditsOut>(Shape::One)
        .to(credits::show_credits),
        get(
            "/api/marketplace/credits/packages",
            CREDITS,
            "List the packages of credits on offer",
        )
        .answers::<packages::CreditPackagesOut>(Shape::One)
        .to(packages::list_offered_packages),
        post(
            "/api/marketplace/credits/purchase",
            CREDITS,
            "Begin to buy credits; they are granted once they are paid on the page that is answered",
        )
        .counts_as(LimitCategory::TaskCreation)
        .access(Access::Consumer)
        .body::<purchases::PurchaseCreditsIn>()
        .answers::<purchases::PurchaseOut>(Shape::Created)
        .creates()
        .refuses(&[Code::PaymentNotFound, Code::PaymentFailed])
        .to(purchases::purchase_credits),
        get(
            "/api/marketplace/credits/purchases/{id}",
            CREDITS,
            "Show an own purchase",
        )
        .access(Access::Consumer)
        .answers::<purchases::PurchaseOut>(Shape::One)
        .refuses(&[Code::PaymentNotFound])
        .to(purchases::show_purchase),
        get(
            "/api/marketplace/credits/history",
            CREDITS,
            "List the own purchases",
        )
        .access(Access::Consumer)
        .query(page())
        .answers::<purchases::PurchaseOut>(Shape::Page)
        .to(purchases::list_purchases),
        get(
            "/api/marketplace/credits/transactions",
            CREDITS,
            "List what happened to the credits that can be spent",
        )
        .access(Access::Consumer)
        .query(page())
        .query([transaction_type()])
        .answers::<credits::TransactionOut>(Shape::Page)
        .to(credits::list_credit_transactions),
    ]
}

pub(super) fn earnings() -> Vec<Route> {
    let mut table = vec![
        get(
            "/api/studio/earnings",
            EARNINGS,
            "Show the own earnings: whole credits, rounded down, and exact millicredits",
        )
        .access(Access::Developer)
        .answers::<income::EarningsOut>(Shape::One)
        .to(income::show_earnings),
        get(
            "/api/studio/earnings/history",
            EARNINGS,
            "List the runs that the caller earned by",
        )
        .access(Access::Developer)
        .query(page())
        .query(span())
        .answers::<income::EarningOut>(Shape::Page)
        .to(income::list_earnings),
        get(
            "/api/studio/analytics",
            EARNINGS,
            "Show how the own models did",
        )
        .access(Access::Developer)
        .query([period()])
        .answers::<analytics::AnalyticsOut>(Shape::One)
        .to(analytics::show_analytics),
        get(
            "/api/studio/analytics/models/{id}",
            EARNINGS,
            "Show how an own model did",
        )
        .access(Access::Developer)
        .query([period()])
        .answers::<analytics::AnalyticsOut>(Shape::One)
        .refuses(&[Code::TarsModelNotFound])
        .to(analytics::show_model_analytics),
    ];
    table.extend(payout_routes());
    table
}

fn payout_routes() -> Vec<Route> {
    vec![
        post(
            "/api/studio/payouts/connect-stripe",
            EARNINGS,
            "Make a page on which the caller tells the payment provider who he is",
        )
        .access(Access::Developer)
        .body::<payouts::ConnectStripeIn>()
        .answers::<payouts::OnboardingOut>(Shape::One)
        .refuses(&[Code::PaymentFailed])
        .to(payouts::connect_stripe),
        post(
            "/api/studio/payouts/request",
            EARNINGS,
            "Ask for a payout; its amount is reserved at once and sent soon",
        )
        .access(Access::Developer)
        .body::<payouts::RequestPayoutIn>()
        .answers::<payouts::PayoutOut>(Shape::Noted)
        .creates()
        .refuses(&[
            Code::DeveloperNotVerified,
            Code::PayoutMinimumNotMet,
            Code::InsufficientCredits,
        ])
        .to(payouts::request_payout),
        get("/api/studio/payouts", EARNINGS, "List the own payouts")
            .access(Access::Developer)
            .query(page())
            .query([payout_status()])
            .answers::<payouts::PayoutOut>(Shape::Page)
            .to(payouts::list_payouts),
    ]
}

pub(super) fn administration() -> Vec<Route> {
    let mut table = credit_packages();
    table.extend([
        post(
            "/api/admin/consumers/{id}/credits",
            ADMIN,
            "Give credits to a consumer, or take some from him",
        )
        .access(Access::Admin)
        .body::<admin::AdjustCreditsIn>()
        .answers::<admin::AdjustedCreditsOut>(Shape::Noted)
        .creates()
        .refuses(&[Code::ConsumerNotRegistered, Code::InsufficientCredits])
        .to(admin::adjust_consumer_credits),
        post(
            "/api/admin/executions/{id}/refund",
            ADMIN,
            "Give the price of a run back to its consumer, or a part of it",
        )
        .access(Access::Admin)
        .body::<admin::RefundExecutionIn>()
        .answers::<admin::RefundOut>(Shape::Noted)
        .creates()
        .refuses(&[Code::ExecutionNotFound, Code::Conflict])
        .to(admin::refund_execution),
        get(
            "/api/admin/ledger/verify",
            ADMIN,
            "Sum the whole ledger up again and name what is wrong",
        )
        .access(Access::Admin)
        .answers::<admin::LedgerReportOut>(Shape::One)
        .to(admin::verify_ledger),
    ]);
    table
}

fn credit_packages() -> Vec<Route> {
    const ALL: &str = "/api/admin/credit-packages";
    const ONE: &str = "/api/admin/credit-packages/{id}";
    let update =
        |method: fn(&'static str, &'static str, &'static str) -> crate::route::RouteBuilder| {
            method(ONE, ADMIN, "Change a package of credits")
                .access(Access::Admin)
                .body::<packages::UpdatePackageIn>()
                .answers::<packages::CreditPackageOut>(Shape::One)
                .revises()
                .refuses(&[Code::PaymentNotFound])
                .to(packages::update_package)
        };
    vec![
        post(ALL, ADMIN, "Make a package of credits")
            .access(Access::Admin)
            .body::<packages::CreatePackageIn>()
            .answers::<packages::CreditPackageOut>(Shape::Created)
            .creates()
            .to(packages::create_package),
        get(ALL, ADMIN, "List all packages of credits")
            .access(Access::Admin)
            .answers::<Vec<packages::CreditPackageOut>>(Shape::One)
            .to(packages::list_packages),
        get(ONE, ADMIN, "Show a package of credits")
            .access(Access::Admin)
            .answers::<packages::CreditPackageOut>(Shape::One)
            .refuses(&[Code::PaymentNotFound])
            .to(packages::show_package),
        update(put),
        update(patch),
        delete(ONE, ADMIN, "Take a package of credits off the offer")
            .access(Access::Admin)
            .revises()
            .refuses(&[Code::PaymentNotFound])
            .to(packages::delete_package),
    ]
}
