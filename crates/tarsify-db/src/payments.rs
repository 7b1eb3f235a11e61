//! Keeps packages of credits, purchases, and what the payment provider told. What a purchase or a
//! reversal moves is decided by the functions of the migrations, in the statement that notes it.

mod applying;
mod package;
mod purchase;

pub use package::PgPackageRepository;
pub use purchase::PgPurchaseRepository;
