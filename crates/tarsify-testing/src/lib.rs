//! What tests of every crate share: a clock that stands still, builders, in-memory fakes of
//! every port, the contract suites that hold fakes and PostgreSQL to the same promises, and a
//! database for each test. It is never a normal dependency.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets what it did not expect has to stop right there"
)]

pub mod aging;
pub mod builders;
pub mod clock;
pub mod contract;
pub mod database;
pub mod fake;
pub mod mutation;
pub mod redis;

pub use clock::TestClock;
pub use contract::World;
pub use contract::executions::ExecutionWorld;
pub use contract::money::MoneyWorld;
pub use database::TestDatabase;
pub use fake::{
    FakeAuthenticator, FakeHealth, FakeLimitSettings, FakePayments, FakeStore, FakeTreasury,
};
pub use mutation::almost;
pub use redis::RedisServer;
