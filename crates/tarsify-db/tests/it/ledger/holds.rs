//! What is held, captured and released of many runs at once is what `ledger_post` would write of
//! each of them alone.

use tarsify_domain::catalog::TarsModel;
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::money::Credits;
use tarsify_domain::people::{ConsumerRepository, NewConsumer};

use crate::support::Outside;
use crate::things::{Shop, moment, new_consumer};

/// A run that is about to be stored. Amounts are in millicredits.
struct Run {
    id: ExecutionId,
    consumer: ConsumerId,
    model: TarsModel,
    price: i64,
    bps: i64,
}

impl Run {
    fn account(&self, kind: &str) -> String {
        format!("ledger_account('{}', '{kind}')", self.consumer)
    }

    /// A group of transfers of the run, which answers what its account lacks.
    fn posted(&self, legs: &[(&str, &str, &str, i64)]) -> String {
        let legs: Vec<_> = legs
            .iter()
            .map(|(kind, from, to, amount)| format!("ROW('{kind}', {from}, {to}, {amount})"))
            .collect();
        format!(
            "ledger_post('execution', '{}', ARRAY[{}]::ledger_leg[])",
            self.id,
            legs.join(", ")
        )
    }

    /// The hold as it is written by itself, of a consumer who can pay or cannot.
    fn held_alone(&self, can_pay: bool) -> String {
        let Self {
            id,
            consumer,
            model,
            price,
            bps,
        } = self;
        let (available, held) = (
            self.account("consumer_available"),
            self.account("consumer_held"),
        );
        let posted = self.posted(&[("hold", &available, &held, *price)]);
        format!(
            "SELECT {price} - {posted}; \
             INSERT INTO holds (execution_id, consumer_id, developer_id, tars_model_id, amount, \
                developer_bps, held_at) \
             SELECT '{id}', '{consumer}', '{}', '{}', {price}, {bps}, now() WHERE {can_pay}",
            model.developer_id, model.id
        )
    }

    /// The end with a result, of which the developer has so much.
    fn captured_alone(&self, earned: i64) -> String {
        let (id, held) = (self.id, self.account("consumer_held"));
        let pending = format!(
            "ledger_account('{}', 'developer_pending')",
            self.model.developer_id
        );
        let posted = self.posted(&[
            ("capture_developer", &held, &pending, earned),
            ("capture_platform", &held, "3", self.price - earned),
        ]);
        format!(
            "UPDATE holds SET state = 'captured', earned = {earned}, resolved_at = now() \
             WHERE execution_id = '{id}'; \
             SELECT '{id} {earned}' WHERE {posted} IS NULL"
        )
    }

    fn released_alone(&self) -> String {
        let (available, held) = (
            self.account("consumer_available"),
            self.account("consumer_held"),
        );
        let posted = self.posted(&[("release", &held, &available, self.price)]);
        format!(
            "UPDATE holds SET state = 'released', resolved_at = now() WHERE execution_id = '{}'; \
             SELECT 0 WHERE {posted} IS NULL",
            self.id
        )
    }
}

fn listed<T: ToString>(all: impl Iterator<Item = T>) -> String {
    let all: Vec<_> = all.map(|one| one.to_string()).collect();
    format!("'{{{}}}'", all.join(", "))
}

fn hold_all(runs: &[Run]) -> String {
    format!(
        "SELECT h.available FROM hold_all({}, {}, {}, {}, {}, {}) h ORDER BY h.place",
        listed(runs.iter().map(|run| run.id)),
        listed(runs.iter().map(|run| run.consumer)),
        listed(runs.iter().map(|run| run.model.developer_id)),
        listed(runs.iter().map(|run| run.model.id)),
        listed(runs.iter().map(|run| run.price)),
        listed(runs.iter().map(|run| run.bps)),
    )
}

fn capture_holds(runs: &[Run]) -> String {
    format!(
        "SELECT format('%s %s', c.of_execution, c.earned) FROM capture_holds({}) c ORDER BY 1",
        listed(runs.iter().map(|run| run.id))
    )
}

async fn consumer(shop: &Shop, number: i64, credits: i64) -> ConsumerId {
    let new = NewConsumer {
        welcome: Credits::new(credits),
        ..new_consumer(number)
    };
    shop.consumers.register(&new).await.unwrap().id
}

