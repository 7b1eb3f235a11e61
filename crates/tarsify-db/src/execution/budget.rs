//! What a claim to submit may still take of endpoints with limits, and what it then took.
//!
//! A statement sees everything as it was when it began, so a count under a lock that was waited
//! for would be too old. Therefore nobody waits: of an endpoint whose budget somebody else holds,
//! or has written to since this statement began (`ctid` tells), this claim takes nothing, and the
//! next one does. Whoever takes something always writes to the budget. What is seen is then never
//! too little used, over all processes, and no two claims can wait for each other.

/// The jobs `e` that an endpoint has, or may have: whatever was submitted and has not ended, and
/// what has ended with a job that is still to be called off.
pub(super) const JOBS: &str = "e.next_action_at IS NOT NULL AND e.stage <> 'created'";

/// What is joined to endpoints `p` to know which of them have limits.
pub(super) const JOINED: &str = " LEFT JOIN endpoint_budgets b ON b.endpoint_id = p.id \
        AND num_nonnulls(b.max_concurrency, b.max_per_minute, b.max_per_day) > 0 \
     LEFT JOIN free f ON f.endpoint_id = b.endpoint_id";

/// How many may be taken of an endpoint that was so joined; null when it has no limits.
pub(super) const LEFT: &str = "CASE WHEN b.endpoint_id IS NOT NULL THEN coalesce(f.many, 0) END";

/// The expressions by which `free` is how many are left of each limited endpoint for which
/// something is `waiting` (a query that answers true then), with its budget locked. A second of
/// the last minute counts until all of it is a minute ago.
pub(super) fn free(waiting: &str) -> String {
    format!(
        "locked AS MATERIALIZED (\
            SELECT b.endpoint_id, b.ctid AS place, b.max_per_minute, u.many \
            FROM endpoint_budgets b CROSS JOIN LATERAL (\
                SELECT CASE WHEN ({waiting}) THEN least(\
                    b.max_concurrency - CASE WHEN b.max_concurrency IS NOT NULL THEN (\
                        SELECT count(*) FROM (\
                            SELECT 1 FROM executions e \
                            WHERE e.endpoint_id = b.endpoint_id AND {JOBS} \
                            LIMIT b.max_concurrency\
                        ) j\
                    ) END, \
                    b.max_per_minute - CASE WHEN b.max_per_minute IS NOT NULL THEN (\
                        SELECT coalesce(sum(k.taken), 0)::bigint FROM endpoint_calls k \
                        WHERE k.endpoint_id = b.endpoint_id \
                            AND k.since > now() - interval '61 seconds'\
                    ) END, \
                    b.max_per_day - CASE WHEN b.day = {TODAY} THEN b.taken_on_day ELSE 0 END\
                ) END AS many OFFSET 0\
            ) u \
            WHERE num_nonnulls(b.max_concurrency, b.max_per_minute, b.max_per_day) > 0 \
                AND u.many > 0 \
            ORDER BY b.endpoint_id FOR NO KEY UPDATE OF b SKIP LOCKED\
         ), free AS MATERIALIZED (\
            SELECT l.endpoint_id, l.max_per_minute, l.many \
            FROM locked l JOIN endpoint_budgets b \
                ON b.endpoint_id = l.endpoint_id AND b.ctid = l.place\
         ), "
    )
}

/// The expressions that write down how many were `claimed` of each limited endpoint.
pub(super) fn spent() -> String {
    format!(
        "spent AS MATERIALIZED (\
            SELECT f.endpoint_id, f.max_per_minute, count(*) AS many \
            FROM claimed c JOIN free f ON f.endpoint_id = c.endpoint_id \
            GROUP BY f.endpoint_id, f.max_per_minute\
         ), budgeted AS (\
            UPDATE endpoint_budgets b SET day = {TODAY}, \
                taken_on_day = s.many + CASE WHEN b.day = {TODAY} THEN b.taken_on_day ELSE 0 END \
            FROM spent s WHERE b.endpoint_id = s.endpoint_id\
         ), called AS (\
            INSERT INTO endpoint_calls AS k (endpoint_id, since, taken) \
            SELECT endpoint_id, date_trunc('second', now()), many FROM spent \
            WHERE max_per_minute IS NOT NULL \
            ON CONFLICT (endpoint_id, since) DO UPDATE SET taken = k.taken + excluded.taken\
         ), forgotten AS (\
            DELETE FROM endpoint_calls k USING spent s \
            WHERE k.endpoint_id = s.endpoint_id AND k.since < now() - interval '2 minutes'\
         )"
    )
}

/// The day by which days are counted.
const TODAY: &str = "(now() AT TIME ZONE 'UTC')::date";
