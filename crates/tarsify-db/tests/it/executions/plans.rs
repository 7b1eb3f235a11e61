//! Executions that have ended cost a claim nothing, however many there are.

use tarsify_db::{Database, DatabaseSettings, PgExecutionRepository};
use tarsify_domain::Scope;
use tarsify_domain::execution::{
    ExecutionFilter, ExecutionQueue, ExecutionRepository, ExecutionStatus, Work,
};
use tarsify_domain::page::PageRequest;
use tarsify_testing::builders::{new_run, new_test_run};

use super::place::{Place, a_claim, submissions};
use crate::support::Outside;

/// How many executions have ended.
pub(super) const ENDED: i64 = 20_000;

/// A place with many executions that have ended, some hundreds at the provider, and as many that
/// wait.
pub(super) async fn old_place() -> Place {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    place.run(&model, consumer).await;
    let open = "INSERT INTO executions (id, kind, consumer_id, developer_id, tars_model_id, \
            tars_model_version, base_model_id, endpoint_id, provider, provider_endpoint_id, status, \
            stage, attempts, price_credits, inputs, payload, concealed, timeout_seconds, created_at, \
            deadline_at, next_action_at, fair_rank, touched_at) \
         SELECT gen_random_uuid(), kind, gen_random_uuid(), developer_id, tars_model_id, \
            tars_model_version, base_model_id, endpoint_id, provider, provider_endpoint_id, \
            CASE n % 2 WHEN 0 THEN 'QUEUED' ELSE 'PENDING' END, \
            CASE n % 2 WHEN 0 THEN 'queued' ELSE 'created' END, 1, price_credits, inputs, payload, \
            concealed, 600, now(), now() + interval '1 hour', now(), n, now() \
         FROM (SELECT * FROM executions LIMIT 1) x, generate_series(1, 600) AS n";
    place.unseen(open).await;
    // Elsewhere others wait who come first there; none of them is in the way of a claim here.
    let other = place.model(9).await.endpoint.id;
    let elsewhere = format!(
        "UPDATE executions SET endpoint_id = '{other}', fair_rank = 0, \
            next_action_at = next_action_at - interval '1 minute' WHERE fair_rank % 4 > 1"
    );
    place.unseen(&elsewhere).await;
    fill(&place).await;
    place.sql("ANALYZE executions").await;
    place.sql("VACUUM").await;
    place
}

/// Many more executions like the first one, that have ended.
pub(super) async fn fill(place: &Place) {
    let fill = format!(
        "INSERT INTO executions (id, kind, consumer_id, tester_id, developer_id, tars_model_id, \
            tars_model_version, base_model_id, endpoint_id, provider, provider_endpoint_id, status, \
            stage, reason, price_credits, inputs, payload, concealed, timeout_seconds, created_at, \
            deadline_at, completed_at, fair_rank, touched_at) \
         SELECT gen_random_uuid(), CASE WHEN n % 100 = 0 THEN 'TEST_RUN' ELSE 'RUN' END, \
            CASE WHEN n % 100 <> 0 THEN consumer_id END, \
            CASE WHEN n % 100 = 0 THEN developer_id END, developer_id, tars_model_id, \
            tars_model_version, base_model_id, endpoint_id, provider, provider_endpoint_id, \
            'FAILED', 'ended', 'lost', 0, '{{}}', '{{}}', '{{}}', 600, \
            now() - n * interval '1 minute', now() - n * interval '1 minute', now(), 0, now() \
         FROM (SELECT * FROM executions LIMIT 1) x, generate_series(1, {ENDED}) AS n"
    );
    place.unseen(&fill).await;
}

/// What was read by some work.
pub(super) struct Used {
    /// How often the index was used, or those of the pattern.
    pub(super) scans: i64,
    /// How many entries of the index were read.
    pub(super) entries: i64,
    /// How often the whole table was read.
    pub(super) table_scans: i64,
}

