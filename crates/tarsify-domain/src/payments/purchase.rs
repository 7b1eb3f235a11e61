//! Purchases of credits.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::{Clock, Timestamp};
use crate::error::{Misfit, RepoError};
use crate::id::{ConsumerId, PackageId, PurchaseId};
use crate::money::Credits;
use crate::page::{KeyKind, Order, Page, PageRequest};
use crate::payments::{
    Checkout, CheckoutRequest, EventError, EventOutcome, PackageAmounts, PackageRepository,
    PaymentError, PaymentEvent, PaymentProvider, ReceivedEvent,
};
use crate::people::Consumer;
use crate::words::words;

macro_rules! reference {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks what the provider calls it.
            ///
            /// # Errors
            /// When it is empty, longer than 255 characters, or not plain ASCII.
            pub fn parse(text: &str) -> Result<Self, Misfit> {
                let fits = (1..=255).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_graphic());
                if fits {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Misfit::new("pattern", "is no reference of the payment provider"))
                }
            }

            /// What the provider calls it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

reference!(
    /// The page on which a purchase is paid.
    CheckoutRef
);
reference!(
    /// A payment.
    PaymentRef
);
reference!(
    /// A developer's account at the provider.
    AccountRef
);
reference!(
    /// Money sent to such an account.
    TransferRef
);

words!(
    /// What became of a purchase.
    PurchaseStatus {
        /// It is to be paid.
        Pending = "PENDING",
        /// It is paid, and the credits are granted.
        Paid = "PAID",
        /// The payment failed.
        Failed = "FAILED",
        /// Nobody paid in time.
        Expired = "EXPIRED",
        /// All of it went back to the card.
        Refunded = "REFUNDED",
        /// The bank has taken the payment back.
        Disputed = "DISPUTED",
    }
);

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// Its id.
    pub id: PurchaseId,
    /// Who buys.
    pub consumer: ConsumerId,
    /// Which package, if it is one.
    pub package: Option<PackageId>,
    /// The credits that are paid for.
    pub credits: Credits,
    /// Those that come on top.
    pub bonus: Credits,
    /// The price in the smallest unit of the currency.
    pub price_cents: i64,
    /// The currency.
    pub currency: String,
    /// What became of it.
    pub status: PurchaseStatus,
    /// Where it is paid, once that is known.
    pub checkout_url: Option<String>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl Purchase {
    /// The order of purchases: newest first.
    pub const ORDER: Order = Order {
        name: "newest",
        key: KeyKind::Integer,
    };
}

/// What somebody wants to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// A package.
    Package(PackageId),
    /// Credits for so many cents, one for each.
    Cents(i64),
}

impl Wish {
    /// The least and the most that may be spent without a package, in cents.
    pub const CENTS: (i64, i64) = (500, 50_000);

    /// Checks an amount of cents.
    ///
    /// # Errors
    /// When it is too little or too much.
    pub fn parse_cents(cents: i64) -> Result<Self, Misfit> {
        let (least, most) = Self::CENTS;
        if (least..=most).contains(&cents) {
            Ok(Self::Cents(cents))
        } else {
            Err(Misfit::new("range", "must be between 500 and 50000"))
        }
    }
}

/// Why nothing was bought.
#[derive(Debug, thiserror::Error)]
pub enum PurchaseError {
    /// There is no such package on offer.
    #[error("there is no such package on offer")]
    NoPackage,
    /// There is no such purchase of his.
    #[error("there is no such purchase")]
    NotFound,
    /// The provider did not open a page for it.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// Why a message of the provider was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// It is not acceptable.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The store failed; the provider has to tell it again.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// Stores purchases and what the provider tells. Every method is one atomic step.
#[async_trait]
pub trait PurchaseRepository: Send + Sync {
    /// Stores a new purchase, which is to be paid.
    async fn open(&self, new: &Purchase) -> Result<(), RepoError>;

    /// Notes the page on which it is paid.
    async fn attach_checkout(&self, id: PurchaseId, checkout: &Checkout) -> Result<(), RepoError>;

    /// Ends a purchase for which there is no page and will be none.
    async fn fail(&self, id: PurchaseId) -> Result<(), RepoError>;

    /// The consumer's purchase with this id.
    async fn find(
        &self,
        consumer: ConsumerId,
        id: PurchaseId,
    ) -> Result<Option<Purchase>, RepoError>;

