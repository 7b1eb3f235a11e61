//! Emulates RunPod Serverless in one process: the API that clients call, the one that official
//! workers call, workers of its own for the demo models, and faults on demand. Beside it, [`stripe`]
//! emulates what we use of Stripe.
//!
//! It keeps everything in memory and runs no model: whatever its own workers make says so.

mod behaviour;
mod counts;
mod courier;
mod demo;
mod emulator;
mod endpoint;
mod faults;
mod http;
mod job;
mod limits;
mod policy;
mod randomness;
mod settings;
mod simulation;
pub mod stripe;

pub use behaviour::{Behaviour, BehaviourError, Script, ScriptError};
pub use counts::CallCounts;
pub use emulator::{Emulator, EmulatorError};
pub use faults::{Fault, FaultError, FaultKind, When};
pub use settings::{EmulatorSettings, RateLimits, TimeScale};