/// What the work read of an index, or of all whose names are like the pattern.
pub(super) async fn used(
    place: &Place,
    index: &str,
    work: impl AsyncFnOnce(PgExecutionRepository),
) -> Used {
    used_by(place, index, async |database| {
        work(PgExecutionRepository::new(database)).await;
    })
    .await
}

/// The same of any other work.
pub(super) async fn used_by(place: &Place, index: &str, work: impl AsyncFnOnce(Database)) -> Used {
    let outside = Outside::connect(&place.test().url).await;
    let numbers = format!(
        "SELECT format('%s %s %s', sum(i.idx_scan), sum(i.idx_tup_read), max(t.seq_scan)) \
         FROM pg_stat_user_indexes i JOIN pg_stat_user_tables t USING (relid) \
         WHERE i.indexrelname LIKE '{index}'"
    );
    let read = async || {
        let answer = outside.sql(&numbers).await.remove(0);
        let numbers = answer.split(' ').map(|number| number.parse().unwrap());
        numbers.collect::<Vec<i64>>()
    };
    let before = read().await;
    let mut settings = DatabaseSettings::new(&place.test().url);
    settings.application_name = format!("plan of {index}");
    let database = Database::connect(&settings).await.unwrap();
    work(database.clone()).await;
    end(database, &settings.application_name, &outside).await;
    let after = read().await;
    Used {
        scans: after[0] - before[0],
        entries: after[1] - before[1],
        table_scans: after[2] - before[2],
    }
}

/// Ends the sessions of this name: their numbers are complete then.
pub(super) async fn end(database: Database, name: &str, outside: &Outside) {
    database.close();
    drop(database);
    let alive = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    outside.until(&alive, "0").await;
}

#[tokio::test]
async fn claims_read_the_queue_and_nothing_else() {
    let place = old_place().await;
    for (index, late) in [
        ("executions_waiting_index", false),
        ("executions_due_index", false),
        ("executions_deadline_index", true),
    ] {
        if late {
            let past = "UPDATE executions SET deadline_at = created_at WHERE stage <> 'ended'";
            place.unseen(past).await;
        }
        let used = used(&place, index, async |executions| {
            // More often than the server plans anew for each value.
            for turn in 0..10 {
                let work = match index {
                    "executions_waiting_index" => submissions(1),
                    "executions_due_index" => Work::Look,
                    _ => Work::Sweep,
                };
                let claim = tarsify_domain::execution::Claim {
                    limit: 1,
                    ..a_claim(work)
                };
                let claimed = executions.claim(&claim).await.unwrap();
                assert_eq!(claimed.len(), 1, "{index}, turn {turn}");
            }
        })
        .await;
        assert!(used.scans >= 10, "{index} was used {} times", used.scans);
        assert!(
            used.entries <= 25 * used.scans,
            "{index}: {} entries were read",
            used.entries
        );
        assert_eq!(used.table_scans, 0, "{index}: the table was read through");
    }
}

#[tokio::test]
async fn limits_cost_a_claim_no_more_than_they_allow() {
    let place = old_place().await;
    let limit = "UPDATE endpoints SET limits = '{\"maxConcurrency\": 160, \"maxPerMinute\": 900}'";
    place.sql(limit).await;
    let all = "UPDATE rate_limit_settings SET settings = settings \
        || '{\"providers\": {\"runpod\": {\"maxConcurrency\": 340, \"maxPerMinute\": 900}}}'";
    place.sql(all).await;
    place
        .sql("ANALYZE endpoint_budgets, provider_budgets")
        .await;
    for (index, most) in [
        ("executions_waiting_index", 25),
        ("executions_due_index", 170),
    ] {
        let used = used(&place, index, async |executions| {
            for turn in 0..10 {
                let claim = tarsify_domain::execution::Claim {
                    limit: 1,
                    ..a_claim(submissions(1))
                };
                let claimed = executions.claim(&claim).await.unwrap();
                assert_eq!(claimed.len(), 1, "{index}, turn {turn}");
            }
        })
        .await;
        assert!(used.scans >= 10, "{index} was used {} times", used.scans);
        assert!(
            used.entries <= most * used.scans,
            "{index}: {} entries were read",
            used.entries
        );
        assert_eq!(used.table_scans, 0, "{index}: the table was read through");
    }
}

