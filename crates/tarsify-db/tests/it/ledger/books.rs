//! A database with one model, its developer and a consumer, and short ways to move their money.

use std::fmt::Display;

use tarsify_db::{PgLedgerVerifier, PgWalletRepository};
use tarsify_domain::Credits;
use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, GrantId, RefundId};
use tarsify_domain::ledger::{
    Adjustment, AdjustmentAmount, AdjustmentError, LedgerReport, LedgerVerifier, NewRefund, Refund,
    RefundError, Wallet, WalletRepository,
};
use tarsify_domain::people::ConsumerRepository;

use crate::things::{Shop, moment, new_consumer};

/// A run from its hold to its end, as the store of executions writes it.
const FUNCTIONS: &str = "
    CREATE FUNCTION begin_run(of_consumer uuid, price bigint) RETURNS uuid LANGUAGE plpgsql AS $$
    DECLARE
        made uuid := gen_random_uuid();
        t tars_models;
    BEGIN
        SELECT * INTO t FROM tars_models LIMIT 1;
        IF price > 0 AND (
            SELECT h.available IS NOT NULL FROM hold_all(
                ARRAY[made], ARRAY[of_consumer], ARRAY[t.developer_id], ARRAY[t.id],
                ARRAY[price * 1000], '{7000}'
            ) h
        ) IS DISTINCT FROM false THEN
            RAISE EXCEPTION 'the consumer cannot pay %', price;
        END IF;
        INSERT INTO executions (
            id, kind, consumer_id, developer_id, tars_model_id, tars_model_version, base_model_id,
            endpoint_id, provider, provider_endpoint_id, price_credits, inputs, payload, concealed,
            timeout_seconds, created_at, deadline_at, fair_rank, touched_at
        ) SELECT made, 'RUN', of_consumer, t.developer_id, t.id, t.version, b.id, e.id, e.provider,
            e.provider_endpoint_id, price, '{}', '{}', '{}', 60, now(), now() + interval '1 hour',
            0, now()
        FROM base_models b JOIN endpoints e ON e.id = b.endpoint_id WHERE b.id = t.base_model_id;
        INSERT INTO execution_events (execution_id, seq, kind, data, at)
            VALUES (made, 1, 'queued', '{}', now());
        RETURN made;
    END
    $$;
    CREATE FUNCTION end_run(of_execution uuid, how text) RETURNS uuid LANGUAGE plpgsql AS $$
    DECLARE
        x executions;
        has_result boolean := how = 'COMPLETED';
        earned bigint := 0;
    BEGIN
        UPDATE executions SET stage = 'ended', status = how, completed_at = now(), last_seq = 2,
            attempts = 1, charged_credits = CASE WHEN has_result THEN price_credits ELSE 0 END,
            output = CASE WHEN has_result THEN '{}'::json END,
            reason = CASE WHEN has_result THEN NULL ELSE 'provider_error' END
        WHERE id = of_execution RETURNING * INTO x;
        IF x.price_credits > 0 AND has_result THEN
            SELECT c.earned INTO STRICT earned FROM capture_holds(ARRAY[of_execution]) c;
        ELSIF x.price_credits > 0 THEN
            earned := release_hold(of_execution);
        END IF;
        INSERT INTO execution_events (execution_id, seq, kind, data, at)
            VALUES (x.id, 2, lower(how), '{}', now());
        INSERT INTO provider_attempts (
            execution_id, number, state, provider, job_id, token_hash, called_at
        ) VALUES (
            x.id, 1, CASE WHEN has_result THEN 'won' ELSE 'over' END, x.provider, x.id::text,
            decode(repeat('00', 32), 'hex'), now()
        );
        INSERT INTO untallied
            (tars_model_id, developer_id, consumer_id, day, status, gross, earned)
            VALUES (x.tars_model_id, x.developer_id, x.consumer_id, now()::date, how,
                x.charged_credits * 1000, earned);
        RETURN x.id;
    END
    $$";

pub(super) struct Books {
    pub(super) shop: Shop,
    pub(super) wallets: PgWalletRepository,
    pub(super) consumer: ConsumerId,
    pub(super) developer: DeveloperId,
}

impl Books {
    /// A consumer who was welcomed with nothing.
    pub(super) async fn open() -> Self {
        Self::welcoming(0).await
    }

    /// A consumer who was welcomed with so many credits.
    pub(super) async fn welcoming(credits: i64) -> Self {
        let shop = Shop::open().await;
        let model = shop.draft(1).await;
        let mut new = new_consumer(2);
        new.welcome = Credits::new(credits);
        let consumer = shop.consumers.register(&new).await.unwrap().id;
        shop.test.sql(FUNCTIONS).await;
        Self {
            wallets: PgWalletRepository::new(shop.test.database.clone()),
            consumer,
            developer: model.developer_id,
            shop,
        }
    }

    /// Everything happened once: bought, given, run with and without a result, running, given
    /// back, matured, paid out, disputed and won.
    pub(super) async fn busy() -> Self {
        let books = Self::welcoming(5).await;
        books.buy("pi_1", 10_000, 500).await;
        books.adjust(20).await.unwrap();
        let run = books.completed(7_500).await;
        books.mature().await;
        books.pay_out(5_000).await;
        books.refund(run, Some(100)).await.unwrap();
        books.completed(11).await;
        books.failed(13).await;
        books.begin(17).await;
        books.reverse("pi_1", "dispute", "dp_1", 300).await;
        books.close("pi_1", "dp_1", 300, "won").await;
        books.buy("pi_2", 100, 0).await;
        books.reverse("pi_2", "refund", "pi_2 40", 40).await;
        books
    }

    pub(super) async fn sql(&self, sql: &str) -> Vec<String> {
        self.shop.test.sql(sql).await
    }

