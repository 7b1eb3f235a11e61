-- Runs whose fate is decided at the same moment are written in one statement, and so is their money. These
-- two write transfers beside `ledger_post`, by the same rules: the table is taken before the accounts, all
-- of these are locked at once in the order in which everybody locks them, and each is changed once, by
-- its net sum.
--
-- Small statements, each planned once for however few or many, and for tables that have grown since:
-- it looks each row up by its key. That is what the settings of the functions are for.

-- Sets credits aside for runs of different consumers that are about to be stored. Answers for each, by
-- its place, what the consumer can dispose of: before, when that is too little, and nothing was done
-- for him then; otherwise null. What accounts hold is seen once they are locked, and stays so: one look
-- decides who can pay.
CREATE FUNCTION hold_all(
    of_executions uuid[], of_consumers uuid[], of_developers uuid[], of_models uuid[],
    prices bigint[], bps bigint[]
) RETURNS TABLE (place bigint, available bigint)
    LANGUAGE plpgsql STRICT ROWS 1
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    AS $$
DECLARE
    account record;
    seen integer := 0;
    wallets bigint[];
    balances bigint[];
    helds bigint[];
    -- The accounts of those who can pay, and by how much each changes.
    accounts bigint[];
    changes bigint[];
BEGIN
    LOCK TABLE ledger_transfers IN ROW EXCLUSIVE MODE;
    FOR account IN
        SELECT a.id, a.kind, a.balance, array_position(of_consumers, a.owner_id) AS place
            FROM ledger_accounts a
            WHERE a.owner_id = ANY (of_consumers)
                AND a.kind IN ('consumer_available', 'consumer_held')
            ORDER BY a.id FOR NO KEY UPDATE
    LOOP
        seen := seen + 1;
        IF account.kind = 'consumer_held' THEN
            helds[account.place] := account.id;
        ELSE
            wallets[account.place] := account.id;
            balances[account.place] := account.balance;
        END IF;
    END LOOP;
    -- Of two runs of one consumer each would be paid from the same credits.
    IF seen <> 2 * cardinality(of_consumers) THEN
        RAISE EXCEPTION 'these are not runs of different consumers with accounts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_all_consumers';
    END IF;
    FOR n IN 1 .. cardinality(prices) LOOP
        place := n;
        available := NULL;
        IF balances[n] >= prices[n] THEN
            accounts := accounts || wallets[n] || helds[n];
            changes := changes || -prices[n] || prices[n];
        ELSE
            available := balances[n];
        END IF;
        RETURN NEXT;
    END LOOP;
    UPDATE ledger_accounts a SET balance = a.balance + changes[array_position(accounts, a.id)]
        WHERE a.id = ANY (accounts);
    INSERT INTO ledger_transfers
            (ref_type, ref_id, kind, debit_id, credit_id, amount, wallet_id, wallet_after, at)
        SELECT 'execution', r.id, 'hold', wallets[r.n], helds[r.n], prices[r.n], wallets[r.n],
            balances[r.n] - prices[r.n], now()
        FROM unnest(of_executions) WITH ORDINALITY AS r (id, n)
        WHERE balances[r.n] >= prices[r.n];
    INSERT INTO holds (
            execution_id, consumer_id, developer_id, tars_model_id, amount, developer_bps, held_at
        )
        SELECT r.id, of_consumers[r.n], of_developers[r.n], of_models[r.n], prices[r.n], bps[r.n],
            clock_timestamp()
        FROM unnest(of_executions) WITH ORDINALITY AS r (id, n)
        WHERE balances[r.n] >= prices[r.n];
END
$$;

-- Captures the holds of runs that completed. Answers the developers' parts. A run without an active
-- hold undoes the end of all of them. None of the accounts is one whose transfers a consumer's statement
-- shows.
CREATE FUNCTION capture_holds(of_executions uuid[])
    RETURNS TABLE (of_execution uuid, earned bigint)
    LANGUAGE plpgsql STRICT ROWS 1
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    AS $$
DECLARE
    hold holds;
    taken holds[] := '{}';
    -- Whose accounts change, each once, by how much, and which they are.
    owners uuid[] := '{}';
    changes bigint[];
    accounts bigint[];
    place integer;
    account record;
BEGIN
    IF cardinality(of_executions) = 0 THEN
        RETURN;
    END IF;
    LOCK TABLE ledger_transfers IN ROW EXCLUSIVE MODE;
    FOR hold IN
        UPDATE holds h SET state = 'captured', earned = h.amount * h.developer_bps / 10000,
                resolved_at = now()
            WHERE h.execution_id = ANY (of_executions) AND h.state = 'active'
            RETURNING h.*
    LOOP
        taken := taken || hold;
        place := coalesce(array_position(owners, hold.consumer_id), cardinality(owners) + 1);
        owners[place] := hold.consumer_id;
        changes[place] := coalesce(changes[place], 0) - hold.amount;
        place := coalesce(array_position(owners, hold.developer_id), cardinality(owners) + 1);
        owners[place] := hold.developer_id;
        changes[place] := coalesce(changes[place], 0) + hold.earned;
        of_execution := hold.execution_id;
        earned := hold.earned;
        RETURN NEXT;
    END LOOP;
    IF cardinality(taken) <> cardinality(of_executions) THEN
        RAISE EXCEPTION 'of % runs that completed % have an active hold',
                cardinality(of_executions), cardinality(taken)
            USING ERRCODE = 'check_violation', CONSTRAINT = 'holds_resolved_once';
    END IF;
    FOR account IN
        SELECT a.id, array_position(owners, a.owner_id) AS place
            FROM ledger_accounts a
            WHERE a.owner_id = ANY (owners) AND a.kind IN ('consumer_held', 'developer_pending')
            ORDER BY a.id FOR NO KEY UPDATE
    LOOP
        accounts[account.place] := account.id;
    END LOOP;
    UPDATE ledger_accounts a SET balance = a.balance + changes[array_position(accounts, a.id)]
        WHERE a.id = ANY (accounts);
    INSERT INTO ledger_transfers (ref_type, ref_id, kind, debit_id, credit_id, amount, at)
        SELECT 'execution', h.execution_id, l.kind,
            accounts[array_position(owners, h.consumer_id)], l.side, l.amount, now()
        FROM unnest(taken) h CROSS JOIN LATERAL (VALUES
            ('capture_developer', accounts[array_position(owners, h.developer_id)], h.earned),
            ('capture_platform', 3, h.amount - h.earned)
        ) l (kind, side, amount)
        WHERE l.amount > 0;
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
