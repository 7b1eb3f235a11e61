//! Who calls: identities, the consumers and developers behind them, and administrators.

pub mod consumer;
pub mod developer;
pub mod gate;
pub mod identity;
pub mod standing;

pub use consumer::{Consumer, ConsumerProfile, ConsumerRepository, Consumers, NewConsumer};
pub use developer::{Developer, DeveloperProfile, DeveloperRepository, Developers, NewDeveloper};
pub use gate::{Admin, AdminRule, Gate, GateError};
pub use identity::{
    AuthError, Authenticator, Credential, IdentityKey, PersonStatus, ProfileError, Realm, Role,
    VerifiedIdentity,
};
pub use standing::Standings;
