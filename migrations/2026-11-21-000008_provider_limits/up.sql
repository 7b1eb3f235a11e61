-- How much of an endpoint may be used, and how much of it was. Whoever claims runs of an endpoint
-- with limits locks its row here and writes to it, so two claims cannot both take what is left. How
-- many jobs there are stands in no counter, which could be wrong one day: they are counted.

CREATE TABLE endpoint_budgets (
    endpoint_id uuid NOT NULL,
    -- From `endpoints.limits`; null where there is no such limit.
    max_concurrency bigint,
    max_per_minute bigint,
    max_per_day bigint,
    -- How many were submitted on the last day (UTC) on which any was.
    day date NOT NULL,
    taken_on_day bigint NOT NULL DEFAULT 0,
    CONSTRAINT endpoint_budgets_pkey PRIMARY KEY (endpoint_id),
    CONSTRAINT endpoint_budgets_endpoint_fkey FOREIGN KEY (endpoint_id) REFERENCES endpoints (id)
) WITH (fillfactor = 50);

-- How many were submitted in each second of the last minute, where there is a limit for that.
CREATE TABLE endpoint_calls (
    endpoint_id uuid NOT NULL,
    since timestamptz NOT NULL,
    taken bigint NOT NULL,
    -- No foreign key: it would have a claim wait for whoever changes the endpoint, who may wait for
    -- the claim. Only endpoints with budgets have calls, and those have one.
    CONSTRAINT endpoint_calls_pkey PRIMARY KEY (endpoint_id, since)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- The limits of an endpoint, whoever wrote them, are in force with the next claim. The row stays
-- when all limits are taken away: what was used of a day is then still known when they come back.
CREATE FUNCTION limit_endpoint() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO endpoint_budgets AS b
        (endpoint_id, max_concurrency, max_per_minute, max_per_day, day)
    VALUES (
        NEW.id, (NEW.limits ->> 'maxConcurrency')::bigint, (NEW.limits ->> 'maxPerMinute')::bigint,
        (NEW.limits ->> 'maxPerDay')::bigint, (now() AT TIME ZONE 'UTC')::date
    )
    ON CONFLICT (endpoint_id) DO UPDATE SET
        max_concurrency = excluded.max_concurrency,
        max_per_minute = excluded.max_per_minute,
        max_per_day = excluded.max_per_day;
    RETURN NULL;
END
$$;

CREATE TRIGGER endpoints_limited AFTER INSERT ON endpoints
    FOR EACH ROW WHEN (
        jsonb_exists_any(NEW.limits, ARRAY['maxConcurrency', 'maxPerMinute', 'maxPerDay'])
    )
    EXECUTE FUNCTION limit_endpoint();

CREATE TRIGGER endpoints_limited_anew AFTER UPDATE OF limits ON endpoints
    FOR EACH ROW WHEN (OLD.limits <> NEW.limits)
    EXECUTE FUNCTION limit_endpoint();

INSERT INTO endpoint_budgets (endpoint_id, max_concurrency, max_per_minute, max_per_day, day)
SELECT id, (limits ->> 'maxConcurrency')::bigint, (limits ->> 'maxPerMinute')::bigint,
    (limits ->> 'maxPerDay')::bigint, (now() AT TIME ZONE 'UTC')::date
FROM endpoints
WHERE jsonb_exists_any(limits, ARRAY['maxConcurrency', 'maxPerMinute', 'maxPerDay']);
