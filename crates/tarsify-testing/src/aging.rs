//! Lets runs in PostgreSQL grow old without waiting.

/// Makes the function `age_run(id, days)`, which moves a run with everything that belongs to it so
/// many days into the past and answers its id there, for ids tell when they were given.
pub const AGE_RUN: &str = "\
    CREATE FUNCTION age_run(of_run uuid, days integer) RETURNS uuid LANGUAGE plpgsql \
        SET session_replication_role = replica AS $$ \
    DECLARE \
        back interval := days * interval '1 day'; \
        older uuid; \
    BEGIN \
        SELECT (left(first_id_since(created_at - back)::text, 13) || '-7' \
                || substr(gen_random_uuid()::text, 16))::uuid \
            INTO older FROM executions WHERE id = of_run; \
        UPDATE executions SET id = older, created_at = created_at - back, \
                deadline_at = deadline_at - back, started_at = started_at - back, \
                completed_at = completed_at - back, touched_at = touched_at - back, \
                cancel_requested_at = cancel_requested_at - back \
            WHERE id = of_run; \
        UPDATE execution_events SET execution_id = older, at = at - back \
            WHERE execution_id = of_run; \
        UPDATE provider_attempts SET execution_id = older, called_at = called_at - back \
            WHERE execution_id = of_run; \
        UPDATE idempotency_keys SET execution_id = older WHERE execution_id = of_run; \
        UPDATE holds SET execution_id = older, held_at = held_at - back, \
                resolved_at = resolved_at - back \
            WHERE execution_id = of_run; \
        UPDATE refunds SET execution_id = older WHERE execution_id = of_run; \
        UPDATE ledger_transfers SET ref_id = older, at = at - back \
            WHERE ref_type = 'execution' AND ref_id = of_run; \
        RETURN older; \
    END \
    $$";
