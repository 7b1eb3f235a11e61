DROP TABLE stream_tokens;
DROP FUNCTION settle_turns(bigint);
ALTER TABLE execution_events DROP COLUMN turn;