/// What the last of these statements answer, and then all of the money as they leave it. Nothing of it
/// stays.
async fn effects(shop: &Shop, before: &[String], statements: &[String]) -> Vec<String> {
    let outside = Outside::connect(&shop.test.url).await;
    outside.sql("BEGIN").await;
    for statement in before {
        outside.sql(statement).await;
    }
    let mut seen = outside.sql(&statements.join("; ")).await;
    let money = "SELECT format('%s has %s', id, balance) FROM ledger_accounts ORDER BY id; \
        SELECT format('%s has %s', kind, balance) FROM ledger_platform ORDER BY kind; \
        SELECT to_jsonb(t) - 'id' - 'at' FROM ledger_transfers t ORDER BY ref_id, kind; \
        SELECT to_jsonb(h) - 'held_at' - 'resolved_at' FROM holds h ORDER BY execution_id";
    seen.extend(outside.sql(money).await);
    outside.sql("ROLLBACK").await;
    seen
}

#[tokio::test]
async fn a_hold_among_others_is_what_it_is_alone() {
    let shop = Shop::open().await;
    let model = shop.draft(1).await;
    let mut runs = Vec::new();
    for (number, credits) in [(1, 10), (2, 9), (3, 11), (4, 0)] {
        runs.push(Run {
            id: ExecutionId::new(moment(number)),
            consumer: consumer(&shop, number, credits).await,
            model: model.clone(),
            price: 10_000,
            bps: 7_000,
        });
    }
    let can_pay = [true, false, true, false];
    let alone: Vec<_> = runs
        .iter()
        .zip(can_pay)
        .map(|(run, can_pay)| run.held_alone(can_pay))
        .collect();
    let expected = effects(&shop, &[], &alone).await;
    assert_eq!(expected[..4], ["NULL", "9000", "NULL", "0"]);
    assert_eq!(effects(&shop, &[], &[hold_all(&runs)]).await, expected);
}

/// Runs of three people and two developers: one with all of the price, ones with nothing of it, and
/// one whose part is rounded. Each with what its developer has of it.
async fn divided(shop: &Shop) -> (Vec<Run>, Vec<i64>) {
    let models = [shop.draft(1).await, shop.draft(2).await];
    let people = [
        consumer(shop, 1, 100).await,
        consumer(shop, 2, 100).await,
        consumer(shop, 3, 100).await,
    ];
    let (mut runs, mut parts) = (Vec::new(), Vec::new());
    for (number, (who, whose, price, bps, earned)) in [
        (0, 0, 10_000, 7_000, 7_000),
        (0, 1, 20_000, 10_000, 20_000),
        (1, 0, 5_000, 0, 0),
        (2, 1, 1, 7_000, 0),
        (1, 1, 333, 7_000, 233),
    ]
    .into_iter()
    .enumerate()
    {
        let run = Run {
            id: ExecutionId::new(moment(i64::try_from(number).unwrap())),
            consumer: people[who],
            model: models[whose].clone(),
            price,
            bps,
        };
        runs.push(run);
        parts.push(earned);
    }
    (runs, parts)
}

fn of_different_consumers(mut runs: Vec<Run>) -> Vec<Run> {
    let mut seen = Vec::new();
    runs.retain(|run| {
        let is_new = !seen.contains(&run.consumer);
        seen.push(run.consumer);
        is_new
    });
    runs
}

#[tokio::test]
async fn a_capture_among_others_is_what_it_is_alone() {
    let shop = Shop::open().await;
    let (runs, parts) = divided(&shop).await;
    let held: Vec<_> = runs.iter().map(|run| run.held_alone(true)).collect();
    let of_all = || runs.iter().zip(&parts);
    let alone: Vec<_> = of_all()
        .map(|(run, earned)| run.captured_alone(*earned))
        .collect();
    let expected = effects(&shop, &held, &alone).await;
    let answered: Vec<_> = of_all()
        .map(|(run, earned)| format!("{} {earned}", run.id))
        .collect();
    assert_eq!(expected[..runs.len()], answered);
    assert_eq!(
        effects(&shop, &held, &[capture_holds(&runs)]).await,
        expected
    );
}

