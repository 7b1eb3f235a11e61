DROP TRIGGER endpoints_limited_anew ON endpoints;
DROP TRIGGER endpoints_limited ON endpoints;
DROP FUNCTION limit_endpoint();
DROP TABLE endpoint_calls;
DROP TABLE endpoint_budgets;
