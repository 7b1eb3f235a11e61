//! Queries: read parameter by parameter, every fault at once, each parameter at most once.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use tarsify_domain::page::{Cursor, Limit, Order, PageNumber, Position};
use tarsify_domain::text::without_nul;
use tarsify_domain::{ErrorCode, Issue, Misfit, PageRequest};
use url::form_urlencoded;

use crate::error::ApiError;

/// Something that can be read from a query.
pub(crate) trait QueryIn: Sized + 'static {
    /// Reads every parameter before giving up, so that every fault is noted.
    fn read(query: &mut QueryFields) -> Option<Self>;
}

/// A query that was read without a fault.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: QueryIn> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let read = read(request.query_string());
        ready(
            read.map(Self)
                .map_err(|issues| ApiError::faults(ErrorCode::Validation, issues)),
        )
    }
}

/// Reads a whole query.
///
/// # Errors
/// Every fault of it.
pub(crate) fn read<T: QueryIn>(query: &str) -> Result<T, Vec<Issue>> {
    let mut fields = QueryFields {
        pairs: form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        issues: Vec::new(),
    };
    match T::read(&mut fields) {
        Some(value) if fields.issues.is_empty() => Ok(value),
        _ => Err(fields.issues),
    }
}

/// A query that is being read, and what was wrong with it so far.
pub(crate) struct QueryFields {
    pairs: Vec<(String, String)>,
    issues: Vec<Issue>,
}

impl QueryFields {
    /// A parameter that may be absent or empty.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Misfit>,
    ) -> Option<T> {
        let mut values = self
            .pairs
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value.trim());
        let value = values.next().filter(|value| !value.is_empty())?;
        let read = if values.next().is_some() {
            Err(Misfit::new(
                "duplicateKey",
                "stands in the query more than once",
            ))
        } else {
            without_nul(value).and_then(|()| parse(value))
        };
        match read {
            Ok(value) => Some(value),
            Err(misfit) => {
                self.issues.push(misfit.at(format!("/{key}")));
                None
            }
        }
    }

    /// Notes a fault that concerns parameters together.
    pub(crate) fn refuse(&mut self, issue: Issue) {
        self.issues.push(issue);
    }

    /// `page`, `limit` and `cursor` of a list in this order.
    pub(crate) fn page(&mut self, order: Order) -> PageRequest {
        let page = self.optional("page", |text| {
            whole_number(text).and_then(PageNumber::parse)
        });
        let limit = self.optional("limit", |text| whole_number(text).and_then(Limit::parse));
        let cursor = self.optional("cursor", |text| Cursor::decode(text, order));
        if page.is_some() && cursor.is_some() {
            let message = "cannot be combined with cursor: send one of them";
            self.issues
                .push(Misfit::new("conflict", message).at("/page"));
        }
        PageRequest {
            position: cursor.map_or_else(
                || Position::Number(page.unwrap_or(PageNumber::FIRST)),
                Position::After,
            ),
            limit: limit.unwrap_or(Limit::DEFAULT),
        }
    }
}

/// Reads `true` or `false`.
pub(crate) fn true_or_false(text: &str) -> Result<bool, Misfit> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Misfit::new("type", "must be true or false")),
    }
}

pub(crate) fn whole_number(text: &str) -> Result<i64, Misfit> {
    text.parse()
        .map_err(|_ignored| Misfit::new("type", "must be a whole number"))
}
