//! What of a payload is to be kept from whoever asked, decided when the execution is accepted.

use std::collections::HashSet;

use serde_json::{Map, Value};
use tarsify_domain::catalog::ConfigOverrides;
use tarsify_domain::execution::Concealed;

use super::own::{OwnTexts, each_text};
use super::{HIDDEN, SHORTEST};
use crate::concealed::concealed_names;

/// What must be taken out of the answers to `payload`, which was merged from `inputs`.
///
/// Secret are the prefix, the suffix, and the texts in secret inputs and in presets of hidden
/// or secret fields. Presets of visible fields stand in the consumer's schema, so they are not;
/// neither is what he typed himself, alone or as a part of something longer.
#[must_use]
pub fn conceal(
    overrides: &ConfigOverrides,
    inputs: &Map<String, Value>,
    payload: &Map<String, Value>,
) -> Concealed {
    let wrapped = find_wrapped(overrides, payload);
    let mut own = OwnTexts::default();
    inputs.values().for_each(|value| own.add_all(value));
    wrapped.iter().for_each(|(_, typed)| own.add(typed));

    let names = concealed_names(overrides);
    let mut secrets = vec![overrides.prompt_prefix(), overrides.prompt_suffix()];
    for (_, value) in overrides.secret_inputs().into_iter().flatten() {
        each_text(value, &mut |text| secrets.push(text));
    }
    let locked = overrides.locked_inputs().into_iter().flatten();
    for (name, value) in locked.chain(overrides.default_inputs().into_iter().flatten()) {
        if names.contains(name.as_str()) {
            each_text(value, &mut |text| secrets.push(text));
        } else {
            own.add_all(value);
        }
    }

    let wrapped = wrapped.filter(|(merged, _)| !own.contain(&merged.to_ascii_lowercase()));
    let (merged_prompt, own_prompt) = wrapped.unzip();
    Concealed {
        merged_prompt: merged_prompt.map(str::to_owned),
        own_prompt: own_prompt.map(str::to_owned),
        texts: texts_of(secrets, &own),
    }
}

/// The prompt as it is sent and as it was before prefix and suffix came around it.
fn find_wrapped<'a>(
    overrides: &ConfigOverrides,
    payload: &'a Map<String, Value>,
) -> Option<(&'a str, &'a str)> {
    let field = overrides.prompt_field();
    let mut secret = overrides.secret_inputs().into_iter().flatten();
    if secret.any(|(name, _)| name == field) {
        // It is sent as it is written.
        return None;
    }
    let merged = payload.get(field)?.as_str()?;
    let own = merged.strip_prefix(overrides.prompt_prefix())?;
    let own = own.strip_suffix(overrides.prompt_suffix())?;
    (own != merged && !own.is_empty()).then_some((merged, own))
}

fn texts_of(secrets: Vec<&str>, own: &OwnTexts) -> Vec<String> {
    let mut texts = HashSet::new();
    for secret in secrets {
        let trimmed = secret.trim();
        let lower = trimmed.to_ascii_lowercase();
        if trimmed.is_empty() || HIDDEN.contains(&lower) || own.contain(&lower) {
            continue;
        }
        // A model may answer without the spaces at the ends.
        let forms = [secret, trimmed].into_iter();
        texts.extend(forms.filter(|form| form.chars().count() >= SHORTEST));
    }
    let mut texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
    texts.sort_unstable_by(|one, other| {
        let lengths = other.chars().count().cmp(&one.chars().count());
        lengths.then_with(|| one.cmp(other))
    });
    texts
}
