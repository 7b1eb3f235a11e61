-- What models say while they work is asked for only while somebody watches, and only of models that
-- say anything then.

ALTER TABLE base_models ADD COLUMN streams_output boolean NOT NULL DEFAULT false;

-- Whose output somebody watches, and how far it was told. A row stays until its execution ends, so
-- that who watches again later hears on where it was.
CREATE TABLE watched_runs (
    execution_id uuid NOT NULL,
    watched_until timestamptz NOT NULL,
    -- What was told of the output, for workers only: it holds what must not be told yet.
    told json,
    CONSTRAINT watched_runs_pkey PRIMARY KEY (execution_id),
    CONSTRAINT watched_runs_execution_fkey FOREIGN KEY (execution_id) REFERENCES executions (id)
        ON DELETE CASCADE
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
