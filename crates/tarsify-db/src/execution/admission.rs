//! Accepting executions: key, quota or hold, row and first event of all that are admitted together
//! in one statement, of which each part depends on the one before it. Nobody is refused for what is
//! wrong with another one of them.

mod asked;

use std::panic::Location;
use std::sync::Arc;

use serde_json::Value;
use tarsify_domain::RepoError;
use tarsify_domain::execution::{NewExecution, Requester};
use tarsify_domain::idempotency::IdempotencyClaim;
use tarsify_domain::money::Price;
use uuid::Uuid;

use super::admitted::AdmissionRow;
use super::material;
use super::row::{CONTENT, MODELS, SUMMARY};
use crate::statement::{Binds, Statement};
use crate::stored;
use crate::together::Together;

/// The primary key of executions, and what else there can be only one of for each.
pub(super) const ID_UNIQUE: [&str; 3] = [
    "executions_pkey",
    "holds_pkey",
    "ledger_transfers_ref_unique",
];

/// The primary key of idempotency keys.
pub(super) const KEY_UNIQUE: &str = "idempotency_keys_pkey";

/// One of them, with everything that could be refused before the database is asked.
pub(super) struct Admission {
    new: NewExecution,
    price: Price,
    concealed: Value,
}

impl Admission {
    pub(super) fn of(new: &NewExecution) -> Result<Self, RepoError> {
        Ok(Self {
            price: price(new)?,
            concealed: material::concealed(&new.concealed)?,
            new: new.clone(),
        })
    }
}

/// Admissions as they are written together. Of a requester there is one at most in a statement: his
/// quota, his room, his credits and his turn all depend on what he has already.
pub(super) struct Admissions;

impl Together for Admissions {
    type Item = Admission;
    type Answer = AdmissionRow;

    const MADE_AT: &'static Location<'static> = Location::caller();

    fn key(admission: &Admission) -> Uuid {
        match admission.new.requester {
            Requester::Consumer(consumer) => consumer.uuid(),
            Requester::Developer { id, .. } => id.uuid(),
        }
    }

    /// The statement. It always answers one row for each, in their order, and its text is the same for
    /// however many.
    ///
    /// Whatever is waited for is taken in one order by everybody: turns of consumers, quotas of
    /// developers, accounts, keys, each kind of them by its own order and after all of the kind before.
    ///
    /// A twin that runs at the same moment elsewhere has its key refused by the primary key, which
    /// undoes all of the statement; sent once more, it finds what the other one made.
    fn statement(admissions: &[Arc<Admission>]) -> Statement {
        let mut binds = Binds::default();
        let asked = asked::asked(admissions, &mut binds);
        let created = asked::created();
        let sql = format!(
            "WITH asked AS MATERIALIZED ({asked}), {KNOWN}, {FIT}, {ALLOWED}, {HELD}, {TAKEN}, \
             created AS ({created}), told AS (\
                INSERT INTO execution_events (execution_id, seq, kind, data, at) \
                SELECT id, last_seq, 'queued', '{{}}', created_at FROM created\
             ) \
             SELECT k.is_same, f.place IS NOT NULL AS fits, w.place IS NOT NULL AS is_within_quota, \
                h.available, c.created_at AS accepted_at, found.* \
             FROM asked a LEFT JOIN known k ON k.place = a.place LEFT JOIN fit f ON f.place = a.place \
                LEFT JOIN allowed w ON w.place = a.place LEFT JOIN held h ON h.place = a.place \
                LEFT JOIN created c ON c.id = a.id LEFT JOIN LATERAL (\
                    SELECT {SUMMARY}, {CONTENT} FROM executions x {MODELS} WHERE x.id = k.execution_id\
                ) found ON true \
             ORDER BY a.place"
        );
        Statement::new(sql, binds)
    }
}

/// The statement that finds what was accepted under a key.
pub(super) fn replaying(claim: &IdempotencyClaim) -> Statement {
    let mut binds = Binds::default();
    let sql = format!(
        "SELECT k.fingerprint = {} AS is_same, {SUMMARY}, {CONTENT} FROM idempotency_keys k \
         JOIN executions x ON x.id = k.execution_id {MODELS} \
         WHERE k.principal = {} AND k.route = {} AND k.key = {}",
        binds.bytes(claim.fingerprint.to_vec()),
        binds.text(&claim.principal),
        binds.text(&claim.route),
        binds.text(claim.key.as_str()),
    );
    Statement::new(sql, binds)
}

