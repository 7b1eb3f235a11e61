-- Runs whose fate is decided at the same moment are written in one statement, and so is their money. These
-- two write transfers beside `ledger_post`, by the same rules: the table is taken before the accounts, all
-- of these are locked at once in the order in which everybody locks them, and each is changed once, by
-- its net sum.
--
-- Behind `LIMIT (SELECT NULL::bigint)` nothing can be known of how many they are. So there is one plan for
-- however few or many, and it looks each up by itself: one that was made for ten of a table that was small
-- reads it through when it has grown, until its statistics are renewed.

-- Locks accounts, as before.
CREATE OR REPLACE FUNCTION ledger_lock(accounts bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    LOCK TABLE ledger_transfers IN ROW EXCLUSIVE MODE;
    PERFORM FROM (SELECT * FROM unnest(accounts) AS u (id) LIMIT (SELECT NULL::bigint)) u
        JOIN ledger_accounts a ON a.id = u.id
        WHERE a.owner_id IS NOT NULL ORDER BY a.id FOR NO KEY UPDATE OF a;
END
$$;

-- Sets credits aside for runs of different consumers that are about to be stored. Answers for each, by
-- its place, what the consumer can dispose of: before, when that is too little, and nothing was done
-- for him then; otherwise null. What is read in the statement after the lock is what their accounts
-- hold, and stays so: one look decides who can pay.
CREATE FUNCTION hold_all(
    of_executions uuid[], of_consumers uuid[], of_developers uuid[], of_models uuid[],
    prices bigint[], bps bigint[]
) RETURNS TABLE (place bigint, available bigint)
    LANGUAGE plpgsql STRICT ROWS 1
    AS $$
DECLARE
    wallets bigint[];
    helds bigint[];
    people bigint;
BEGIN
    SELECT array_agg(a.id ORDER BY c.place), array_agg(b.id ORDER BY c.place),
            count(DISTINCT c.id) FILTER (WHERE a.id IS NOT NULL AND b.id IS NOT NULL)
        INTO wallets, helds, people
        FROM (
            SELECT * FROM unnest(of_consumers) WITH ORDINALITY AS u (id, place) LIMIT (SELECT NULL::bigint)
        ) c
        LEFT JOIN ledger_accounts a ON a.owner_id = c.id AND a.kind = 'consumer_available'
        LEFT JOIN ledger_accounts b ON b.owner_id = c.id AND b.kind = 'consumer_held';
    -- Of two runs of one consumer each would be paid from the same credits.
    IF people <> cardinality(of_consumers) THEN
        RAISE EXCEPTION 'these are not runs of different consumers with accounts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_all_consumers';
    END IF;
    PERFORM ledger_lock(wallets || helds);
    RETURN QUERY
        WITH asked AS MATERIALIZED (
            SELECT r.*, a.balance
            FROM (
                SELECT * FROM unnest(
                    of_executions, of_consumers, of_developers, of_models, prices, bps, wallets, helds
                ) WITH ORDINALITY AS u (
                    execution_id, consumer_id, developer_id, tars_model_id, price, bps, wallet, held,
                    place
                ) LIMIT (SELECT NULL::bigint)
            ) r
            JOIN ledger_accounts a ON a.id = r.wallet
        ), paid AS MATERIALIZED (
            SELECT * FROM asked WHERE balance >= price
        ), moved AS (
            UPDATE ledger_accounts l SET balance = l.balance + m.delta
            FROM (
                SELECT wallet AS id, -price AS delta FROM paid
                UNION ALL
                SELECT held, price FROM paid
            ) m
            WHERE l.id = m.id
        ), transferred AS (
            INSERT INTO ledger_transfers
                (ref_type, ref_id, kind, debit_id, credit_id, amount, wallet_id, wallet_after, at)
            SELECT 'execution', p.execution_id, 'hold', p.wallet, p.held, p.price, p.wallet,
                p.balance - p.price, now()
            FROM paid p ORDER BY p.place
        ), kept AS (
            INSERT INTO holds (
                execution_id, consumer_id, developer_id, tars_model_id, amount, developer_bps, held_at
            )
            SELECT p.execution_id, p.consumer_id, p.developer_id, p.tars_model_id, p.price, p.bps,
                clock_timestamp()
            FROM paid p ORDER BY p.place
        )
        SELECT a.place, CASE WHEN a.balance >= a.price THEN NULL ELSE a.balance END FROM asked a;
END
$$;

-- Captures the holds of runs that completed. Answers the developers' parts. A run without an active
-- hold undoes the end of all of them. None of the accounts is one whose transfers a consumer's statement
-- shows.
CREATE FUNCTION capture_holds(of_executions uuid[])
    RETURNS TABLE (of_execution uuid, earned bigint)
    LANGUAGE plpgsql STRICT ROWS 1
    AS $$
DECLARE
    captured bigint;
BEGIN
    IF cardinality(of_executions) = 0 THEN
        RETURN;
    END IF;
    PERFORM ledger_lock(ARRAY(
        WITH captured AS MATERIALIZED (
            SELECT h.consumer_id, h.developer_id
                FROM (SELECT * FROM unnest(of_executions) AS u (id) LIMIT (SELECT NULL::bigint)) r
                JOIN holds h ON h.execution_id = r.id
        )
        SELECT a.id FROM captured c
            JOIN ledger_accounts a ON a.owner_id = c.consumer_id AND a.kind = 'consumer_held'
        UNION ALL
        SELECT DISTINCT a.id FROM captured c
            JOIN ledger_accounts a ON a.owner_id = c.developer_id AND a.kind = 'developer_pending'
    ));
    RETURN QUERY
        WITH taken AS (
            UPDATE holds h SET state = 'captured', earned = h.amount * h.developer_bps / 10000,
                    resolved_at = now()
                FROM (SELECT * FROM unnest(of_executions) AS u (id) LIMIT (SELECT NULL::bigint)) r
                WHERE h.execution_id = r.id AND h.state = 'active'
                RETURNING h.execution_id, h.consumer_id, h.developer_id, h.amount, h.earned
        ), sided AS MATERIALIZED (
            SELECT t.execution_id, t.amount, t.earned, a.id AS held, b.id AS pending
            FROM taken t
                JOIN ledger_accounts a ON a.owner_id = t.consumer_id AND a.kind = 'consumer_held'
                JOIN ledger_accounts b
                    ON b.owner_id = t.developer_id AND b.kind = 'developer_pending'
        ), moved AS (
            UPDATE ledger_accounts a SET balance = a.balance + n.net
                FROM (
                    SELECT side, sum(part)::bigint AS net
                    FROM (
                        SELECT held AS side, -amount AS part FROM sided
                        UNION ALL SELECT pending, s.earned FROM sided s
                    ) parts
                    GROUP BY side
                ) n
                WHERE a.id = n.side AND n.net <> 0
        ), posted AS (
            INSERT INTO ledger_transfers (ref_type, ref_id, kind, debit_id, credit_id, amount, at)
                SELECT 'execution', s.execution_id, l.kind, s.held, l.side, l.amount, now()
                FROM sided s CROSS JOIN LATERAL (VALUES
                    ('capture_developer', s.pending, s.earned),
                    ('capture_platform', 3, s.amount - s.earned)
                ) l (kind, side, amount)
                WHERE l.amount > 0
        )
        SELECT s.execution_id, s.earned FROM sided s;
    GET DIAGNOSTICS captured = ROW_COUNT;
    IF captured <> cardinality(of_executions) THEN
        RAISE EXCEPTION 'of % runs that completed % have an active hold',
                cardinality(of_executions), captured
            USING ERRCODE = 'check_violation', CONSTRAINT = 'holds_resolved_once';
    END IF;
END
$$;

-- Gives back what was set aside for a run that ends without a result, but for what a payment that was
-- taken back meanwhile still lacks. One at a time: it may wait for whoever takes such a payment back.
-- Answers the developer's part as `capture_holds` does; of this there is none. Refuses a second time,
-- which would undo the second end.
CREATE FUNCTION release_hold(of_execution uuid) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    h holds;
    held bigint;
    wallet bigint;
BEGIN
    UPDATE holds SET state = 'released', resolved_at = now()
        WHERE execution_id = of_execution AND state = 'active'
        RETURNING * INTO h;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the run % has no active hold', of_execution
            USING ERRCODE = 'check_violation', CONSTRAINT = 'holds_resolved_once';
    END IF;
    SELECT a.id, b.id INTO held, wallet FROM ledger_accounts a, ledger_accounts b
        WHERE a.owner_id = h.consumer_id AND a.kind = 'consumer_held'
            AND b.owner_id = h.consumer_id AND b.kind = 'consumer_available';
    PERFORM ledger_must_post('execution', of_execution, ARRAY[
        ROW('release', held, wallet, h.amount),
        ROW('reversal_recovered', wallet, 4, recover_reversals(h))
    ]::ledger_leg[]);
    RETURN h.earned;
END
$$;

-- What holds and captures one run at a time would be a second place where money is set aside and
-- divided. Nobody comes by it any more.
DROP FUNCTION resolve_hold(uuid, boolean);
DROP FUNCTION hold_credits(uuid, uuid, uuid, uuid, bigint, bigint);