#[tokio::test]
async fn an_outlook_is_read_from_indexes() {
    let place = old_place().await;
    let last = "SELECT id FROM executions WHERE stage = 'created' ORDER BY fair_rank DESC LIMIT 1";
    let last = place.sql(last).await[0].parse().unwrap();
    for index in ["executions_waiting_index", "executions_due_index"] {
        let used = used(&place, index, async |executions| {
            for _ in 0..8 {
                executions.find_outlook(last).await.unwrap().unwrap();
            }
        })
        .await;
        assert!(used.scans >= 8, "{index} was used {} times", used.scans);
        assert_eq!(used.table_scans, 0, "{index}: the table was read through");
    }
}

#[tokio::test]
async fn an_admission_looks_its_turn_up() {
    let place = old_place().await;
    let model = place.model_again(1).await;
    let consumer = place.consumer(2).await;
    for index in [
        "executions_waiting_index",
        "executions_waiting_requester_index",
    ] {
        let used = used(&place, index, async |executions| {
            for _ in 0..8 {
                executions.admit(&new_run(&model, consumer)).await.unwrap();
                executions
                    .admit(&new_test_run(&model, 1_000))
                    .await
                    .unwrap();
            }
        })
        .await;
        assert!(used.scans >= 16, "{index} was used {} times", used.scans);
        assert_eq!(used.table_scans, 0, "{index}: the table was read through");
    }
}

#[tokio::test]
async fn lists_have_their_indexes() {
    let place = old_place().await;
    let consumer = place.consumer(2).await;
    let model = place.model(2).await;
    place.runs(&model, consumer, 10).await;
    let developer = place
        .sql("SELECT tester_id FROM executions WHERE kind = 'TEST_RUN' LIMIT 1")
        .await;
    let failed = ExecutionFilter {
        status: Some(ExecutionStatus::Queued),
        ..ExecutionFilter::default()
    };
    for (index, scope, filter) in [
        (
            "executions_newest_index",
            Scope::System,
            ExecutionFilter::default(),
        ),
        ("executions_status_index", Scope::System, failed),
        (
            "executions_consumer_index",
            Scope::Consumer(consumer),
            ExecutionFilter::default(),
        ),
        (
            "executions_tester_index",
            Scope::Developer(developer[0].parse().unwrap()),
            ExecutionFilter::default(),
        ),
    ] {
        let used = used(&place, index, async |executions| {
            let page = PageRequest::default();
            let list = executions.list(scope, &filter, &page).await.unwrap();
            assert!(list.total >= 10, "{index}");
        })
        .await;
        assert!(used.scans >= 1, "{index} was not used");
    }
}

#[tokio::test]
async fn a_page_costs_whoever_has_many_runs_no_more_than_others() {
    let place = old_place().await;
    let kept = "UPDATE consumers c SET failed_runs = (\
        SELECT count(*) FROM executions x WHERE x.consumer_id = c.id AND x.status = 'FAILED')";
    place.unseen(kept).await;
    let busy = "SELECT id FROM consumers WHERE failed_runs > 10000";
    let busy = Scope::Consumer(place.sql(busy).await[0].parse().unwrap());
    const PAGES: i64 = 10;
    // Where nearly all runs are his, the index of the newest runs serves as well, and the runs of
    // others that it passes are few beside his own.
    let used = used(&place, "executions_%_index", async |executions| {
        let filter = ExecutionFilter::default();
        for _ in 0..PAGES {
            let page = PageRequest::default();
            let list = executions.list(busy, &filter, &page).await.unwrap();
            assert!(list.total > 10_000);
        }
    })
    .await;
    assert_eq!(used.table_scans, 0);
    assert!(used.scans >= PAGES, "{} times", used.scans);
    assert!(used.entries < ENDED / 2, "{} were read", used.entries);
}
