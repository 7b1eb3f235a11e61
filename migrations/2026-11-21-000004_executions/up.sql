-- Runs and test runs. An execution is its own place in the queue: what is to be done next, by
-- whom and until when stands in its row, so nothing can be queued without being stored or the
-- other way round. Nothing here is ever deleted with what it refers to.

-- Every lease and every look rewrites a row: room on each page lets most of these leave the
-- indexes alone, and the small partial indexes need the dead rows swept before a fifth of the
-- table is dead.
CREATE TABLE executions (
    id uuid NOT NULL,
    kind text NOT NULL,
    consumer_id uuid,
    -- The developer of a test run.
    tester_id uuid,
    requester_id uuid NOT NULL GENERATED ALWAYS AS (coalesce(consumer_id, tester_id)) STORED,
    -- Whose model it is.
    developer_id uuid NOT NULL,
    tars_model_id uuid NOT NULL,
    tars_model_version bigint NOT NULL,
    base_model_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    -- Where its jobs are. An administrator may point the endpoint elsewhere meanwhile.
    provider text NOT NULL,
    provider_endpoint_id text NOT NULL,
    -- What everybody is told, and what its workers know.
    status text NOT NULL DEFAULT 'PENDING',
    stage text NOT NULL DEFAULT 'created',
    reason text,
    error_code text,
    error_message text,
    price_credits bigint NOT NULL,
    charged_credits bigint NOT NULL DEFAULT 0,
    -- `json`, because the order of keys is the sender's and a NUL in a text is allowed.
    inputs json NOT NULL,
    payload json NOT NULL,
    concealed json NOT NULL,
    output json,
    progress json,
    timeout_seconds integer NOT NULL,
    created_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    -- The provider's own milliseconds.
    queue_time_ms bigint,
    execution_time_ms bigint,
    cancel_requested_at timestamptz,
    -- When it wants attention next; null when never again.
    next_action_at timestamptz,
    lease_until timestamptz,
    lease_epoch bigint NOT NULL DEFAULT 0,
    -- Somebody wants attention for it since it was last leased.
    wake boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    looks bigint NOT NULL DEFAULT 0,
    -- How often it was leased since a worker last wrote about it.
    strikes bigint NOT NULL DEFAULT 0,
    last_seq bigint NOT NULL DEFAULT 1,
    -- Its turn at its endpoint: whoever has many waiting has later turns for most of them.
    fair_rank bigint NOT NULL,
    -- When a worker last leased it or wrote about it.
    touched_at timestamptz NOT NULL,
    -- For tools of several steps, which are to come: the execution of the whole, which step this
    -- one is, and of which tool. They are frozen like everything else that an execution is made
    -- of, and runs of before and after must not differ in what is frozen.
    parent_id uuid,
    step_id uuid,
    tool_id uuid,
    CONSTRAINT executions_pkey PRIMARY KEY (id),
    CONSTRAINT executions_consumer_fkey FOREIGN KEY (consumer_id) REFERENCES consumers (id),
    CONSTRAINT executions_tester_fkey FOREIGN KEY (tester_id) REFERENCES developers (id),
    CONSTRAINT executions_developer_fkey FOREIGN KEY (developer_id) REFERENCES developers (id),
    CONSTRAINT executions_tars_model_fkey FOREIGN KEY (tars_model_id) REFERENCES tars_models (id),
    CONSTRAINT executions_base_model_fkey FOREIGN KEY (base_model_id) REFERENCES base_models (id),
    CONSTRAINT executions_endpoint_fkey FOREIGN KEY (endpoint_id) REFERENCES endpoints (id),
    CONSTRAINT executions_parent_fkey FOREIGN KEY (parent_id) REFERENCES executions (id),
    -- Trials in the studio and the steps of tools will be further kinds.
    CONSTRAINT executions_kind_check CHECK (
        (kind = 'RUN' AND consumer_id IS NOT NULL AND tester_id IS NULL)
        OR (kind = 'TEST_RUN' AND consumer_id IS NULL AND tester_id IS NOT NULL
            AND price_credits = 0)
    ),
    CONSTRAINT executions_status_check CHECK (
        (stage IN ('created', 'submitting', 'unknown') AND status = 'PENDING')
        OR (stage = 'queued' AND status = 'QUEUED')
        OR (stage = 'running' AND status = 'RUNNING')
        OR (stage = 'ended' AND status IN ('COMPLETED', 'FAILED', 'TIMED_OUT', 'CANCELLED'))
    ),
    CONSTRAINT executions_completed_at_check CHECK (
        (stage = 'ended') = (completed_at IS NOT NULL)
    ),
    CONSTRAINT executions_started_at_check CHECK (stage <> 'running' OR started_at IS NOT NULL),
    CONSTRAINT executions_output_check CHECK ((status = 'COMPLETED') = (output IS NOT NULL)),
    CONSTRAINT executions_reason_check CHECK (
        (status IN ('FAILED', 'TIMED_OUT', 'CANCELLED')) = (reason IS NOT NULL)
    ),
    -- Further reasons will come, so their set is the program's to know.
    CONSTRAINT executions_reason_form_check CHECK (reason ~ '^[a-z_]{1,50}$'),
    CONSTRAINT executions_error_code_check CHECK (
        error_code IS NULL OR (error_code ~ '^ERR_[0-9]{4}$' AND reason IS NOT NULL)
    ),
    CONSTRAINT executions_error_message_check CHECK (
        error_message IS NULL OR reason IS NOT NULL
    ),
    CONSTRAINT executions_price_credits_check CHECK (price_credits BETWEEN 0 AND 1000000),
    CONSTRAINT executions_charged_credits_check CHECK (
        charged_credits = 0 OR (charged_credits = price_credits AND status = 'COMPLETED')
    ),
    CONSTRAINT executions_inputs_check CHECK (json_typeof(inputs) = 'object'),
    CONSTRAINT executions_payload_check CHECK (json_typeof(payload) = 'object'),
    CONSTRAINT executions_concealed_check CHECK (json_typeof(concealed) = 'object'),
    CONSTRAINT executions_timeout_seconds_check CHECK (timeout_seconds BETWEEN 1 AND 604800),
    CONSTRAINT executions_deadline_at_check CHECK (deadline_at >= created_at),
    CONSTRAINT executions_lease_check CHECK (lease_until IS NULL OR lease_epoch > 0),
    CONSTRAINT executions_lease_epoch_check CHECK (lease_epoch >= 0),
    CONSTRAINT executions_attempts_check CHECK (
        attempts >= 0 AND (stage IN ('created', 'ended') OR attempts > 0)
    ),
    CONSTRAINT executions_looks_check CHECK (looks >= 0),
    CONSTRAINT executions_strikes_check CHECK (strikes >= 0),
    CONSTRAINT executions_last_seq_check CHECK (last_seq >= 1),
    CONSTRAINT executions_fair_rank_check CHECK (fair_rank >= 0),
    CONSTRAINT executions_tars_model_version_check CHECK (tars_model_version >= 1),
    CONSTRAINT executions_step_check CHECK (step_id IS NULL OR parent_id IS NOT NULL)
) WITH (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
);