    /// The only value that a query answers.
    pub(super) async fn one(&self, sql: &str) -> String {
        let mut rows = self.sql(sql).await;
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows.remove(0)
    }

    /// A number that a query answers.
    pub(super) async fn number(&self, sql: &str) -> i64 {
        self.one(sql).await.parse().unwrap()
    }

    pub(super) async fn begin(&self, price: i64) -> ExecutionId {
        self.begin_for(self.consumer, price).await
    }

    pub(super) async fn begin_for(&self, consumer: ConsumerId, price: i64) -> ExecutionId {
        let run = format!("SELECT begin_run('{consumer}', {price})");
        self.one(&run).await.parse().unwrap()
    }

    pub(super) async fn end(&self, run: ExecutionId, how: &str) {
        self.one(&format!("SELECT end_run('{run}', '{how}')")).await;
    }

    pub(super) async fn completed(&self, price: i64) -> ExecutionId {
        let run = self.begin(price).await;
        self.end(run, "COMPLETED").await;
        run
    }

    pub(super) async fn failed(&self, price: i64) -> ExecutionId {
        let run = self.begin(price).await;
        self.end(run, "FAILED").await;
        run
    }

    /// The consumer buys so many credits at a cent each, and more for nothing.
    pub(super) async fn buy(&self, payment: &str, credits: i64, bonus: i64) {
        let purchase = format!(
            "INSERT INTO purchases (id, consumer_id, credits, bonus_credits, price_cents, currency, \
                created_at, updated_at) \
             VALUES (gen_random_uuid(), '{}', {credits}, {bonus}, {credits}, 'usd', now(), now()) \
             RETURNING id",
            self.consumer,
        );
        let purchase = self.one(&purchase).await;
        let paid = format!("SELECT pay_purchase('{purchase}', '{payment}', {credits}, 'usd')");
        assert_eq!(self.one(&paid).await, "applied");
    }

    pub(super) async fn reverse(&self, payment: &str, kind: &str, object: &str, cents: i64) {
        let told = format!(
            "SELECT reverse_payment(gen_random_uuid(), '{payment}', '{kind}', '{object}', {cents})"
        );
        assert_eq!(self.one(&told).await, "applied");
    }

    pub(super) async fn close(&self, payment: &str, dispute: &str, cents: i64, verdict: &str) {
        let told = format!(
            "SELECT close_dispute(gen_random_uuid(), '{payment}', '{dispute}', {cents}, '{verdict}')"
        );
        assert_eq!(self.one(&told).await, "applied");
    }

    /// Lets everything that was earned be paid out.
    pub(super) async fn mature(&self) {
        let matured = format!("SELECT mature_earnings('{}', now(), 1000)", self.developer);
        self.one(&matured).await;
    }

    /// Has so many credits paid out.
    pub(super) async fn pay_out(&self, credits: i64) {
        let developer = self.developer;
        self.sql(&format!(
            "UPDATE developers SET stripe_account_id = 'acct_1', is_verified = true \
             WHERE id = '{developer}'"
        ))
        .await;
        let reserved = format!(
            "SELECT outcome FROM request_payout(gen_random_uuid(), '{developer}', {credits} * 1000)"
        );
        assert_eq!(self.one(&reserved).await, "reserved");
        let paid = "SELECT finish_payout(id, 'paid', 'tr_' || id, NULL) FROM payouts \
            WHERE status = 'PENDING'";
        assert_eq!(self.one(paid).await, "applied");
    }

    pub(super) async fn adjust(&self, credits: i64) -> Result<Wallet, AdjustmentError> {
        self.adjust_of(self.consumer, credits).await
    }

    pub(super) async fn adjust_of(
        &self,
        consumer: ConsumerId,
        credits: i64,
    ) -> Result<Wallet, AdjustmentError> {
        let adjustment = Adjustment {
            id: GrantId::new(moment(1)),
            consumer,
            amount: AdjustmentAmount::parse(credits).unwrap(),
            reason: reason(),
            actor: actor(),
        };
        self.wallets.adjust(&adjustment).await
    }

    pub(super) async fn refund(
        &self,
        run: ExecutionId,
        credits: Option<i64>,
    ) -> Result<Refund, RefundError> {
        let wish = NewRefund {
            id: RefundId::new(moment(1)),
            run,
            amount: credits.map(Credits::new),
        };
        self.wallets.refund(&wish, &actor(), &reason()).await
    }

    /// What is in an account, in millicredits.
    pub(super) async fn balance(&self, owner: impl Display, kind: &str) -> i64 {
        self.number(&format!(
            "SELECT balance FROM ledger_accounts WHERE owner_id = '{owner}' AND kind = '{kind}'"
        ))
        .await
    }

    /// What is in one of the platform's accounts, in millicredits.
    pub(super) async fn platform(&self, kind: &str) -> i64 {
        let balance = format!("SELECT balance FROM ledger_platform WHERE kind = '{kind}'");
        self.number(&balance).await
    }

    pub(super) async fn wallet(&self) -> Wallet {
        self.wallets.find_wallet(self.consumer).await.unwrap()
    }

    pub(super) async fn verify(&self) -> LedgerReport {
        let verifier = PgLedgerVerifier::new(self.shop.test.database.clone());
        verifier.verify().await.unwrap()
    }

    /// Everything is right.
    pub(super) async fn assert_sound(&self) {
        let report = self.verify().await;
        assert!(report.is_sound(), "{:#?}", report.faults);
        assert_eq!(report.faults, []);
    }
}

pub(super) fn actor() -> Actor {
    Actor {
        issuer: "https://issuer.example".to_owned(),
        subject: "admin-1".to_owned(),
        developer: None,
    }
}

pub(super) fn reason() -> Reason {
    Reason::parse("because it is right").unwrap()
}
