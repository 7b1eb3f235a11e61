DROP TABLE watched_runs;
ALTER TABLE base_models DROP COLUMN streams_output;
