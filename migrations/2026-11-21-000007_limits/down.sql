DROP FUNCTION has_room_for_run(uuid, bigint);
DROP INDEX executions_unfinished_index;
DROP TABLE rate_limit_settings;
