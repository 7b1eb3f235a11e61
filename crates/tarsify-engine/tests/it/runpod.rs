//! The RunPod client against a RunPod of our own, over real connections.

mod faults;
mod journey;
mod limits;
mod refusals;
mod support;
