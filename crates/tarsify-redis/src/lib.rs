//! What Tarsify's processes share through Redis: news of runs, and the counting of requests. All of
//! it may be lost: without Redis each process goes on alone, and nothing here ever fails a request.

mod address;
mod breaker;
mod bus;
mod connection;
mod limiter;

pub use address::{RedisAddress, RedisAddressError};
pub use bus::RedisBus;
pub use connection::{Redis, RedisReport, RedisTrouble};
pub use limiter::RedisLimiter;
