//! Faults as a header names them: `run=delay:500, status=lost*2`.

use std::str::FromStr;

use serde::Deserialize;

use super::{Fault, FaultError, FaultKind};

impl Fault {
    /// Reads faults from a header: `run=delay:500, status=lost*2`.
    pub(crate) fn parse_list(header: &str) -> Result<Vec<Self>, FaultError> {
        header
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::parse)
            .collect()
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let bad = || FaultError::Header(text.chars().take(100).collect());
        let (when, rest) = text.split_once('=').ok_or_else(bad)?;
        let (rest, times) = match rest.split_once('*') {
            Some((rest, times)) => (rest, Some(times.trim().parse().ok().ok_or_else(bad)?)),
            None => (rest, None),
        };
        let (kind, number) = match rest.split_once(':') {
            Some((kind, number)) => (
                kind,
                Some(number.trim().parse::<u64>().ok().ok_or_else(bad)?),
            ),
            None => (rest, None),
        };
        let when = read(when).ok_or_else(bad)?;
        let kind = read(kind).ok_or_else(bad)?;
        let mut fault = Self {
            times,
            ..Self::new(when, kind)
        };
        match (kind, number) {
            (FaultKind::HttpStatus, Some(number)) => fault.status = u16::try_from(number).ok(),
            (FaultKind::Duplicate, Some(number)) => fault.copies = u32::try_from(number).ok(),
            (FaultKind::Huge, Some(number)) => fault.bytes = usize::try_from(number).ok(),
            (FaultKind::RateLimited, number) => fault.retry_after_seconds = number,
            (_, number) => fault.ms = number,
        }
        fault.check()?;
        Ok(fault)
    }
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.trim().to_owned())).ok()
}
