DROP TRIGGER rate_limit_settings_limit_providers ON rate_limit_settings;
DROP FUNCTION limit_providers();
DROP TABLE provider_calls;
DROP TABLE provider_budgets;
DROP FUNCTION check_in(uuid, interval);
DROP TABLE workers;
