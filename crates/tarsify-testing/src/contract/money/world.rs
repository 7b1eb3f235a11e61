//! The ports of one store of money, what a case needs beside them, and short ways.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::earnings::{
    AnalyticsRepository, Earnings, EarningsRepository, NewPayout, Outbox, Payout, PayoutError,
    PayoutRepository,
};
use tarsify_domain::execution::{AdmitError, Ending, NewExecution, RunnableModel};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, GrantId, PayoutId, RefundId};
use tarsify_domain::ledger::{
    Adjustment, AdjustmentAmount, AdjustmentError, LedgerVerifier, NewRefund, Refund, RefundError,
    StatementEntry, Wallet, WalletRepository,
};
use tarsify_domain::payments::{
    AccountRef, EventOutcome, PackageRepository, PaymentEvent, PurchaseRepository, ReceivedEvent,
};
use tarsify_domain::people::{NewConsumer, NewDeveloper};
use tarsify_domain::{Credits, Timestamp};
use uuid::Uuid;

use crate::builders::{new_consumer, new_developer, new_run, page, unique};
use crate::clock::MOMENT;
use crate::fake::{Account, Balances, RunEnd};

/// The ports over one store of money that holds nothing yet but the packages of the beginning.
pub struct MoneyWorld {
    /// Wallets.
    pub wallets: Arc<dyn WalletRepository>,
    /// Packages of credits.
    pub packages: Arc<dyn PackageRepository>,
    /// Purchases, and what the payment provider tells.
    pub purchases: Arc<dyn PurchaseRepository>,
    /// What developers earn.
    pub earnings: Arc<dyn EarningsRepository>,
    /// Payouts.
    pub payouts: Arc<dyn PayoutRepository>,
    /// What has to leave.
    pub outbox: Arc<dyn Outbox>,
    /// How models do.
    pub analytics: Arc<dyn AnalyticsRepository>,
    /// Whether the money is right.
    pub ledger: Arc<dyn LedgerVerifier>,
    /// What lies behind the ports.
    pub props: Arc<dyn MoneyProps>,
    /// Whatever the store needs to live, such as its database; dropped after the ports.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// What a case does to a store of money behind the backs of its ports.
#[async_trait]
pub trait MoneyProps: Send + Sync {
    /// Registers a consumer.
    async fn consumer(&self, new: &NewConsumer);

    /// Registers a developer.
    async fn developer(&self, new: &NewDeveloper);

    /// Stores a new published model of the developer's at this price.
    async fn model(&self, developer: DeveloperId, credits: i64) -> Arc<RunnableModel>;

    /// Begins a run.
    ///
    /// # Errors
    /// When the consumer cannot spend as much as it costs.
    async fn begin(&self, new: &NewExecution) -> Result<(), AdmitError>;

    /// Ends a run that has begun.
    async fn end(&self, run: ExecutionId, end: RunEnd);

    /// Lets so much time pass for all money in the store: its clock moves on, or every moment
    /// and day that it holds moves back.
    async fn pass(&self, time: Duration);

    /// What time it is at the store.
    async fn now(&self) -> Timestamp;

    /// Adds everything that has ended to the sums that are kept.
    async fn tally(&self);

    /// What is in every account.
    async fn balances(&self) -> Balances;

    /// The reasons that administrators gave for what they did to it, oldest first.
    async fn audit(&self, about: Uuid) -> Vec<Option<String>>;
}

/// So many days.
pub(super) const fn days(number: u64) -> Duration {
    Duration::from_secs(number * 24 * 60 * 60)
}

/// How long earnings wait.
pub(super) const WEEK: Duration = days(7);

/// An administrator.
#[must_use]
pub(super) fn actor() -> Actor {
    Actor {
        issuer: "https://issuer.example.com/developers".to_owned(),
        subject: "ada".to_owned(),
        developer: None,
    }
}

pub(super) fn reason(text: &str) -> Reason {
    Reason::parse(text).unwrap()
}

/// A reference of the payment provider that no other call in this process gets.
macro_rules! new_reference {
    ($kind:ident, $prefix:literal) => {
        tarsify_domain::payments::$kind::parse(&format!(
            concat!($prefix, "_{}"),
            $crate::builders::unique()
        ))
        .unwrap()
    };
}
pub(super) use new_reference;

/// A message of the provider that no other has the id of.
pub(super) fn told(event: PaymentEvent) -> ReceivedEvent {
    ReceivedEvent {
        id: format!("evt_{}", unique()),
        kind: "of.the.contract".to_owned(),
        told_at: MOMENT,
        event,
    }
}

impl MoneyWorld {
    /// A consumer with so many credits, which an administrator gave him.
    pub(super) async fn consumer(&self, credits: i64) -> ConsumerId {
        let new = new_consumer(&format!("consumer {}", unique()));
        self.props.consumer(&new).await;
        if credits > 0 {
            self.adjust(new.id, credits).await.unwrap();
        }
        new.id
    }

