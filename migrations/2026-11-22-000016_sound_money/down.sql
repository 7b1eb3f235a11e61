ALTER TABLE holds
    ADD CONSTRAINT holds_amount_check CHECK (amount > 0),
    ADD CONSTRAINT holds_developer_bps_check CHECK (developer_bps BETWEEN 0 AND 10000);
ALTER TABLE holds ENABLE TRIGGER holds_sound;

CREATE OR REPLACE FUNCTION refuse_unsound_hold() RETURNS trigger
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

ALTER TABLE ledger_transfers
    ADD CONSTRAINT ledger_transfers_amount_check CHECK (amount > 0),
    ADD CONSTRAINT ledger_transfers_sides_check CHECK (debit_id <> credit_id),
    ADD CONSTRAINT ledger_transfers_wallet_check CHECK (
        wallet_id IS NULL AND wallet_after IS NULL
        OR wallet_id IN (debit_id, credit_id) AND wallet_after >= 0
    );
DROP TRIGGER ledger_transfers_known ON ledger_transfers;
CREATE TRIGGER ledger_transfers_known
    BEFORE INSERT ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_unknown_transfer();

CREATE OR REPLACE FUNCTION refuse_unknown_transfer() RETURNS trigger
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
