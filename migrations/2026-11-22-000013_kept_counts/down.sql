DROP VIEW invariant_e11;
ALTER TABLE consumers
    DROP CONSTRAINT consumers_ended_runs_check,
    DROP COLUMN cancelled_runs,
    DROP COLUMN timed_out_runs,
    DROP COLUMN failed_runs;
