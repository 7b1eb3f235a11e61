//! What a claim to submit may still take of endpoints and providers with limits, and what it then
//! took.
//!
//! A statement sees everything as it was when it began, so a count under a lock that was waited
//! for would be too old. Therefore nobody waits: of an endpoint or a provider whose budget somebody
//! else holds, or has written to since this statement began (`ctid` tells), this claim takes
//! nothing, and the next one does. Whoever takes something always writes to the budget. What is
//! seen is then never too little used, over all processes, and no two claims can wait for each
//! other. A provider's budget is locked before those of its endpoints, and who cannot have it does
//! not stand in the way of others there.

/// The jobs `e` that an endpoint has, or may have: whatever was submitted and has not ended, and
/// what has ended with a job that is still to be called off.
pub(super) const JOBS: &str = "e.next_action_at IS NOT NULL AND e.stage <> 'created'";

/// What is joined to endpoints `p` to know which of them, and of their providers, have limits.
pub(super) const JOINED: &str = " LEFT JOIN endpoint_budgets b ON b.endpoint_id = p.id \
        AND num_nonnulls(b.max_concurrency, b.max_per_minute, b.max_per_day) > 0 \
     LEFT JOIN endpoint_free f ON f.endpoint_id = b.endpoint_id \
     LEFT JOIN provider_budgets o ON o.provider = p.provider \
        AND num_nonnulls(o.max_concurrency, o.max_per_minute, o.max_per_day) > 0 \
     LEFT JOIN provider_free r ON r.provider = o.provider";

/// How many may be taken of an endpoint that was so joined; null when it has no limits.
pub(super) const LEFT: &str = "CASE WHEN b.endpoint_id IS NOT NULL THEN coalesce(f.many, 0) END";

/// How many may be taken of its provider, over all endpoints; null when that has no limits.
pub(super) const LEFT_OF_PROVIDER: &str =
    "CASE WHEN o.provider IS NOT NULL THEN coalesce(r.many, 0) END";

/// Whose budgets these are: how their tables are called and what they count.
struct Kind {
    /// What the names of tables and expressions begin with.
    name: &'static str,
    /// The column that says whose each is.
    key: &'static str,
    /// The jobs that count for a budget `b`.
    jobs: &'static str,
    /// What else has to be so before a budget `b` is worth a lock.
    besides: &'static str,
    /// What is joined to what was `claimed`, as `c`, to know its budget `f`.
    charged: &'static str,
}

const PROVIDERS: Kind = Kind {
    name: "provider",
    key: "provider",
    jobs: "FROM endpoints p CROSS JOIN LATERAL (\
            SELECT 1 FROM executions e \
            WHERE e.endpoint_id = p.id AND JOBS LIMIT b.max_concurrency\
        ) a WHERE p.provider = b.provider",
    besides: "",
    charged: "JOIN endpoints p ON p.id = c.endpoint_id JOIN provider_free f ON f.provider = p.provider",
};

const ENDPOINTS: Kind = Kind {
    name: "endpoint",
    key: "endpoint_id",
    jobs: "FROM executions e WHERE e.endpoint_id = b.endpoint_id AND JOBS",
    besides: " AND EXISTS (\
            SELECT 1 FROM endpoints p LEFT JOIN provider_budgets o ON o.provider = p.provider \
                AND num_nonnulls(o.max_concurrency, o.max_per_minute, o.max_per_day) > 0 \
            WHERE p.id = b.endpoint_id AND (o.provider IS NULL \
                OR EXISTS (SELECT 1 FROM provider_free r WHERE r.provider = o.provider))\
        )",
    charged: "JOIN endpoint_free f ON f.endpoint_id = c.endpoint_id",
};

/// The expressions by which `endpoint_free` and `provider_free` are how many are left of each that
/// has limits and for which something is waiting, with their budgets locked. What waits at an
/// endpoint is told by a query that `waiting` makes of the endpoint's id.
pub(super) fn free(waiting: impl Fn(&str) -> String) -> String {
    let at_provider = format!(
        "SELECT true FROM endpoints p CROSS JOIN LATERAL ({}) w \
         WHERE p.provider = b.provider LIMIT 1",
        waiting("p.id"),
    );
    let of_providers = PROVIDERS.free(&at_provider);
    let of_endpoints = ENDPOINTS.free(&waiting("b.endpoint_id"));
    format!("{of_providers}{of_endpoints}")
}

/// The expressions that write down how many were `claimed` of each that has limits.
pub(super) fn spent() -> String {
    format!("{}, {}", PROVIDERS.spent(), ENDPOINTS.spent())
}

impl Kind {
    /// A second of the last minute counts until all of it is a minute ago.
    fn free(&self, waiting: &str) -> String {
        let Self {
            name,
            key,
            jobs,
            besides,
            charged: _,
        } = self;
        let jobs = jobs.replace("JOBS", JOBS);
        format!(
            "{name}_locked AS MATERIALIZED (\
                SELECT b.{key}, b.ctid AS place, b.max_per_minute, u.many \
                FROM {name}_budgets b CROSS JOIN LATERAL (\
                    SELECT CASE WHEN ({waiting}){besides} THEN least(\
                        b.max_concurrency - CASE WHEN b.max_concurrency IS NOT NULL THEN (\
                            SELECT count(*) FROM (SELECT 1 {jobs} LIMIT b.max_concurrency) j\
                        ) END, \
                        b.max_per_minute - CASE WHEN b.max_per_minute IS NOT NULL THEN (\
                            SELECT coalesce(sum(k.taken), 0)::bigint FROM {name}_calls k \
                            WHERE k.{key} = b.{key} AND k.since > now() - interval '61 seconds'\
                        ) END, \
                        b.max_per_day - CASE WHEN b.day = {TODAY} THEN b.taken_on_day ELSE 0 END\
                    ) END AS many OFFSET 0\
                ) u \
                WHERE num_nonnulls(b.max_concurrency, b.max_per_minute, b.max_per_day) > 0 \
                    AND u.many > 0 \
                ORDER BY b.{key} FOR NO KEY UPDATE OF b SKIP LOCKED\
             ), {name}_free AS MATERIALIZED (\
                SELECT l.{key}, l.max_per_minute, l.many \
                FROM {name}_locked l JOIN {name}_budgets b ON b.{key} = l.{key} AND b.ctid = l.place\
             ), "
        )
    }

    fn spent(&self) -> String {
        let Self {
            name, key, charged, ..
        } = self;
        format!(
            "{name}_spent AS MATERIALIZED (\
                SELECT f.{key}, f.max_per_minute, count(*) AS many \
                FROM claimed c {charged} GROUP BY f.{key}, f.max_per_minute\
             ), {name}_budgeted AS (\
                UPDATE {name}_budgets b SET day = {TODAY}, \
                    taken_on_day = s.many + CASE WHEN b.day = {TODAY} THEN b.taken_on_day ELSE 0 END \
                FROM {name}_spent s WHERE b.{key} = s.{key}\
             ), {name}_called AS (\
                INSERT INTO {name}_calls AS k ({key}, since, taken) \
                SELECT {key}, date_trunc('second', now()), many FROM {name}_spent \
                WHERE max_per_minute IS NOT NULL \
                ON CONFLICT ({key}, since) DO UPDATE SET taken = k.taken + excluded.taken\
             ), {name}_forgotten AS (\
                DELETE FROM {name}_calls k USING {name}_spent s \
                WHERE k.{key} = s.{key} AND k.since < now() - interval '2 minutes'\
             )"
        )
    }
}

/// The day by which days are counted.
const TODAY: &str = "(now() AT TIME ZONE 'UTC')::date";