#[tokio::test]
async fn a_release_gives_back_all_that_was_held() {
    let shop = Shop::open().await;
    let (runs, _) = divided(&shop).await;
    let held: Vec<_> = runs.iter().map(|run| run.held_alone(true)).collect();
    let never_held = effects(&shop, &[], &[]).await;
    for run in &runs {
        let released = format!("SELECT release_hold('{}')", run.id);
        let expected = effects(&shop, &held, &[run.released_alone()]).await;
        assert_eq!(expected[0], "0");
        assert_eq!(effects(&shop, &held, &[released]).await, expected);
    }
    // And when all of them were, everybody has what he had.
    let all: Vec<_> = runs
        .iter()
        .map(|run| format!("SELECT release_hold('{}')", run.id))
        .collect();
    let has = |line: &&String| line.contains(" has ");
    let after = effects(&shop, &held, &all).await;
    assert!(after.iter().filter(has).eq(never_held.iter().filter(has)));
}

/// While somebody has the table, or the first of the accounts, none of the others is locked: whoever takes
/// them in another order would have some by then, and wait for this one in a circle with others.
#[tokio::test]
async fn many_take_the_table_first_and_then_their_accounts_by_number() {
    let shop = Shop::open().await;
    let (mut runs, _) = divided(&shop).await;
    let [first, writer, looker] = [
        Outside::connect(&shop.test.url).await,
        Outside::connect(&shop.test.url).await,
        Outside::connect(&shop.test.url).await,
    ];
    // Held for runs that are nowhere.
    first.sql("SET session_replication_role = replica").await;
    for run in &runs {
        first.sql(&run.held_alone(true)).await;
    }
    runs.reverse();
    let capture = capture_holds(&runs);
    for (number, run) in (100..).zip(&mut runs) {
        run.id = ExecutionId::new(moment(number));
    }
    let runs = of_different_consumers(runs);
    for (statement, kinds, accounts) in [
        (hold_all(&runs), "'consumer_available', 'consumer_held'", 6),
        (capture, "'consumer_held', 'developer_pending'", 5),
    ] {
        let theirs = format!("SELECT id FROM ledger_accounts WHERE kind IN ({kinds})");
        let lowest = format!("{theirs} ORDER BY id LIMIT 1 FOR NO KEY UPDATE");
        let free = format!("SELECT count(*) FROM ({theirs} FOR NO KEY UPDATE SKIP LOCKED) a");
        for (taken, left) in [
            ("LOCK TABLE ledger_transfers IN SHARE MODE", accounts),
            (lowest.as_str(), accounts - 1),
        ] {
            first.sql(&format!("BEGIN; {taken}")).await;
            let write = format!("BEGIN; {statement}; ROLLBACK");
            let look = async {
                let waiting = "SELECT count(*) FROM pg_stat_activity \
                    WHERE datname = current_database() AND wait_event_type = 'Lock'";
                looker.until(waiting, "1").await;
                let seen = looker.sql(&free).await;
                first.sql("ROLLBACK").await;
                seen
            };
            let (_, seen) = tokio::join!(writer.sql(&write), look);
            assert_eq!(seen, [left.to_string()], "{taken}: {statement}");
        }
    }
}

#[tokio::test]
async fn what_was_planned_for_few_looks_up_by_key_among_many() {
    let shop = Shop::open().await;
    let (runs, _) = divided(&shop).await;
    let runs = of_different_consumers(runs);
    let [writer, others] = [
        Outside::connect(&shop.test.url).await,
        Outside::connect(&shop.test.url).await,
    ];
    others.sql("ANALYZE").await;
    let writes = format!("BEGIN; {}; {}", hold_all(&runs), capture_holds(&runs));
    // More often than the server plans anew for each value.
    for _ in 0..8 {
        writer.sql(&format!("{writes}; ROLLBACK")).await;
    }
    let grow = "SET session_replication_role = replica; \
        INSERT INTO ledger_accounts (kind, owner_id) SELECT k, gen_random_uuid() \
            FROM generate_series(1, 5000), \
                unnest(ARRAY['consumer_available', 'consumer_held', 'developer_pending']) k; \
        INSERT INTO holds (execution_id, consumer_id, developer_id, tars_model_id, amount, \
                developer_bps, held_at) \
            SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 5, 0, \
                now() \
            FROM generate_series(1, 5000)";
    others.sql(grow).await;
    let read = "SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables";
    let seen = writer.sql(&format!("{writes}; {read}; ROLLBACK")).await;
    assert_eq!(seen.last().unwrap(), "0");
}
