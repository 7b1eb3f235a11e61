DROP FUNCTION capture_holds(uuid[]);
DROP FUNCTION hold_all(uuid[], uuid[], uuid[], uuid[], bigint[], bigint[]);
