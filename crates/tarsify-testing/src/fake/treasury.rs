//! All the money in memory: a double-entry ledger with every port of money over one state. It is
//! written from the design and from what the ports promise, so that it can tell whether the store
//! that is written in SQL keeps to them. Runs come and go by its own methods; no port of money
//! makes one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::id::{
    ConsumerId, DeveloperId, ExecutionId, GrantId, PackageId, PayoutId, PurchaseId, TarsModelId,
};
use tarsify_domain::ledger::{EntrySubject, LedgerFault, Refund};
use tarsify_domain::payments::{AccountRef, CreditPackage, EventOutcome};
use tarsify_domain::people::{NewConsumer, NewDeveloper};
use tarsify_domain::text::EmailAddress;
use tarsify_domain::{Clock, Credits, RepoError, Timestamp};

mod analytics;
mod clawbacks;
mod earnings;
mod ledger;
mod outbox;
mod packages;
mod payouts;
mod purchases;
mod reversals;
mod runs;
mod verify;
mod wallets;
mod world;

pub use ledger::{Account, Balances};
pub use runs::RunEnd;

use ledger::{Ledger, Leg};
use outbox::Message;
use payouts::Sending;
use purchases::Bought;
use reversals::Reversal;
use runs::{Fact, Run};

/// Every port of money over one ledger in memory.
pub struct FakeTreasury {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    is_out_of_order: AtomicBool,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    consumers: BTreeMap<ConsumerId, Buyer>,
    developers: BTreeMap<DeveloperId, Payee>,
    runs: BTreeMap<ExecutionId, Run>,
    /// Whose models these are.
    models: BTreeMap<TarsModelId, DeveloperId>,
    /// What the sums of models, days and people are made of.
    facts: Vec<Fact>,
    grants: BTreeSet<GrantId>,
    refunds: Vec<Refund>,
    packages: BTreeMap<PackageId, CreditPackage>,
    purchases: BTreeMap<PurchaseId, Bought>,
    events: BTreeMap<String, EventOutcome>,
    reversals: Vec<Reversal>,
    payouts: BTreeMap<PayoutId, Sending>,
    outbox: Vec<Message>,
    audit: Vec<FakeAuditEntry>,
    faults: Vec<LedgerFault>,
}

#[derive(Default)]
struct Buyer {
    /// His address, if it is verified.
    email: Option<EmailAddress>,
}

#[derive(Default)]
struct Payee {
    email: Option<EmailAddress>,
    account: Option<AccountRef>,
    can_be_paid: bool,
    /// When the provider told so.
    told_at: Option<Timestamp>,
}

/// What an administrator did, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeAuditEntry {
    /// Who.
    pub actor: Actor,
    /// What, such as `package.create`.
    pub action: &'static str,
    /// To what.
    pub about: uuid::Uuid,
    /// Why, where that is asked for.
    pub reason: Option<Reason>,
}