    pub(super) async fn developer(&self) -> DeveloperId {
        let new = new_developer(&format!("developer {}", unique()));
        self.props.developer(&new).await;
        new.id
    }

    /// A developer who can be paid.
    pub(super) async fn payee(&self) -> DeveloperId {
        let developer = self.developer().await;
        self.verify(developer).await;
        developer
    }

    /// Lets a developer be paid.
    pub(super) async fn verify(&self, developer: DeveloperId) -> AccountRef {
        let account = new_reference!(AccountRef, "acct");
        let attached = self.payouts.attach_account(developer, &account);
        let attached = attached.await.unwrap();
        let can_be_paid = PaymentEvent::AccountUpdated {
            account: attached.clone(),
            can_be_paid: true,
        };
        assert_eq!(self.tell(can_be_paid).await, EventOutcome::Applied);
        attached
    }

    pub(super) async fn begin(
        &self,
        model: &Arc<RunnableModel>,
        consumer: ConsumerId,
    ) -> ExecutionId {
        let new = new_run(model, consumer);
        self.props.begin(&new).await.unwrap();
        new.id
    }

    /// A run with a result.
    pub(super) async fn run(
        &self,
        model: &Arc<RunnableModel>,
        consumer: ConsumerId,
    ) -> ExecutionId {
        let id = self.begin(model, consumer).await;
        self.props.end(id, RunEnd::RESULT).await;
        id
    }

    /// A run without one.
    pub(super) async fn fail(
        &self,
        model: &Arc<RunnableModel>,
        consumer: ConsumerId,
    ) -> ExecutionId {
        let id = self.begin(model, consumer).await;
        let failure = RunEnd::without_result(Ending::Failed);
        self.props.end(id, failure).await;
        id
    }

    /// A developer who can be paid and has so much from one run that he may have paid out.
    pub(super) async fn rich_payee(&self, millicredits: i64) -> DeveloperId {
        let developer = self.payee().await;
        self.enrich(developer, millicredits).await;
        developer
    }

    /// Lets a developer earn so much, and lets it be paid out.
    pub(super) async fn enrich(&self, developer: DeveloperId, millicredits: i64) {
        let price = millicredits / 700;
        assert_eq!(price * 700, millicredits, "no price brings that");
        let model = self.props.model(developer, price).await;
        let consumer = self.consumer(price).await;
        self.run(&model, consumer).await;
        self.mature_all().await;
    }

    /// Lets everything mature that has been earned.
    pub(super) async fn mature_all(&self) {
        self.props.pass(WEEK).await;
        self.earnings.mature(WEEK, 1_000).await.unwrap();
    }

    pub(super) async fn adjust(
        &self,
        consumer: ConsumerId,
        credits: i64,
    ) -> Result<Wallet, AdjustmentError> {
        let adjustment = Adjustment {
            id: GrantId::new(MOMENT),
            consumer,
            amount: AdjustmentAmount::parse(credits).unwrap(),
            reason: reason("a case wants it"),
            actor: actor(),
        };
        self.wallets.adjust(&adjustment).await
    }

    /// Gives a run back, all that is left of it when no amount is named.
    pub(super) async fn refund(
        &self,
        run: ExecutionId,
        credits: Option<i64>,
    ) -> Result<Refund, RefundError> {
        let new = NewRefund {
            id: RefundId::new(MOMENT),
            run,
            amount: credits.map(Credits::new),
        };
        let why = reason("the picture was black");
        self.wallets.refund(&new, &actor(), &why).await
    }

    pub(super) async fn tell(&self, event: PaymentEvent) -> EventOutcome {
        self.purchases.apply(&told(event)).await.unwrap()
    }

    pub(super) async fn request(
        &self,
        developer: DeveloperId,
        credits: i64,
    ) -> Result<Payout, PayoutError> {
        let new = NewPayout {
            id: PayoutId::new(MOMENT),
            developer,
            amount: Credits::new(credits),
        };
        self.payouts.request(&new).await
    }

    pub(super) async fn wallet(&self, consumer: ConsumerId) -> Wallet {
        self.wallets.find_wallet(consumer).await.unwrap()
    }

    pub(super) async fn earned(&self, developer: DeveloperId) -> Earnings {
        self.earnings.find_earnings(developer).await.unwrap()
    }

    /// What is in one account.
    pub(super) async fn balance(&self, account: Account) -> i64 {
        let balances = self.props.balances().await;
        *balances.get(&account).expect("the account is open")
    }

    /// A developer's accounts: pending, payable, on its way, owed.
    pub(super) async fn accounts(&self, developer: DeveloperId) -> [i64; 4] {
        let balances = self.props.balances().await;
        Account::of_developer(developer).map(|account| balances[&account])
    }

    /// A statement, newest first.
    pub(super) async fn statement(&self, consumer: ConsumerId) -> Vec<StatementEntry> {
        let all = page(1, 100);
        let page = self.wallets.list_statement(consumer, None, &all).await;
        page.unwrap().items
    }
}
