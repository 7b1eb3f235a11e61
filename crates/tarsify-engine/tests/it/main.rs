//! The engine from outside, over its public interface.

mod contract;
mod engine;
mod runpod;
mod simulation;