-- The queue. Executions that have ended are in none of these, however many there are; the one
-- exception are those with a job that has still to be called off.
CREATE INDEX executions_waiting_index
    ON executions (endpoint_id, fair_rank, next_action_at, id) WHERE stage = 'created';
-- The requester first, so that nobody takes it for a shorter way to all of an endpoint.
CREATE INDEX executions_waiting_requester_index
    ON executions (requester_id, endpoint_id, fair_rank) WHERE stage = 'created';
CREATE INDEX executions_due_index
    ON executions (endpoint_id, next_action_at, id)
    WHERE next_action_at IS NOT NULL AND stage <> 'created';
CREATE INDEX executions_deadline_index ON executions (deadline_at, id) WHERE stage <> 'ended';

-- The lists.
CREATE INDEX executions_newest_index ON executions (created_at, id);
CREATE INDEX executions_status_index ON executions (status, created_at, id);
CREATE INDEX executions_tars_model_index ON executions (tars_model_id, created_at, id);
CREATE INDEX executions_consumer_index ON executions (consumer_id, created_at, id)
    WHERE consumer_id IS NOT NULL;
CREATE INDEX executions_tester_index ON executions (tester_id, created_at, id)
    WHERE tester_id IS NOT NULL;
CREATE INDEX executions_parent_index ON executions (parent_id) WHERE parent_id IS NOT NULL;

-- What happened, in order. Everything in it may be read by whoever asked for the execution.
CREATE TABLE execution_events (
    execution_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    data json NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT execution_events_pkey PRIMARY KEY (execution_id, seq),
    CONSTRAINT execution_events_execution_fkey FOREIGN KEY (execution_id)
        REFERENCES executions (id),
    CONSTRAINT execution_events_seq_check CHECK (seq >= 1),
    CONSTRAINT execution_events_kind_check CHECK (kind ~ '^[a-z_]{1,50}$'),
    CONSTRAINT execution_events_data_check CHECK (json_typeof(data) = 'object')
);

