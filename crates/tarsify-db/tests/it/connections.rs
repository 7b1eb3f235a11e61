//! How connections are set up, shared, lost and replaced.

use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tarsify_db::{
    ConnectError, Database, DatabaseSettings, PgConsumerRepository, PgDeveloperRepository,
    PgMarketRepository, PgStoreHealth, PgTarsModelRepository,
};
use tarsify_domain::RepoError;
use tarsify_domain::catalog::{MarketRepository, TarsModelRepository};
use tarsify_domain::health::StoreHealth;
use tarsify_domain::people::{ConsumerRepository, DeveloperRepository, Realm};
use tokio::runtime::Builder;

use crate::support::{Outside, TestDatabase, database};
use crate::things::{Shop, identity, new_consumer};

const OURS: &str = "application_name = 'tarsify' AND datname = current_database()";

async fn end_all(test: &TestDatabase) {
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}");
    assert!(!test.sql(&end).await.is_empty());
}

#[tokio::test]
async fn every_connection_keeps_its_bounds() {
    let test = database().await;
    // Only the connections themselves know; a function of the schema tells on them.
    let tell = "CREATE OR REPLACE VIEW told AS SELECT 1; DROP VIEW told; \
        ALTER TABLE catalog_version RENAME TO kept; \
        CREATE VIEW catalog_version AS SELECT 1 AS id, ( \
            (current_setting('statement_timeout') = '5s')::int * 1 \
            + (current_setting('lock_timeout') = '2s')::int * 10 \
            + (current_setting('idle_in_transaction_session_timeout') = '10s')::int * 100 \
            + (current_setting('application_name') = 'tarsify')::int * 1000 \
            + (current_setting('TimeZone') = 'UTC')::int * 10000)::bigint AS version";
    test.sql(tell).await;
    for database in [test.database.clone(), test.database.apart()] {
        let market = PgMarketRepository::new(database);
        assert_eq!(market.version().await.unwrap(), 11_111);
    }
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_replaced() {
    let shop = Shop::open().await;
    let model = shop.draft(1).await;
    for _ in 0..5 {
        end_all(&shop.test).await;
        shop.market.version().await.unwrap();
    }
    // Writes are healed where the dead connection was noticed before.
    end_all(&shop.test).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    shop.tars_models.revise(&model).await.unwrap();
}

#[tokio::test]
async fn a_read_survives_the_end_of_its_connection() {
    let shop = Shop::open().await;
    let outside = Outside::connect(&shop.test.url).await;
    outside.sql("BEGIN; LOCK TABLE catalog_version").await;
    let end = async {
        let waiting =
            format!("SELECT pid FROM pg_stat_activity WHERE {OURS} AND wait_event_type = 'Lock'");
        let mut pids = outside.sql(&waiting).await;
        while pids.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            pids = outside
                .sql(&format!("SELECT pg_stat_clear_snapshot(); {waiting}"))
                .await;
            pids.retain(|pid| !pid.is_empty());
        }
        outside
            .sql(&format!("SELECT pg_terminate_backend({})", pids[0]))
            .await;
        outside.sql("COMMIT").await;
    };
    let (version, ()) = futures_util::future::join(shop.market.version(), end).await;
    version.unwrap();
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_makes_the_store_unavailable() {
    let test = database().await;
    let mut settings = DatabaseSettings::new(&test.url);
    settings.lock_timeout = Duration::from_millis(50);
    let hasty = Database::connect(&settings).await.unwrap();
    settings.statement_timeout = Duration::from_millis(50);
    settings.lock_timeout = Duration::from_secs(2);
    let hastier = Database::connect(&settings).await.unwrap();
    let outside = Outside::connect(&test.url).await;
    outside.sql("BEGIN; LOCK TABLE catalog_version").await;
    for database in [hasty, hastier] {
        let market = PgMarketRepository::new(database);
        let refused = market.version().await;
        assert!(
            matches!(refused, Err(RepoError::Unavailable(_))),
            "{refused:?}"
        );
        let still = market.version().await;
        assert!(matches!(still, Err(RepoError::Unavailable(_))), "{still:?}");
    }
}

#[tokio::test]
async fn a_write_that_gave_way_to_a_lock_is_repeated_once() {
    let shop = Shop::open().await;
    let model = shop.draft(1).await;
    let mut settings = DatabaseSettings::new(&shop.test.url);
    settings.lock_timeout = Duration::from_millis(300);
    let hasty = Database::connect(&settings).await.unwrap();
    let models = PgTarsModelRepository::new(hasty);
    let outside = Outside::connect(&shop.test.url).await;
    outside
        .sql("BEGIN; SELECT id FROM tars_models FOR UPDATE")
        .await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        outside.sql("COMMIT").await;
    };
    let (revised, ()) = futures_util::future::join(models.revise(&model), release).await;
    assert_eq!(revised.unwrap().version, model.version.next());
}

