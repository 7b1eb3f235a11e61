-- How many runs of a consumer ended in which way, kept beside `run_count`, which counts those that
-- completed: whoever has a hundred thousand of them need not wait until they are counted for a page of twenty.
-- Together with those of `untallied` and those that have not ended they are all of his runs.
ALTER TABLE consumers
    ADD COLUMN failed_runs bigint NOT NULL DEFAULT 0,
    ADD COLUMN timed_out_runs bigint NOT NULL DEFAULT 0,
    ADD COLUMN cancelled_runs bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT consumers_ended_runs_check
        CHECK (failed_runs >= 0 AND timed_out_runs >= 0 AND cancelled_runs >= 0);

UPDATE consumers c SET
        failed_runs = e.failed, timed_out_runs = e.timed_out, cancelled_runs = e.cancelled
    FROM (
        SELECT consumer_id,
            sum(runs) FILTER (WHERE status = 'FAILED') AS failed,
            sum(runs) FILTER (WHERE status = 'TIMED_OUT') AS timed_out,
            sum(runs) FILTER (WHERE status = 'CANCELLED') AS cancelled
        FROM (
            SELECT p.id AS consumer_id, s.status, (
                SELECT count(*) FROM executions x
                WHERE x.consumer_id = p.id AND x.stage = 'ended' AND x.status = s.status
            ) - (
                SELECT count(*) FROM untallied u WHERE u.consumer_id = p.id AND u.status = s.status
            ) AS runs
            FROM consumers p, (VALUES ('FAILED'), ('TIMED_OUT'), ('CANCELLED')) s (status)
        ) counted
        GROUP BY consumer_id
    ) e
    WHERE c.id = e.consumer_id AND e.failed + e.timed_out + e.cancelled > 0;

CREATE VIEW invariant_e11 AS
    SELECT c.id AS execution_id,
        format('%s %s are counted, there are %s', c.counted + coalesce(u.runs, 0), c.status,
            coalesce(x.runs, 0)) AS detail
    FROM (
        SELECT p.id, s.status, s.counted
        FROM consumers p, LATERAL (VALUES
            ('COMPLETED', p.run_count), ('FAILED', p.failed_runs),
            ('TIMED_OUT', p.timed_out_runs), ('CANCELLED', p.cancelled_runs)
        ) s (status, counted)
    ) c
    LEFT JOIN (
        SELECT consumer_id, status, count(*) AS runs FROM untallied GROUP BY consumer_id, status
    ) u ON u.consumer_id = c.id AND u.status = c.status
    LEFT JOIN (
        SELECT consumer_id, status, count(*) AS runs FROM executions
        WHERE stage = 'ended' GROUP BY consumer_id, status
    ) x ON x.consumer_id = c.id AND x.status = c.status
    WHERE c.counted + coalesce(u.runs, 0) <> coalesce(x.runs, 0);
