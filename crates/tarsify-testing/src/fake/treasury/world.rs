//! The treasury as a world of the money contract. Its clock goes on a little at every look, as
//! time does between two statements.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::execution::{AdmitError, NewExecution, RunnableModel};
use tarsify_domain::id::{DeveloperId, ExecutionId};
use tarsify_domain::people::{NewConsumer, NewDeveloper};
use tarsify_domain::{Clock, Timestamp};
use uuid::Uuid;

use super::{Balances, FakeTreasury, RunEnd};
use crate::TestClock;
use crate::builders::{price, runnable_model};
use crate::contract::money::{MoneyProps, MoneyWorld};

/// Never shows the same moment twice.
struct Ticking(TestClock);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        self.0.advance(time::Duration::microseconds(1))
    }
}

struct Props {
    treasury: Arc<FakeTreasury>,
    clock: TestClock,
}

impl FakeTreasury {
    /// A new treasury as a world of the money contract.
    #[must_use]
    pub fn world() -> MoneyWorld {
        let clock = TestClock::new();
        let treasury = Self::new(Arc::new(Ticking(clock.clone())));
        MoneyWorld {
            wallets: treasury.clone(),
            packages: treasury.clone(),
            purchases: treasury.clone(),
            earnings: treasury.clone(),
            payouts: treasury.clone(),
            outbox: treasury.clone(),
            analytics: treasury.clone(),
            ledger: treasury.clone(),
            props: Arc::new(Props { treasury, clock }),
            keep: Box::new(()),
        }
    }
}

#[async_trait]
impl MoneyProps for Props {
    async fn consumer(&self, new: &NewConsumer) {
        self.treasury.register_consumer(new);
    }

    async fn developer(&self, new: &NewDeveloper) {
        self.treasury.register_developer(new);
    }

    async fn model(&self, developer: DeveloperId, credits: i64) -> Arc<RunnableModel> {
        let model = RunnableModel {
            developer_id: developer,
            price: price(credits),
            ..runnable_model()
        };
        self.treasury.own_model(developer, model.id);
        Arc::new(model)
    }

    async fn begin(&self, new: &NewExecution) -> Result<(), AdmitError> {
        self.treasury.hold(new)
    }

    async fn end(&self, run: ExecutionId, end: RunEnd) {
        self.treasury.resolve(run, end);
    }

    async fn pass(&self, time: Duration) {
        let time = time::Duration::try_from(time).expect("a test's time fits");
        self.clock.advance(time);
    }

    async fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn tally(&self) {}

    async fn balances(&self) -> Balances {
        self.treasury.balances()
    }

    async fn audit(&self, about: Uuid) -> Vec<Option<String>> {
        let entries = self.treasury.audit().into_iter();
        let its = entries.filter(|entry| entry.about == about);
        its.map(|entry| entry.reason.map(|reason| reason.as_str().to_owned()))
            .collect()
    }
}
