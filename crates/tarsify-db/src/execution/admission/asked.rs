//! What admissions ask for, a column of an array each, and the rows that come of it.

use std::sync::Arc;

use serde_json::Value;
use tarsify_domain::TraceParent;
use tarsify_domain::execution::{NewExecution, Requester};
use tarsify_domain::idempotency::IdempotencyClaim;

use super::{Admission, Admissions};
use crate::statement::{AS_FOR_ONE, Binds};
use crate::together::Together;

/// The columns of executions that are as they were asked for.
const FROZEN: [&str; 15] = [
    "id",
    "kind",
    "developer_id",
    "tars_model_id",
    "tars_model_version",
    "base_model_id",
    "endpoint_id",
    "provider",
    "provider_endpoint_id",
    "price_credits",
    "inputs",
    "payload",
    "concealed",
    "timeout_seconds",
    "trace_parent",
];

/// The others. The turn is that of whoever waits longest at the endpoint, or the one after the
/// requester's own last: so he who has a hundred waiting does not keep the others waiting.
const DERIVED: [(&str, &str); 7] = [
    (
        "consumer_id",
        "CASE WHEN a.kind <> 'TEST_RUN' THEN a.requester_id END",
    ),
    (
        "tester_id",
        "CASE WHEN a.kind = 'TEST_RUN' THEN a.requester_id END",
    ),
    ("created_at", "now()"),
    (
        "deadline_at",
        "now() + a.deadline_in * interval '1 microsecond'",
    ),
    ("next_action_at", "now()"),
    ("touched_at", "now()"),
    (
        "fair_rank",
        "greatest(coalesce((\
            SELECT w.fair_rank FROM executions w \
            WHERE w.endpoint_id = a.endpoint_id AND w.stage = 'created' \
            ORDER BY w.fair_rank LIMIT 1), 0), coalesce((\
            SELECT w.fair_rank + 1 FROM executions w \
            WHERE w.endpoint_id = a.endpoint_id AND w.requester_id = a.requester_id \
                AND w.stage = 'created' \
            ORDER BY w.fair_rank DESC LIMIT 1), 0))",
    ),
];

/// A row for each, with its place among them.
pub(super) fn asked(admissions: &[Arc<Admission>], binds: &mut Binds) -> String {
    let columns: Vec<_> = [
        frozen(admissions, binds),
        decided(admissions, binds),
        keys(admissions, binds),
    ]
    .concat();
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let values = columns.iter().map(|(_, value)| value.as_str());
    format!(
        "SELECT * FROM unnest({}) WITH ORDINALITY AS a ({}, place) {AS_FOR_ONE}",
        values.collect::<Vec<_>>().join(", "),
        names.join(", "),
    )
}

/// The rows of those whose price is set aside. Their keys are taken before.
pub(super) fn created() -> String {
    let frozen = FROZEN.map(|name| format!("a.{name}"));
    let names = FROZEN.into_iter().chain(DERIVED.map(|(name, _)| name));
    let values = frozen
        .iter()
        .map(String::as_str)
        .chain(DERIVED.map(|(_, value)| value));
    format!(
        "INSERT INTO executions ({}) SELECT {} FROM held h JOIN asked a ON a.place = h.place \
         WHERE h.available IS NULL AND (SELECT count(*) FROM taken) >= 0 ORDER BY a.id \
         RETURNING id, last_seq, created_at",
        names.collect::<Vec<_>>().join(", "),
        values.collect::<Vec<_>>().join(", "),
    )
}