-- How often the provider was asked to do the work, and what became of it.
CREATE TABLE provider_attempts (
    execution_id uuid NOT NULL,
    number integer NOT NULL,
    state text NOT NULL,
    provider text NOT NULL,
    job_id text,
    token_hash bytea NOT NULL,
    called_at timestamptz NOT NULL,
    missing_since timestamptz,
    unreadable bigint NOT NULL DEFAULT 0,
    -- The last things said about it, for administrators.
    exchanges jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT provider_attempts_pkey PRIMARY KEY (execution_id, number),
    CONSTRAINT provider_attempts_execution_fkey FOREIGN KEY (execution_id)
        REFERENCES executions (id),
    CONSTRAINT provider_attempts_job_unique UNIQUE (provider, job_id),
    CONSTRAINT provider_attempts_number_check CHECK (number >= 1),
    CONSTRAINT provider_attempts_state_check CHECK (
        state IN (
            'calling', 'accepted', 'lost', 'undone', 'refused', 'won', 'over', 'orphaned'
        )
    ),
    CONSTRAINT provider_attempts_job_check CHECK (
        job_id IS NOT NULL OR state NOT IN ('accepted', 'won', 'orphaned')
    ),
    CONSTRAINT provider_attempts_job_id_check CHECK (char_length(job_id) BETWEEN 1 AND 64),
    CONSTRAINT provider_attempts_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT provider_attempts_unreadable_check CHECK (unreadable >= 0),
    CONSTRAINT provider_attempts_exchanges_check CHECK (jsonb_typeof(exchanges) = 'array')
);

CREATE UNIQUE INDEX provider_attempts_won_unique ON provider_attempts (execution_id)
    WHERE state = 'won';

-- Requests that may be repeated. A key belongs to whoever sent it and to one address.
CREATE TABLE idempotency_keys (
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    -- What the request made; its answer is read from there, as it is by then.
    execution_id uuid,
    -- What was answered to any other request.
    answer bytea,
    taken_at timestamptz NOT NULL,
    -- Until when whoever took the key is believed to be at work.
    locked_until timestamptz,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (principal, route, key),
    CONSTRAINT idempotency_keys_execution_fkey FOREIGN KEY (execution_id)
        REFERENCES executions (id),
    CONSTRAINT idempotency_keys_principal_check CHECK (char_length(principal) BETWEEN 1 AND 255),
    CONSTRAINT idempotency_keys_route_check CHECK (char_length(route) BETWEEN 1 AND 500),
    CONSTRAINT idempotency_keys_key_check CHECK (char_length(key) BETWEEN 1 AND 255),
    CONSTRAINT idempotency_keys_fingerprint_check CHECK (octet_length(fingerprint) = 32),
    CONSTRAINT idempotency_keys_outcome_check CHECK (
        num_nonnulls(execution_id, answer, locked_until) = 1
    )
);

CREATE INDEX idempotency_keys_taken_at_index ON idempotency_keys (taken_at);

-- How many test runs a developer had on a day (UTC).
CREATE TABLE test_run_quota (
    developer_id uuid NOT NULL,
    day date NOT NULL,
    used bigint NOT NULL,
    CONSTRAINT test_run_quota_pkey PRIMARY KEY (developer_id, day),
    CONSTRAINT test_run_quota_developer_fkey FOREIGN KEY (developer_id)
        REFERENCES developers (id),
    CONSTRAINT test_run_quota_used_check CHECK (used >= 1)
);

-- Runs that completed and are not yet in the counts of their model and consumer. Whoever settles
-- a run only adds a row here, so the row of a popular model is not where everybody waits.
CREATE TABLE untallied_runs (
    execution_id uuid NOT NULL,
    tars_model_id uuid NOT NULL,
    consumer_id uuid NOT NULL,
    CONSTRAINT untallied_runs_pkey PRIMARY KEY (execution_id),
    CONSTRAINT untallied_runs_execution_fkey FOREIGN KEY (execution_id)
        REFERENCES executions (id)
);

-- What the program promises is refused here once more, whoever writes. Each trigger names the
-- columns that it watches, so an ordinary lease or look costs at most a comparison of words.

CREATE FUNCTION refuse_execution_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the execution % may not change so', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END
$$;

CREATE TRIGGER executions_frozen
    BEFORE UPDATE OF
        id, kind, consumer_id, tester_id, developer_id, tars_model_id, tars_model_version,
        base_model_id, endpoint_id, provider, provider_endpoint_id, price_credits, inputs, payload,
        concealed, timeout_seconds, created_at, deadline_at, fair_rank, parent_id, step_id, tool_id
    ON executions
    FOR EACH ROW EXECUTE FUNCTION refuse_execution_change();

CREATE TRIGGER executions_ended
    BEFORE UPDATE OF
        reason, error_code, error_message, charged_credits, output, completed_at, queue_time_ms,
        execution_time_ms
    ON executions
    FOR EACH ROW WHEN (OLD.stage = 'ended')
    EXECUTE FUNCTION refuse_execution_change();

