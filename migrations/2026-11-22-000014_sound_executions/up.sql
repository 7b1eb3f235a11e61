-- What an execution may be, in one trigger instead of two dozen checks. PostgreSQL reads the text of every
-- check of a table anew in each statement that writes to it, and a run takes half a dozen of those; a function
-- is read once on each connection. Nothing is allowed that was not: the rules have their names, a null
-- breaks none of them, and the trigger fires for whoever has triggers switched off as well.

CREATE FUNCTION refuse_unsound_execution() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    broken text := CASE
        WHEN (NEW.attempts >= 0 AND (NEW.stage IN ('created', 'ended') OR NEW.attempts > 0)) IS FALSE
            THEN 'executions_attempts_check'
        WHEN (NEW.charged_credits
                = CASE WHEN NEW.status = 'COMPLETED' THEN NEW.price_credits ELSE 0 END) IS FALSE
            THEN 'executions_charged_check'
        WHEN ((NEW.stage = 'ended') = (NEW.completed_at IS NOT NULL)) IS FALSE
            THEN 'executions_completed_at_check'
        WHEN (json_typeof(NEW.concealed) = 'object') IS FALSE
            THEN 'executions_concealed_check'
        WHEN (NEW.deadline_at >= NEW.created_at) IS FALSE
            THEN 'executions_deadline_at_check'
        WHEN (NEW.error_code IS NULL
                OR (NEW.error_code ~ '^ERR_[0-9]{4}$' AND NEW.reason IS NOT NULL)) IS FALSE
            THEN 'executions_error_code_check'
        WHEN (NEW.error_message IS NULL OR NEW.reason IS NOT NULL) IS FALSE
            THEN 'executions_error_message_check'
        WHEN (NEW.fair_rank >= 0) IS FALSE
            THEN 'executions_fair_rank_check'
        WHEN (json_typeof(NEW.inputs) = 'object') IS FALSE
            THEN 'executions_inputs_check'
        WHEN ((NEW.kind = 'RUN' AND NEW.consumer_id IS NOT NULL AND NEW.tester_id IS NULL)
            OR (NEW.kind = 'TEST_RUN' AND NEW.consumer_id IS NULL AND NEW.tester_id IS NOT NULL
                AND NEW.price_credits = 0)) IS FALSE
            THEN 'executions_kind_check'
        WHEN (NEW.last_seq >= 1) IS FALSE
            THEN 'executions_last_seq_check'
        WHEN (NEW.lease_until IS NULL OR NEW.lease_epoch > 0) IS FALSE
            THEN 'executions_lease_check'
        WHEN (NEW.lease_epoch >= 0) IS FALSE
            THEN 'executions_lease_epoch_check'
        WHEN (NEW.looks >= 0) IS FALSE
            THEN 'executions_looks_check'
        WHEN ((NEW.status = 'COMPLETED') = (NEW.output IS NOT NULL)) IS FALSE
            THEN 'executions_output_check'
        WHEN (json_typeof(NEW.payload) = 'object') IS FALSE
            THEN 'executions_payload_check'
        WHEN (NEW.price_credits BETWEEN 0 AND 1000000) IS FALSE
            THEN 'executions_price_credits_check'
        WHEN ((NEW.status IN ('FAILED', 'TIMED_OUT', 'CANCELLED')) = (NEW.reason IS NOT NULL)) IS FALSE
            THEN 'executions_reason_check'
        WHEN (NEW.reason ~ '^[a-z_]{1,50}$') IS FALSE
            THEN 'executions_reason_form_check'
        WHEN (NEW.stage <> 'running' OR NEW.started_at IS NOT NULL) IS FALSE
            THEN 'executions_started_at_check'
        WHEN (CASE NEW.stage
                WHEN 'created' THEN NEW.status = 'PENDING'
                WHEN 'submitting' THEN NEW.status = 'PENDING'
                WHEN 'unknown' THEN NEW.status = 'PENDING'
                WHEN 'queued' THEN NEW.status = 'QUEUED'
                WHEN 'running' THEN NEW.status = 'RUNNING'
                WHEN 'ended' THEN NEW.status IN ('COMPLETED', 'FAILED', 'TIMED_OUT', 'CANCELLED')
                ELSE false END) IS FALSE
            THEN 'executions_status_check'
        WHEN (NEW.step_id IS NULL OR NEW.parent_id IS NOT NULL) IS FALSE
            THEN 'executions_step_check'
        WHEN (NEW.strikes >= 0) IS FALSE
            THEN 'executions_strikes_check'
        WHEN (NEW.tars_model_version >= 1) IS FALSE
            THEN 'executions_tars_model_version_check'
        WHEN (NEW.timeout_seconds BETWEEN 1 AND 604800) IS FALSE
            THEN 'executions_timeout_seconds_check'
        WHEN (char_length(NEW.trace_parent) <= 55) IS FALSE
            THEN 'executions_trace_parent_check'
        END;
BEGIN
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'the execution % breaks the rule %', NEW.id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER executions_sound
    BEFORE INSERT OR UPDATE ON executions
    FOR EACH ROW EXECUTE FUNCTION refuse_unsound_execution();
ALTER TABLE executions ENABLE ALWAYS TRIGGER executions_sound;

ALTER TABLE executions
    DROP CONSTRAINT executions_attempts_check,
    DROP CONSTRAINT executions_charged_check,
    DROP CONSTRAINT executions_completed_at_check,
    DROP CONSTRAINT executions_concealed_check,
    DROP CONSTRAINT executions_deadline_at_check,
    DROP CONSTRAINT executions_error_code_check,
    DROP CONSTRAINT executions_error_message_check,
    DROP CONSTRAINT executions_fair_rank_check,
    DROP CONSTRAINT executions_inputs_check,
    DROP CONSTRAINT executions_kind_check,
    DROP CONSTRAINT executions_last_seq_check,
    DROP CONSTRAINT executions_lease_check,
    DROP CONSTRAINT executions_lease_epoch_check,
    DROP CONSTRAINT executions_looks_check,
    DROP CONSTRAINT executions_output_check,
    DROP CONSTRAINT executions_payload_check,
    DROP CONSTRAINT executions_price_credits_check,
    DROP CONSTRAINT executions_reason_check,
    DROP CONSTRAINT executions_reason_form_check,
    DROP CONSTRAINT executions_started_at_check,
    DROP CONSTRAINT executions_status_check,
    DROP CONSTRAINT executions_step_check,
    DROP CONSTRAINT executions_strikes_check,
    DROP CONSTRAINT executions_tars_model_version_check,
    DROP CONSTRAINT executions_timeout_seconds_check,
    DROP CONSTRAINT executions_trace_parent_check;
