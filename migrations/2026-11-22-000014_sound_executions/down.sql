ALTER TABLE executions
    ADD CONSTRAINT executions_attempts_check CHECK (attempts >= 0 AND (stage IN ('created', 'ended') OR attempts > 0)),
    ADD CONSTRAINT executions_charged_check CHECK (
        charged_credits = CASE WHEN status = 'COMPLETED' THEN price_credits ELSE 0 END
    ),
    ADD CONSTRAINT executions_completed_at_check CHECK ((stage = 'ended') = (completed_at IS NOT NULL)),
    ADD CONSTRAINT executions_concealed_check CHECK (json_typeof(concealed) = 'object'),
    ADD CONSTRAINT executions_deadline_at_check CHECK (deadline_at >= created_at),
    ADD CONSTRAINT executions_error_code_check CHECK (
        error_code IS NULL OR (error_code ~ '^ERR_[0-9]{4}$' AND reason IS NOT NULL)
    ),
    ADD CONSTRAINT executions_error_message_check CHECK (error_message IS NULL OR reason IS NOT NULL),
    ADD CONSTRAINT executions_fair_rank_check CHECK (fair_rank >= 0),
    ADD CONSTRAINT executions_inputs_check CHECK (json_typeof(inputs) = 'object'),
    ADD CONSTRAINT executions_kind_check CHECK (
        (kind = 'RUN' AND consumer_id IS NOT NULL AND tester_id IS NULL) OR (kind = 'TEST_RUN' AND
            consumer_id IS NULL AND tester_id IS NOT NULL AND price_credits = 0)
    ),
    ADD CONSTRAINT executions_last_seq_check CHECK (last_seq >= 1),
    ADD CONSTRAINT executions_lease_check CHECK (lease_until IS NULL OR lease_epoch > 0),
    ADD CONSTRAINT executions_lease_epoch_check CHECK (lease_epoch >= 0),
    ADD CONSTRAINT executions_looks_check CHECK (looks >= 0),
    ADD CONSTRAINT executions_output_check CHECK ((status = 'COMPLETED') = (output IS NOT NULL)),
    ADD CONSTRAINT executions_payload_check CHECK (json_typeof(payload) = 'object'),
    ADD CONSTRAINT executions_price_credits_check CHECK (price_credits BETWEEN 0 AND 1000000),
    ADD CONSTRAINT executions_reason_check CHECK (
        (status IN ('FAILED', 'TIMED_OUT', 'CANCELLED')) = (reason IS NOT NULL)
    ),
    ADD CONSTRAINT executions_reason_form_check CHECK (reason ~ '^[a-z_]{1,50}$'),
    ADD CONSTRAINT executions_started_at_check CHECK (stage <> 'running' OR started_at IS NOT NULL),
    ADD CONSTRAINT executions_status_check CHECK (
        (stage IN ('created', 'submitting', 'unknown') AND status = 'PENDING') OR (stage = 'queued' AND
            status = 'QUEUED') OR (stage = 'running' AND status = 'RUNNING') OR (stage = 'ended' AND status
            IN ('COMPLETED', 'FAILED', 'TIMED_OUT', 'CANCELLED'))
    ),
    ADD CONSTRAINT executions_step_check CHECK (step_id IS NULL OR parent_id IS NOT NULL),
    ADD CONSTRAINT executions_strikes_check CHECK (strikes >= 0),
    ADD CONSTRAINT executions_tars_model_version_check CHECK (tars_model_version >= 1),
    ADD CONSTRAINT executions_timeout_seconds_check CHECK (timeout_seconds BETWEEN 1 AND 604800),
    ADD CONSTRAINT executions_trace_parent_check CHECK (char_length(trace_parent) <= 55) NOT VALID;
DROP TRIGGER executions_sound ON executions;
DROP FUNCTION refuse_unsound_execution();
