//! JSON, read strictly: no duplicate keys, no NUL in any text, no deeper than 64 levels.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use tarsify_domain::text::without_nul;
use tarsify_domain::{Issue, Misfit};

/// Lists and objects that may stand inside one another; the outermost is the first.
pub(crate) const MAX_DEPTH: usize = 64;

/// Reads one JSON document.
///
/// # Errors
/// When it is not JSON, or breaks a rule of this module; the issue names the place.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Issue> {
    let place = Place::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict {
        place: &place,
        depth: 1,
    };
    let read = strict
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        place.fault.take().unwrap_or_else(|| {
            let message = format!(
                "is not valid JSON (line {}, column {})",
                error.line(),
                error.column()
            );
            Misfit::new("syntax", message).at("")
        })
    })
}

/// Where the reader is, and the first broken rule.
#[derive(Default)]
struct Place {
    path: RefCell<Vec<String>>,
    fault: RefCell<Option<Issue>>,
}

impl Place {
    fn refuse<E: serde::de::Error>(&self, misfit: Misfit) -> E {
        let pointer = self
            .path
            .borrow()
            .iter()
            .fold(String::new(), |mut pointer, step| {
                pointer.push('/');
                pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
                pointer
            });
        *self.fault.borrow_mut() = Some(misfit.at(pointer));
        E::custom("refused")
    }
}

struct Strict<'a> {
    place: &'a Place,
    depth: usize,
}

impl Strict<'_> {
    /// Enters a list or an object; gives the reader of what is in it.
    fn enter<E: serde::de::Error>(&self) -> Result<impl Fn() -> Self, E> {
        let Self { place, depth } = *self;
        if depth > MAX_DEPTH {
            let message = format!("is nested deeper than {MAX_DEPTH} levels");
            return Err(place.refuse(Misfit::new("depth", message)));
        }
        Ok(move || Self {
            place,
            depth: depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        without_nul(value).map_err(|misfit| self.place.refuse::<E>(misfit))?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inside = self.enter()?;
        let mut items = Vec::new();
        loop {
            self.place.path.borrow_mut().push(items.len().to_string());
            let next = sequence.next_element_seed(inside())?;
            self.place.path.borrow_mut().pop();
            match next {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.enter()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.place.path.borrow_mut().push(key.clone());
            without_nul(&key).map_err(|misfit| self.place.refuse::<A::Error>(misfit))?;
            if object.contains_key(&key) {
                let misfit = Misfit::new("duplicateKey", "stands in the object more than once");
                return Err(self.place.refuse(misfit));
            }
            let value = entries.next_value_seed(inside())?;
            self.place.path.borrow_mut().pop();
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
