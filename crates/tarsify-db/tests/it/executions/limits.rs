//! Limits of endpoints over several processes, and a fair line however long it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use tarsify_db::{Database, DatabaseSettings, PgExecutionRepository};
use tarsify_domain::catalog::EndpointRepository;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{
    Claim, Claimed, EndReason, ExecutionQueue, ExecutionRepository, RunnableModel, Written,
};
use tarsify_domain::id::EndpointId;
use tarsify_testing::builders::{new_run, settlement};

use super::place::{Place, a_claim, submissions};

/// How many runs one consumer has waiting.
const MANY: i64 = 10_000;

async fn limit(place: &Place, model: &RunnableModel, limits: EndpointLimits) {
    let endpoints = &place.shop.endpoints;
    let mut endpoint = endpoints.find(model.endpoint.id).await.unwrap().unwrap();
    endpoint.limits = limits;
    endpoints.revise(&endpoint).await.unwrap();
}

/// As another process on the same database.
async fn another(place: &Place) -> PgExecutionRepository {
    let settings = DatabaseSettings::new(&place.test().url);
    PgExecutionRepository::new(Database::connect(&settings).await.unwrap())
}

/// Many runs of one consumer at a model's endpoint, as if he had asked for one after the other.
async fn queue_many(place: &Place, model: &Arc<RunnableModel>) {
    let consumer = place.consumer(1).await;
    place.run(model, consumer).await;
    let fill = format!(
        "INSERT INTO executions (id, kind, consumer_id, developer_id, tars_model_id, \
            tars_model_version, base_model_id, endpoint_id, provider, provider_endpoint_id, \
            price_credits, inputs, payload, concealed, timeout_seconds, created_at, \
            deadline_at, next_action_at, fair_rank, touched_at) \
         SELECT gen_random_uuid(), kind, consumer_id, developer_id, tars_model_id, \
            tars_model_version, base_model_id, endpoint_id, provider, provider_endpoint_id, \
            0, inputs, payload, concealed, 600, now(), \
            now() + interval '1 hour', now(), n, now() \
         FROM (SELECT * FROM executions LIMIT 1) x, generate_series(1, {MANY} - 1) AS n"
    );
    place.unseen(&fill).await;
    place.sql("VACUUM ANALYZE executions").await;
}

async fn fail(executions: &PgExecutionRepository, claimed: &Claimed) {
    let lost = settlement(claimed, EndReason::Lost);
    let written = executions.settle(&lost).await.unwrap();
    assert!(matches!(written, Written::Applied { .. }));
}

