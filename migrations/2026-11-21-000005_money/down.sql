DROP VIEW ledger_faults;
DROP VIEW invariant_e10;
DROP VIEW invariant_e8;
DROP VIEW invariant_e2;
DROP VIEW invariant_e1;
DROP TABLE model_day_times;
DROP TABLE model_days;
UPDATE consumers SET credits_spent = 0 WHERE credits_spent < 0;
ALTER TABLE consumers ADD CONSTRAINT consumers_credits_spent_check CHECK (credits_spent >= 0);
CREATE TABLE untallied_runs (
    execution_id uuid NOT NULL,
    tars_model_id uuid NOT NULL,
    consumer_id uuid NOT NULL,
    CONSTRAINT untallied_runs_pkey PRIMARY KEY (execution_id),
    CONSTRAINT untallied_runs_execution_fkey FOREIGN KEY (execution_id)
        REFERENCES executions (id)
);
DROP TABLE untallied;
DROP FUNCTION finish_payout(uuid, text, text, text);
DROP FUNCTION request_payout(uuid, uuid, bigint);
DROP TABLE outbox;
DROP TABLE payouts;
ALTER TABLE developers DROP COLUMN account_told_at;
DROP FUNCTION mature_earnings(uuid, timestamptz, bigint);
DROP FUNCTION claw_back(uuid);
DROP TABLE clawbacks;
DROP FUNCTION close_dispute(uuid, text, text, bigint, text);
DROP FUNCTION reverse_payment(uuid, text, text, text, bigint);
DROP FUNCTION void_purchase(uuid, text);
DROP FUNCTION pay_purchase(uuid, text, bigint, text);
DROP FUNCTION apply_reversal(uuid, uuid);
DROP FUNCTION reversed_cents(uuid);
DROP FUNCTION recover_reversals(holds);
DROP TABLE reversals;
DROP TABLE payment_events;
DROP TABLE purchases;
DROP TABLE credit_packages;
DROP FUNCTION refund_run(uuid, uuid, bigint, text);
DROP TABLE refunds;
DROP FUNCTION welcome_credits(uuid, bigint);
DROP FUNCTION grant_credits(uuid, uuid, bigint, text);
DROP TABLE grants;
DROP TABLE audit_entries;
DROP FUNCTION ledger_take_back(uuid, bigint);
DROP FUNCTION resolve_hold(uuid, boolean);
DROP FUNCTION hold_credits(uuid, uuid, uuid, uuid, bigint, bigint);
ALTER TABLE executions DROP CONSTRAINT executions_charged_check;
ALTER TABLE executions DISABLE TRIGGER executions_ended;
UPDATE executions SET charged_credits = 0 WHERE charged_credits <> 0;
ALTER TABLE executions ENABLE TRIGGER executions_ended;
ALTER TABLE executions ADD CONSTRAINT executions_charged_credits_check CHECK (
    charged_credits = 0 OR (charged_credits = price_credits AND status = 'COMPLETED')
);
DROP TABLE holds;
DROP TABLE maturings;
DROP FUNCTION refuse_hold_change();
DROP FUNCTION refuse_unsound_hold();
DROP FUNCTION ledger_open(uuid, text);
DROP FUNCTION ledger_must_post(text, uuid, ledger_leg[]);
DROP FUNCTION ledger_post(text, uuid, ledger_leg[]);
DROP FUNCTION ledger_lock(bigint[]);
DROP FUNCTION ledger_account(uuid, text);
DROP TYPE ledger_leg;
DROP FUNCTION ledger_frontier();
DROP VIEW ledger_platform;
DROP TABLE ledger_checkpoints;
DROP TABLE ledger_transfers;
DROP FUNCTION refuse_unknown_transfer();
DROP FUNCTION refuse_change_of_record();
DROP TABLE ledger_accounts;
DROP FUNCTION refuse_unknown_account();
