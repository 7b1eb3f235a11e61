-- What was removed stays removed, and nothing is left that says so.

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
    WHERE (told.first = 1 AND told.last = told.many AND told.last = x.last_seq) IS NOT TRUE;

DROP TRIGGER executions_payloads_frozen ON executions;
DROP FUNCTION refuse_unlike_removal();
DROP TRIGGER executions_frozen ON executions;
CREATE TRIGGER executions_frozen
    BEFORE UPDATE OF
        id, kind, consumer_id, tester_id, developer_id, tars_model_id, tars_model_version,
        base_model_id, endpoint_id, provider, provider_endpoint_id, price_credits, inputs, payload,
        concealed, timeout_seconds, created_at, deadline_at, fair_rank, parent_id, step_id, tool_id
    ON executions
    FOR EACH ROW EXECUTE FUNCTION refuse_execution_change();
DROP TRIGGER executions_ended ON executions;
CREATE TRIGGER executions_ended
    BEFORE UPDATE OF
        reason, error_code, error_message, charged_credits, output, completed_at, queue_time_ms,
        execution_time_ms
    ON executions
    FOR EACH ROW WHEN (OLD.stage = 'ended')
    EXECUTE FUNCTION refuse_execution_change();
ALTER TABLE executions DROP COLUMN payloads_removed_at;
DROP FUNCTION first_id_since(timestamptz);
DROP TABLE retention_stragglers;
DROP TABLE retention;
