-- Limits towards providers that several endpoints, and several processes, share.

-- The processes that work on executions. Each says again and again that it is here, and what
-- providers allow is divided by how many do. Nothing is lost with this but a few seconds.
CREATE UNLOGGED TABLE workers (
    id uuid NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT workers_pkey PRIMARY KEY (id)
) WITH (fillfactor = 50);

-- Says that a worker is here, and answers how many are. One comes after another, and then looks
-- anew, as a function that is volatile does: of two that begin at the same time the second sees
-- the first.
CREATE FUNCTION check_in(worker uuid, presence interval) RETURNS bigint
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(11, 0);
    DELETE FROM workers WHERE seen_at < clock_timestamp() - interval '1 minute';
    INSERT INTO workers AS w (id, seen_at) VALUES (worker, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at;
    RETURN (SELECT count(*) FROM workers WHERE seen_at > clock_timestamp() - presence);
END
$$;

-- As `endpoint_budgets` and `endpoint_calls`, for all endpoints of a provider together. What is
-- not counted stands in `limits`, which endpoints that do not say otherwise have from here.
CREATE TABLE provider_budgets (
    provider text NOT NULL,
    limits jsonb NOT NULL,
    max_concurrency bigint,
    max_per_minute bigint,
    max_per_day bigint,
    day date NOT NULL,
    taken_on_day bigint NOT NULL DEFAULT 0,
    CONSTRAINT provider_budgets_pkey PRIMARY KEY (provider)
) WITH (fillfactor = 50);

CREATE TABLE provider_calls (
    provider text NOT NULL,
    since timestamptz NOT NULL,
    taken bigint NOT NULL,
    CONSTRAINT provider_calls_pkey PRIMARY KEY (provider, since)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- The limits of providers stand in the settings, and are in force with the next claim. A row stays
-- when all its limits are taken away, as that of an endpoint does.
CREATE FUNCTION limit_providers() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO provider_budgets AS b
        (provider, limits, max_concurrency, max_per_minute, max_per_day, day)
    SELECT n.provider, n.limits, (n.limits ->> 'maxConcurrency')::bigint,
        (n.limits ->> 'maxPerMinute')::bigint, (n.limits ->> 'maxPerDay')::bigint,
        (now() AT TIME ZONE 'UTC')::date
    FROM (
        SELECT key AS provider, value AS limits
        FROM jsonb_each(coalesce(NEW.settings -> 'providers', '{}'))
        UNION ALL
        SELECT provider, '{}' FROM provider_budgets
        WHERE NOT jsonb_exists(coalesce(NEW.settings -> 'providers', '{}'), provider)
    ) n
    ON CONFLICT (provider) DO UPDATE SET
        limits = excluded.limits,
        max_concurrency = excluded.max_concurrency,
        max_per_minute = excluded.max_per_minute,
        max_per_day = excluded.max_per_day
    WHERE b.limits <> excluded.limits;
    RETURN NULL;
END
$$;

CREATE TRIGGER rate_limit_settings_limit_providers
    AFTER INSERT OR UPDATE OF settings ON rate_limit_settings
    FOR EACH ROW EXECUTE FUNCTION limit_providers();

-- What was decided before this was undone is in force again.
UPDATE rate_limit_settings SET settings = settings;