    /// The purchase with this id, whoever's it is.
    async fn find_any(&self, id: PurchaseId) -> Result<Option<Purchase>, RepoError>;

    /// A page of the consumer's purchases, newest first.
    async fn list(
        &self,
        consumer: ConsumerId,
        page: &PageRequest,
    ) -> Result<Page<Purchase>, RepoError>;

    /// Gives a message its effect, once, whatever it is about: purchases, payouts, accounts.
    async fn apply(&self, received: &ReceivedEvent) -> Result<EventOutcome, RepoError>;

    /// Lets purchases expire that were begun longer ago than `age` and have heard nothing since, at
    /// most `limit`, and answers how many these were. One that is paid after all is granted all the
    /// same.
    async fn expire(&self, age: Duration, limit: u32) -> Result<u64, RepoError>;

    /// Looks for the money of at most `limit` lost disputes at the developers to whom it went,
    /// and answers how many these were.
    async fn claw_back(&self, limit: u32) -> Result<u64, RepoError>;
}

/// Buying, and listening to the provider.
pub struct Purchases {
    /// Where purchases are kept.
    pub repository: Arc<dyn PurchaseRepository>,
    /// Where packages are kept.
    pub packages: Arc<dyn PackageRepository>,
    /// Who takes the money.
    pub provider: Arc<dyn PaymentProvider>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Purchases {
    /// Begins a purchase and opens the page on which it is paid. Nothing is granted before the
    /// provider has told that it is.
    ///
    /// # Errors
    /// When there is no such package on offer, the provider opens no page, or the store fails.
    pub async fn buy(&self, consumer: &Consumer, wish: Wish) -> Result<Purchase, PurchaseError> {
        let mut purchase = self.purchase(consumer.id, wish).await?;
        self.repository.open(&purchase).await?;
        let request = CheckoutRequest {
            purchase: purchase.clone(),
            email: consumer.email.clone(),
        };
        let checkout = match self.provider.open_checkout(&request).await {
            Ok(checkout) => checkout,
            Err(refused) => {
                // Should it have a page after all, and be paid there, it is granted all the same.
                self.repository.fail(purchase.id).await?;
                return Err(refused.into());
            }
        };
        self.repository
            .attach_checkout(purchase.id, &checkout)
            .await?;
        purchase.checkout_url = Some(checkout.url);
        Ok(purchase)
    }

    /// The consumer's purchase with this id.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub async fn find(
        &self,
        consumer: ConsumerId,
        id: PurchaseId,
    ) -> Result<Purchase, PurchaseError> {
        let found = self.repository.find(consumer, id).await?;
        found.ok_or(PurchaseError::NotFound)
    }

    /// A page of the consumer's purchases, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        consumer: ConsumerId,
        page: &PageRequest,
    ) -> Result<Page<Purchase>, PurchaseError> {
        Ok(self.repository.list(consumer, page).await?)
    }

    /// Takes a message of the provider.
    ///
    /// # Errors
    /// When it is not the provider's, or the store fails.
    pub async fn receive(
        &self,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<(ReceivedEvent, EventOutcome), ReceiveError> {
        let received = self
            .provider
            .read_event(signature, body, self.clock.now())?;
        let outcome = self.repository.apply(&received).await?;
        // Nothing is lost when this is not reached: it is looked for every few seconds too.
        if matches!(received.event, PaymentEvent::DisputeClosed { .. }) {
            self.repository.claw_back(10).await?;
        }
        Ok((received, outcome))
    }

    async fn purchase(&self, consumer: ConsumerId, wish: Wish) -> Result<Purchase, PurchaseError> {
        let (package, amounts) = match wish {
            Wish::Package(id) => {
                let found = self.packages.find(id).await?;
                let package = found.filter(|package| package.is_active);
                let package = package.ok_or(PurchaseError::NoPackage)?;
                (Some(id), package.amounts)
            }
            Wish::Cents(cents) => (
                None,
                PackageAmounts {
                    credits: Credits::new(cents),
                    bonus: Credits::ZERO,
                    price_cents: cents,
                },
            ),
        };
        let now = self.clock.now();
        Ok(Purchase {
            id: PurchaseId::new(now),
            consumer,
            package,
            credits: amounts.credits,
            bonus: amounts.bonus,
            price_cents: amounts.price_cents,
            currency: "usd".to_owned(),
            status: PurchaseStatus::Pending,
            checkout_url: None,
            paid_at: None,
            created_at: now,
        })
    }
}
