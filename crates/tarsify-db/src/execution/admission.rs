//! Accepting an execution: key, quota or hold, row and first event in one statement, of which each
//! part depends on the one before it.

use serde_json::Value;
use tarsify_domain::execution::{NewExecution, Requester};
use tarsify_domain::idempotency::IdempotencyClaim;
use tarsify_domain::money::{Millicredits, Price};
use tarsify_domain::{RepoError, TraceParent};

use super::material;
use super::row::{CONTENT, MODELS, SUMMARY};
use crate::statement::{Binds, Statement};
use crate::stored;

/// The statement. It always answers one row.
///
/// A twin that runs at the same moment has its key refused by the primary key, which undoes all
/// of the statement; sent once more, it finds what the other one made.
pub(super) fn statement(new: &NewExecution) -> Result<Statement, RepoError> {
    let mut binds = Binds::default();
    let known = known(new.idempotency.as_ref(), &mut binds);
    let fit = fit(new, &mut binds);
    let quota = quota(new, &mut binds);
    let held = held(new, &mut binds)?;
    let taken = taken(new, &mut binds);
    let created = created(new, &mut binds)?;
    let sql = format!(
        "WITH known AS MATERIALIZED ({known}), fit AS MATERIALIZED ({fit}), \
         quota AS ({quota}), held AS MATERIALIZED ({held}), taken AS ({taken}), created AS ({created}), told AS (\
            INSERT INTO execution_events (execution_id, seq, kind, data, at) \
            SELECT id, last_seq, 'queued', '{{}}', created_at FROM created\
         ) \
         SELECT k.is_same, EXISTS (SELECT 1 FROM fit) AS fits, \
            EXISTS (SELECT 1 FROM quota) AS is_within_quota, \
            (SELECT available FROM held) AS available, \
            (SELECT created_at FROM created) AS accepted_at, found.* \
         FROM (SELECT 1) one LEFT JOIN known k ON true LEFT JOIN LATERAL (\
            SELECT {SUMMARY}, {CONTENT} FROM executions x {MODELS} WHERE x.id = k.execution_id\
         ) found ON true"
    );
    Ok(Statement::new(sql, binds))
}

/// The statement that finds what was accepted under a key.
pub(super) fn replaying(claim: &IdempotencyClaim) -> Statement {
    let mut binds = Binds::default();
    let known = known(Some(claim), &mut binds);
    let sql = format!(
        "SELECT k.is_same, {SUMMARY}, {CONTENT} FROM ({known}) k \
         JOIN executions x ON x.id = k.execution_id {MODELS}"
    );
    Statement::new(sql, binds)
}

/// What is known of the key.
fn known(claim: Option<&IdempotencyClaim>, binds: &mut Binds) -> String {
    let Some(claim) = claim else {
        return "SELECT NULL::boolean AS is_same, NULL::uuid AS execution_id WHERE false"
            .to_owned();
    };
    format!(
        "SELECT fingerprint = {} AS is_same, execution_id FROM idempotency_keys \
         WHERE principal = {} AND route = {} AND key = {}",
        binds.bytes(claim.fingerprint.to_vec()),
        binds.text(&claim.principal),
        binds.text(&claim.route),
        binds.text(claim.key.as_str()),
    )
}

/// Whether the model is still what was decided from, and may be run. No lock: whoever revises it
/// at this moment comes after us.
fn fit(new: &NewExecution, binds: &mut Binds) -> String {
    let stamp = new.model.stamp();
    let on_sale = match new.requester {
        Requester::Consumer(_) => " AND t.status = 'PUBLISHED' AND b.is_active AND p.is_active",
        Requester::Developer { .. } => "",
    };
    format!(
        "SELECT FROM tars_models t JOIN base_models b ON b.id = t.base_model_id \
            JOIN endpoints p ON p.id = b.endpoint_id \
         WHERE t.id = {} AND t.version = {} AND b.id = {} AND b.version = {} \
            AND p.id = {} AND p.version = {}{on_sale} AND NOT EXISTS (SELECT 1 FROM known)",
        binds.uuid(stamp.tars_model.0.uuid()),
        binds.number(stamp.tars_model.1.get()),
        binds.uuid(stamp.base_model.0.uuid()),
        binds.number(stamp.base_model.1.get()),
        binds.uuid(stamp.endpoint.0.uuid()),
        binds.number(stamp.endpoint.1.get()),
    )
}

/// One of today's test runs, if there is one left; for a consumer, room for one more run.
fn quota(new: &NewExecution, binds: &mut Binds) -> String {
    let (id, daily_quota) = match (new.requester, new.max_concurrent_runs) {
        (Requester::Developer { id, daily_quota }, _) => (id, daily_quota),
        (Requester::Consumer(_), None) => return "SELECT FROM fit".to_owned(),
        (Requester::Consumer(consumer), Some(most)) => {
            return format!(
                "SELECT FROM fit WHERE has_room_for_run({}, {})",
                binds.uuid(consumer.uuid()),
                binds.number(i64::from(most)),
            );
        }
    };
    let quota = binds.number(i64::from(daily_quota));
    format!(
        "INSERT INTO test_run_quota AS q (developer_id, day, used) \
         SELECT {}, (now() AT TIME ZONE 'UTC')::date, 1 FROM fit WHERE {quota} > 0 \
         ON CONFLICT (developer_id, day) DO UPDATE SET used = q.used + 1 WHERE q.used < {quota} \
         RETURNING q.used",
        binds.uuid(id.uuid()),
    )
}