impl FakeTreasury {
    /// A treasury without people, with the five packages that every store begins with.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let mut state = State::default();
        state.ledger.open(&Account::PLATFORM);
        state.seed_packages(clock.now());
        Arc::new(Self {
            clock,
            state: Mutex::new(state),
            is_out_of_order: AtomicBool::new(false),
        })
    }

    /// Opens the accounts of a consumer of whom nothing else is known.
    pub fn open_consumer(&self, id: ConsumerId) {
        self.lock().open_consumer(id, Buyer::default());
    }

    /// Opens the accounts of a developer of whom nothing else is known.
    pub fn open_developer(&self, id: DeveloperId) {
        self.lock().open_developer(id, Payee::default());
    }

    /// Opens a consumer's accounts and gives him his welcome credits.
    pub fn register_consumer(&self, new: &NewConsumer) {
        let email = new.email.clone().filter(|_| new.email_is_verified);
        let mut state = self.lock();
        state.open_consumer(new.id, Buyer { email });
        let welcome = Leg {
            kind: "welcome",
            from: Account::Promo,
            to: Account::Available(new.id),
            amount: new.welcome.millicredits().get(),
        };
        let about = subject("consumer", new.id.uuid());
        state.ledger.must_post(about, self.clock.now(), &[welcome]);
    }

    /// Opens a developer's accounts. A consumer with the same verified e-mail address is the same
    /// person, and his runs bring the developer nothing.
    pub fn register_developer(&self, new: &NewDeveloper) {
        let email = new.email.clone().filter(|_| new.email_is_verified);
        let payee = Payee {
            email,
            ..Payee::default()
        };
        self.lock().open_developer(new.id, payee);
    }

    /// Gives a developer an account at the payment provider that may be paid to.
    ///
    /// # Panics
    /// When he has no accounts here.
    pub fn verify_developer(&self, id: DeveloperId, account: &AccountRef) {
        let mut state = self.lock();
        let payee = state.developers.get_mut(&id);
        let payee = payee.expect("the developer's accounts are open");
        payee.account = Some(account.clone());
        payee.can_be_paid = true;
    }

    /// Gives a consumer credits, as an administrator would, without a word about it.
    pub fn fund(&self, id: ConsumerId, credits: Credits) {
        let gift = Leg {
            kind: "adjustment",
            from: Account::Promo,
            to: Account::Available(id),
            amount: credits.millicredits().get(),
        };
        let now = self.clock.now();
        let about = subject("grant", GrantId::new(now).uuid());
        self.lock().ledger.must_post(about, now, &[gift]);
    }

    /// What is in every account, in millicredits.
    #[must_use]
    pub fn balances(&self) -> Balances {
        self.lock().ledger.balances().clone()
    }

    /// What is in one account, in millicredits; nothing in one that does not exist.
    #[must_use]
    pub fn balance(&self, account: Account) -> i64 {
        self.lock().ledger.balance(account)
    }

    /// What administrators did, oldest first.
    #[must_use]
    pub fn audit(&self) -> Vec<FakeAuditEntry> {
        self.lock().audit.clone()
    }

    /// Lets every check find this fault too, from now on.
    pub fn plant_fault(&self, fault: LedgerFault) {
        self.lock().faults.push(fault);
    }

    /// Every call of a port answers `Unavailable` from now on.
    pub fn start_outage(&self) {
        self.is_out_of_order.store(true, Ordering::SeqCst);
    }

    /// The treasury serves again; it lost nothing.
    pub fn end_outage(&self) {
        self.is_out_of_order.store(false, Ordering::SeqCst);
    }

    async fn enter(&self) -> Result<MutexGuard<'_, State>, RepoError> {
        // Two callers at once interleave here as they would on a connection.
        tokio::task::yield_now().await;
        if self.is_out_of_order.load(Ordering::SeqCst) {
            return Err(RepoError::Unavailable(
                "a test put the fake treasury out of order".into(),
            ));
        }
        Ok(self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn open_consumer(&mut self, id: ConsumerId, buyer: Buyer) {
        self.ledger.open(&Account::of_consumer(id));
        self.consumers.insert(id, buyer);
    }

    fn open_developer(&mut self, id: DeveloperId, payee: Payee) {
        self.ledger.open(&Account::of_developer(id));
        self.developers.insert(id, payee);
    }

    /// Takes what a developer has earned: from what waits, then from what may be paid out; the
    /// rest is what he no longer has.
    fn take_back(&self, developer: DeveloperId, amount: i64) -> TakenBack {
        let pending = amount.min(self.ledger.balance(Account::Pending(developer)));
        let payable = (amount - pending).min(self.ledger.balance(Account::Payable(developer)));
        TakenBack {
            pending,
            payable,
            rest: amount - pending - payable,
        }
    }
}

struct TakenBack {
    pending: i64,
    payable: i64,
    rest: i64,
}

const fn subject(kind: &'static str, id: uuid::Uuid) -> EntrySubject {
    EntrySubject { kind, id }
}

/// Whether both have verified the same e-mail address.
fn is_same_person(buyer: Option<&Buyer>, payee: Option<&Payee>) -> bool {
    let addresses = (
        buyer.and_then(|buyer| buyer.email.as_ref()),
        payee.and_then(|payee| payee.email.as_ref()),
    );
    matches!(addresses, (Some(his), Some(its)) if his == its)
}
