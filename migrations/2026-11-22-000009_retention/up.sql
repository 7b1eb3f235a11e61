-- What is removed of executions that ended long ago: what happened to them, and what went in and
-- came out. That they were, what they cost and how they ended stays for good.

-- How far it was removed, by ids, which are ordered by time: no index is needed to find what comes
-- next, and nothing is looked at twice. Whoever removes something locks the row of its kind.
CREATE TABLE retention (
    kind text NOT NULL,
    -- Everything up to here is removed, but what waits in `retention_stragglers`.
    through uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    -- No event of a later turn was removed; null when none was at all.
    removed_turn xid8,
    -- Until when all processes leave the database to others.
    rest_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT retention_pkey PRIMARY KEY (kind),
    CONSTRAINT retention_kind_check CHECK (kind IN ('events', 'payloads'))
);

INSERT INTO retention (kind) VALUES ('events'), ('payloads');

-- Those that were passed by and had not ended long enough ago. No foreign key, because each one
-- costs every write to an execution a little, and no execution is ever deleted.
CREATE TABLE retention_stragglers (
    kind text NOT NULL,
    execution_id uuid NOT NULL,
    CONSTRAINT retention_stragglers_pkey PRIMARY KEY (kind, execution_id)
);

-- The first id that can have been given at this moment.
CREATE FUNCTION first_id_since(moment timestamptz) RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        lpad(to_hex(greatest(floor(extract(epoch FROM moment) * 1000), 0)::bigint), 12, '0')
            || '00000000000000000000'
    )::uuid;

-- Null costs nothing: every row has its map of nulls already.
ALTER TABLE executions ADD COLUMN payloads_removed_at timestamptz;

-- Payloads are frozen, and a result is final, until both are removed: once, all of it, from what
-- has ended, and nothing else with it.
CREATE FUNCTION refuse_unlike_removal() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (
        OLD.stage = 'ended' AND OLD.payloads_removed_at IS NULL
        AND NEW.payloads_removed_at IS NOT NULL
        AND NEW.inputs::text = '{}' AND NEW.payload::text = '{}' AND NEW.concealed::text = '{}'
        AND NEW.output::text IS NOT DISTINCT FROM
            CASE WHEN OLD.output IS NOT NULL THEN 'null' END
        AND (
            NEW.reason, NEW.error_code, NEW.error_message, NEW.charged_credits, NEW.completed_at,
            NEW.queue_time_ms, NEW.execution_time_ms
        ) IS NOT DISTINCT FROM (
            OLD.reason, OLD.error_code, OLD.error_message, OLD.charged_credits, OLD.completed_at,
            OLD.queue_time_ms, OLD.execution_time_ms
        )
    ) IS NOT TRUE THEN
        RAISE EXCEPTION 'the execution % may not change so', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER executions_payloads_frozen
    BEFORE UPDATE OF inputs, payload, concealed, payloads_removed_at ON executions
    FOR EACH ROW EXECUTE FUNCTION refuse_unlike_removal();

DROP TRIGGER executions_frozen ON executions;
CREATE TRIGGER executions_frozen
    BEFORE UPDATE OF
        id, kind, consumer_id, tester_id, developer_id, tars_model_id, tars_model_version,
        base_model_id, endpoint_id, provider, provider_endpoint_id, price_credits, timeout_seconds,
        created_at, deadline_at, fair_rank, parent_id, step_id, tool_id
    ON executions
    FOR EACH ROW EXECUTE FUNCTION refuse_execution_change();

-- What sets the mark is looked at by the trigger above, and there as strictly.
DROP TRIGGER executions_ended ON executions;
CREATE TRIGGER executions_ended
    BEFORE UPDATE OF
        reason, error_code, error_message, charged_credits, output, completed_at, queue_time_ms,
        execution_time_ms
    ON executions
    FOR EACH ROW WHEN (
        OLD.stage = 'ended'
        AND OLD.payloads_removed_at IS NOT DISTINCT FROM NEW.payloads_removed_at
    )
    EXECUTE FUNCTION refuse_execution_change();

-- Events are removed all together or not at all, so whatever is left has to be whole.

CREATE OR REPLACE VIEW invariant_e3 AS
    SELECT x.id AS execution_id,
        format('%s, with %s terminal events', x.status, coalesce(told.ends, 0))
            || CASE WHEN told.ends = 1 AND NOT told.is_last THEN ', not the last one'
                WHEN told.ends = 1 AND told.how <> lower(x.status) THEN ', of another kind'
                ELSE '' END AS detail
    FROM executions x
    LEFT JOIN (
        SELECT v.execution_id,
            count(*) FILTER (WHERE v.is_end) AS ends,
            max(v.seq) FILTER (WHERE v.is_end) = max(v.seq) AS is_last,
            max(v.kind) FILTER (WHERE v.is_end) AS how
        FROM (
            SELECT execution_id, seq, kind,
                kind IN ('completed', 'failed', 'timed_out', 'cancelled') AS is_end
            FROM execution_events
        ) v
        GROUP BY v.execution_id
    ) told ON told.execution_id = x.id
    WHERE CASE WHEN x.stage = 'ended'
        THEN (told.ends = 1 AND told.is_last AND told.how = lower(x.status)) IS NOT TRUE
            AND (
                told.execution_id IS NULL
                AND x.id <= (SELECT through FROM retention WHERE kind = 'events')
                AND x.id NOT IN (SELECT execution_id FROM retention_stragglers WHERE kind = 'events')
            ) IS NOT TRUE
        ELSE told.ends > 0 END;

CREATE OR REPLACE VIEW invariant_e4 AS
    SELECT x.id AS execution_id,
        format('%s events, numbered %s to %s, the last one should be %s',
            coalesce(told.many, 0), told.first, told.last, x.last_seq) AS detail
    FROM executions x
    LEFT JOIN (
        SELECT execution_id, count(*) AS many, min(seq) AS first, max(seq) AS last
        FROM execution_events GROUP BY execution_id
    ) told ON told.execution_id = x.id
    WHERE (told.first = 1 AND told.last = told.many AND told.last = x.last_seq) IS NOT TRUE
        AND (
            x.stage = 'ended' AND told.execution_id IS NULL
            AND x.id <= (SELECT through FROM retention WHERE kind = 'events')
            AND x.id NOT IN (SELECT execution_id FROM retention_stragglers WHERE kind = 'events')
        ) IS NOT TRUE;
