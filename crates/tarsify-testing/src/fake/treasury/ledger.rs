//! The transfers of the treasury and the balances they come to. A group of movements is posted
//! whole or not at all, each of them once, and none takes more from an account than is in it.

use std::collections::{BTreeMap, BTreeSet};

use tarsify_domain::Timestamp;
use tarsify_domain::id::{ConsumerId, DeveloperId};
use tarsify_domain::ledger::EntrySubject;
use uuid::Uuid;

/// Whose money it is and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What a consumer can spend.
    Available(ConsumerId),
    /// What is set aside for his runs.
    Held(ConsumerId),
    /// What a developer has earned and waits for.
    Pending(DeveloperId),
    /// What he may have paid out.
    Payable(DeveloperId),
    /// What is on its way to him.
    InPayout(DeveloperId),
    /// What he owes; never above nothing.
    Owed(DeveloperId),
    /// The world outside.
    Clearing,
    /// What the platform gives away.
    Promo,
    /// What it earns.
    Revenue,
    /// What it loses.
    Loss,
}

impl Account {
    /// The platform's own.
    pub const PLATFORM: [Self; 4] = [Self::Clearing, Self::Promo, Self::Revenue, Self::Loss];

    /// Every account of a consumer.
    #[must_use]
    pub const fn of_consumer(id: ConsumerId) -> [Self; 2] {
        [Self::Available(id), Self::Held(id)]
    }

    /// Every account of a developer.
    #[must_use]
    pub const fn of_developer(id: DeveloperId) -> [Self; 4] {
        [
            Self::Pending(id),
            Self::Payable(id),
            Self::InPayout(id),
            Self::Owed(id),
        ]
    }

    /// The account that a store calls so.
    ///
    /// # Panics
    /// When there is no such kind, or an owner where there is none.
    #[must_use]
    pub fn named(owner: Option<Uuid>, kind: &str) -> Self {
        let consumer = owner.map(ConsumerId::from_uuid);
        let developer = owner.map(DeveloperId::from_uuid);
        let all = (consumer.into_iter().flat_map(Self::of_consumer))
            .chain(developer.into_iter().flat_map(Self::of_developer))
            .chain(Self::PLATFORM);
        let mut same = all.filter(|account| account.kind() == kind && account.owner() == owner);
        same.next().expect("there is such a kind of account")
    }

    /// Whose it is; nobody's when it is the platform's.
    #[must_use]
    pub const fn owner(self) -> Option<Uuid> {
        match self {
            Self::Available(id) | Self::Held(id) => Some(id.uuid()),
            Self::Pending(id) | Self::Payable(id) | Self::InPayout(id) | Self::Owed(id) => {
                Some(id.uuid())
            }
            Self::Clearing | Self::Promo | Self::Revenue | Self::Loss => None,
        }
    }

    /// What it is for, in the design's word.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Available(_) => "consumer_available",
            Self::Held(_) => "consumer_held",
            Self::Pending(_) => "developer_pending",
            Self::Payable(_) => "developer_payable",
            Self::InPayout(_) => "developer_in_payout",
            Self::Owed(_) => "developer_owed",
            Self::Clearing => "stripe_clearing",
            Self::Promo => "platform_promo",
            Self::Revenue => "platform_revenue",
            Self::Loss => "platform_loss",
        }
    }

    const fn is_guarded(self) -> bool {
        matches!(
            self,
            Self::Available(_)
                | Self::Held(_)
                | Self::Pending(_)
                | Self::Payable(_)
                | Self::InPayout(_)
        )
    }
}

/// What is in every account, in millicredits.
pub type Balances = BTreeMap<Account, i64>;

/// One movement: a debit and a credit at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) kind: &'static str,
    pub(super) from: Account,
    pub(super) to: Account,
    pub(super) amount: i64,
}

/// A movement that took place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transfer {
    pub(super) about: EntrySubject,
    pub(super) leg: Leg,
    /// What the consumer on whose statement it stands could spend afterwards.
    pub(super) after: Option<i64>,
    pub(super) at: Timestamp,
}

/// How much an account lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lacking(pub(super) i64);

#[derive(Default)]
pub(super) struct Ledger {
    transfers: Vec<Transfer>,
    balances: Balances,
    seen: BTreeSet<(Uuid, &'static str, &'static str)>,
}

impl Ledger {
    pub(super) fn open(&mut self, accounts: &[Account]) {
        for account in accounts {
            self.balances.entry(*account).or_default();
        }
    }

    pub(super) fn is_open(&self, account: Account) -> bool {
        self.balances.contains_key(&account)
    }

    /// What is in the account; nothing in one that does not exist.
    pub(super) fn balance(&self, account: Account) -> i64 {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    pub(super) const fn balances(&self) -> &Balances {
        &self.balances
    }

    pub(super) fn transfers(&self) -> &[Transfer] {
        &self.transfers
    }

    /// Posts all of a group, or nothing of it when an account would lack something.
    pub(super) fn post(
        &mut self,
        about: EntrySubject,
        at: Timestamp,
        legs: &[Leg],
    ) -> Result<(), Lacking> {
        let legs: Vec<_> = legs.iter().filter(|leg| leg.amount != 0).collect();
        let mut then = BTreeMap::new();
        for leg in &legs {
            assert!(leg.amount > 0 && leg.from != leg.to, "no movement: {leg:?}");
            for (account, change) in [(leg.from, -leg.amount), (leg.to, leg.amount)] {
                assert!(self.is_open(account), "nobody opened {account:?}");
                *then.entry(account).or_insert_with(|| self.balance(account)) += change;
            }
        }
        for (account, balance) in &then {
            if account.is_guarded() && *balance < 0 {
                return Err(Lacking(-balance));
            }
            let is_debt = matches!(account, Account::Owed(_));
            assert!(!is_debt || *balance <= 0, "{account:?} holds {balance}");
        }
        for leg in legs {
            self.append(about, at, *leg);
        }
        assert_eq!(self.balances.values().sum::<i64>(), 0, "after {about:?}");
        Ok(())
    }

    /// As the last one, for what can lack nothing.
    pub(super) fn must_post(&mut self, about: EntrySubject, at: Timestamp, legs: &[Leg]) {
        let posted = self.post(about, at, legs);
        assert_eq!(posted, Ok(()), "{about:?}: {legs:?}");
    }

    fn append(&mut self, about: EntrySubject, at: Timestamp, leg: Leg) {
        let is_first = self.seen.insert((about.id, leg.kind, about.kind));
        assert!(is_first, "{} of {about:?} a second time", leg.kind);
        *self.balances.entry(leg.from).or_default() -= leg.amount;
        *self.balances.entry(leg.to).or_default() += leg.amount;
        let mut sides = [leg.from, leg.to].into_iter();
        let wallet = sides.find(|side| matches!(side, Account::Available(_)));
        self.transfers.push(Transfer {
            about,
            leg,
            after: wallet.map(|wallet| self.balance(wallet)),
            at,
        });
    }

    /// What every account's transfers come to, summed once more.
    pub(super) fn replay(&self) -> Balances {
        let mut replayed: Balances = self.balances.keys().map(|account| (*account, 0)).collect();
        for Transfer { leg, .. } in &self.transfers {
            *replayed.entry(leg.from).or_default() -= leg.amount;
            *replayed.entry(leg.to).or_default() += leg.amount;
        }
        replayed
    }
}
