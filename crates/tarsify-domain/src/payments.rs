//! How consumers come by credits: packages, purchases, and the provider that takes the money. Only
//! what the provider tells us by its own signed messages grants anything.

pub mod event;
pub mod package;
pub mod provider;
pub mod purchase;

pub use event::{EventError, EventOutcome, PaymentEvent, ReceivedEvent, Verdict};
pub use package::{
    CreditPackage, NewPackage, PackageAmounts, PackageError, PackagePatch, PackageRepository,
    Packages, Shown,
};
pub use provider::{
    Checkout, CheckoutRequest, OnboardingLink, PaymentError, PaymentProvider, SignedMessage,
    TestPayments, TransferOutcome, TransferRequest,
};
pub use purchase::{
    AccountRef, CheckoutRef, PaymentRef, Purchase, PurchaseError, PurchaseRepository,
    PurchaseStatus, Purchases, ReceiveError, TransferRef, Wish,
};
