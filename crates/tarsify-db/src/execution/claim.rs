//! The statements that lease executions, in batches. Two claimers never wait for each other and
//! never get the same row.

use tarsify_domain::execution::{Claim, TokenHash, Work};

use super::attempts::{TRIED, tried};
use super::budget;
use super::claimed::COLUMNS;
use crate::statement::{Binds, Statement};

/// No worker has the execution `e`.
const UNLEASED: &str = "(e.lease_until IS NULL OR e.lease_until <= now())";

/// The statement for a claim.
///
/// It picks and locks, leases, and reads the attempts. The lock is on the newest version of a
/// row, but everything else in a statement is as it was when the statement began; a row that was
/// written to in between (`ctid` tells) is therefore left for the next claim. Otherwise its
/// attempts could be read as they were before that write.
pub(super) fn statement(claim: &Claim) -> Statement {
    let mut binds = Binds::default();
    let lease = binds.span(claim.lease);
    let limit = binds.number(i64::from(limit(claim)));
    let Leasing {
        free,
        due,
        held_back,
        moved,
        joined,
        returned,
        recorded,
        columns,
    } = leasing(claim, &limit, &mut binds);
    let tried = tried("c.id");
    let sql = format!(
        "WITH {free}picked AS MATERIALIZED (\
            SELECT d.id, d.place, row_number() OVER (ORDER BY d.turn, d.since, d.id) AS number \
            FROM ({due}) d{held_back} ORDER BY number LIMIT {limit}\
         ), claimed AS (\
            UPDATE executions e SET {moved}lease_until = now() + {lease}, \
                lease_epoch = e.lease_epoch + 1, strikes = e.strikes + 1, wake = false, \
                touched_at = now() \
            FROM picked q{joined} WHERE e.id = q.id AND e.ctid = q.place \
            RETURNING e.*, q.number{returned}\
         ){recorded} \
         SELECT {COLUMNS}, l.limits, o.limits AS provider_limits, {columns}, {TRIED} \
         FROM claimed c JOIN endpoints l ON l.id = c.endpoint_id \
         JOIN base_models b ON b.id = c.base_model_id \
         LEFT JOIN provider_budgets o ON o.provider = l.provider \
         LEFT JOIN watched_runs w ON w.execution_id = c.id {tried} ORDER BY c.number"
    );
    Statement::new(sql, binds)
}

/// How many at the most; of those to be submitted not more than there are tokens for.
fn limit(claim: &Claim) -> u32 {
    match &claim.work {
        Work::Submit(tokens) => {
            let tokens = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
            claim.limit.min(tokens)
        }
        Work::Look | Work::Sweep => claim.limit,
    }
}

/// What a claim's statement is made of.
struct Leasing {
    /// The expressions that find out how much of limited endpoints is left.
    free: String,
    /// Which executions are due, locked: `id`, `place`, `turn` at its endpoint, due `since`.
    due: String,
    /// Which of them their providers do not hold back, where that is asked.
    held_back: &'static str,
    /// What is set besides the lease.
    moved: &'static str,
    /// What is joined to those that are picked.
    joined: String,
    /// What the lease answers besides the row.
    returned: &'static str,
    /// The expressions that record attempts, and what they use up.
    recorded: String,
    /// What is read besides what is read of all.
    columns: &'static str,
}

fn leasing(claim: &Claim, limit: &str, binds: &mut Binds) -> Leasing {
    match &claim.work {
        Work::Submit(tokens) => Leasing {
            free: budget::free(|endpoint| TO_SUBMIT.any(endpoint)),
            due: ranked(&by_endpoint(claim, &TO_SUBMIT, limit, binds)),
            held_back: " WHERE d.left_of_provider IS NULL OR d.among <= d.left_of_provider",
            moved: "stage = 'submitting', attempts = e.attempts + 1, ",
            joined: format!(
                " JOIN unnest({}) WITH ORDINALITY AS k (token_hash, number) ON k.number = q.number",
                binds.byte_strings(tokens.iter().map(|TokenHash(hash)| hash.to_vec()).collect()),
            ),
            returned: ", k.token_hash",
            recorded: format!(
                ", recorded AS (\
                    INSERT INTO provider_attempts \
                        (execution_id, number, state, provider, token_hash, called_at) \
                    SELECT id, attempts, 'calling', provider, token_hash, now() FROM claimed\
                 ), {}",
                budget::spent(),
            ),
            columns: "c.token_hash, c.inputs, c.payload, c.concealed",
        },
        Work::Look => plain(by_endpoint(claim, &TO_LOOK, limit, binds)),
        Work::Sweep => plain(overdue(limit)),
    }
}

