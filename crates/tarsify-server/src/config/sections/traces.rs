//! What is configured of traces.

use std::time::Duration;

use url::Url;

use crate::config::reader::Reader;
use crate::config::{Secret, keys, parse};

/// Where traces go.
#[derive(Debug, Clone)]
pub(crate) struct Traces {
    /// The collector's address; unset, nothing is traced.
    pub(crate) endpoint: Option<Url>,
    /// What the collector wants to be sent with them.
    pub(crate) headers: Vec<Secret<(String, String)>>,
    /// How long the collector may take for an answer.
    pub(crate) timeout: Duration,
    /// How many of a hundred traces that begin here are recorded.
    pub(crate) sample_percent: u32,
}

pub(super) fn read(reader: &mut Reader) -> Option<Traces> {
    let endpoint = reader.optional(&keys::TRACES_ENDPOINT, parse::web_url);
    let headers = reader.list(&keys::TRACES_HEADERS, parse::header);
    let timeout = reader.plain(&keys::TRACES_TIMEOUT);
    let sample_percent = reader.plain(&keys::TRACES_SAMPLE);
    Some(Traces {
        endpoint: endpoint?,
        headers: headers?,
        timeout: Duration::from_millis(timeout?),
        sample_percent: sample_percent?,
    })
}
