//! Templates are made once and whole; clones are apart from each other.

use std::sync::atomic::{AtomicU32, Ordering};

use tarsify_local_postgres::LocalPostgresError;

use crate::bench::{ask, folder, start, try_ask};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raced_template_is_made_once_and_its_clones_are_apart() {
    let folder = folder();
    let (first, second) = tokio::join!(start(folder.path()), start(folder.path()));
    let made = AtomicU32::new(0);
    let make = async |url: String| {
        made.fetch_add(1, Ordering::Relaxed);
        try_ask(&url, "CREATE TABLE things (name text)").map(drop)
    };
    let (a, b) = tokio::join!(
        first.ensure_template("shape", make),
        second.ensure_template("shape", make)
    );
    a.unwrap();
    b.unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 1);

    let one = first.clone_database("shape", "clone_one").await.unwrap();
    let two = second.clone_database("shape", "clone_two").await.unwrap();
    ask(&one, "INSERT INTO things VALUES ('mine')");
    assert_eq!(ask(&one, "SELECT count(*) FROM things"), "1");
    assert_eq!(ask(&two, "SELECT count(*) FROM things"), "0");
    first.drop_database("clone_one").await.unwrap();
    first.drop_database("clone_one").await.unwrap();
    assert!(
        try_ask(&one, "SELECT 1")
            .unwrap_err()
            .contains("does not exist")
    );
    drop(second);
    first.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_template_is_made_anew() {
    let folder = folder();
    let server = start(folder.path()).await;
    let error = server
        .ensure_template("shape", async |_| Err("no luck"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, LocalPostgresError::Template { .. }),
        "{error}"
    );
    assert!(server.clone_database("shape", "early").await.is_err());
    server
        .ensure_template("shape", async |url| {
            try_ask(&url, "CREATE TABLE t ()").map(drop)
        })
        .await
        .unwrap();
    let url = server.clone_database("shape", "late").await.unwrap();
    assert_eq!(ask(&url, "SELECT count(*) FROM t"), "0");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orphans_go_and_living_clones_stay() {
    let folder = folder();
    let server = start(folder.path()).await;
    let living = format!("clone_{}_1", std::process::id());
    for name in [
        "clone_2000000000_1",
        "clone_2000000000_2",
        "clone_other",
        &living,
    ] {
        server.create_database_if_absent(name).await.unwrap();
    }
    assert_eq!(server.drop_orphans("clone").await.unwrap(), 2);
    let left = ask(
        &server.url("postgres"),
        "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname ~ 'clone'",
    );
    assert_eq!(left, format!("{living} clone_other"));
    server.stop().await.unwrap();
}
