-- Money. A transfer row is a debit and a credit at once and never changes; an account's balance is
-- the sum of its transfers, kept by the same function that writes them. The unit is the
-- millicredit: a thousandth of a credit, which is one US cent.

-- Whose money it is and what it is for. The platform's own accounts have no owner and no balance:
-- every run touches them, so they are summed from the transfers instead (`ledger_platform`).
CREATE TABLE ledger_accounts (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY (START WITH 101),
    owner_id uuid,
    kind text NOT NULL,
    balance bigint NOT NULL DEFAULT 0,
    CONSTRAINT ledger_accounts_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_accounts_owner_unique UNIQUE (owner_id, kind),
    CONSTRAINT ledger_accounts_owner_fkey FOREIGN KEY (owner_id) REFERENCES people (id),
    -- What a developer owes is the one thing that is below nothing.
    CONSTRAINT ledger_accounts_balance_check CHECK (
        balance = 0 OR (balance < 0) = (kind = 'developer_owed')
    )
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

CREATE UNIQUE INDEX ledger_accounts_platform_unique ON ledger_accounts (kind)
    WHERE owner_id IS NULL;

-- What has many cases is checked by a trigger on the tables that every run writes to: PostgreSQL
-- reads the text of a CHECK anew in each statement, and these took a fifth of the time of a run's
-- money.
CREATE FUNCTION refuse_unknown_account() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (
        CASE WHEN NEW.owner_id IS NULL
            THEN NEW.kind IN ('stripe_clearing', 'platform_promo', 'platform_revenue', 'platform_loss')
            ELSE NEW.kind IN (
                'consumer_available', 'consumer_held', 'developer_pending', 'developer_payable',
                'developer_in_payout', 'developer_owed'
            ) END
    ) IS NOT TRUE THEN
        RAISE EXCEPTION 'there is no account %', NEW.kind
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER ledger_accounts_known
    BEFORE INSERT OR UPDATE OF owner_id, kind ON ledger_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_unknown_account();

INSERT INTO ledger_accounts (id, kind) OVERRIDING SYSTEM VALUE
    VALUES (1, 'stripe_clearing'), (2, 'platform_promo'), (3, 'platform_revenue'), (4, 'platform_loss');

-- No foreign keys to accounts: each would lock the platform's rows once more for every run. The
-- one function that writes here takes the accounts from their table, and `ledger_faults` looks.
CREATE TABLE ledger_transfers (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- What it belongs to; each kind of movement happens to it at most once.
    ref_type text NOT NULL,
    ref_id uuid NOT NULL,
    kind text NOT NULL,
    debit_id bigint NOT NULL,
    credit_id bigint NOT NULL,
    amount bigint NOT NULL,
    -- The consumer's account on whose statement it stands, and what is in it afterwards.
    wallet_id bigint,
    wallet_after bigint,
    at timestamptz NOT NULL,
    CONSTRAINT ledger_transfers_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_transfers_ref_unique UNIQUE (ref_id, kind, ref_type),
    CONSTRAINT ledger_transfers_sides_check CHECK (debit_id <> credit_id),
    CONSTRAINT ledger_transfers_amount_check CHECK (amount > 0),
    CONSTRAINT ledger_transfers_wallet_check CHECK (
        wallet_id IS NULL AND wallet_after IS NULL
        OR wallet_id IN (debit_id, credit_id) AND wallet_after >= 0
    )
);

CREATE INDEX ledger_transfers_wallet_index ON ledger_transfers (wallet_id, id)
    WHERE wallet_id IS NOT NULL;

CREATE FUNCTION refuse_unknown_transfer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF (
        CASE NEW.ref_type
            WHEN 'execution' THEN NEW.kind IN (
                'hold', 'capture_developer', 'capture_platform', 'release', 'reversal_recovered'
            )
            WHEN 'consumer' THEN NEW.kind = 'welcome'
            WHEN 'grant' THEN NEW.kind = 'adjustment'
            WHEN 'purchase' THEN NEW.kind IN ('purchase', 'bonus')
            WHEN 'refund' THEN NEW.kind IN ('refund_pending', 'refund_payable', 'refund_platform')
            WHEN 'reversal' THEN NEW.kind IN (
                'card_refund', 'chargeback', 'reversal_loss', 'bonus_reversal',
                'chargeback_returned', 'reversal_loss_returned', 'bonus_returned'
            )
            WHEN 'clawback' THEN NEW.kind IN ('clawback_pending', 'clawback_payable', 'clawback_owed')
            WHEN 'maturing' THEN NEW.kind IN ('mature', 'recover')
            WHEN 'payout' THEN NEW.kind IN (
                'payout_reserve', 'payout_paid', 'payout_failed', 'payout_returned', 'recover'
            )
            ELSE false END
    ) IS NOT TRUE THEN
        RAISE EXCEPTION 'the % of a % is no transfer', NEW.kind, NEW.ref_type
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER ledger_transfers_known
    BEFORE INSERT ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_unknown_transfer();

CREATE FUNCTION refuse_change_of_record() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the rows of % are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END
$$;

CREATE TRIGGER ledger_transfers_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_record();

-- What the platform's accounts come to up to a transfer, so that nobody sums all of them again.
CREATE TABLE ledger_checkpoints (
    account_id bigint NOT NULL,
    up_to bigint NOT NULL,
    balance bigint NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT ledger_checkpoints_pkey PRIMARY KEY (account_id, up_to),
    CONSTRAINT ledger_checkpoints_account_fkey FOREIGN KEY (account_id)
        REFERENCES ledger_accounts (id)
);

CREATE VIEW ledger_platform AS
    WITH last AS MATERIALIZED (
        SELECT coalesce(max(up_to), 0) AS up_to FROM ledger_checkpoints
    ), since AS (
        -- The platform's accounts are the first hundred.
        SELECT side.account, sum(side.delta)::bigint AS balance
        FROM (
            SELECT t.debit_id AS account, -t.amount AS delta FROM ledger_transfers t
            WHERE t.debit_id <= 100 AND t.id > (SELECT up_to FROM last)
            UNION ALL
            SELECT t.credit_id, t.amount FROM ledger_transfers t
            WHERE t.credit_id <= 100 AND t.id > (SELECT up_to FROM last)
        ) side
        GROUP BY side.account
    )
    SELECT a.id AS account_id, a.kind,
        coalesce(k.balance, 0) + coalesce(s.balance, 0) AS balance
    FROM ledger_accounts a
    LEFT JOIN ledger_checkpoints k
        ON k.account_id = a.id AND k.up_to = (SELECT up_to FROM last)
    LEFT JOIN since s ON s.account = a.id
    WHERE a.owner_id IS NULL;

-- The newest transfer before which none can appear any more. Numbers are given out before their
-- transfers are visible, so this waits, very shortly, for those that are under way.
CREATE FUNCTION ledger_frontier() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
BEGIN
    LOCK TABLE ledger_transfers IN SHARE MODE;
    RETURN (SELECT coalesce(max(id), 0) FROM ledger_transfers);
END
$$;

-- A movement of a group: what it is called, from where, to where, how much.
CREATE TYPE ledger_leg AS (kind text, debit_id bigint, credit_id bigint, amount bigint);

-- A person's account.
CREATE FUNCTION ledger_account(of_owner uuid, of_kind text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN (SELECT id FROM ledger_accounts WHERE owner_id = of_owner AND kind = of_kind);
END
$$;

-- Locks accounts, in the one order in which everybody locks them, for who has to see what they
-- hold before he knows what to post. The table is taken before the accounts, so that
-- `ledger_frontier` cannot come to stand between them.
CREATE FUNCTION ledger_lock(accounts bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    LOCK TABLE ledger_transfers IN ROW EXCLUSIVE MODE;
    PERFORM FROM ledger_accounts
        WHERE id = ANY (accounts) AND owner_id IS NOT NULL ORDER BY id FOR NO KEY UPDATE;
END
$$;

-- The writer of transfers: all legs of a group, or none. Answers null, or, when the first of
-- its accounts would come to hold less than nothing, how much that one lacks, and nothing was done
-- then. When another one would, it fails. Of an amount of nothing there is no transfer.
--
-- The table is taken before the accounts, as in `ledger_lock`. Each account is locked and changed
-- once, by its net sum, in the order of the ids: two groups can wait for each other, and never in
-- a circle. Small statements, because each of them runs for every run that is accepted or ends.
CREATE FUNCTION ledger_post(about text, of_id uuid, legs ledger_leg[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    sides bigint[] := '{}';
    side bigint;
    leg ledger_leg;
    net bigint;
    of_kind text;
    holds_now bigint;
    is_first boolean := true;
    wallet bigint;
    running bigint;
    wallet_then bigint;
BEGIN
    LOCK TABLE ledger_transfers IN ROW EXCLUSIVE MODE;
    FOREACH leg IN ARRAY legs LOOP
        -- The platform's accounts are the first hundred.
        IF leg.amount > 0 AND leg.debit_id > 100 AND leg.debit_id <> ALL (sides) THEN
            sides := sides || leg.debit_id;
        END IF;
        IF leg.amount > 0 AND leg.credit_id > 100 AND leg.credit_id <> ALL (sides) THEN
            sides := sides || leg.credit_id;
        END IF;
    END LOOP;
    IF cardinality(sides) = 2 AND sides[2] < sides[1] THEN
        sides := ARRAY[sides[2], sides[1]];
    ELSIF cardinality(sides) > 2 THEN
        sides := ARRAY(SELECT s FROM unnest(sides) s ORDER BY s);
    END IF;
    FOREACH side IN ARRAY sides LOOP
        net := 0;
        FOREACH leg IN ARRAY legs LOOP
            IF leg.credit_id = side THEN
                net := net + leg.amount;
            ELSIF leg.debit_id = side THEN
                net := net - leg.amount;
            END IF;
        END LOOP;
        LOOP
            UPDATE ledger_accounts SET balance = balance + net
                WHERE id = side AND (balance + net >= 0 OR kind = 'developer_owed')
                RETURNING kind, balance INTO of_kind, holds_now;
            EXIT WHEN FOUND;
            -- Somebody may have put something there meanwhile; from here on nobody can.
            SELECT balance + net INTO holds_now FROM ledger_accounts WHERE id = side
                FOR NO KEY UPDATE;
            CONTINUE WHEN holds_now >= 0;
            IF is_first AND holds_now IS NOT NULL THEN
                RETURN -holds_now;
            END IF;
            RAISE EXCEPTION 'the account % cannot give % for the % %', side, net, about, of_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_accounts_balance_check';
        END LOOP;
        IF of_kind = 'consumer_available' THEN
            wallet := side;
            running := holds_now - net;
        END IF;
        is_first := false;
    END LOOP;
    FOREACH leg IN ARRAY legs LOOP
        CONTINUE WHEN leg.amount = 0;
        wallet_then := NULL;
        IF leg.credit_id = wallet THEN
            running := running + leg.amount;
            wallet_then := wallet;
        ELSIF leg.debit_id = wallet THEN
            running := running - leg.amount;
            wallet_then := wallet;
        END IF;
        INSERT INTO ledger_transfers
            (ref_type, ref_id, kind, debit_id, credit_id, amount, wallet_id, wallet_after, at)
            VALUES (
                about, of_id, leg.kind, leg.debit_id, leg.credit_id, leg.amount, wallet_then,
                CASE WHEN wallet_then IS NOT NULL THEN running END, now()
            );
    END LOOP;
    RETURN NULL;
END
$$;

-- As the last one, for what can lack nothing.
CREATE FUNCTION ledger_must_post(about text, of_id uuid, legs ledger_leg[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    lacking bigint := ledger_post(about, of_id, legs);
BEGIN
    IF lacking IS NOT NULL THEN
        RAISE EXCEPTION 'an account lacks % for the % %', lacking, about, of_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_accounts_balance_check';
    END IF;
END
$$;

-- Everybody has his accounts from the beginning, a consumer's available one before his held one.
CREATE FUNCTION ledger_open(person uuid, of_realm text) RETURNS void
    LANGUAGE sql
    AS $$
    INSERT INTO ledger_accounts (owner_id, kind)
        SELECT person, k.kind
        FROM unnest(
            CASE of_realm WHEN 'CONSUMERS' THEN ARRAY['consumer_available', 'consumer_held']
                ELSE ARRAY[
                    'developer_pending', 'developer_payable', 'developer_in_payout', 'developer_owed'
                ] END
        ) WITH ORDINALITY k (kind, place)
        ORDER BY k.place
    $$;

SELECT ledger_open(id, realm) FROM people ORDER BY id;

-- A run and its money. The hold is made with the run and resolved with it, once.

CREATE TABLE holds (
    execution_id uuid NOT NULL,
    consumer_id uuid NOT NULL,
    developer_id uuid NOT NULL,
    tars_model_id uuid NOT NULL,
    amount bigint NOT NULL,
    -- The developer's part of 10,000.
    developer_bps integer NOT NULL,
    state text NOT NULL DEFAULT 'active',
    -- The developer's part of what was captured.
    earned bigint NOT NULL DEFAULT 0,
    -- What was given back to the consumer since, and what a lost dispute took from the rest.
    refunded bigint NOT NULL DEFAULT 0,
    clawed bigint NOT NULL DEFAULT 0,
    -- What of `earned` those two took.
    taken_back bigint NOT NULL DEFAULT 0,
    held_at timestamptz NOT NULL,
    resolved_at timestamptz,
    -- The batch by which the developer may have it paid out.
    matured_in uuid,
    CONSTRAINT holds_pkey PRIMARY KEY (execution_id),
    -- At the end of the transaction, because the hold comes before its run: without credits there
    -- is none.
    CONSTRAINT holds_execution_fkey FOREIGN KEY (execution_id) REFERENCES executions (id)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT holds_amount_check CHECK (amount > 0),
    CONSTRAINT holds_developer_bps_check CHECK (developer_bps BETWEEN 0 AND 10000)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX holds_captured_index ON holds (developer_id, resolved_at, execution_id)
    WHERE state = 'captured';
CREATE INDEX holds_maturing_index ON holds (developer_id, resolved_at)
    WHERE state = 'captured' AND matured_in IS NULL;

CREATE FUNCTION refuse_hold_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the hold of % may not change so', OLD.execution_id
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END
$$;

CREATE TRIGGER holds_frozen
    BEFORE UPDATE OF
        execution_id, consumer_id, developer_id, tars_model_id, amount, developer_bps, held_at
    ON holds
    FOR EACH ROW EXECUTE FUNCTION refuse_hold_change();

-- A hold that is resolved stays as it was resolved, and no hold contradicts itself.
CREATE FUNCTION refuse_unsound_hold() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state <> 'active' AND (NEW.state, NEW.earned, NEW.resolved_at)
            IS DISTINCT FROM (OLD.state, OLD.earned, OLD.resolved_at) THEN
        RAISE EXCEPTION 'the hold of % is resolved', OLD.execution_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'holds_resolved_once';
    ELSIF (
        NEW.state IN ('active', 'captured', 'released')
        AND (NEW.state = 'active') = (NEW.resolved_at IS NULL)
        AND NEW.earned = CASE WHEN NEW.state = 'captured'
            THEN NEW.amount * NEW.developer_bps / 10000 ELSE 0 END
        AND NEW.refunded >= 0 AND NEW.clawed >= 0
        AND NEW.refunded + NEW.clawed
            <= CASE WHEN NEW.state = 'captured' THEN NEW.amount ELSE 0 END
        AND NEW.taken_back BETWEEN 0 AND NEW.earned
        AND (NEW.matured_in IS NULL OR NEW.state = 'captured')
    ) IS NOT TRUE THEN
        RAISE EXCEPTION 'the hold of % would contradict itself', NEW.execution_id
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER holds_sound
    BEFORE INSERT OR UPDATE ON holds
    FOR EACH ROW EXECUTE FUNCTION refuse_unsound_hold();

CREATE TRIGGER holds_remain
    BEFORE DELETE OR TRUNCATE ON holds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_record();

-- Runs of before there was money cost nothing, and that is their price.
ALTER TABLE executions DISABLE TRIGGER executions_frozen;
UPDATE executions SET price_credits = 0 WHERE price_credits <> 0;
ALTER TABLE executions ENABLE TRIGGER executions_frozen;

ALTER TABLE executions
    ADD CONSTRAINT executions_charged_check CHECK (
        charged_credits = CASE WHEN status = 'COMPLETED' THEN price_credits ELSE 0 END
    ),
    DROP CONSTRAINT executions_charged_credits_check;

-- Sets credits aside for a run that is about to be stored. Answers what the consumer can dispose
-- of: before, when that is too little, and nothing was done then; otherwise null.
CREATE FUNCTION hold_credits(
    of_execution uuid, of_consumer uuid, of_developer uuid, of_model uuid, price bigint, bps bigint
) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    wallet bigint;
    held bigint;
    lacking bigint;
BEGIN
    SELECT a.id, b.id INTO wallet, held FROM ledger_accounts a, ledger_accounts b
        WHERE a.owner_id = of_consumer AND a.kind = 'consumer_available'
            AND b.owner_id = of_consumer AND b.kind = 'consumer_held';
    lacking := ledger_post('execution', of_execution, ARRAY[
        ROW('hold', wallet, held, price)::ledger_leg
    ]);
    IF lacking IS NOT NULL THEN
        RETURN price - lacking;
    END IF;
    INSERT INTO holds (
        execution_id, consumer_id, developer_id, tars_model_id, amount, developer_bps, held_at
    ) VALUES (of_execution, of_consumer, of_developer, of_model, price, bps, clock_timestamp());
    RETURN NULL;
END
$$;

-- Resolves the hold of a run that ends: it is captured when there is a result, and given back
-- otherwise. Answers the developer's part. Refuses a second time, which would undo the second end.
CREATE FUNCTION resolve_hold(of_execution uuid, has_result boolean) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    h holds;
    held bigint;
    other bigint;
BEGIN
    UPDATE holds SET
            state = CASE WHEN has_result THEN 'captured' ELSE 'released' END,
            earned = CASE WHEN has_result THEN amount * developer_bps / 10000 ELSE 0 END,
            resolved_at = now()
        WHERE execution_id = of_execution AND state = 'active'
        RETURNING * INTO h;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the run % has no active hold', of_execution
            USING ERRCODE = 'check_violation', CONSTRAINT = 'holds_resolved_once';
    END IF;
    SELECT a.id, b.id INTO held, other FROM ledger_accounts a, ledger_accounts b
        WHERE a.owner_id = h.consumer_id AND a.kind = 'consumer_held'
            AND b.owner_id = CASE WHEN has_result THEN h.developer_id ELSE h.consumer_id END
            AND b.kind = CASE WHEN has_result THEN 'developer_pending' ELSE 'consumer_available' END;
    IF has_result THEN
        PERFORM ledger_must_post('execution', of_execution, ARRAY[
            ROW('capture_developer', held, other, h.earned),
            ROW('capture_platform', held, 3, h.amount - h.earned)
        ]::ledger_leg[]);
    ELSE
        PERFORM ledger_must_post('execution', of_execution, ARRAY[
            ROW('release', held, other, h.amount),
            ROW('reversal_recovered', other, 4, recover_reversals(h))
        ]::ledger_leg[]);
    END IF;
    RETURN h.earned;
END
$$;

-- Takes back what a developer earned: from what waits, then from what may be paid out; the rest
-- is told. The accounts have to be locked.
CREATE FUNCTION ledger_take_back(
    of_developer uuid, amount bigint, OUT from_pending bigint, OUT from_payable bigint,
    OUT rest bigint
)
    LANGUAGE plpgsql
    AS $$
BEGIN
    SELECT least(amount, balance) INTO from_pending FROM ledger_accounts
        WHERE owner_id = of_developer AND kind = 'developer_pending';
    SELECT least(amount - from_pending, balance) INTO from_payable FROM ledger_accounts
        WHERE owner_id = of_developer AND kind = 'developer_payable';
    rest := amount - from_pending - from_payable;
END
$$;

-- Whoever did something as an administrator, and why.
CREATE TABLE audit_entries (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    -- Who he is at the issuer of his token, and as a developer, if he is one.
    issuer text NOT NULL,
    subject text NOT NULL,
    developer_id uuid,
    action text NOT NULL,
    -- What it was done to.
    about text NOT NULL,
    about_id uuid NOT NULL,
    reason text,
    data jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT audit_entries_pkey PRIMARY KEY (id),
    CONSTRAINT audit_entries_action_check CHECK (action ~ '^[a-z_.]{1,60}$'),
    CONSTRAINT audit_entries_about_check CHECK (about ~ '^[a-z_]{1,30}$'),
    CONSTRAINT audit_entries_reason_check CHECK (char_length(reason) BETWEEN 1 AND 1000)
);

CREATE INDEX audit_entries_about_index ON audit_entries (about_id, id);

CREATE TRIGGER audit_entries_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_record();

-- What an administrator gives to a consumer or takes from him, in whole credits.
CREATE TABLE grants (
    id uuid NOT NULL,
    consumer_id uuid NOT NULL,
    amount bigint NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT grants_pkey PRIMARY KEY (id),
    CONSTRAINT grants_consumer_fkey FOREIGN KEY (consumer_id) REFERENCES consumers (id),
    CONSTRAINT grants_amount_check CHECK (amount <> 0 AND amount % 1000 = 0),
    CONSTRAINT grants_reason_check CHECK (char_length(reason) BETWEEN 1 AND 1000)
);

-- Answers what came of it ('granted', 'repeated' or 'insufficient'), and what the consumer can
-- dispose of when that is less than is to be taken.
CREATE FUNCTION grant_credits(
    of_grant uuid, of_consumer uuid, given bigint, why text, OUT outcome text, OUT available bigint
)
    LANGUAGE plpgsql
    AS $$
DECLARE
    wallet bigint := ledger_account(of_consumer, 'consumer_available');
    lacking bigint;
BEGIN
    IF EXISTS (SELECT FROM grants WHERE id = of_grant) THEN
        outcome := 'repeated';
        RETURN;
    END IF;
    lacking := ledger_post('grant', of_grant, ARRAY[
        CASE WHEN given > 0 THEN ROW('adjustment', 2, wallet, given)::ledger_leg
            ELSE ROW('adjustment', wallet, 2, -given)::ledger_leg END
    ]);
    IF lacking IS NOT NULL THEN
        outcome := 'insufficient';
        available := -given - lacking;
        RETURN;
    END IF;
    INSERT INTO grants (id, consumer_id, amount, reason, created_at)
        VALUES (of_grant, of_consumer, given, why, now());
    outcome := 'granted';
END
$$;

-- What a consumer gets for coming.
CREATE FUNCTION welcome_credits(of_consumer uuid, given bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM ledger_must_post('consumer', of_consumer, ARRAY[
        ROW('welcome', 2, ledger_account(of_consumer, 'consumer_available'), given)
    ]::ledger_leg[]);
END
$$;

-- A captured run, given back to its consumer, in whole or in part.
CREATE TABLE refunds (
    id uuid NOT NULL,
    execution_id uuid NOT NULL,
    amount bigint NOT NULL,
    -- Which part of it the developer gave back, and which part of his the platform had to.
    from_developer bigint NOT NULL,
    uncovered bigint NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT refunds_pkey PRIMARY KEY (id),
    CONSTRAINT refunds_hold_fkey FOREIGN KEY (execution_id) REFERENCES holds (execution_id),
    CONSTRAINT refunds_amount_check CHECK (amount > 0 AND amount % 1000 = 0),
    CONSTRAINT refunds_parts_check CHECK (
        from_developer >= 0 AND uncovered >= 0 AND from_developer + uncovered <= amount
    ),
    CONSTRAINT refunds_reason_check CHECK (char_length(reason) BETWEEN 1 AND 1000)
);

CREATE INDEX refunds_execution_index ON refunds (execution_id);

-- Gives a captured run back. `wanted` null means all that is left, in whole credits. The
-- developer's part is what he would have earned less, so that refunds in parts come to the same as
-- one. Answers what came of it ('refunded', 'repeated' or 'too_much'), what could have been given
-- back when that is less than is wanted, and otherwise what was.
CREATE FUNCTION refund_run(
    of_refund uuid, of_execution uuid, wanted bigint, why text, OUT outcome text,
    OUT refundable bigint, OUT given bigint, OUT from_developer bigint, OUT at timestamptz
)
    LANGUAGE plpgsql
    AS $$
DECLARE
    h holds;
    share bigint;
    back record;
    wallet bigint;
    pending bigint;
    payable bigint;
BEGIN
    SELECT * INTO h FROM holds WHERE execution_id = of_execution AND state = 'captured' FOR UPDATE;
    SELECT 'repeated', f.amount, f.from_developer, f.created_at
        INTO outcome, given, from_developer, at FROM refunds f WHERE f.id = of_refund;
    IF FOUND THEN
        RETURN;
    END IF;
    -- What a dispute left of a credit stays where it is.
    refundable := coalesce((h.amount - h.refunded - h.clawed) / 1000 * 1000, 0);
    given := coalesce(wanted, refundable);
    IF given = 0 OR given > refundable THEN
        outcome := 'too_much';
        RETURN;
    END IF;
    share := (h.refunded + h.clawed + given) * h.developer_bps / 10000
        - (h.refunded + h.clawed) * h.developer_bps / 10000;
    wallet := ledger_account(h.consumer_id, 'consumer_available');
    pending := ledger_account(h.developer_id, 'developer_pending');
    payable := ledger_account(h.developer_id, 'developer_payable');
    PERFORM ledger_lock(ARRAY[wallet, pending, payable]);
    back := ledger_take_back(h.developer_id, share);
    PERFORM ledger_must_post('refund', of_refund, ARRAY[
        ROW('refund_pending', pending, wallet, back.from_pending),
        ROW('refund_payable', payable, wallet, back.from_payable),
        ROW('refund_platform', 3, wallet, given - share + back.rest)
    ]::ledger_leg[]);
    from_developer := share - back.rest;
    at := now();
    INSERT INTO refunds (id, execution_id, amount, from_developer, uncovered, reason, created_at)
        VALUES (of_refund, of_execution, given, from_developer, back.rest, why, at);
    UPDATE holds SET refunded = refunded + given, taken_back = taken_back + share
        WHERE execution_id = of_execution;
    INSERT INTO untallied (tars_model_id, developer_id, consumer_id, day, gross, earned)
        VALUES (
            h.tars_model_id, h.developer_id, h.consumer_id,
            (now() AT TIME ZONE 'UTC')::date, -given, -from_developer
        );
    outcome := 'refunded';
END
$$;

-- What consumers buy.

CREATE TABLE credit_packages (
    id uuid NOT NULL,
    credits bigint NOT NULL,
    bonus_credits bigint NOT NULL DEFAULT 0,
    price_cents bigint NOT NULL,
    currency text NOT NULL DEFAULT 'usd',
    is_popular boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT credit_packages_pkey PRIMARY KEY (id),
    CONSTRAINT credit_packages_credits_check CHECK (credits BETWEEN 1 AND 10000000),
    CONSTRAINT credit_packages_bonus_credits_check CHECK (bonus_credits BETWEEN 0 AND 10000000),
    CONSTRAINT credit_packages_price_cents_check CHECK (price_cents BETWEEN 50 AND 10000000),
    CONSTRAINT credit_packages_currency_check CHECK (currency = 'usd'),
    CONSTRAINT credit_packages_version_check CHECK (version >= 1)
);

INSERT INTO credit_packages (id, credits, price_cents, is_popular, created_at, updated_at)
    SELECT id::uuid, credits, credits, credits = 1000, now(), now()
    FROM (VALUES
        ('019d0000-0000-7000-8000-000000000500', 500),
        ('019d0000-0000-7000-8000-000000001000', 1000),
        ('019d0000-0000-7000-8000-000000002500', 2500),
        ('019d0000-0000-7000-8000-000000005000', 5000),
        ('019d0000-0000-7000-8000-000000010000', 10000)
    ) v (id, credits);

CREATE TABLE purchases (
    id uuid NOT NULL,
    consumer_id uuid NOT NULL,
    package_id uuid,
    credits bigint NOT NULL,
    bonus_credits bigint NOT NULL,
    price_cents bigint NOT NULL,
    currency text NOT NULL,
    status text NOT NULL DEFAULT 'PENDING',
    -- The page at the payment provider on which it is paid, once there is one.
    checkout_ref text,
    checkout_url text,
    -- The payment itself.
    payment_ref text,
    paid_at timestamptz,
    -- What has gone back to the card by refunds, of `price_cents`.
    refunded_cents bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT purchases_pkey PRIMARY KEY (id),
    CONSTRAINT purchases_consumer_fkey FOREIGN KEY (consumer_id) REFERENCES consumers (id),
    CONSTRAINT purchases_package_fkey FOREIGN KEY (package_id) REFERENCES credit_packages (id),
    CONSTRAINT purchases_checkout_ref_unique UNIQUE (checkout_ref),
    CONSTRAINT purchases_payment_ref_unique UNIQUE (payment_ref),
    CONSTRAINT purchases_credits_check CHECK (credits > 0),
    CONSTRAINT purchases_bonus_credits_check CHECK (bonus_credits >= 0),
    CONSTRAINT purchases_price_cents_check CHECK (price_cents > 0),
    CONSTRAINT purchases_status_check CHECK (
        CASE WHEN paid_at IS NULL
            THEN status IN ('PENDING', 'FAILED', 'EXPIRED') AND payment_ref IS NULL
            ELSE status IN ('PAID', 'REFUNDED', 'DISPUTED') AND payment_ref IS NOT NULL END
    ),
    CONSTRAINT purchases_refunded_cents_check CHECK (refunded_cents BETWEEN 0 AND price_cents),
    CONSTRAINT purchases_checkout_ref_check CHECK (char_length(checkout_ref) BETWEEN 1 AND 255),
    CONSTRAINT purchases_payment_ref_check CHECK (char_length(payment_ref) BETWEEN 1 AND 255)
);

CREATE INDEX purchases_consumer_index ON purchases (consumer_id, created_at, id);
CREATE INDEX purchases_open_index ON purchases (created_at) WHERE status = 'PENDING';

-- The payment provider tells everything at least once and in any order.
CREATE TABLE payment_events (
    id text NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT payment_events_pkey PRIMARY KEY (id),
    CONSTRAINT payment_events_id_check CHECK (char_length(id) BETWEEN 1 AND 255)
);

-- Money that went back to a card: each growth of what was refunded, and each dispute. One that is
-- told before its payment waits for it.
CREATE TABLE reversals (
    id uuid NOT NULL,
    kind text NOT NULL,
    -- What it is about at the provider: a dispute, or a payment and how much of it was refunded.
    object_ref text NOT NULL,
    payment_ref text NOT NULL,
    cents bigint NOT NULL,
    purchase_id uuid,
    consumer_id uuid,
    -- What was taken from the consumer, of what he bought and of what came with it, and what
    -- nobody could be made to give.
    taken bigint NOT NULL DEFAULT 0,
    bonus_taken bigint NOT NULL DEFAULT 0,
    lost bigint NOT NULL DEFAULT 0,
    -- What of `lost` was only set aside for runs at that moment, and taken when they gave it back.
    recovered bigint NOT NULL DEFAULT 0,
    -- What of `lost` a dispute that was won gave back to the platform.
    covered bigint NOT NULL DEFAULT 0,
    -- What of the purchase's was given back when the dispute was won.
    returned bigint NOT NULL DEFAULT 0,
    bonus_returned bigint NOT NULL DEFAULT 0,
    lost_returned bigint NOT NULL DEFAULT 0,
    -- How a dispute ended.
    verdict text,
    -- When the money of a lost dispute was looked for at the developers it had gone to.
    clawed_at timestamptz,
    created_at timestamptz NOT NULL,
    applied_at timestamptz,
    returned_at timestamptz,
    CONSTRAINT reversals_pkey PRIMARY KEY (id),
    CONSTRAINT reversals_object_unique UNIQUE (kind, object_ref),
    CONSTRAINT reversals_purchase_fkey FOREIGN KEY (purchase_id) REFERENCES purchases (id),
    CONSTRAINT reversals_kind_check CHECK (kind IN ('refund', 'dispute')),
    CONSTRAINT reversals_verdict_check CHECK (
        verdict IS NULL OR kind = 'dispute' AND verdict IN ('won', 'lost')
    ),
    CONSTRAINT reversals_amounts_check CHECK (
        cents > 0 AND taken >= 0 AND bonus_taken >= 0 AND recovered >= 0
        AND covered >= 0 AND lost >= recovered + covered
    ),
    CONSTRAINT reversals_returned_check CHECK (
        returned >= 0 AND bonus_returned >= 0 AND lost_returned >= 0
        AND (returned_at IS NOT NULL OR returned + bonus_returned + lost_returned = 0)
    ),
    CONSTRAINT reversals_applied_check CHECK (
        CASE WHEN applied_at IS NULL
            THEN taken = 0 AND bonus_taken = 0 AND lost = 0 AND returned_at IS NULL
            ELSE purchase_id IS NOT NULL AND consumer_id IS NOT NULL END
    )
);

CREATE INDEX reversals_waiting_index ON reversals (payment_ref) WHERE applied_at IS NULL;
CREATE INDEX reversals_purchase_index ON reversals (purchase_id);
CREATE INDEX reversals_unclawed_index ON reversals (created_at, id)
    WHERE verdict = 'lost' AND lost > 0 AND clawed_at IS NULL;
CREATE INDEX reversals_recoverable_index ON reversals (consumer_id, applied_at)
    WHERE lost > recovered + covered AND clawed_at IS NULL;

-- What was set aside for a run while a payment was taken back was neither spent nor there to be
-- taken: it is when the run gives it back. Answers how much that is, and notes it.
CREATE FUNCTION recover_reversals(h holds) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    r reversals;
    part bigint;
    recovering bigint := 0;
BEGIN
    PERFORM FROM reversals
        WHERE consumer_id = h.consumer_id AND applied_at >= h.held_at
            AND lost > recovered + covered AND clawed_at IS NULL
        ORDER BY id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    FOR r IN
        SELECT * FROM reversals
        WHERE consumer_id = h.consumer_id AND applied_at >= h.held_at
            AND lost > recovered + covered AND clawed_at IS NULL
        ORDER BY applied_at, id
    LOOP
        part := least(r.lost - r.recovered - r.covered, h.amount - recovering);
        EXIT WHEN part = 0;
        recovering := recovering + part;
        UPDATE reversals SET recovered = recovered + part WHERE id = r.id;
    END LOOP;
    RETURN recovering;
END
$$;

-- How much of a purchase's price has gone back by now: by refunds, and by disputes that were not
-- won. No more than there was.
CREATE FUNCTION reversed_cents(of_purchase uuid) RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN (
        SELECT least(p.price_cents, p.refunded_cents + coalesce((
            SELECT sum(o.cents) FROM reversals o
            WHERE o.purchase_id = p.id AND o.kind = 'dispute' AND o.applied_at IS NOT NULL
                AND o.returned_at IS NULL
        ), 0))
        FROM purchases p WHERE p.id = of_purchase
    );
END
$$;

-- Takes back what a reversal is about, from a purchase that is locked. What has been taken back of
-- a purchase always is the part of its price that has gone back, in whichever order it was told.
-- What the consumer no longer has is the platform's loss.
CREATE FUNCTION apply_reversal(of_reversal uuid, of_purchase uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    r reversals;
    p purchases;
    before_cents bigint;
    after_cents bigint;
    wallet bigint;
    available bigint;
    due bigint;
    bonus_due bigint;
BEGIN
    SELECT * INTO r FROM reversals WHERE id = of_reversal FOR UPDATE;
    SELECT * INTO p FROM purchases WHERE id = of_purchase;
    IF r.applied_at IS NOT NULL THEN
        RETURN;
    END IF;
    before_cents := reversed_cents(p.id);
    UPDATE reversals SET purchase_id = p.id, consumer_id = p.consumer_id, applied_at = now(),
            returned_at = CASE WHEN r.verdict = 'won' THEN now() END
        WHERE id = r.id;
    UPDATE purchases SET
            refunded_cents = CASE r.kind WHEN 'refund'
                THEN greatest(p.refunded_cents, least(r.cents, p.price_cents))
                ELSE p.refunded_cents END,
            status = CASE
                WHEN r.verdict = 'won' THEN p.status
                WHEN r.kind = 'dispute' OR p.status = 'DISPUTED' THEN 'DISPUTED'
                WHEN least(r.cents, p.price_cents) = p.price_cents THEN 'REFUNDED'
                ELSE p.status END,
            updated_at = now()
        WHERE id = p.id;
    after_cents := reversed_cents(p.id);
    due := p.credits * 1000 * after_cents / p.price_cents
        - p.credits * 1000 * before_cents / p.price_cents;
    bonus_due := p.bonus_credits * 1000 * after_cents / p.price_cents
        - p.bonus_credits * 1000 * before_cents / p.price_cents;
    wallet := ledger_account(p.consumer_id, 'consumer_available');
    PERFORM ledger_lock(ARRAY[wallet]);
    available := (SELECT balance FROM ledger_accounts WHERE id = wallet);
    r.taken := least(due, available);
    r.lost := due - r.taken;
    r.bonus_taken := least(bonus_due, available - r.taken);
    PERFORM ledger_must_post('reversal', r.id, ARRAY[
        ROW(CASE r.kind WHEN 'refund' THEN 'card_refund' ELSE 'chargeback' END, wallet, 1, r.taken),
        ROW('reversal_loss', 4, 1, r.lost),
        ROW('bonus_reversal', wallet, 2, r.bonus_taken)
    ]::ledger_leg[]);
    -- By the clock, under the wallet's lock: a hold either came before it or found less.
    UPDATE reversals SET taken = r.taken, bonus_taken = r.bonus_taken, lost = r.lost,
            applied_at = clock_timestamp()
        WHERE id = r.id;
END
$$;

-- The purchase is paid: grants its credits, whatever was believed of it before, and takes back
-- what was reversed meanwhile. Answers what came of it.
CREATE FUNCTION pay_purchase(
    of_purchase uuid, with_payment text, paid_cents bigint, paid_currency text
) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    p purchases;
    wallet bigint;
    waiting uuid;
BEGIN
    -- Whoever tells of a reversal waits here, or we see what he left.
    PERFORM pg_advisory_xact_lock(hashtextextended('payment ' || with_payment, 0));
    SELECT * INTO p FROM purchases WHERE id = of_purchase FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    ELSIF p.paid_at IS NOT NULL THEN
        RETURN CASE WHEN p.payment_ref = with_payment THEN 'repeated' ELSE 'paid_twice' END;
    ELSIF paid_cents < p.price_cents OR lower(paid_currency) <> p.currency THEN
        RETURN 'underpaid';
    END IF;
    UPDATE purchases SET status = 'PAID', payment_ref = with_payment, paid_at = now(),
            updated_at = now()
        WHERE id = p.id;
    UPDATE consumers SET purchase_count = purchase_count + 1 WHERE id = p.consumer_id;
    wallet := ledger_account(p.consumer_id, 'consumer_available');
    PERFORM ledger_must_post('purchase', p.id, ARRAY[
        ROW('purchase', 1, wallet, p.credits * 1000),
        ROW('bonus', 2, wallet, p.bonus_credits * 1000)
    ]::ledger_leg[]);
    FOR waiting IN
        SELECT id FROM reversals
        WHERE payment_ref = with_payment AND applied_at IS NULL ORDER BY cents, kind, object_ref
    LOOP
        PERFORM apply_reversal(waiting, p.id);
    END LOOP;
    RETURN 'applied';
END
$$;

-- The purchase will not be paid on the page that it had.
CREATE FUNCTION void_purchase(of_purchase uuid, how text) RETURNS text
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE purchases SET status = how, updated_at = now()
        WHERE id = of_purchase AND status = 'PENDING';
    IF FOUND THEN
        RETURN 'applied';
    END IF;
    RETURN CASE WHEN EXISTS (SELECT FROM purchases WHERE id = of_purchase)
        THEN 'repeated' ELSE 'unknown' END;
END
$$;

-- Money went back to a card. `of_cents` is how much of the payment was refunded in all, or how much
-- is disputed.
CREATE FUNCTION reverse_payment(
    new_id uuid, with_payment text, of_kind text, of_object text, of_cents bigint
) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    p_id uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('payment ' || with_payment, 0));
    INSERT INTO reversals (id, kind, object_ref, payment_ref, cents, created_at)
        VALUES (new_id, of_kind, of_object, with_payment, of_cents, now())
        ON CONFLICT (kind, object_ref) DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'repeated';
    END IF;
    SELECT id INTO p_id FROM purchases WHERE payment_ref = with_payment FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'remembered';
    END IF;
    PERFORM apply_reversal(new_id, p_id);
    RETURN 'applied';
END
$$;

-- A dispute has ended. Of one that was won everything is given back that has not gone back
-- otherwise meanwhile: first what the platform lost by this purchase, as if only the rest had ever
-- gone back. One that was lost is looked for at the developers by `claw_back`. It may be told
-- before the dispute itself.
CREATE FUNCTION close_dispute(
    new_id uuid, with_payment text, of_object text, of_cents bigint, of_verdict text
) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    r reversals;
    other reversals;
    part bigint;
    p purchases;
    wallet bigint;
    before_cents bigint;
    after_cents bigint;
    due bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('payment ' || with_payment, 0));
    SELECT * INTO p FROM purchases WHERE payment_ref = with_payment FOR UPDATE;
    -- All of them, in the order in which a run that gives its price back locks them.
    PERFORM FROM reversals WHERE purchase_id = p.id ORDER BY id FOR UPDATE;
    SELECT * INTO r FROM reversals
        WHERE kind = 'dispute' AND object_ref = of_object FOR UPDATE;
    IF r.id IS NULL THEN
        INSERT INTO reversals (id, kind, object_ref, payment_ref, cents, verdict, created_at)
            VALUES (new_id, 'dispute', of_object, with_payment, of_cents, of_verdict, now());
        IF p.id IS NULL THEN
            RETURN 'remembered';
        END IF;
        PERFORM apply_reversal(new_id, p.id);
        RETURN 'applied';
    ELSIF r.verdict IS NOT NULL THEN
        RETURN CASE WHEN r.verdict = of_verdict THEN 'repeated' ELSE 'contradicted' END;
    END IF;
    IF r.applied_at IS NULL OR of_verdict = 'lost' THEN
        UPDATE reversals SET verdict = of_verdict WHERE id = r.id;
        RETURN CASE WHEN r.applied_at IS NULL THEN 'remembered' ELSE 'applied' END;
    END IF;
    before_cents := reversed_cents(p.id);
    UPDATE reversals SET verdict = 'won', returned_at = now() WHERE id = r.id;
    after_cents := reversed_cents(p.id);
    due := p.credits * 1000 * before_cents / p.price_cents
        - p.credits * 1000 * after_cents / p.price_cents;
    -- First what the platform lost by this one, then what it cannot hope to get elsewhere; what
    -- it lost by a lost dispute is looked for at the developers.
    r.lost_returned := 0;
    FOR other IN
        SELECT * FROM reversals
        WHERE purchase_id = p.id AND applied_at IS NOT NULL AND verdict IS DISTINCT FROM 'lost'
        ORDER BY id <> r.id, kind = 'dispute', applied_at, id
    LOOP
        part := least(other.lost - other.recovered - other.covered, due - r.lost_returned);
        UPDATE reversals SET covered = covered + part WHERE id = other.id;
        r.lost_returned := r.lost_returned + part;
    END LOOP;
    r.bonus_returned := (
        SELECT greatest(sum(b.bonus_taken - b.bonus_returned)
            - p.bonus_credits * 1000 * after_cents / p.price_cents, 0)
        FROM reversals b WHERE b.purchase_id = p.id
    );
    r.returned := due - r.lost_returned;
    wallet := ledger_account(p.consumer_id, 'consumer_available');
    PERFORM ledger_must_post('reversal', r.id, ARRAY[
        ROW('chargeback_returned', 1, wallet, r.returned),
        ROW('reversal_loss_returned', 1, 4, r.lost_returned),
        ROW('bonus_returned', 2, wallet, r.bonus_returned)
    ]::ledger_leg[]);
    UPDATE reversals SET returned = r.returned, lost_returned = r.lost_returned,
            bonus_returned = r.bonus_returned
        WHERE id = r.id;
    UPDATE purchases SET
            status = CASE
                WHEN EXISTS (
                    SELECT FROM reversals o WHERE o.purchase_id = p.id AND o.kind = 'dispute'
                        AND o.returned_at IS NULL AND o.applied_at IS NOT NULL
                ) THEN 'DISPUTED'
                WHEN p.refunded_cents = p.price_cents THEN 'REFUNDED'
                ELSE 'PAID' END,
            updated_at = now()
        WHERE id = p.id;
    RETURN 'applied';
END
$$;

-- What a lost dispute took back from a developer.
CREATE TABLE clawbacks (
    id uuid NOT NULL,
    reversal_id uuid NOT NULL,
    developer_id uuid NOT NULL,
    amount bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT clawbacks_pkey PRIMARY KEY (id),
    CONSTRAINT clawbacks_reversal_unique UNIQUE (reversal_id, developer_id),
    CONSTRAINT clawbacks_reversal_fkey FOREIGN KEY (reversal_id) REFERENCES reversals (id),
    CONSTRAINT clawbacks_developer_fkey FOREIGN KEY (developer_id) REFERENCES developers (id),
    CONSTRAINT clawbacks_amount_check CHECK (amount > 0)
);

-- Looks for the money of a lost dispute where it went: at the developers of the runs that the
-- consumer paid for after the purchase, the last ones first. What they no longer have they owe.
-- A step of its own, so that it locks all of their accounts together and nobody else's. Answers
-- whether there was one to look for.
CREATE FUNCTION claw_back(of_reversal uuid) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    r reversals;
    p purchases;
    c clawbacks;
    back record;
    missing bigint;
BEGIN
    UPDATE reversals SET clawed_at = now()
        WHERE id = of_reversal AND verdict = 'lost' AND lost > 0 AND applied_at IS NOT NULL
            AND clawed_at IS NULL
        RETURNING * INTO r;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT * INTO p FROM purchases WHERE id = r.purchase_id;
    missing := r.lost - r.recovered - r.covered;
    WITH latest AS MATERIALIZED (
        SELECT k.execution_id FROM (
            SELECT h.execution_id, sum(h.amount - h.refunded - h.clawed)
                    OVER (ORDER BY h.resolved_at DESC, h.execution_id DESC)
                - (h.amount - h.refunded - h.clawed) AS before
            FROM ledger_transfers t JOIN holds h ON h.execution_id = t.ref_id
            WHERE t.wallet_id = ledger_account(p.consumer_id, 'consumer_available')
                AND t.ref_type = 'execution' AND t.kind = 'hold' AND h.state = 'captured'
                AND h.resolved_at >= p.paid_at AND h.refunded + h.clawed < h.amount
        ) k
        WHERE k.before < missing
    ), spent AS MATERIALIZED (
        SELECT execution_id, resolved_at, developer_bps, refunded + clawed AS given_back,
            amount - refunded - clawed AS remaining
        FROM holds
        WHERE execution_id IN (SELECT execution_id FROM latest) AND refunded + clawed < amount
        ORDER BY execution_id FOR UPDATE
    ), summed AS (
        SELECT execution_id, developer_bps, given_back, remaining,
            sum(remaining) OVER (ORDER BY resolved_at DESC, execution_id DESC) - remaining AS before
        FROM spent
    ), parts AS (
        SELECT execution_id, developer_bps, given_back,
            least(remaining, missing - before)::bigint AS part
        FROM summed WHERE before < missing
    ), shares AS (
        SELECT execution_id, part,
            (given_back + part) * developer_bps / 10000
                - given_back * developer_bps / 10000 AS share
        FROM parts
    ), marked AS (
        UPDATE holds h SET clawed = h.clawed + k.part, taken_back = h.taken_back + k.share
        FROM shares k WHERE h.execution_id = k.execution_id
        RETURNING h.developer_id, h.tars_model_id, h.consumer_id, k.share
    ), noted AS (
        INSERT INTO untallied (tars_model_id, developer_id, consumer_id, day, gross, earned)
        SELECT tars_model_id, developer_id, consumer_id, (now() AT TIME ZONE 'UTC')::date, 0,
            -sum(share)
        FROM marked WHERE share > 0 GROUP BY tars_model_id, developer_id, consumer_id
    )
    INSERT INTO clawbacks (id, reversal_id, developer_id, amount, created_at)
        SELECT gen_random_uuid(), r.id, developer_id, sum(share), now()
        FROM marked WHERE share > 0 GROUP BY developer_id;
    PERFORM ledger_lock(ARRAY(
        SELECT a.id FROM clawbacks k JOIN ledger_accounts a ON a.owner_id = k.developer_id
        WHERE k.reversal_id = r.id
            AND a.kind IN ('developer_pending', 'developer_payable', 'developer_owed')
    ));
    FOR c IN SELECT * FROM clawbacks WHERE reversal_id = r.id LOOP
        back := ledger_take_back(c.developer_id, c.amount);
        PERFORM ledger_must_post('clawback', c.id, ARRAY[
            ROW('clawback_pending', ledger_account(c.developer_id, 'developer_pending'), 4, back.from_pending),
            ROW('clawback_payable', ledger_account(c.developer_id, 'developer_payable'), 4, back.from_payable),
            ROW('clawback_owed', ledger_account(c.developer_id, 'developer_owed'), 4, back.rest)
        ]::ledger_leg[]);
    END LOOP;
    RETURN true;
END
$$;

-- What developers earn and have paid out.

-- When the payment provider told what it told last of his account.
ALTER TABLE developers ADD COLUMN account_told_at timestamptz;

-- Earnings of one developer that have waited long enough, moved together.
CREATE TABLE maturings (
    id uuid NOT NULL,
    developer_id uuid NOT NULL,
    runs bigint NOT NULL,
    amount bigint NOT NULL,
    -- What of it went into what he owed.
    recovered bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT maturings_pkey PRIMARY KEY (id),
    CONSTRAINT maturings_developer_fkey FOREIGN KEY (developer_id) REFERENCES developers (id),
    CONSTRAINT maturings_amounts_check CHECK (
        runs > 0 AND amount >= 0 AND recovered BETWEEN 0 AND amount
    )
);

ALTER TABLE holds ADD CONSTRAINT holds_maturing_fkey
    FOREIGN KEY (matured_in) REFERENCES maturings (id) DEFERRABLE INITIALLY DEFERRED;

-- Lets what a developer earned before `up_to` be paid out, at most `most` runs of it. Answers how
-- many these were.
CREATE FUNCTION mature_earnings(of_developer uuid, up_to timestamptz, most bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    batch uuid := gen_random_uuid();
    pending bigint := ledger_account(of_developer, 'developer_pending');
    payable bigint := ledger_account(of_developer, 'developer_payable');
    owed bigint := ledger_account(of_developer, 'developer_owed');
    many bigint;
    due bigint;
    debt bigint;
BEGIN
    WITH ripe AS MATERIALIZED (
        SELECT execution_id FROM holds
        WHERE developer_id = of_developer AND state = 'captured' AND matured_in IS NULL
            AND resolved_at <= up_to
        ORDER BY execution_id LIMIT most FOR NO KEY UPDATE SKIP LOCKED
    ), matured AS (
        UPDATE holds h SET matured_in = batch FROM ripe
        WHERE h.execution_id = ripe.execution_id RETURNING h.earned - h.taken_back AS due
    )
    SELECT count(*), coalesce(sum(matured.due), 0) INTO many, due FROM matured;
    IF many = 0 THEN
        RETURN 0;
    END IF;
    PERFORM ledger_lock(ARRAY[pending, payable, owed]);
    -- What was taken back from other earnings may have come out of these.
    due := least(due, (SELECT balance FROM ledger_accounts WHERE id = pending));
    debt := least(due, (SELECT -balance FROM ledger_accounts WHERE id = owed));
    INSERT INTO maturings (id, developer_id, runs, amount, recovered, created_at)
        VALUES (batch, of_developer, many, due, debt, now());
    PERFORM ledger_must_post('maturing', batch, ARRAY[
        ROW('mature', pending, payable, due), ROW('recover', payable, owed, debt)
    ]::ledger_leg[]);
    RETURN many;
END
$$;

CREATE TABLE payouts (
    id uuid NOT NULL,
    developer_id uuid NOT NULL,
    amount bigint NOT NULL,
    status text NOT NULL DEFAULT 'PENDING',
    -- Where the money goes, and the transfer by which it went.
    account_ref text NOT NULL,
    transfer_ref text,
    failure text,
    requested_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT payouts_pkey PRIMARY KEY (id),
    CONSTRAINT payouts_developer_fkey FOREIGN KEY (developer_id) REFERENCES developers (id),
    CONSTRAINT payouts_transfer_ref_unique UNIQUE (transfer_ref),
    CONSTRAINT payouts_amount_check CHECK (amount > 0 AND amount % 1000 = 0),
    CONSTRAINT payouts_status_check CHECK (
        CASE status WHEN 'PENDING' THEN ended_at IS NULL AND failure IS NULL
            WHEN 'PAID' THEN ended_at IS NOT NULL AND failure IS NULL AND transfer_ref IS NOT NULL
            WHEN 'FAILED' THEN ended_at IS NOT NULL AND failure IS NOT NULL
            ELSE false END
    )
);

CREATE INDEX payouts_developer_index ON payouts (developer_id, requested_at, id);

-- What has to be told to somebody over the network: written together with the reason for it, and
-- delivered at least once. What stands in one lane is delivered in order, and keeps no other lane
-- waiting.
CREATE TABLE outbox (
    id uuid NOT NULL,
    lane text NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    lease_until timestamptz,
    lease_epoch bigint NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_subject_unique UNIQUE (kind, subject_id),
    CONSTRAINT outbox_lane_check CHECK (char_length(lane) BETWEEN 1 AND 100),
    CONSTRAINT outbox_kind_check CHECK (kind ~ '^[a-z_]{1,50}$')
);

CREATE INDEX outbox_lane_index ON outbox (lane, created_at, id) WHERE done_at IS NULL;
CREATE INDEX outbox_due_index ON outbox (next_attempt_at) WHERE done_at IS NULL;

-- Reserves what is to be paid out, and has it sent. Answers what came of it, and what may be paid
-- out when that is too little.
CREATE FUNCTION request_payout(
    of_payout uuid, of_developer uuid, wanted bigint, OUT outcome text, OUT available bigint
)
    LANGUAGE plpgsql
    AS $$
DECLARE
    d developers;
    lacking bigint;
BEGIN
    IF EXISTS (SELECT FROM payouts WHERE id = of_payout AND developer_id = of_developer) THEN
        outcome := 'repeated';
        RETURN;
    END IF;
    SELECT * INTO d FROM developers WHERE id = of_developer FOR SHARE;
    IF d.stripe_account_id IS NULL OR NOT d.is_verified THEN
        outcome := 'not_verified';
        RETURN;
    END IF;
    lacking := ledger_post('payout', of_payout, ARRAY[
        ROW(
            'payout_reserve', ledger_account(of_developer, 'developer_payable'),
            ledger_account(of_developer, 'developer_in_payout'), wanted
        )::ledger_leg
    ]);
    IF lacking IS NOT NULL THEN
        outcome := 'insufficient';
        available := wanted - lacking;
        RETURN;
    END IF;
    INSERT INTO payouts (id, developer_id, amount, account_ref, requested_at)
        VALUES (of_payout, of_developer, wanted, d.stripe_account_id, now());
    INSERT INTO outbox (id, lane, kind, subject_id, next_attempt_at, created_at)
        VALUES (of_payout, 'payout ' || of_developer, 'payout', of_payout, now(), clock_timestamp());
    outcome := 'reserved';
END
$$;

-- Ends a payout: 'paid', 'failed', or 'returned' when the money came back, also after it was paid.
CREATE FUNCTION finish_payout(of_payout uuid, how text, with_transfer text, why text) RETURNS text
    LANGUAGE plpgsql
    AS $$
DECLARE
    p payouts;
    payable bigint;
    in_payout bigint;
    owed bigint;
    debt bigint;
BEGIN
    SELECT * INTO p FROM payouts WHERE id = of_payout FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    payable := ledger_account(p.developer_id, 'developer_payable');
    in_payout := ledger_account(p.developer_id, 'developer_in_payout');
    owed := ledger_account(p.developer_id, 'developer_owed');
    -- What comes back pays first what he has come to owe meanwhile.
    PERFORM ledger_lock(ARRAY[payable, in_payout, owed]);
    debt := least(p.amount, (SELECT -balance FROM ledger_accounts WHERE id = owed));
    IF p.status = 'PENDING' AND how = 'paid' THEN
        PERFORM ledger_must_post('payout', p.id, ARRAY[
            ROW('payout_paid', in_payout, 1, p.amount)::ledger_leg
        ]);
        UPDATE payouts SET status = 'PAID', transfer_ref = with_transfer, ended_at = now()
            WHERE id = p.id;
    ELSIF p.status = 'PENDING' THEN
        PERFORM ledger_must_post('payout', p.id, ARRAY[
            ROW('payout_failed', in_payout, payable, p.amount), ROW('recover', payable, owed, debt)
        ]::ledger_leg[]);
        UPDATE payouts SET status = 'FAILED', transfer_ref = with_transfer, failure = why,
            ended_at = now() WHERE id = p.id;
    ELSIF p.status = 'PAID' AND how = 'returned' AND p.transfer_ref = with_transfer THEN
        PERFORM ledger_must_post('payout', p.id, ARRAY[
            ROW('payout_returned', 1, payable, p.amount), ROW('recover', payable, owed, debt)
        ]::ledger_leg[]);
        UPDATE payouts SET status = 'FAILED', failure = why, ended_at = now() WHERE id = p.id;
    ELSIF how = 'paid' AND with_transfer IS DISTINCT FROM p.transfer_ref THEN
        -- Money has left that we believed not to have, or twice: somebody has to look.
        RETURN 'contradicted';
    ELSE
        RETURN 'repeated';
    END IF;
    UPDATE outbox SET done_at = now(), lease_until = NULL
        WHERE kind = 'payout' AND subject_id = p.id AND done_at IS NULL;
    RETURN 'applied';
END
$$;

-- What is not in the counts and sums yet: every run that has ended, and money that went back.
-- Whoever ends a run only adds a row here, so no row of a popular model is where everybody waits.
CREATE TABLE untallied (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    tars_model_id uuid NOT NULL,
    developer_id uuid NOT NULL,
    consumer_id uuid NOT NULL,
    day date NOT NULL,
    -- How the run ended; null for money that went back.
    status text,
    -- What the consumer paid, and what of it the developer earned, in millicredits.
    gross bigint NOT NULL DEFAULT 0,
    earned bigint NOT NULL DEFAULT 0,
    took_ms bigint,
    CONSTRAINT untallied_pkey PRIMARY KEY (id)
);

CREATE INDEX untallied_consumer_index ON untallied (consumer_id);

INSERT INTO untallied (tars_model_id, developer_id, consumer_id, day, status, took_ms)
    SELECT x.tars_model_id, x.developer_id, x.consumer_id,
        (x.completed_at AT TIME ZONE 'UTC')::date, x.status, x.execution_time_ms
    FROM untallied_runs u JOIN executions x ON x.id = u.execution_id;

DROP TABLE untallied_runs;

-- A consumer's spending comes to be less than nothing for a moment when a refund is counted first.
ALTER TABLE consumers DROP CONSTRAINT consumers_credits_spent_check;

CREATE TABLE model_days (
    tars_model_id uuid NOT NULL,
    day date NOT NULL,
    developer_id uuid NOT NULL,
    completed bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    gross bigint NOT NULL DEFAULT 0,
    earned bigint NOT NULL DEFAULT 0,
    CONSTRAINT model_days_pkey PRIMARY KEY (tars_model_id, day)
) WITH (fillfactor = 70);

CREATE INDEX model_days_developer_index ON model_days (developer_id, day);

-- How long runs took: eight buckets to each doubling, so that a bucket is within 5 % of the truth.
CREATE TABLE model_day_times (
    tars_model_id uuid NOT NULL,
    day date NOT NULL,
    bucket integer NOT NULL,
    runs bigint NOT NULL,
    CONSTRAINT model_day_times_pkey PRIMARY KEY (tars_model_id, day, bucket)
) WITH (fillfactor = 70);

-- What must hold at any moment.

CREATE VIEW invariant_e1 AS
    SELECT x.id AS execution_id,
        format('%s at %s credits, its hold is %s', x.stage, x.price_credits, coalesce(h.state, 'missing'))
            AS detail
    FROM executions x LEFT JOIN holds h ON h.execution_id = x.id
    WHERE (x.price_credits > 0) <> (h.execution_id IS NOT NULL)
        OR h.amount <> x.price_credits * 1000
        OR (h.state = 'active') <> (x.stage <> 'ended');

CREATE VIEW invariant_e2 AS
    SELECT x.id AS execution_id, format('%s, its hold is %s', x.status, h.state) AS detail
    FROM executions x JOIN holds h ON h.execution_id = x.id
    WHERE x.stage = 'ended'
        AND h.state <> CASE WHEN x.status = 'COMPLETED' THEN 'captured' ELSE 'released' END;

CREATE VIEW invariant_e8 AS
    SELECT subject_id AS execution_id,
        format('%s in %s, due since %s', kind, lane, next_attempt_at) AS detail
    FROM outbox o
    WHERE done_at IS NULL
        AND greatest(next_attempt_at, coalesce(lease_until, next_attempt_at))
            < now() - interval '60 seconds'
        AND NOT EXISTS (
            SELECT FROM outbox f WHERE f.lane = o.lane AND f.done_at IS NULL
                AND (f.created_at, f.id) < (o.created_at, o.id)
        );

CREATE VIEW invariant_e10 AS
    SELECT x.id AS execution_id,
        format('%s, of %s credits %s millicredits were captured', x.status, x.price_credits,
            coalesce(t.captured, 0)) AS detail
    FROM executions x
    LEFT JOIN (
        SELECT ref_id, sum(amount) AS captured FROM ledger_transfers
        WHERE ref_type = 'execution' AND kind IN ('capture_developer', 'capture_platform')
        GROUP BY ref_id
    ) t ON t.ref_id = x.id
    WHERE coalesce(t.captured, 0)
        <> CASE WHEN x.status = 'COMPLETED' THEN x.price_credits * 1000 ELSE 0 END;

-- Everything that is wrong with the money, in one look: which rule is broken, by what, and how.
CREATE VIEW ledger_faults AS
    WITH replay AS MATERIALIZED (
        SELECT s.account, sum(s.delta)::bigint AS balance
        FROM (
            SELECT debit_id AS account, -amount AS delta FROM ledger_transfers
            UNION ALL SELECT credit_id, amount FROM ledger_transfers
        ) s
        GROUP BY s.account
    ), accounts AS MATERIALIZED (
        SELECT a.id, a.owner_id, a.kind,
            a.kind || coalesce(' of ' || a.owner_id, '') AS name,
            coalesce(p.balance, a.balance) AS balance, coalesce(r.balance, 0) AS replayed
        FROM ledger_accounts a
        LEFT JOIN ledger_platform p ON p.account_id = a.id
        LEFT JOIN replay r ON r.account = a.id
    ), strays AS MATERIALIZED (
        -- The transfers of runs that are not what their holds say.
        SELECT x.*, CASE
                WHEN x.execution_id IS NULL THEN 'business_row'
                WHEN x.is_due THEN 'sides'
                WHEN x.state = 'captured' AND x.kind LIKE 'capture%' THEN 'split'
                ELSE 'hold' END AS rule
        FROM (
            SELECT t.ref_id, t.kind, t.amount, t.debit_id, t.credit_id, h.execution_id, h.state,
                coalesce(CASE t.kind
                    WHEN 'hold' THEN t.amount = h.amount
                    WHEN 'capture_developer' THEN h.state = 'captured'
                        AND t.amount = h.amount * h.developer_bps / 10000
                    WHEN 'capture_platform' THEN h.state = 'captured'
                        AND t.amount = h.amount - h.amount * h.developer_bps / 10000
                    WHEN 'release' THEN h.state = 'released' AND t.amount = h.amount
                    WHEN 'reversal_recovered' THEN h.state = 'released' AND t.amount <= h.amount
                    END, false) AS is_due,
                coalesce(CASE t.kind
                    WHEN 'hold' THEN (d.kind, c.kind) = ('consumer_available', 'consumer_held')
                        AND (d.owner_id, c.owner_id) = (h.consumer_id, h.consumer_id)
                    WHEN 'capture_developer' THEN (d.kind, c.kind) = ('consumer_held', 'developer_pending')
                        AND (d.owner_id, c.owner_id) = (h.consumer_id, h.developer_id)
                    WHEN 'capture_platform' THEN (d.kind, c.kind) = ('consumer_held', 'platform_revenue')
                        AND d.owner_id = h.consumer_id
                    WHEN 'release' THEN (d.kind, c.kind) = ('consumer_held', 'consumer_available')
                        AND (d.owner_id, c.owner_id) = (h.consumer_id, h.consumer_id)
                    WHEN 'reversal_recovered' THEN (d.kind, c.kind) = ('consumer_available', 'platform_loss')
                        AND d.owner_id = h.consumer_id
                    END, false) AS is_between
            FROM ledger_transfers t
            LEFT JOIN holds h ON h.execution_id = t.ref_id
            LEFT JOIN ledger_accounts d ON d.id = t.debit_id
            LEFT JOIN ledger_accounts c ON c.id = t.credit_id
            WHERE t.ref_type = 'execution'
        ) x
        WHERE x.execution_id IS NULL OR NOT x.is_due OR NOT x.is_between
    ), moved AS (
        -- Each kind is there at most once.
        SELECT ref_id, count(*) FILTER (WHERE kind <> 'reversal_recovered') AS transfers
        FROM ledger_transfers WHERE ref_type = 'execution' GROUP BY ref_id
    ), others AS MATERIALIZED (
        SELECT ref_type, ref_id, jsonb_object_agg(kind, amount) AS kinds, sum(amount) AS total
        FROM ledger_transfers WHERE ref_type <> 'execution' GROUP BY ref_type, ref_id
    )
    SELECT 'sum'::text AS rule, 'all accounts'::text AS subject,
        format('together they hold %s', sum(balance)) AS detail
        FROM accounts HAVING sum(balance) <> 0
    UNION ALL
    SELECT 'replay', name, format('holds %s, its transfers come to %s', balance, replayed)
        FROM accounts WHERE balance <> replayed
    UNION ALL
    SELECT 'guarded', name, format('holds %s', balance)
        FROM accounts
        WHERE owner_id IS NOT NULL
            AND CASE WHEN kind = 'developer_owed' THEN balance > 0 ELSE balance < 0 END
    UNION ALL
    SELECT 'account', format('account %s', r.account), 'has transfers and does not exist'
        FROM replay r WHERE NOT EXISTS (SELECT FROM ledger_accounts a WHERE a.id = r.account)
    UNION ALL
    SELECT 'statement', a.name,
        format('its statement says %s after the transfer %s, which makes %s',
            w.wallet_after, w.id, w.expected)
        FROM (
            SELECT id, wallet_id, wallet_after,
                lag(wallet_after, 1, 0::bigint) OVER (PARTITION BY wallet_id ORDER BY id)
                    + CASE WHEN credit_id = wallet_id THEN amount ELSE -amount END AS expected
            FROM ledger_transfers WHERE wallet_id IS NOT NULL
        ) w
        JOIN accounts a ON a.id = w.wallet_id
        WHERE w.wallet_after <> w.expected
    UNION ALL
    SELECT 'held', a.name, format('holds %s, the active holds come to %s', a.balance, coalesce(h.amount, 0))
        FROM accounts a
        LEFT JOIN (
            SELECT consumer_id, sum(amount) AS amount FROM holds
            WHERE state = 'active' GROUP BY consumer_id
        ) h ON h.consumer_id = a.owner_id
        WHERE a.kind = 'consumer_held' AND a.balance <> coalesce(h.amount, 0)
    UNION ALL
    -- With its transfers right where there are any, it is enough to count them.
    SELECT 'hold', format('run %s', h.execution_id),
        format('%s hold of %s with %s', h.state, h.amount, (
            SELECT coalesce(jsonb_object_agg(t.kind, t.amount), '{}') FROM ledger_transfers t
            WHERE t.ref_id = h.execution_id AND t.ref_type = 'execution'
        ))
        FROM holds h LEFT JOIN moved m ON m.ref_id = h.execution_id
        WHERE coalesce(m.transfers, 0) <> CASE h.state
                WHEN 'captured' THEN 1
                    + (h.amount * h.developer_bps / 10000 > 0)::integer
                    + (h.amount * h.developer_bps / 10000 < h.amount)::integer
                WHEN 'released' THEN 2
                ELSE 1 END
            OR h.execution_id IN (SELECT ref_id FROM strays WHERE rule = 'hold')
    UNION ALL
    SELECT 'split', format('run %s', h.execution_id),
        format('%s of 10000 of %s are not %s', h.developer_bps, h.amount, h.earned)
        FROM holds h
        WHERE h.earned <> CASE h.state
                WHEN 'captured' THEN h.amount * h.developer_bps / 10000 ELSE 0 END
    UNION ALL
    SELECT s.rule, format('run %s', s.ref_id),
        string_agg(format('%s of %s from account %s to %s', s.kind, s.amount, s.debit_id, s.credit_id), ', ')
        FROM strays s WHERE s.rule <> 'hold' GROUP BY s.rule, s.ref_id
    UNION ALL
    SELECT 'business_row', format('%s %s', o.ref_type, o.ref_id), 'has transfers and does not exist'
        FROM others o
        WHERE NOT CASE o.ref_type
            WHEN 'purchase' THEN EXISTS (SELECT FROM purchases b WHERE b.id = o.ref_id)
            WHEN 'grant' THEN EXISTS (SELECT FROM grants b WHERE b.id = o.ref_id)
            WHEN 'consumer' THEN EXISTS (SELECT FROM consumers b WHERE b.id = o.ref_id)
            WHEN 'refund' THEN EXISTS (SELECT FROM refunds b WHERE b.id = o.ref_id)
            WHEN 'reversal' THEN EXISTS (SELECT FROM reversals b WHERE b.id = o.ref_id)
            WHEN 'clawback' THEN EXISTS (SELECT FROM clawbacks b WHERE b.id = o.ref_id)
            WHEN 'maturing' THEN EXISTS (SELECT FROM maturings b WHERE b.id = o.ref_id)
            WHEN 'payout' THEN EXISTS (SELECT FROM payouts b WHERE b.id = o.ref_id)
            ELSE false END
    UNION ALL
    -- From whose account to whose, of which kinds.
    SELECT 'sides', format('%s %s', t.ref_type, t.ref_id),
        format('%s from %s to %s', t.kind, d.name, c.name)
        FROM ledger_transfers t
        JOIN accounts d ON d.id = t.debit_id
        JOIN accounts c ON c.id = t.credit_id
        LEFT JOIN LATERAL (
            SELECT CASE t.ref_type
                WHEN 'consumer' THEN t.ref_id
                WHEN 'grant' THEN (SELECT b.consumer_id FROM grants b WHERE b.id = t.ref_id)
                WHEN 'purchase' THEN (SELECT b.consumer_id FROM purchases b WHERE b.id = t.ref_id)
                WHEN 'reversal' THEN (SELECT b.consumer_id FROM reversals b WHERE b.id = t.ref_id)
                WHEN 'refund' THEN (
                    SELECT h.consumer_id FROM refunds b JOIN holds h USING (execution_id)
                    WHERE b.id = t.ref_id
                ) END AS consumer,
            CASE t.ref_type
                WHEN 'clawback' THEN (SELECT b.developer_id FROM clawbacks b WHERE b.id = t.ref_id)
                WHEN 'maturing' THEN (SELECT b.developer_id FROM maturings b WHERE b.id = t.ref_id)
                WHEN 'payout' THEN (SELECT b.developer_id FROM payouts b WHERE b.id = t.ref_id)
                WHEN 'refund' THEN (
                    SELECT h.developer_id FROM refunds b JOIN holds h USING (execution_id)
                    WHERE b.id = t.ref_id
                ) END AS developer
        ) whose ON true
        WHERE t.ref_type <> 'execution' AND (
            coalesce(d.owner_id IN (whose.consumer, whose.developer), d.owner_id IS NULL)
            AND coalesce(c.owner_id IN (whose.consumer, whose.developer), c.owner_id IS NULL)
            AND CASE t.kind
                WHEN 'welcome' THEN (d.kind, c.kind) = ('platform_promo', 'consumer_available')
                WHEN 'bonus' THEN (d.kind, c.kind) = ('platform_promo', 'consumer_available')
                WHEN 'adjustment' THEN CASE
                    WHEN (SELECT b.amount FROM grants b WHERE b.id = t.ref_id) > 0
                        THEN (d.kind, c.kind) = ('platform_promo', 'consumer_available')
                    ELSE (d.kind, c.kind) = ('consumer_available', 'platform_promo') END
                WHEN 'purchase' THEN (d.kind, c.kind) = ('stripe_clearing', 'consumer_available')
                WHEN 'refund_pending' THEN (d.kind, c.kind) = ('developer_pending', 'consumer_available')
                WHEN 'refund_payable' THEN (d.kind, c.kind) = ('developer_payable', 'consumer_available')
                WHEN 'refund_platform' THEN (d.kind, c.kind) = ('platform_revenue', 'consumer_available')
                WHEN 'card_refund' THEN (d.kind, c.kind) = ('consumer_available', 'stripe_clearing')
                WHEN 'chargeback' THEN (d.kind, c.kind) = ('consumer_available', 'stripe_clearing')
                WHEN 'reversal_loss' THEN (d.kind, c.kind) = ('platform_loss', 'stripe_clearing')
                WHEN 'bonus_reversal' THEN (d.kind, c.kind) = ('consumer_available', 'platform_promo')
                WHEN 'chargeback_returned' THEN (d.kind, c.kind) = ('stripe_clearing', 'consumer_available')
                WHEN 'reversal_loss_returned' THEN (d.kind, c.kind) = ('stripe_clearing', 'platform_loss')
                WHEN 'bonus_returned' THEN (d.kind, c.kind) = ('platform_promo', 'consumer_available')
                WHEN 'clawback_pending' THEN (d.kind, c.kind) = ('developer_pending', 'platform_loss')
                WHEN 'clawback_payable' THEN (d.kind, c.kind) = ('developer_payable', 'platform_loss')
                WHEN 'clawback_owed' THEN (d.kind, c.kind) = ('developer_owed', 'platform_loss')
                WHEN 'mature' THEN (d.kind, c.kind) = ('developer_pending', 'developer_payable')
                WHEN 'recover' THEN (d.kind, c.kind) = ('developer_payable', 'developer_owed')
                WHEN 'payout_reserve' THEN (d.kind, c.kind) = ('developer_payable', 'developer_in_payout')
                WHEN 'payout_paid' THEN (d.kind, c.kind) = ('developer_in_payout', 'stripe_clearing')
                WHEN 'payout_failed' THEN (d.kind, c.kind) = ('developer_in_payout', 'developer_payable')
                WHEN 'payout_returned' THEN (d.kind, c.kind) = ('stripe_clearing', 'developer_payable')
                ELSE false END
        ) IS NOT TRUE
    UNION ALL
    SELECT 'recovered', 'all reversals',
        format('%s are noted as recovered or covered, the transfers come to %s', r.noted, r.moved)
        FROM (
            SELECT (SELECT coalesce(sum(recovered + covered), 0) FROM reversals) AS noted,
                (SELECT coalesce(sum(amount), 0) FROM ledger_transfers
                    WHERE kind IN ('reversal_recovered', 'reversal_loss_returned')) AS moved
        ) r
        WHERE r.noted <> r.moved
    UNION ALL
    SELECT 'purchase', format('purchase %s', p.id),
        format('%s, %s credits and %s more: %s', p.status, p.credits, p.bonus_credits, coalesce(o.kinds, '{}'))
        FROM purchases p LEFT JOIN others o ON o.ref_type = 'purchase' AND o.ref_id = p.id
        WHERE coalesce((o.kinds ->> 'purchase')::bigint, 0)
                <> CASE WHEN p.paid_at IS NULL THEN 0 ELSE p.credits * 1000 END
            OR coalesce((o.kinds ->> 'bonus')::bigint, 0)
                <> CASE WHEN p.paid_at IS NULL THEN 0 ELSE p.bonus_credits * 1000 END
    UNION ALL
    SELECT 'grant', format('grant %s', g.id), format('of %s: %s', g.amount, coalesce(o.kinds, '{}'))
        FROM grants g LEFT JOIN others o ON o.ref_type = 'grant' AND o.ref_id = g.id
        WHERE coalesce(o.total, 0) <> abs(g.amount)
    UNION ALL
    SELECT 'refund', format('refund %s', f.id), format('of %s: %s', f.amount, coalesce(o.kinds, '{}'))
        FROM refunds f LEFT JOIN others o ON o.ref_type = 'refund' AND o.ref_id = f.id
        WHERE coalesce(o.total, 0) <> f.amount
    UNION ALL
    SELECT 'refund', format('run %s', h.execution_id),
        format('%s captured, %s given back by refunds of %s', h.amount, h.refunded, coalesce(f.amount, 0))
        FROM holds h
        LEFT JOIN (
            SELECT execution_id, sum(amount) AS amount FROM refunds GROUP BY execution_id
        ) f ON f.execution_id = h.execution_id
        WHERE (h.refunded > 0 OR f.amount > 0)
            AND (h.refunded <> coalesce(f.amount, 0) OR h.refunded > h.amount OR h.state <> 'captured')
    UNION ALL
    SELECT 'reversal', format('reversal %s', v.id),
        format('took %s, %s and %s, returned %s, %s and %s: %s', v.taken, v.bonus_taken, v.lost,
            v.returned, v.bonus_returned, v.lost_returned, coalesce(o.kinds, '{}'))
        FROM reversals v LEFT JOIN others o ON o.ref_type = 'reversal' AND o.ref_id = v.id
        WHERE coalesce(o.total, 0) <> v.taken + v.bonus_taken + v.lost
            + v.returned + v.bonus_returned + v.lost_returned
    UNION ALL
    -- What is gone of a purchase is the part of its price that has gone back.
    SELECT 'reversed', format('purchase %s', p.id),
        format('%s of %s cents have gone back, and %s of %s', reversed_cents(p.id), p.price_cents,
            v.gone, p.credits * 1000)
        FROM purchases p
        JOIN (
            SELECT purchase_id, sum(taken + lost - returned - lost_returned) AS gone
            FROM reversals WHERE applied_at IS NOT NULL GROUP BY purchase_id
        ) v ON v.purchase_id = p.id
        WHERE v.gone <> p.credits * 1000 * reversed_cents(p.id) / p.price_cents
    UNION ALL
    SELECT 'clawback', format('clawback %s', c.id), format('of %s: %s', c.amount, coalesce(o.kinds, '{}'))
        FROM clawbacks c LEFT JOIN others o ON o.ref_type = 'clawback' AND o.ref_id = c.id
        WHERE coalesce(o.total, 0) <> c.amount
    UNION ALL
    SELECT 'maturing', format('maturing %s', b.id),
        format('of %s, %s recovered: %s', b.amount, b.recovered, coalesce(o.kinds, '{}'))
        FROM maturings b LEFT JOIN others o ON o.ref_type = 'maturing' AND o.ref_id = b.id
        WHERE coalesce(o.total, 0) <> b.amount + b.recovered
    UNION ALL
    SELECT 'payout', format('payout %s', p.id),
        format('%s, %s: %s', p.status, p.amount, coalesce(o.kinds, '{}'))
        FROM payouts p LEFT JOIN others o ON o.ref_type = 'payout' AND o.ref_id = p.id
        WHERE coalesce((o.kinds ->> 'payout_reserve')::bigint, 0) <> p.amount
            OR coalesce((o.kinds ->> 'payout_paid')::bigint, 0)
                - coalesce((o.kinds ->> 'payout_returned')::bigint, 0)
                <> CASE WHEN p.status = 'PAID' THEN p.amount ELSE 0 END
            OR coalesce((o.kinds ->> 'payout_failed')::bigint, 0)
                + coalesce((o.kinds ->> 'payout_returned')::bigint, 0)
                <> CASE WHEN p.status = 'FAILED' THEN p.amount ELSE 0 END
    UNION ALL
    SELECT 'overdue', format('run %s', h.execution_id),
        format('its hold is active, the run is %s', coalesce(x.status || ' until ' || x.deadline_at, 'missing'))
        FROM holds h LEFT JOIN executions x ON x.id = h.execution_id
        WHERE h.state = 'active'
            AND (x.id IS NULL OR x.stage = 'ended' OR x.deadline_at < now() - interval '60 seconds');
