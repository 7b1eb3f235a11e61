//! People who register get their accounts in the fake treasury too, as they would in one store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tarsify_domain::earnings::{EarningsRepository, Payouts};
use tarsify_domain::execution::RunnableModel;
use tarsify_domain::id::{ConsumerId, DeveloperId};
use tarsify_domain::ledger::Adjustments;
use tarsify_domain::money::Price;
use tarsify_domain::payments::{AccountRef, Packages, PaymentEvent, PaymentProvider, Purchases};
use tarsify_domain::people::{
    Consumer, ConsumerRepository, Developer, DeveloperRepository, IdentityKey, NewConsumer,
    NewDeveloper, Role,
};
use tarsify_domain::text::EmailAddress;
use tarsify_domain::{Clock, Credits, RepoError};
use tarsify_testing::builders::{new_run, runnable_model};
use tarsify_testing::fake::RunEnd;
use tarsify_testing::{FakePayments, FakeTreasury, TestClock, World};

use super::{Ask, Shop};

/// The smallest payout of every shop.
const MINIMUM: Credits = Credits::new(5_000);

struct Registrar<R: ?Sized> {
    people: Arc<R>,
    treasury: Arc<FakeTreasury>,
    welcome: Credits,
}

/// The same world, whose people have accounts. Consumers get `welcome` in the treasury.
pub(super) fn with_accounts(world: World, treasury: &Arc<FakeTreasury>, welcome: Credits) -> World {
    World {
        consumers: Arc::new(Registrar {
            people: world.consumers,
            treasury: Arc::clone(treasury),
            welcome,
        }),
        developers: Arc::new(Registrar {
            people: world.developers,
            treasury: Arc::clone(treasury),
            welcome,
        }),
        ..world
    }
}

#[async_trait]
impl ConsumerRepository for Registrar<dyn ConsumerRepository> {
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Consumer>, RepoError> {
        self.people.find_by_identity(key).await
    }

    async fn register(&self, new: &NewConsumer) -> Result<Consumer, RepoError> {
        let consumer = self.people.register(new).await?;
        let welcome = self.welcome;
        let new = new.clone();
        self.treasury
            .register_consumer(&NewConsumer { welcome, ..new });
        Ok(consumer)
    }

    async fn revise(&self, consumer: &Consumer) -> Result<Consumer, RepoError> {
        self.people.revise(consumer).await
    }
}

#[async_trait]
impl DeveloperRepository for Registrar<dyn DeveloperRepository> {
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Developer>, RepoError> {
        self.people.find_by_identity(key).await
    }

    async fn register(&self, new: &NewDeveloper) -> Result<Developer, RepoError> {
        let developer = self.people.register(new).await?;
        self.treasury.register_developer(new);
        Ok(developer)
    }

    async fn revise(&self, developer: &Developer) -> Result<Developer, RepoError> {
        self.people.revise(developer).await
    }

    async fn assign_role(
        &self,
        email: &EmailAddress,
        role: Role,
    ) -> Result<Option<Developer>, RepoError> {
        self.people.assign_role(email, role).await
    }
}

/// The use cases of money over the fakes.
pub(super) struct Money {
    pub(super) adjustments: Arc<Adjustments>,
    pub(super) packages: Arc<Packages>,
    pub(super) purchases: Arc<Purchases>,
    pub(super) payouts: Arc<Payouts>,
}

impl Money {
    pub(super) fn over(
        treasury: &Arc<FakeTreasury>,
        payments: &Arc<FakePayments>,
        clock: &TestClock,
    ) -> Self {
        let now = || -> Arc<dyn Clock> { Arc::new(clock.clone()) };
        let provider = || -> Arc<dyn PaymentProvider> { Arc::<FakePayments>::clone(payments) };
        let kept = || Arc::<FakeTreasury>::clone(treasury);
        Self {
            adjustments: Arc::new(Adjustments::new(kept(), now())),
            packages: Arc::new(Packages::new(kept(), now())),
            purchases: Arc::new(Purchases {
                repository: kept(),
                packages: kept(),
                provider: provider(),
                clock: now(),
            }),
            payouts: Arc::new(Payouts {
                repository: kept(),
                outbox: kept(),
                provider: provider(),
                minimum: MINIMUM,
                clock: now(),
            }),
        }
    }
}

impl Shop {
    pub(crate) async fn consumer_id(&self, token: &str) -> ConsumerId {
        let me = self.get("/api/marketplace/auth/me").token(token).await;
        me.data()["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn developer_id(&self, token: &str) -> DeveloperId {
        let me = self.get("/api/studio/auth/me").token(token).await;
        me.data()["id"].as_str().unwrap().parse().unwrap()
    }

    /// Begins a purchase of so many cents.
    pub(crate) fn asks_to_buy(&self, token: &str, cents: i64) -> Ask<'_> {
        self.post("/api/marketplace/credits/purchase")
            .token(token)
            .json(&json!({ "amountCents": cents }))
    }

    /// Has the payment provider tell something, with a good signature.
    pub(crate) fn is_told(&self, id: &str, event: &PaymentEvent) -> Ask<'_> {
        self.post("/api/webhooks/stripe")
            .header("stripe-signature", FakePayments::GOOD)
            .bytes(self.payments.body(id, event))
    }

    /// Lets the payment provider know who the developer is.
    pub(crate) async fn verifies(&self, token: &str) -> AccountRef {
        let id = self.developer_id(token).await;
        let account = AccountRef::parse(&format!("acct_{id}")).unwrap();
        self.store.edit_developer(id, |row| {
            row.is_verified = true;
            row.stripe_account_id = Some(account.as_str().to_owned());
        });
        self.treasury.verify_developer(id, &account);
        account
    }

    /// Has somebody run a model of the developer's, for so much, and gives what he earned free.
    pub(crate) async fn earns(&self, token: &str, price: i64) {
        let developer = self.developer_id(token).await;
        let buyer = ConsumerId::new(self.clock.now());
        self.treasury.open_consumer(buyer);
        self.treasury.fund(buyer, Credits::new(price));
        let model = RunnableModel {
            developer_id: developer,
            price: Price::parse(price).unwrap(),
            ..runnable_model()
        };
        let run = new_run(&Arc::new(model), buyer);
        self.treasury.hold(&run).unwrap();
        self.treasury.resolve(run.id, RunEnd::RESULT);
        self.clock.advance(time::Duration::milliseconds(1));
        let ripe = self.treasury.mature(Duration::ZERO, 10).await.unwrap();
        assert!(ripe > 0, "nothing became free");
    }

    /// What the consumer has.
    pub(crate) async fn credits(&self, token: &str) -> Value {
        let credits = self.get("/api/marketplace/credits").token(token).await;
        credits.assert(200, "").data()
    }
}
