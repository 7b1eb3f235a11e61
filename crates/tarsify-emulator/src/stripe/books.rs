//! All that the emulator knows: its objects, the keys of calls, their counts, and what is to go
//! wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::key::Keys;
use super::message::StripeMessage;
use super::{StripeFault, StripeOperation};
use crate::randomness::{Draws, entropy, unique_name};

/// All that the emulator knows.
pub(crate) struct Books {
    pub(super) sessions: Vec<Value>,
    pub(super) accounts: Vec<Value>,
    pub(super) transfers: Vec<Value>,
    /// The charges, by their payments.
    pub(super) charges: BTreeMap<String, Value>,
    pub(super) keys: Keys,
    calls: BTreeMap<StripeOperation, u64>,
    faults: Vec<Planned>,
    draws: Draws,
}

struct Planned {
    operation: StripeOperation,
    fault: StripeFault,
    left: u32,
}

impl Books {
    pub(super) fn new() -> Self {
        Self {
            sessions: Vec::new(),
            accounts: Vec::new(),
            transfers: Vec::new(),
            charges: BTreeMap::new(),
            keys: Keys::default(),
            calls: BTreeMap::new(),
            faults: Vec::new(),
            draws: Draws::new(entropy()),
        }
    }

    pub(super) fn plan(&mut self, operation: StripeOperation, fault: StripeFault, times: u32) {
        self.faults.push(Planned {
            operation,
            fault,
            left: times,
        });
    }

    /// Counts a call, and says what goes wrong with it.
    pub(super) fn call(&mut self, operation: StripeOperation) -> Option<StripeFault> {
        let calls = self.calls.entry(operation).or_default();
        *calls = calls.saturating_add(1);
        self.faults.retain(|planned| planned.left > 0);
        let mut planned = self.faults.iter_mut();
        let planned = planned.find(|planned| planned.operation == operation)?;
        planned.left = planned.left.saturating_sub(1);
        Some(planned.fault)
    }

    pub(super) fn calls(&self, operation: StripeOperation) -> u64 {
        self.calls.get(&operation).copied().unwrap_or(0)
    }

    pub(super) const fn all_calls(&self) -> &BTreeMap<StripeOperation, u64> {
        &self.calls
    }

    /// An id that no other run repeats either.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        let name = unique_name(&mut self.draws).replace('-', "");
        format!("{prefix}_{name}")
    }

    pub(super) fn add_account(&mut self, id: &str) {
        self.accounts.push(json!({
            "id": id,
            "object": "account",
            "payouts_enabled": true,
            "charges_enabled": false,
            "metadata": {},
        }));
    }

    pub(super) fn message(&mut self, kind: &str, object: &Value) -> StripeMessage {
        let id = self.id("evt");
        StripeMessage::about(&id, kind, object)
    }
}

/// The object with this id.
pub(super) fn find<'a>(objects: &'a mut [Value], id: &str) -> Option<&'a mut Value> {
    objects.iter_mut().find(|object| text(object, "id") == id)
}

pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(super) fn cents(object: &Value, field: &str) -> i64 {
    object
        .get(field)
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

pub(super) fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(object) = object.as_object_mut() {
        object.insert(field.to_owned(), value.into());
    }
}
