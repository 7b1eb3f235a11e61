//! How an endpoint behaves: its times and its faults, set while it runs or by a script.
//! Names that are not known are refused, so that a slip of the pen is not a fault that never comes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::faults::{Fault, FaultError};

/// How an endpoint behaves; what is left out is as the emulator was started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Behaviour {
    /// How long a job waits before one of the emulator's own workers takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_ms: Option<u64>,
    /// How long one of the emulator's own workers works on a job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_ms: Option<u64>,
    /// What the first job after a rest waits in addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cold_start_ms: Option<u64>,
    /// How often the emulator's own workers tell how far they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_steps: Option<u32>,
    /// Where the draws of the faults start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// A behaviour that cannot be.
#[derive(Debug, Error)]
pub enum BehaviourError {
    /// The endpoint's name is none.
    #[error(
        "`{0}` cannot be the id of an endpoint: use 1 to 64 letters, digits, hyphens or underscores"
    )]
    Endpoint(String),
    /// The emulator holds as many endpoints as it may.
    #[error("the emulator holds {0} endpoints already: restart it, or use one of those")]
    TooManyEndpoints(usize),
    /// One of the faults cannot be.
    #[error("fault {number} of the list cannot be")]
    Fault {
        /// Its place in the list, from 1.
        number: usize,
        /// Why.
        #[source]
        source: FaultError,
    },
    /// More time than a job can live.
    #[error("`{0}` is more than 7 days: give milliseconds")]
    TooLong(&'static str),
}

const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;

impl Behaviour {
    pub(crate) fn check(&self) -> Result<(), BehaviourError> {
        let times = [
            ("queueMs", self.queue_ms),
            ("runMs", self.run_ms),
            ("coldStartMs", self.cold_start_ms),
        ];
        for (name, time) in times {
            if time.is_some_and(|time| time > WEEK_MS) {
                return Err(BehaviourError::TooLong(name));
            }
        }
        for (number, fault) in (1..).zip(&self.faults) {
            fault
                .check()
                .map_err(|source| BehaviourError::Fault { number, source })?;
        }
        Ok(())
    }
}

/// How endpoints behave from the start: a behaviour for each id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Script {
    /// The behaviours by the ids of the endpoints.
    pub endpoints: BTreeMap<String, Behaviour>,
}

/// A script that cannot be followed.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// It is not JSON, or not of the form of a script.
    #[error(
        "the script is not a JSON object of endpoint ids and behaviours such as {{\"demo-sdxl\": {{\"runMs\": 500, \"faults\": []}}}}"
    )]
    Form(#[source] serde_json::Error),
    /// A behaviour in it cannot be.
    #[error("the behaviour of `{endpoint}` in the script cannot be")]
    Behaviour {
        /// Whose.
        endpoint: String,
        /// Why.
        #[source]
        source: BehaviourError,
    },
}

impl Script {
    /// Reads a script from JSON.
    ///
    /// # Errors
    /// When it is not of the form, or names a fault that cannot be.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let script: Self = serde_json::from_str(text).map_err(ScriptError::Form)?;
        script.check()?;
        Ok(script)
    }

    pub(crate) fn check(&self) -> Result<(), ScriptError> {
        for (endpoint, behaviour) in &self.endpoints {
            behaviour.check().map_err(|source| ScriptError::Behaviour {
                endpoint: endpoint.clone(),
                source,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