#[tokio::test]
async fn who_waits_too_long_for_a_connection_is_refused_and_health_is_not() {
    let test = database().await;
    let mut settings = DatabaseSettings::new(&test.url);
    settings.max_connections = 2;
    settings.acquire_timeout = Duration::from_millis(100);
    let database = Database::connect(&settings).await.unwrap();
    let market = PgMarketRepository::new(database.clone());
    let health = PgStoreHealth::new(&database);
    let outside = Outside::connect(&test.url).await;
    outside.sql("BEGIN; LOCK TABLE catalog_version").await;
    let look = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let start = Instant::now();
        let refused = market.version().await;
        assert!(
            matches!(refused, Err(RepoError::Unavailable(_))),
            "{refused:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(1));
        health.schema_state().await.unwrap();
        outside.sql("COMMIT").await;
    };
    let waiting = join_all((0..2).map(|_| market.version()));
    let (versions, ()) = futures_util::future::join(waiting, look).await;
    assert!(versions.iter().all(Result::is_ok), "{versions:?}");
}

#[tokio::test]
async fn who_gives_up_in_the_middle_leaves_a_good_connection() {
    let test = database().await;
    let mut settings = DatabaseSettings::new(&test.url);
    settings.max_connections = 1;
    let database = Database::connect(&settings).await.unwrap();
    let market = PgMarketRepository::new(database);
    market.version().await.unwrap();
    let outside = Outside::connect(&test.url).await;
    outside.sql("BEGIN; LOCK TABLE catalog_version").await;
    let given_up = tokio::time::timeout(Duration::from_millis(50), market.version()).await;
    given_up.unwrap_err();
    outside.sql("COMMIT").await;
    market.version().await.unwrap();
}

/// Each thread of a web server has a runtime of its own, which may be busy, or end.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_does_not_depend_on_the_runtime_that_first_asked_for_it() {
    let test = database().await;
    let mut settings = DatabaseSettings::new(&test.url);
    settings.max_connections = 1;
    settings.statement_timeout = Duration::from_secs(1);
    let database = Database::connect(&settings).await.unwrap();
    let elsewhere = PgMarketRepository::new(database.clone());
    let (asked, heard) = mpsc::channel();
    let (over, end) = mpsc::channel::<()>();
    let busy = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        asked.send(runtime.block_on(elsewhere.version())).unwrap();
        // From here on nothing of this runtime moves.
        end.recv().unwrap();
    });
    heard.recv().unwrap().unwrap();
    let consumers = PgConsumerRepository::new(database);
    let registered = consumers.register(&new_consumer(1)).await;
    over.send(()).unwrap();
    busy.join().unwrap();
    registered.unwrap();
}

#[tokio::test]
async fn a_server_that_stands_still_keeps_nobody_waiting() {
    let test = database().await;
    let mut settings = DatabaseSettings::new(&test.url);
    settings.application_name = "standing still".to_owned();
    settings.max_connections = 1;
    settings.statement_timeout = Duration::from_millis(200);
    let database = Database::connect(&settings).await.unwrap();
    let market = PgMarketRepository::new(database);
    market.version().await.unwrap();
    let ours = "SELECT pid FROM pg_stat_activity WHERE application_name = 'standing still'";
    let backends = test.sql(ours).await;
    assert!(!backends.is_empty());
    signal("-STOP", &backends);
    let asked = tokio::time::timeout(Duration::from_secs(4), market.version()).await;
    signal("-CONT", &backends);
    let error = asked.unwrap().unwrap_err();
    assert!(matches!(error, RepoError::Unavailable(_)), "{error:?}");
    // The connection that fell silent is not given to anybody else.
    market.version().await.unwrap();
}

fn signal(which: &str, processes: &[String]) {
    let sent = Command::new("kill").arg(which).args(processes).status();
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_found_at_the_start() {
    let test = database().await;
    let nowhere = test.url.replace("/tarsify_test_", "/absent_");
    for url in [nowhere.as_str(), "postgres://u:hunter2@127.0.0.1:1/d"] {
        let Err(error) = Database::connect(&DatabaseSettings::new(url)).await else {
            panic!("{url} led somewhere");
        };
        assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_migration_under_a_running_process_is_survived() {
    let shop = Shop::open().await;
    let mut settings = DatabaseSettings::new(&shop.test.url);
    settings.max_connections = 1;
    let database = Database::connect(&settings).await.unwrap();
    let developers = PgDeveloperRepository::new(database);
    let mut developer = shop.developer(1).await;
    let key = identity(Realm::Developers, 1);
    for kind in ["varchar", "text"] {
        developers.find_by_identity(&key).await.unwrap().unwrap();
        developer = developers.revise(&developer).await.unwrap();
        // What was prepared on the connection no longer fits.
        let alter = format!("ALTER TABLE people ALTER COLUMN avatar_url TYPE {kind}");
        shop.test.sql(&alter).await;
        developers.find_by_identity(&key).await.unwrap().unwrap();
        shop.test
            .sql("ALTER TABLE people ALTER COLUMN avatar_url TYPE varchar(2048)")
            .await;
        developer = developers.revise(&developer).await.unwrap();
    }
}

#[tokio::test]
async fn statements_are_prepared_once() {
    let test = database().await;
    let mut settings = DatabaseSettings::new(&test.url);
    settings.max_connections = 1;
    let database = Database::connect(&settings).await.unwrap();
    let market = PgMarketRepository::new(database);
    // The session tells how many statements it has prepared.
    let tell = "ALTER TABLE catalog_version RENAME TO kept; \
        CREATE VIEW catalog_version AS SELECT 1 AS id, \
            (SELECT count(*) FROM pg_prepared_statements) AS version";
    test.sql(tell).await;
    let first = market.version().await.unwrap();
    for _ in 0..3 {
        assert_eq!(market.version().await.unwrap(), first);
    }
    assert!(first >= 1);
}
