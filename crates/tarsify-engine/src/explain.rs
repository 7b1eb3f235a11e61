//! Turns the JSON Schema library's errors into issues in plain words, built from the broken
//! rule and its limits. Never repeats the value that broke it.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;
use tarsify_domain::Issue;

/// Longest list of choices or other echo in a message, in characters.
const LONGEST_ECHO: usize = 200;
/// How many `anyOf` and `oneOf` may be looked into, one inside the other.
const DEEPEST_CHOICE: usize = 8;

/// One broken rule and its place in the checked value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Pointer into the checked value, naming the missing or surplus property when that is
    /// what is wrong.
    pub(crate) pointer: String,
    /// The property that is missing or surplus, when `pointer` names one.
    pub(crate) names_property: bool,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn into_issue(self) -> Issue {
        Issue {
            path: self.pointer,
            code: self.code,
            message: self.message,
        }
    }
}

/// What one library error says, as one or more faults.
pub(crate) fn faults(error: &ValidationError<'_>) -> Vec<Fault> {
    let mut found = Vec::new();
    collect(error, DEEPEST_CHOICE, &mut found);
    found
}

fn collect(error: &ValidationError<'_>, choices_left: usize, found: &mut Vec<Fault>) {
    let pointer = error.instance_path().as_str();
    let code = error.kind().keyword();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            found.push(about_property(pointer, name, code, "is required"));
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                found.push(about_property(
                    pointer,
                    name,
                    code,
                    "is not known here: remove it",
                ));
            }
        }
        // How the library tells `additionalProperties: false` beside no `properties`.
        ValidationErrorKind::FalseSchema
            if error
                .schema_path()
                .as_str()
                .ends_with("/additionalProperties") =>
        {
            let message = "must have no fields".to_owned();
            found.push(plain(pointer, "additionalProperties", message));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            match (
                closest_choice(pointer, context),
                choices_left.checked_sub(1),
            ) {
                (Choice::One(errors), Some(left)) => {
                    for inner in errors {
                        collect(inner, left, found);
                    }
                }
                (Choice::Types(types), _) => found.push(plain(pointer, "type", must_be(&types))),
                _ => found.push(plain(
                    pointer,
                    code,
                    "must have one of the forms that the schema allows".to_owned(),
                )),
            }
        }
        kind => found.push(plain(pointer, code, rule(kind))),
    }
}

fn plain(pointer: &str, code: &str, message: String) -> Fault {
    Fault {
        pointer: pointer.to_owned(),
        names_property: false,
        code: code.to_owned(),
        message,
    }
}

fn about_property(pointer: &str, name: &str, code: &str, message: &str) -> Fault {
    Fault {
        pointer: crate::document::join(pointer, name),
        names_property: true,
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

enum Choice<'e> {
    /// One alternative is the only one whose type fits: its errors are what is to be mended.
    One(&'e [ValidationError<'static>]),
    /// No alternative's type fits: these would.
    Types(Vec<JsonType>),
    Unclear,
}

fn closest_choice<'e>(pointer: &str, context: &'e [Vec<ValidationError<'static>>]) -> Choice<'e> {
    let mut types = Vec::new();
    let mut fitting = Vec::new();
    for errors in context {
        let wrong_type = errors.iter().find_map(|error| match error.kind() {
            ValidationErrorKind::Type { kind } if error.instance_path().as_str() == pointer => {
                Some(type_list(kind))
            }
            _ => None,
        });
        match wrong_type {
            Some(list) => types.extend(list),
            None => fitting.push(errors),
        }
    }
    match fitting.as_slice() {
        [errors] if !errors.is_empty() => Choice::One(errors),
        [] if !types.is_empty() => Choice::Types(types),
        _ => Choice::Unclear,
    }
}

fn type_list(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(one) => vec![*one],
        TypeKind::Multiple(set) => set.iter().collect(),
    }
}

fn must_be(types: &[JsonType]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for one in types {
        let name = match one {
            JsonType::Array => "a list",
            JsonType::Boolean => "true or false",
            JsonType::Integer => "a whole number",
            JsonType::Null => "null",
            JsonType::Number => "a number",
            JsonType::Object => "an object",
            JsonType::String => "a text",
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    format!("must be {}", names.join(", or "))
}

fn rule(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::AdditionalItems { limit } => format!("must have at most {limit} items"),
        Kind::UnevaluatedItems { .. } => "has more items than allowed".to_owned(),
        Kind::BacktrackLimitExceeded { .. }
        | Kind::RegexEngineFailure { .. }
        | Kind::FromUtf8 { .. } => "cannot be checked: use a simpler value".to_owned(),
        Kind::Constant { expected_value } => format!("must be {}", short(expected_value)),
        Kind::Contains => "lacks an item of the kind it must contain".to_owned(),
        Kind::ContentEncoding { content_encoding } => {
            format!("must be encoded as {}", clip(content_encoding))
        }
        Kind::ContentMediaType { content_media_type } => {
            format!("must be of the media type {}", clip(content_media_type))
        }
        Kind::Enum { options } => format!("must be one of {}", choices(options)),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::FalseSchema => "is not allowed: remove it".to_owned(),
        Kind::Format { format } => format!("must have the format {}", clip(format)),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} fields"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MinProperties { limit } => format!("must have at least {limit} fields"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::Not { .. } => "has a form that the schema rules out".to_owned(),
        Kind::OneOfMultipleValid { .. } => {
            "must have exactly one of the forms that the schema allows, not several".to_owned()
        }
        Kind::Pattern { pattern } => format!("must match the pattern {}", clip(pattern)),
        Kind::PropertyNames { .. } => "has a field with a name that is not allowed".to_owned(),
        Kind::Type { kind } => must_be(&type_list(kind)),
        Kind::UniqueItems => "must not have the same item twice".to_owned(),
        Kind::Referencing(_) => "refers to a schema that cannot be found".to_owned(),
        // Those with properties or alternatives are told where their parts are at hand.
        Kind::Custom { .. }
        | Kind::AdditionalProperties { .. }
        | Kind::UnevaluatedProperties { .. }
        | Kind::AnyOf { .. }
        | Kind::OneOfNotValid { .. }
        | Kind::Required { .. } => "does not fit the schema".to_owned(),
    }
}

fn choices(options: &Value) -> String {
    let Some(options) = options.as_array() else {
        return short(options);
    };
    let mut text = String::new();
    for (index, option) in options.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let next = short(option);
        if text.chars().count() + next.chars().count() > LONGEST_ECHO {
            text.push_str(separator);
            text.push('…');
            break;
        }
        text.push_str(separator);
        text.push_str(&next);
    }
    text
}

/// A value as JSON, cut to what a message can bear.
pub(crate) fn short(value: &Value) -> String {
    clip(&value.to_string())
}

/// A text cut to what a message can bear.
pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(LONGEST_ECHO) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
