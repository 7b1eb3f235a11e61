//! The engine from outside, over its public interface.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod runpod;
#[cfg(test)]
mod simulation;