/// What is known of the keys. Each is looked up by itself, which no statistics can mislead.
const KNOWN: &str = "known AS MATERIALIZED (\
        SELECT a.place, k.fingerprint = a.fingerprint AS is_same, k.execution_id \
        FROM asked a CROSS JOIN LATERAL (\
            SELECT k.fingerprint, k.execution_id FROM idempotency_keys k \
            WHERE k.principal = a.principal AND k.route = a.route AND k.key = a.key LIMIT 1\
        ) k\
     )";

/// Whose model is still what was decided from, and may be run. No lock: whoever revises it at this
/// moment comes after us. They are in the order in which their turns are taken next, which is that
/// of what `has_room_for_run` locks, so that nobody waits in a circle.
const FIT: &str = "fit AS MATERIALIZED (\
        SELECT a.place, a.id, a.kind, a.requester_id, a.most, a.developer_id, a.tars_model_id, \
            a.price, a.share \
        FROM asked a \
        JOIN tars_models t ON t.id = a.tars_model_id AND t.version = a.tars_model_version \
        JOIN base_models b ON b.id = t.base_model_id AND b.id = a.base_model_id \
            AND b.version = a.base_model_version \
        JOIN endpoints p ON p.id = b.endpoint_id AND p.id = a.endpoint_id \
            AND p.version = a.endpoint_version \
        WHERE (a.kind = 'TEST_RUN' OR t.status = 'PUBLISHED' AND b.is_active AND p.is_active) \
            AND NOT EXISTS (SELECT FROM known k WHERE k.place = a.place) \
        ORDER BY hashtext(a.requester_id::text)\
     )";

/// Who has room for one more run, or one of today's test runs left, which is taken.
const ALLOWED: &str = "room AS MATERIALIZED (\
        SELECT f.* FROM fit f WHERE CASE \
            WHEN f.kind = 'TEST_RUN' OR f.most IS NULL THEN true \
            ELSE has_room_for_run(f.requester_id, f.most) END\
     ), quota AS (\
        INSERT INTO test_run_quota AS q (developer_id, day, used) \
        SELECT r.requester_id, (now() AT TIME ZONE 'UTC')::date, 1 FROM room r \
        WHERE r.kind = 'TEST_RUN' AND r.most > 0 ORDER BY r.requester_id \
        ON CONFLICT (developer_id, day) DO UPDATE SET used = q.used + 1 \
        WHERE q.used < (SELECT r.most FROM room r WHERE r.requester_id = q.developer_id) \
        RETURNING q.developer_id\
     ), allowed AS MATERIALIZED (\
        SELECT r.* FROM room r \
        WHERE r.kind <> 'TEST_RUN' OR r.requester_id IN (SELECT q.developer_id FROM quota q)\
     )";

/// The prices, set aside; `available` is null then, and otherwise what there was instead. Who runs
/// his own model, by the e-mail address that both of his accounts have verified, earns nothing.
const HELD: &str = "held AS MATERIALIZED (\
        SELECT w.place, NULL::bigint AS available FROM allowed w WHERE w.price = 0 \
        UNION ALL \
        SELECT o.places[h.place], h.available FROM (\
            SELECT array_agg(w.place) AS places, array_agg(w.id) AS ids, \
                array_agg(w.requester_id) AS consumers, array_agg(w.developer_id) AS developers, \
                array_agg(w.tars_model_id) AS models, array_agg(w.price) AS prices, \
                array_agg(CASE WHEN EXISTS (\
                    SELECT FROM people c JOIN people d ON lower(d.email) = lower(c.email) \
                    WHERE c.id = w.requester_id AND c.email_is_verified \
                        AND d.id = w.developer_id AND d.email_is_verified\
                ) THEN 0 ELSE w.share END) AS shares \
            FROM allowed w WHERE w.price > 0\
        ) o, hold_all(o.ids, o.consumers, o.developers, o.models, o.prices, o.shares) h\
     )";

/// The keys, taken for these executions.
const TAKEN: &str = "taken AS (\
        INSERT INTO idempotency_keys \
            (principal, route, key, fingerprint, execution_id, taken_at) \
        SELECT a.principal, a.route, a.key, a.fingerprint, a.id, now() \
        FROM held h JOIN asked a ON a.place = h.place \
        WHERE h.available IS NULL AND a.key IS NOT NULL \
        ORDER BY a.principal, a.route, a.key \
        RETURNING taken_at\
     )";

/// What it costs: a developer tries his own model for nothing.
pub(super) fn price(new: &NewExecution) -> Result<Price, RepoError> {
    match new.requester {
        Requester::Consumer(_) => Ok(new.model.price),
        Requester::Developer { .. } => stored::checked("price_credits", Price::parse(0)),
    }
}
