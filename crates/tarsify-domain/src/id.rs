//! One id type per kind of thing, over UUIDv7, so that ids sort by age and never mix.

use std::fmt;
use std::str::FromStr;

use uuid::{NoContext, Timestamp as UuidTime, Uuid};

use crate::clock::Timestamp;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id that carries the moment `now`.
            #[must_use]
            pub fn new(now: Timestamp) -> Self {
                Self(uuid_at(now))
            }

            /// Wraps a stored id.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The id to store.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// A consumer.
    ConsumerId
);
id!(
    /// A developer.
    DeveloperId
);
id!(
    /// A deployment at a GPU provider.
    EndpointId
);
id!(
    /// A capability on an endpoint.
    BaseModelId
);
id!(
    /// A developer's branded configuration of a base model.
    TarsModelId
);
id!(
    /// One job of one person on one tars model.
    ExecutionId
);
id!(
    /// Credits that an administrator gave or took.
    GrantId
);
id!(
    /// A run's price given back.
    RefundId
);
id!(
    /// A package of credits on offer.
    PackageId
);
id!(
    /// A purchase of credits.
    PurchaseId
);
id!(
    /// Money that went back to a card.
    ReversalId
);
id!(
    /// Earnings on their way to a developer.
    PayoutId
);
id!(
    /// A message that has to leave.
    OutboxId
);
id!(
    /// A process that works on executions.
    WorkerId
);

fn uuid_at(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or(0);
    Uuid::new_v7(UuidTime::from_unix(NoContext, seconds, now.nanosecond()))
}