CREATE TRIGGER executions_forward
    BEFORE UPDATE OF attempts, lease_epoch, last_seq ON executions
    FOR EACH ROW WHEN (
        NEW.attempts < OLD.attempts
        OR NEW.lease_epoch < OLD.lease_epoch
        OR NEW.last_seq < OLD.last_seq
    )
    EXECUTE FUNCTION refuse_execution_change();

-- The stages that may follow each other, as the program has them in `Stage::may_become`. Nothing
-- follows `ended`, and no status changes without its stage.
CREATE TRIGGER executions_moves
    BEFORE UPDATE OF stage, status ON executions
    FOR EACH ROW WHEN (
        (OLD.stage <> NEW.stage OR OLD.status <> NEW.status)
        AND (OLD.stage, NEW.stage) NOT IN (
            ('created', 'submitting'), ('created', 'ended'),
            ('submitting', 'created'), ('submitting', 'unknown'), ('submitting', 'queued'),
            ('submitting', 'running'), ('submitting', 'ended'),
            ('unknown', 'created'), ('unknown', 'queued'), ('unknown', 'running'),
            ('unknown', 'ended'),
            ('queued', 'running'), ('queued', 'ended'),
            ('running', 'ended')
        )
    )
    EXECUTE FUNCTION refuse_execution_change();

-- What must hold at any moment: each view answers the executions for which it does not. E1, E2,
-- E8 and E10 speak of money and messages and come with those.

CREATE VIEW invariant_e3 AS
    SELECT x.id AS execution_id,
        format('%s, with %s terminal events', x.status, coalesce(told.ends, 0))
            || CASE WHEN told.ends = 1 AND NOT told.is_last THEN ', not the last one'
                WHEN told.ends = 1 AND told.how <> lower(x.status) THEN ', of another kind'
                ELSE '' END AS detail
    FROM executions x
    LEFT JOIN (
        SELECT v.execution_id,
            count(*) FILTER (WHERE v.is_end) AS ends,
            max(v.seq) FILTER (WHERE v.is_end) = max(v.seq) AS is_last,
            max(v.kind) FILTER (WHERE v.is_end) AS how
        FROM (
            SELECT execution_id, seq, kind,
                kind IN ('completed', 'failed', 'timed_out', 'cancelled') AS is_end
            FROM execution_events
        ) v
        GROUP BY v.execution_id
    ) told ON told.execution_id = x.id
    WHERE CASE WHEN x.stage = 'ended'
        THEN (told.ends = 1 AND told.is_last AND told.how = lower(x.status)) IS NOT TRUE
        ELSE told.ends > 0 END;

CREATE VIEW invariant_e4 AS
    SELECT x.id AS execution_id,
        format('%s events, numbered %s to %s, the last one should be %s',
            coalesce(told.many, 0), told.first, told.last, x.last_seq) AS detail
    FROM executions x
    LEFT JOIN (
        SELECT execution_id, count(*) AS many, min(seq) AS first, max(seq) AS last
        FROM execution_events GROUP BY execution_id
    ) told ON told.execution_id = x.id
    WHERE (told.first = 1 AND told.last = told.many AND told.last = x.last_seq) IS NOT TRUE;

CREATE VIEW invariant_e5 AS
    SELECT id AS execution_id, format('%s since %s', stage, deadline_at) AS detail
    FROM executions
    WHERE stage <> 'ended' AND deadline_at < now() - interval '60 seconds';

CREATE VIEW invariant_e6 AS
    SELECT x.id AS execution_id,
        format('%s, with %s winners', x.status, coalesce(won.winners, 0)) AS detail
    FROM executions x
    LEFT JOIN (
        SELECT execution_id, count(*) AS winners FROM provider_attempts
        WHERE state = 'won' GROUP BY execution_id
    ) won ON won.execution_id = x.id
    WHERE coalesce(won.winners, 0) <> CASE WHEN x.status = 'COMPLETED' THEN 1 ELSE 0 END
    UNION ALL
    SELECT a.execution_id, format('the job %s of attempt %s is not its alone', a.job_id, a.number)
    FROM provider_attempts a
    WHERE (a.provider, a.job_id) IN (
        SELECT provider, job_id FROM provider_attempts
        WHERE job_id IS NOT NULL GROUP BY provider, job_id HAVING count(*) > 1
    );

CREATE VIEW invariant_e7 AS
    SELECT id AS execution_id, 'COMPLETED without a result'::text AS detail
    FROM executions
    WHERE status = 'COMPLETED' AND output IS NULL;

-- By the clock, not by the beginning of the transaction that asks: a lease may be younger.
CREATE VIEW invariant_e9 AS
    SELECT id AS execution_id, format('leased until %s', lease_until) AS detail
    FROM executions
    WHERE lease_until > clock_timestamp() + interval '30 seconds';
