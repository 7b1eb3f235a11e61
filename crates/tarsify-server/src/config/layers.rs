//! The layers and their merge: built-in files, the operator's file, environment variables.
//! It refuses unknown keys, unreadable and broken files; values are judged later, and only the winning ones.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::EnvironmentVariables;
use super::fault::{Fault, Source, Wrong};
use super::keys;

const DEFAULT: &str = include_str!("../../../../config/default.toml");
const PRODUCTION: &str = include_str!("../../../../config/production.toml");

/// A value as it was written, and where. No `Debug`: it may be secret.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) source: Source,
}

/// The entries by the path of their key.
pub(super) type Layer = BTreeMap<&'static str, Entry>;

/// Merges all layers; later ones win.
pub(super) fn merge(variables: &EnvironmentVariables, base_folder: &Path) -> (Layer, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut merged = read_text(DEFAULT, &Source::BuiltIn("default.toml"), &mut faults);
    let mut above = read_file(variables, base_folder, &mut faults);
    above.extend(read_variables(variables, &mut faults));

    let environment = keys::ENVIRONMENT.path;
    let named = above.get(environment).or_else(|| merged.get(environment));
    if named.is_some_and(|entry| entry.value == "production") {
        let source = Source::BuiltIn("production.toml");
        merged.extend(read_text(PRODUCTION, &source, &mut faults));
    }
    merged.extend(above);
    (merged, faults)
}

fn read_file(
    variables: &EnvironmentVariables,
    base_folder: &Path,
    faults: &mut Vec<Fault>,
) -> Layer {
    let Some(name) = find_variable(variables, keys::CONFIG_FILE_VARIABLE) else {
        return Layer::new();
    };
    let path = base_folder.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => read_text(&text, &Source::File(path), faults),
        Err(error) => {
            let wrong = Wrong::new(
                format!("names {}, which cannot be read: {error}", path.display()),
                "Name a readable TOML file, or unset it",
            );
            let subject = keys::CONFIG_FILE_VARIABLE;
            faults.push(Fault::without_value(subject, Source::Unset, wrong));
            Layer::new()
        }
    }
}

fn read_text(text: &str, source: &Source, faults: &mut Vec<Fault>) -> Layer {
    let sections: Map<String, Value> = match toml::from_str(text) {
        Ok(sections) => sections,
        Err(error) => {
            faults.push(broken_file(text, source, &error));
            return Layer::new();
        }
    };
    let mut layer = Layer::new();
    for (path, value) in sections.into_iter().flat_map(paths_of_section) {
        if let Some(key) = keys::find(&path) {
            let source = source.clone();
            layer.insert(key.path, Entry { value, source });
        } else {
            faults.push(unknown_key(&path, source));
        }
    }
    layer
}

/// `section.name` of each key in a section; whatever is no section stands for itself and will not be known.
fn paths_of_section((section, value): (String, Value)) -> Vec<(String, Value)> {
    match value {
        Value::Object(names) if !names.is_empty() => names
            .into_iter()
            .map(|(name, value)| (format!("{section}.{name}"), value))
            .collect(),
        other if is_section(&section) && other.is_object() => Vec::new(),
        other => vec![(section, other)],
    }
}

fn is_section(name: &str) -> bool {
    keys::ALL.iter().any(|key| key.parts().0 == name)
}

/// The parser's own rendering quotes the line, which may hold a secret: only its message and the line's number are told.
fn broken_file(text: &str, source: &Source, error: &toml::de::Error) -> Fault {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    let wrong = Wrong::new(
        format!(
            "is not valid TOML at line {line}: {}",
            error.message().replace('\n', ", ")
        ),
        "Mend that line; text is written in double quotes, lists in square brackets",
    );
    Fault::without_value(source.to_string(), Source::Unset, wrong)
}

fn unknown_key(path: &str, source: &Source) -> Fault {
    let remedy = match keys::find_similar(path) {
        Some(similar) => format!("Did you mean {}? Rename or remove it", similar.path),
        None => "Remove it; config/default.toml lists every key".to_owned(),
    };
    let wrong = Wrong::new("is not a key", remedy);
    Fault::without_value(path, source.clone(), wrong)
}

fn read_variables(variables: &EnvironmentVariables, faults: &mut Vec<Fault>) -> Layer {
    let mut layer = Layer::new();
    for key in keys::ALL {
        let plain = key.plain_variable.map(str::to_owned);
        // The full name says more exactly what is meant, so it is looked at first.
        for name in [Some(key.full_variable()), plain].into_iter().flatten() {
            if let Some(text) = find_variable(variables, &name) {
                let value = Value::from(text);
                let source = Source::Variable(name);
                layer.insert(key.path, Entry { value, source });
                break;
            }
        }
    }
    faults.extend(variables.keys().filter_map(|name| unknown_variable(name)));
    layer
}

/// A variable without the white space around it; an empty one counts as unset.
fn find_variable<'a>(variables: &'a EnvironmentVariables, name: &str) -> Option<&'a str> {
    let text = variables.get(name)?.trim();
    (!text.is_empty()).then_some(text)
}

/// The fault of a variable that has our prefix and no key.
fn unknown_variable(name: &str) -> Option<Fault> {
    let rest = name.strip_prefix(keys::VARIABLE_PREFIX)?;
    if keys::ALL.iter().any(|key| key.full_variable() == name) {
        return None;
    }
    let path = rest.replacen("__", ".", 1).to_lowercase();
    let remedy = match keys::find_similar(&path) {
        Some(similar) => format!(
            "Did you mean {}? Rename or unset it",
            similar.full_variable()
        ),
        None => "Unset it; config/default.toml lists every key".to_owned(),
    };
    let wrong = Wrong::new("sets no key", remedy);
    Some(Fault::without_value(name, Source::Unset, wrong))
}
