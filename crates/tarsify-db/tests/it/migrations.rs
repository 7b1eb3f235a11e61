//! Migrations, up, down and up again, and by several at once.

use std::fs::{read_dir, read_to_string};

use futures_util::future::join_all;
use tarsify_db::{Database, DatabaseSettings, Migrator, PgStoreHealth};
use tarsify_domain::RepoError;
use tarsify_domain::health::{SchemaState, StoreHealth};

use tarsify_testing::TestDatabase;

use crate::support::{Outside, database};

/// How many there are.
const MIGRATIONS: usize = 16;

/// Everything of the schema that SQL can tell, one line for each thing.
const SCHEMA: &str = "\
    SELECT format('%s.%s %s %s %s %s', table_name, column_name, data_type, is_nullable, \
        column_default, generation_expression) \
    FROM information_schema.columns WHERE table_schema = 'public' \
    UNION ALL SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) \
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
    UNION ALL SELECT format('%s %s', viewname, definition) FROM pg_views \
    WHERE schemaname = 'public' \
    UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
    UNION ALL SELECT format('%s %s', pg_get_triggerdef(t.oid), t.tgenabled) \
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid \
    WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal \
    ORDER BY 1";

async fn health(url: &str) -> PgStoreHealth {
    let database = Database::connect(&DatabaseSettings::new(url))
        .await
        .unwrap();
    PgStoreHealth::new(&database)
}

#[tokio::test]
async fn up_down_up_leaves_no_difference() {
    let empty = TestDatabase::empty().await;
    let url = empty.url().to_owned();
    let outside = Outside::connect(&url).await;
    let migrator = Migrator::new(&url).unwrap();
    let ran = migrator.run().await.unwrap();
    assert_eq!(ran.len(), MIGRATIONS, "{ran:?}");
    assert!(ran.is_sorted(), "{ran:?}");
    let first = outside.sql(SCHEMA).await;
    assert!(first.len() > 100);
    let undone = migrator.revert_all().await.unwrap();
    assert_eq!(undone, ran.iter().rev().cloned().collect::<Vec<_>>());
    let left = outside.sql(SCHEMA).await;
    assert!(
        left.iter()
            .all(|line| line.contains("__diesel_schema_migrations")),
        "{left:#?}"
    );
    assert_eq!(migrator.run().await.unwrap(), ran);
    assert_eq!(outside.sql(SCHEMA).await, first);
    assert_eq!(
        outside.sql("SELECT version FROM catalog_version").await,
        ["1"]
    );
    assert_eq!(migrator.run().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn each_step_down_restores_what_was_there() {
    let empty = TestDatabase::empty().await;
    let outside = Outside::connect(empty.url()).await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
    let mut steps: Vec<_> = read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    steps.sort();
    assert_eq!(steps.len(), MIGRATIONS);
    for step in steps {
        let [up, down] =
            ["up.sql", "down.sql"].map(|name| read_to_string(step.join(name)).unwrap());
        let before = outside.sql(SCHEMA).await;
        outside.sql(&up).await;
        outside.sql(&down).await;
        assert_eq!(outside.sql(SCHEMA).await, before, "{}", step.display());
        outside.sql(&up).await;
    }
}

#[tokio::test]
async fn each_migration_undoes_exactly_itself() {
    let empty = TestDatabase::empty().await;
    let url = empty.url().to_owned();
    let outside = Outside::connect(&url).await;
    let migrator = Migrator::new(&url).unwrap();
    migrator.run().await.unwrap();
    let whole = outside.sql(SCHEMA).await;
    // Without the newest one on record, only that one is run again; it must find its place free.
    let source = include_str!("../../../../migrations/2026-11-22-000011_provider_budgets/down.sql");
    outside.sql(source).await;
    outside
        .sql("DELETE FROM __diesel_schema_migrations WHERE version = '20261122000011'")
        .await;
    assert_eq!(migrator.pending().await.unwrap(), ["20261122000011"]);
    migrator.run().await.unwrap();
    assert_eq!(outside.sql(SCHEMA).await, whole);
}

#[tokio::test]
async fn migrators_at_the_same_time_share_the_work() {
    let empty = TestDatabase::empty().await;
    let url = empty.url().to_owned();
    let migrators = (0..6).map(|_| {
        let migrator = Migrator::new(&url).unwrap();
        async move { migrator.run().await.unwrap() }
    });
    let ran = join_all(migrators).await;
    assert_eq!(
        ran.iter().filter(|one| one.len() == MIGRATIONS).count(),
        1,
        "{ran:?}"
    );
    assert_eq!(
        ran.iter().filter(|one| one.is_empty()).count(),
        5,
        "{ran:?}"
    );
}

#[tokio::test]
async fn a_database_knows_how_old_it_is() {
    let empty = TestDatabase::empty().await;
    let url = empty.url().to_owned();
    let migrator = Migrator::new(&url).unwrap();
    let health = health(&url).await;
    let missing = migrator.pending().await.unwrap();
    assert_eq!(missing.len(), MIGRATIONS);
    let behind = SchemaState::Behind {
        missing: missing.clone(),
    };
    assert_eq!(health.schema_state().await.unwrap(), behind);
    assert_eq!(migrator.check().await.unwrap(), behind);
    let outside = Outside::connect(&url).await;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(outside.sql(tables).await, ["0"], "looking changes nothing");

    migrator.run().await.unwrap();
    assert_eq!(health.schema_state().await.unwrap(), SchemaState::Current);

    outside
        .sql("INSERT INTO __diesel_schema_migrations VALUES ('99990101000000')")
        .await;
    let ahead = SchemaState::Ahead {
        unknown: vec!["99990101000000".to_owned()],
    };
    assert_eq!(health.schema_state().await.unwrap(), ahead);

    let forget = "DELETE FROM __diesel_schema_migrations WHERE version = '20261122000011'";
    outside.sql(forget).await;
    let behind = SchemaState::Behind {
        missing: vec!["20261122000011".to_owned()],
    };
    assert_eq!(
        migrator.check().await.unwrap(),
        behind,
        "what is missing matters more"
    );
}

#[tokio::test]
async fn health_does_not_compete_with_requests() {
    let test = database().await;
    let health = PgStoreHealth::new(&test.database);
    test.database.close();
    let refused = health.schema_state().await;
    assert!(
        matches!(refused, Err(RepoError::Unavailable(_))),
        "{refused:?}"
    );
}
