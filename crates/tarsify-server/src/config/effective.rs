//! The configuration as it holds, with the origin of each value, for `tarsify config`. Secrets are masked.

use serde_json::{Map, Value, json};

use super::fault::Source;
use super::keys::{self, Secrecy};
use super::layers::Entry;
use super::reader::Reader;
use super::secret::{MASK, masked};

/// Every key with its value and origin, secrets already masked.
#[derive(Debug, Clone)]
pub(crate) struct EffectiveConfig {
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    path: &'static str,
    section: &'static str,
    name: &'static str,
    /// Null where unset.
    value: Value,
    source: String,
}

impl EffectiveConfig {
    pub(super) fn new(reader: &Reader) -> Self {
        let rows = keys::ALL.iter().map(|key| {
            let (section, name) = key.parts();
            let (value, source) = match reader.entry(key) {
                Some(Entry { source, .. }) if key.secrecy == Secrecy::Secret => {
                    (Value::from(MASK), source)
                }
                Some(Entry { value, source }) => (masked(value), source),
                None => (Value::Null, &Source::Unset),
            };
            let source = source.to_string();
            Row {
                path: key.path,
                section,
                name,
                value,
                source,
            }
        });
        Self {
            rows: rows.collect(),
        }
    }

    /// A table for people: key, value, where it came from.
    pub(crate) fn render_text(&self) -> String {
        let cells: Vec<[String; 3]> = self.rows.iter().map(Row::cells).collect();
        let heading = ["KEY", "VALUE", "SOURCE"].map(str::to_owned);
        let all = || std::iter::once(&heading).chain(&cells);
        let path_width = all()
            .map(|[path, ..]| path.chars().count())
            .max()
            .unwrap_or(0);
        let value_width = all()
            .map(|[_, value, _]| value.chars().count())
            .max()
            .unwrap_or(0);
        all()
            .map(|[path, value, source]| {
                format!("{path:path_width$}  {value:value_width$}  {source}\n")
            })
            .collect()
    }

    /// `{section: {key: {value, source}}}` for scripts.
    pub(crate) fn render_json(&self) -> String {
        let mut sections: Map<String, Value> = Map::new();
        for row in &self.rows {
            let section = sections.entry(row.section).or_insert_with(|| json!({}));
            if let Value::Object(names) = section {
                names.insert(
                    row.name.to_owned(),
                    json!({ "value": row.value, "source": row.source }),
                );
            }
        }
        format!("{:#}", Value::Object(sections))
    }
}

impl Row {
    fn cells(&self) -> [String; 3] {
        let value = match &self.value {
            Value::Null => "-".to_owned(),
            value => value.to_string(),
        };
        [self.path.to_owned(), value, self.source.clone()]
    }
}