/// Has so many, half of them in each process, take runs and end them until none is left, and answers
/// at which endpoints they were.
async fn crowd(
    processes: [&PgExecutionRepository; 2],
    size: usize,
    runs: usize,
) -> Vec<EndpointId> {
    let left = AtomicUsize::new(runs);
    let crowd = processes.into_iter().cycle().take(size).map(|executions| {
        let left = &left;
        async move {
            let mut done = Vec::new();
            while left.load(Ordering::SeqCst) > 0 {
                let claim = Claim {
                    limit: 2,
                    ..a_claim(submissions(2))
                };
                for claimed in executions.claim(&claim).await.unwrap() {
                    tokio::task::yield_now().await;
                    fail(executions, &claimed).await;
                    left.fetch_sub(1, Ordering::SeqCst);
                    done.push(claimed.place.endpoint_id);
                }
            }
            done
        }
    });
    join_all(crowd).await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_in_two_processes_never_has_more_jobs_than_it_may() {
    let place = Place::open().await;
    let (narrow, free) = (place.model(1).await, place.model(2).await);
    let limits = EndpointLimits {
        max_concurrency: Some(3),
        ..EndpointLimits::default()
    };
    let consumer = place.consumer(1).await;
    place.runs(&narrow, consumer, 60).await;
    place.runs(&free, consumer, 20).await;
    limit(&place, &narrow, limits).await;
    let other = another(&place).await;
    let is_over = AtomicBool::new(false);
    let watch = async {
        let jobs = format!(
            "executions WHERE stage NOT IN ('created', 'ended') AND endpoint_id = '{}'",
            narrow.endpoint.id
        );
        let mut most = 0;
        while !is_over.load(Ordering::SeqCst) {
            most = most.max(place.count(&jobs).await);
        }
        most
    };
    let work = async {
        let done = crowd([&place.executions, &other], 24, 80).await;
        is_over.store(true, Ordering::SeqCst);
        done
    };
    let (most, done) = tokio::join!(watch, work);
    assert!((1..=3).contains(&most), "{most} at once");
    let at = |model: &RunnableModel| done.iter().filter(|id| **id == model.endpoint.id).count();
    assert_eq!(
        (at(&narrow), at(&free)),
        (60, 20),
        "and nothing is forgotten"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_in_two_processes_shares_a_minute_and_a_day() {
    let place = Place::open().await;
    let (a_minute, a_day) = (place.model(1).await, place.model(2).await);
    let consumer = place.consumer(1).await;
    for model in [&a_minute, &a_day] {
        place.runs(model, consumer, 20).await;
    }
    let limits = EndpointLimits {
        max_per_minute: Some(7),
        ..EndpointLimits::default()
    };
    limit(&place, &a_minute, limits).await;
    let limits = EndpointLimits {
        max_per_day: Some(5),
        ..EndpointLimits::default()
    };
    limit(&place, &a_day, limits).await;
    let other = another(&place).await;
    let crowd = (0..16).map(|number| {
        let executions = if number % 2 == 0 {
            &*place.executions
        } else {
            &other
        };
        async move {
            let mut taken = Vec::new();
            for _ in 0..10 {
                let claim = a_claim(submissions(3));
                let claimed = executions.claim(&claim).await.unwrap();
                taken.extend(claimed.iter().map(|one| one.place.endpoint_id));
            }
            taken
        }
    });
    let taken: Vec<_> = join_all(crowd).await.into_iter().flatten().collect();
    let at = |model: &RunnableModel| taken.iter().filter(|id| **id == model.endpoint.id).count();
    assert_eq!((at(&a_minute), at(&a_day)), (7, 5));
    let used = "SELECT sum(taken) FROM endpoint_calls";
    assert_eq!(place.sql(used).await, ["7"], "of a day no seconds are kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_in_two_processes_shares_a_provider_and_its_endpoints() {
    let place = Place::open().await;
    let models = [place.model(1).await, place.model(2).await];
    let consumer = place.consumer(1).await;
    for model in &models {
        place.runs(model, consumer, 30).await;
    }
    place
        .sql(
            "UPDATE rate_limit_settings SET settings = settings \
                || '{\"providers\": {\"runpod\": {\"maxConcurrency\": 3}}}'",
        )
        .await;
    let narrow = EndpointLimits {
        max_concurrency: Some(2),
        ..EndpointLimits::default()
    };
    limit(&place, &models[0], narrow).await;
    let other = another(&place).await;
    let is_over = AtomicBool::new(false);
    let watch = async {
        let counted = format!(
            "SELECT format('%s %s', count(*), count(*) FILTER (WHERE endpoint_id = '{}')) \
             FROM executions WHERE stage NOT IN ('created', 'ended')",
            models[0].endpoint.id
        );
        let mut most = (0, 0);
        while !is_over.load(Ordering::SeqCst) {
            let seen = place.sql(&counted).await.remove(0);
            let (all, its) = seen.split_once(' ').unwrap();
            let (all, its): (u32, u32) = (all.parse().unwrap(), its.parse().unwrap());
            most = (most.0.max(all), most.1.max(its));
        }
        most
    };
    let work = async {
        let done = crowd([&place.executions, &other], 16, 60).await;
        is_over.store(true, Ordering::SeqCst);
        done.len()
    };
    let ((all, its), done) = tokio::join!(watch, work);
    assert_eq!(done, 60, "nothing is forgotten");
    assert!((1..=3).contains(&all), "{all} at once");
    assert!(its <= 2, "{its} at once at the narrow one");
}

#[tokio::test]
async fn a_newcomer_waits_for_one_of_ten_thousand() {
    let place = Place::open().await;
    let model = place.model(1).await;
    queue_many(&place, &model).await;
    for number in 2..5 {
        let newcomer = place.consumer(number).await;
        let new = new_run(&model, newcomer);
        place.executions.admit(&new).await.unwrap();
        let outlook = place
            .executions
            .find_outlook(new.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(outlook.forecast().queue_position, Some(2));
        let two = place.submit(2).await;
        assert_eq!(two[1].lease.id, new.id, "newcomer {number}");
    }
}

#[tokio::test]
async fn a_line_is_counted_no_further_than_anybody_is_told() {
    let place = Place::open().await;
    let model = place.model(1).await;
    queue_many(&place, &model).await;
    let last = "SELECT id FROM executions ORDER BY fair_rank DESC LIMIT 1";
    let last = place.sql(last).await[0].parse().unwrap();
    let outlook = place.executions.find_outlook(last).await.unwrap().unwrap();
    assert_eq!(outlook.forecast().queue_position, Some(1_001));
}

#[tokio::test]
async fn limits_that_were_taken_away_leave_what_was_used() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    place.runs(&model, consumer, 6).await;
    let two_a_day = EndpointLimits {
        max_per_day: Some(2),
        ..EndpointLimits::default()
    };
    limit(&place, &model, two_a_day).await;
    assert_eq!(place.submit(10).await.len(), 2);
    limit(&place, &model, EndpointLimits::default()).await;
    limit(&place, &model, two_a_day).await;
    assert_eq!(place.submit(10).await.len(), 0);
    let budgets = place.count("endpoint_budgets").await;
    assert_eq!(budgets, 1, "there is one of an endpoint that had limits");
}
