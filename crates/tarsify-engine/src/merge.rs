//! What the provider gets: the consumer's inputs with the developer's configuration applied.
//! Pure; says nothing about whether the result fits any schema.

use serde_json::{Map, Value};
use tarsify_domain::catalog::ConfigOverrides;

use crate::concealed::hidden_names;

/// Merges `user` with `overrides`, in this order:
///
/// 1. `defaultInputs` where the key is absent, `null` or `""` (`0` and `false` count as given);
/// 2. `lockedInputs`, whatever was given;
/// 3. `hiddenFields` leave, defaults and locks on them included;
/// 4. a non-empty string in the prompt field becomes prefix + prompt + suffix;
/// 5. `secretInputs`, each exactly as written, so never wrapped.
///
/// Without overrides the result is an unchanged copy. Keys keep the order in which they came.
#[must_use]
pub fn merge_inputs(user: &Map<String, Value>, overrides: &ConfigOverrides) -> Map<String, Value> {
    let mut inputs = user.clone();
    for (key, value) in overrides.default_inputs().into_iter().flatten() {
        if inputs.get(key).is_none_or(is_blank) {
            inputs.insert(key.clone(), value.clone());
        }
    }
    for (key, value) in overrides.locked_inputs().into_iter().flatten() {
        inputs.insert(key.clone(), value.clone());
    }
    let hidden = hidden_names(overrides);
    if !hidden.is_empty() {
        inputs.retain(|key, _| !hidden.contains(key.as_str()));
    }
    wrap_prompt(&mut inputs, overrides);
    for (key, value) in overrides.secret_inputs().into_iter().flatten() {
        inputs.insert(key.clone(), value.clone());
    }
    inputs
}

/// Puts prefix and suffix around the prompt field of `inputs` when it holds a non-empty string.
pub(crate) fn wrap_prompt(inputs: &mut Map<String, Value>, overrides: &ConfigOverrides) {
    if let Some(Value::String(prompt)) = inputs.get_mut(overrides.prompt_field())
        && !prompt.is_empty()
    {
        prompt.insert_str(0, overrides.prompt_prefix());
        prompt.push_str(overrides.prompt_suffix());
    }
}

/// Whether a value counts as not given, so that a default takes its place.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