type Columns = Vec<(&'static str, String)>;

/// What is frozen with an execution.
fn frozen(admissions: &[Arc<Admission>], binds: &mut Binds) -> Columns {
    let of = Asked(admissions);
    let prices = admissions.iter();
    let prices = prices.map(|admission| admission.price.credits().get());
    let concealed = admissions.iter();
    let concealed = concealed.map(|admission| admission.concealed.clone());
    vec![
        ("id", binds.uuids(of.each(|new| new.id.uuid()))),
        (
            "kind",
            binds.texts(of.each(|new| new.requester.kind().as_str())),
        ),
        (
            "developer_id",
            binds.uuids(of.each(|new| new.model.developer_id.uuid())),
        ),
        (
            "tars_model_id",
            binds.uuids(of.each(|new| new.model.id.uuid())),
        ),
        (
            "tars_model_version",
            binds.numbers(of.each(|new| new.model.version.get())),
        ),
        (
            "base_model_id",
            binds.uuids(of.each(|new| new.model.base_model.id.uuid())),
        ),
        (
            "endpoint_id",
            binds.uuids(of.each(|new| new.model.endpoint.id.uuid())),
        ),
        (
            "provider",
            binds.texts(of.each(|new| new.model.endpoint.provider.as_str())),
        ),
        (
            "provider_endpoint_id",
            binds.texts(of.each(|new| new.model.endpoint.provider_endpoint_id.as_str())),
        ),
        ("price_credits", binds.numbers(prices.collect())),
        (
            "inputs",
            binds.jsons(of.each(|new| Value::Object(new.inputs.clone()))),
        ),
        (
            "payload",
            binds.jsons(of.each(|new| Value::Object(new.payload.clone()))),
        ),
        ("concealed", binds.jsons(concealed.collect())),
        (
            "timeout_seconds",
            binds.numbers(of.each(|new| i64::from(new.model.base_model.timeout_seconds))),
        ),
        (
            "trace_parent",
            binds.optional_texts(of.each(|new| new.trace_parent.as_ref().map(TraceParent::as_str))),
        ),
    ]
}

/// What decides whether it is accepted, and what becomes of its price.
fn decided(admissions: &[Arc<Admission>], binds: &mut Binds) -> Columns {
    let of = Asked(admissions);
    let requesters = admissions.iter();
    let requesters = requesters.map(|admission| Admissions::key(admission));
    let prices = admissions.iter();
    let prices = prices.map(|admission| admission.price.credits().millicredits().get());
    let most = of.each(|new| match new.requester {
        Requester::Consumer(_) => new.max_concurrent_runs.map(i64::from),
        Requester::Developer { daily_quota, .. } => Some(i64::from(daily_quota)),
    });
    vec![
        ("requester_id", binds.uuids(requesters.collect())),
        ("most", binds.optional_numbers(most)),
        (
            "base_model_version",
            binds.numbers(of.each(|new| new.model.base_model.version.get())),
        ),
        (
            "endpoint_version",
            binds.numbers(of.each(|new| new.model.endpoint.version.get())),
        ),
        ("price", binds.numbers(prices.collect())),
        (
            "share",
            binds.numbers(of.each(|new| new.developer_share.ten_thousandths())),
        ),
        (
            "deadline_in",
            binds.microseconds(of.each(|new| new.deadline_in)),
        ),
    ]
}

/// Their keys, where they have one.
fn keys(admissions: &[Arc<Admission>], binds: &mut Binds) -> Columns {
    let claims = Asked(admissions).each(|new| new.idempotency.as_ref());
    let texts = |read: fn(&IdempotencyClaim) -> &str| claims.iter().map(|c| c.map(read)).collect();
    let fingerprints = claims.iter();
    let fingerprints = fingerprints.map(|claim| claim.map(|claim| claim.fingerprint.to_vec()));
    vec![
        (
            "principal",
            binds.optional_texts(texts(|claim| &claim.principal)),
        ),
        ("route", binds.optional_texts(texts(|claim| &claim.route))),
        (
            "key",
            binds.optional_texts(texts(|claim| claim.key.as_str())),
        ),
        (
            "fingerprint",
            binds.optional_byte_strings(fingerprints.collect()),
        ),
    ]
}

struct Asked<'a>(&'a [Arc<Admission>]);

impl<'a> Asked<'a> {
    fn each<V>(&self, read: impl Fn(&'a NewExecution) -> V) -> Vec<V> {
        self.0
            .iter()
            .map(|admission| read(&admission.new))
            .collect()
    }
}
