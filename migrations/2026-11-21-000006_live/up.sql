-- Events in the order in which they can be followed. The number of a transaction is given before its
-- events can be seen, and every number below `pg_snapshot_xmin` is over: whoever has read all of
-- those misses nothing that comes.

ALTER TABLE execution_events ADD COLUMN turn xid8 NOT NULL DEFAULT '0';
ALTER TABLE execution_events ALTER COLUMN turn SET DEFAULT pg_current_xact_id();
CREATE INDEX execution_events_turn_index ON execution_events (turn, execution_id, seq);

-- In a database that was restored from a dump, events may have turns that are still to come here.
-- They have happened: before every other one. Settles some of them, and answers whether there were any.
CREATE FUNCTION settle_turns(many bigint) RETURNS boolean
    LANGUAGE sql
    AS $$
    UPDATE execution_events e SET turn = '0'
        FROM (
            SELECT execution_id, seq FROM execution_events
            WHERE turn >= pg_snapshot_xmax(pg_current_snapshot())
            LIMIT many FOR NO KEY UPDATE SKIP LOCKED
        ) late
        WHERE e.execution_id = late.execution_id AND e.seq = late.seq;
    SELECT EXISTS (
        SELECT FROM execution_events WHERE turn >= pg_snapshot_xmax(pg_current_snapshot())
    )
    $$;

-- Lets somebody follow a run once who cannot send a header, such as a browser's EventSource.
CREATE TABLE stream_tokens (
    hash bytea NOT NULL,
    execution_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT stream_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT stream_tokens_execution_fkey FOREIGN KEY (execution_id) REFERENCES executions (id)
        ON DELETE CASCADE
);

CREATE INDEX stream_tokens_execution_index ON stream_tokens (execution_id);
CREATE INDEX stream_tokens_expiry_index ON stream_tokens (expires_at);