/// The price, set aside; `available` is null then, and otherwise what there was instead. Who runs
/// his own model, by the e-mail address that both of his accounts have verified, earns nothing.
fn held(new: &NewExecution, binds: &mut Binds) -> Result<String, RepoError> {
    let price = price(new)?.credits().millicredits();
    let Requester::Consumer(consumer) = new.requester else {
        return Ok("SELECT NULL::bigint AS available FROM quota".to_owned());
    };
    if price == Millicredits::ZERO {
        return Ok("SELECT NULL::bigint AS available FROM quota".to_owned());
    }
    let consumer = binds.uuid(consumer.uuid());
    let developer = binds.uuid(new.model.developer_id.uuid());
    Ok(format!(
        "SELECT hold_credits({}, {consumer}, {developer}, {}, {}, CASE WHEN EXISTS (\
            SELECT 1 FROM people c JOIN people d ON lower(d.email) = lower(c.email) \
            WHERE c.id = {consumer} AND c.email_is_verified \
                AND d.id = {developer} AND d.email_is_verified\
         ) THEN 0 ELSE {} END) AS available FROM quota",
        binds.uuid(new.id.uuid()),
        binds.uuid(new.model.id.uuid()),
        binds.number(price.get()),
        binds.number(new.developer_share.ten_thousandths()),
    ))
}

/// The key, taken for this execution.
fn taken(new: &NewExecution, binds: &mut Binds) -> String {
    let Some(claim) = &new.idempotency else {
        return "SELECT FROM held WHERE available IS NULL".to_owned();
    };
    format!(
        "INSERT INTO idempotency_keys (principal, route, key, fingerprint, execution_id, taken_at) \
         SELECT {}, {}, {}, {}, {}, now() FROM held WHERE available IS NULL RETURNING taken_at",
        binds.text(&claim.principal),
        binds.text(&claim.route),
        binds.text(claim.key.as_str()),
        binds.bytes(claim.fingerprint.to_vec()),
        binds.uuid(new.id.uuid()),
    )
}

/// The row. Its turn is that of whoever waits longest at the endpoint, or the one after the
/// requester's own last: so he who has a hundred waiting does not keep the others waiting.
fn created(new: &NewExecution, binds: &mut Binds) -> Result<String, RepoError> {
    let NewExecution {
        id,
        requester,
        model,
        inputs,
        payload,
        concealed,
        deadline_in,
        developer_share: _,
        max_concurrent_runs: _,
        idempotency: _,
        trace_parent,
    } = new;
    let (consumer, tester) = match requester {
        Requester::Consumer(consumer) => (Some(consumer.uuid()), None),
        Requester::Developer { id, .. } => (None, Some(id.uuid())),
    };
    let endpoint = binds.uuid(model.endpoint.id.uuid());
    let person = binds.optional_uuid(consumer.or(tester));
    let columns = [
        ("id", binds.uuid(id.uuid())),
        ("kind", binds.text(requester.kind().as_str())),
        ("consumer_id", binds.optional_uuid(consumer)),
        ("tester_id", binds.optional_uuid(tester)),
        ("developer_id", binds.uuid(model.developer_id.uuid())),
        ("tars_model_id", binds.uuid(model.id.uuid())),
        ("tars_model_version", binds.number(model.version.get())),
        ("base_model_id", binds.uuid(model.base_model.id.uuid())),
        ("endpoint_id", endpoint.clone()),
        ("provider", binds.text(model.endpoint.provider.as_str())),
        (
            "provider_endpoint_id",
            binds.text(model.endpoint.provider_endpoint_id.as_str()),
        ),
        ("price_credits", binds.number(price(new)?.credits().get())),
        ("inputs", binds.json(Value::Object(inputs.clone()))),
        ("payload", binds.json(Value::Object(payload.clone()))),
        ("concealed", binds.json(material::concealed(concealed)?)),
        (
            "timeout_seconds",
            binds.number(i64::from(model.base_model.timeout_seconds)),
        ),
        (
            "trace_parent",
            binds.optional_text(trace_parent.as_ref().map(TraceParent::as_str)),
        ),
        ("created_at", "now()".to_owned()),
        (
            "deadline_at",
            format!("now() + {}", binds.span(*deadline_in)),
        ),
        ("next_action_at", "now()".to_owned()),
        ("touched_at", "now()".to_owned()),
        (
            "fair_rank",
            format!(
                "greatest(coalesce((\
                    SELECT w.fair_rank FROM executions w \
                    WHERE w.endpoint_id = {endpoint} AND w.stage = 'created' \
                    ORDER BY w.fair_rank LIMIT 1), 0), coalesce((\
                    SELECT w.fair_rank + 1 FROM executions w \
                    WHERE w.endpoint_id = {endpoint} AND w.requester_id = {person} \
                        AND w.stage = 'created' \
                    ORDER BY w.fair_rank DESC LIMIT 1), 0))"
            ),
        ),
    ];
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let values = columns.iter().map(|(_, value)| value.as_str());
    Ok(format!(
        "INSERT INTO executions ({}) SELECT {} FROM taken RETURNING id, last_seq, created_at",
        names.join(", "),
        values.collect::<Vec<_>>().join(", "),
    ))
}

/// What it costs: a developer tries his own model for nothing.
pub(super) fn price(new: &NewExecution) -> Result<Price, RepoError> {
    match new.requester {
        Requester::Consumer(_) => Ok(new.model.price),
        Requester::Developer { .. } => stored::checked("price_credits", Price::parse(0)),
    }
}
