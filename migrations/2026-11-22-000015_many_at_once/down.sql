DROP FUNCTION release_hold(uuid);
DROP FUNCTION capture_holds(uuid[]);
DROP FUNCTION hold_all(uuid[], uuid[], uuid[], uuid[], bigint[], bigint[]);

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
