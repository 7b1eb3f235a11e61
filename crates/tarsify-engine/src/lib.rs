//! Runs models on somebody's GPUs: merges and validates inputs, drives each execution from the
//! wish to its one end, and speaks to the providers.
//!
//! It keeps no global state, reads no environment, sets up no logging and never panics, so that
//! any Rust service can embed it. An [`Engine`] is built on a store ([`MemoryStore`], or any that
//! keeps the promises of the ports in `tarsify_domain::execution`) and on providers ([`RunPod`], or
//! any [`provider::GpuProvider`]). It does nothing by itself: its host awaits
//! [`Engine::run_workers`], or takes the worker's steps one by one. `examples/embed.rs` is a whole
//! program.
//!
//! Whoever runs a model that is not free needs credits, which [`MemoryStore::grant`] gives and the
//! store sets aside, takes or gives back with the run that they are for.
//!
//! What is done next about an execution is decided by one pure function, [`machine::step`]. The
//! parts that need no engine are functions too:
//!
//! ```
//! use serde_json::json;
//! use tarsify_domain::catalog::{ConfigOverrides, InputSchema};
//! use tarsify_engine::{InputValidator, merge_inputs, process_schema};
//!
//! let base = InputSchema::parse(json!({
//!     "type": "object",
//!     "properties": {
//!         "prompt": {"type": "string", "maxLength": 500},
//!         "negative_prompt": {"type": "string"},
//!         "style": {"enum": ["anime", "photo"]},
//!         "width": {"type": "integer", "maximum": 2048},
//!     },
//!     "required": ["prompt"],
//! }))
//! .unwrap();
//! let overrides = ConfigOverrides::parse(json!({
//!     "defaultInputs": {"style": "anime"},
//!     "lockedInputs": {"width": 1024},
//!     "hiddenFields": ["negative_prompt"],
//!     "promptPrefix": "anime style, ",
//!     "promptSuffix": ", high quality",
//! }))
//! .unwrap();
//! let typed = json!({"prompt": "sunset"});
//! let typed = typed.as_object().unwrap();
//!
//! // What the provider gets.
//! let payload = merge_inputs(typed, &overrides);
//! assert_eq!(payload["prompt"], "anime style, sunset, high quality");
//! assert_eq!(payload["width"], 1024);
//!
//! // What the consumer sees.
//! let seen = process_schema(&base, &overrides);
//! assert!(seen["properties"].get("negative_prompt").is_none());
//! assert_eq!(seen["properties"]["width"]["readOnly"], true);
//!
//! // Whether it may run.
//! let validator = InputValidator::default();
//! assert_eq!(validator.validate_inputs(&base, &overrides, typed), Ok(payload));
//! ```

mod bus;
mod clock;
mod concealed;
mod consumer_schema;
mod cost;
mod document;
mod engine;
mod explain;
pub mod machine;
mod memory;
mod merge;
mod observer;
pub mod provider;
mod rules;
mod scrub;
mod trace;
mod validator;

pub use bus::{EventBus, LocalBus};
pub use consumer_schema::process_schema;
pub use engine::{
    BuildError, CancelError, Engine, EngineBuilder, EngineSettings, FollowError, Followed,
    Following, FollowingAll, Quote, ReadError, RunError, RunRequest, StreamToken, TestRunRequest,
    Told,
};
pub use memory::{MemoryStore, StoredEvent, Wallet};
pub use merge::merge_inputs;
pub use observer::{Asked, Incident, Observer, ProviderAsked, RunEnded};
pub use provider::{RunPod, RunPodError, RunPodSettings};
pub use rules::JsonSchemaRules;
pub use scrub::{Scrubber, conceal};
pub use trace::Tracing;
pub use validator::{CompiledSchema, InputValidator};
