-- A trace goes on from the request for a run to whoever works on it, in another process perhaps:
-- the parent is kept with the run, in the form of the W3C's `traceparent`. Nothing is decided by it.
-- A new column that may be null, and a check that no row there is can fail: neither reads the table.
ALTER TABLE executions ADD COLUMN trace_parent text;

ALTER TABLE executions ADD CONSTRAINT executions_trace_parent_check
    CHECK (char_length(trace_parent) <= 55) NOT VALID;