const fn plain(due: String) -> Leasing {
    Leasing {
        free: String::new(),
        due,
        held_back: "",
        moved: "",
        joined: String::new(),
        returned: "",
        recorded: String::new(),
        columns: "NULL::bytea AS token_hash",
    }
}

/// Which executions `e` of an endpoint are wanted, and in which order; each has its index.
struct Wanted {
    condition: &'static str,
    order: &'static str,
    /// What decides between endpoints before the time since when each is due.
    turn: &'static str,
    /// What is joined to the endpoints `p` besides.
    joined: &'static str,
    /// How many are left of an endpoint; null when it has no limits.
    left: &'static str,
    /// How many are left of its provider; null when that has no limits.
    left_of_provider: &'static str,
}

impl Wanted {
    /// The condition for those of one endpoint that a claim may take.
    fn wanted(&self, endpoint: &str) -> String {
        let condition = self.condition;
        format!(
            "e.endpoint_id = {endpoint} AND {condition} AND e.next_action_at <= now() AND {UNLEASED}"
        )
    }

    /// A query that answers whether there is one. It goes by the same index in the same order.
    fn any(&self, endpoint: &str) -> String {
        let (waiting, order) = (self.wanted(endpoint), self.order);
        format!("SELECT true FROM executions e WHERE {waiting} ORDER BY {order} LIMIT 1")
    }
}

const TO_SUBMIT: Wanted = Wanted {
    // The deadline is no bare comparison, because of all rows only few have one to come: the
    // server would expect next to none of those that wait to meet it, and go by the deadlines.
    condition: "e.stage = 'created' AND e.deadline_at - now() > interval '0'",
    order: "e.fair_rank, e.next_action_at, e.id",
    // Turns of different endpoints say nothing about each other: their first ones come first.
    turn: "row_number() OVER (PARTITION BY p.id ORDER BY d.fair_rank, d.since, d.id)",
    joined: budget::JOINED,
    left: budget::LEFT,
    left_of_provider: budget::LEFT_OF_PROVIDER,
};

const TO_LOOK: Wanted = Wanted {
    condition: "e.stage <> 'created'",
    order: "e.next_action_at, e.id",
    turn: "1",
    joined: "",
    left: "NULL::bigint",
    left_of_provider: "NULL::bigint",
};

/// Of every endpoint as many as its allowance says.
fn by_endpoint(claim: &Claim, wanted: &Wanted, limit: &str, binds: &mut Binds) -> String {
    let allowances = &claim.allowances;
    let ids = binds.uuids(allowances.keys().map(|id| id.uuid()).collect());
    let most = binds.numbers(allowances.values().map(|most| i64::from(*most)).collect());
    let allowance = binds.number(i64::from(claim.allowance));
    let waiting = wanted.wanted("p.id");
    let Wanted {
        condition: _,
        order,
        turn,
        joined,
        left,
        left_of_provider,
    } = wanted;
    format!(
        "SELECT d.id, d.place, d.since, {turn} AS turn, p.provider, \
            {left_of_provider} AS left_of_provider \
         FROM endpoints p LEFT JOIN unnest({ids}, {most}) AS m (id, most) ON m.id = p.id{joined} \
         CROSS JOIN LATERAL (\
            SELECT e.id, e.ctid AS place, e.next_action_at AS since, e.fair_rank \
            FROM executions e \
            WHERE {waiting} \
            ORDER BY {order} LIMIT least(\
                coalesce(m.most, {allowance}), {limit}, {left}, {left_of_provider}\
            ) \
            FOR NO KEY UPDATE SKIP LOCKED\
         ) d"
    )
}

/// The same, each with its place `among` all of its provider in the order of service.
fn ranked(due: &str) -> String {
    format!(
        "SELECT d.*, row_number() OVER (\
            PARTITION BY d.provider ORDER BY d.turn, d.since, d.id\
         ) AS among FROM ({due}) d"
    )
}

/// What is past its deadline, whatever it waits for and wherever it is.
fn overdue(limit: &str) -> String {
    format!(
        "SELECT s.id, s.place, s.since, 1 AS turn FROM (\
            SELECT e.id, e.ctid AS place, e.deadline_at AS since FROM executions e \
            WHERE e.stage <> 'ended' AND e.deadline_at <= now() AND {UNLEASED} \
            ORDER BY e.deadline_at, e.id LIMIT {limit} FOR NO KEY UPDATE SKIP LOCKED\
         ) s"
    )
}
