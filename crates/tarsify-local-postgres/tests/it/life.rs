//! One user: start, ask, stop, start again; odd paths; a server that is killed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::bench::{
    ask, ask_until_answered, base, folder, kill, postmaster, processes, start, wait_for_another,
    wait_until,
};

const NO_PROCESSES: Vec<String> = Vec::new();

async fn works(data_dir: &Path) {
    let server = start(data_dir).await;
    assert_eq!(ask(&server.url("postgres"), "SELECT 1"), "1");
    server.stop().await.unwrap();
    assert_eq!(processes(data_dir), NO_PROCESSES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_leaves_no_process_and_keeps_its_data() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = start(&data_dir).await;
    server.create_database_if_absent("tarsify").await.unwrap();
    server.create_database_if_absent("tarsify").await.unwrap();
    ask(
        &server.url("tarsify"),
        "CREATE TABLE kept AS SELECT 7 AS number",
    );
    server.stop().await.unwrap();
    assert_eq!(processes(&data_dir), NO_PROCESSES);
    let server = start(&data_dir).await;
    assert_eq!(ask(&server.url("tarsify"), "SELECT number FROM kept"), "7");
    server.stop().await.unwrap();
    assert_eq!(processes(&data_dir), NO_PROCESSES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_set_up_as_promised() {
    let folder = folder();
    let server = start(folder.path()).await;
    let url = server.url("postgres");
    for (setting, expected) in [
        ("listen_addresses", ""),
        ("max_connections", "200"),
        ("TimeZone", "UTC"),
        ("jit", "off"),
        ("fsync", "off"),
        ("server_encoding", "UTF8"),
    ] {
        assert_eq!(ask(&url, &format!("SHOW {setting}")), expected, "{setting}");
    }
    assert_eq!(
        ask(&url, "SELECT current_user, usesuper FROM pg_user"),
        "tarsify|t"
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(server.socket_dir()).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o700);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_may_hold_spaces_and_quotes() {
    let folder = folder();
    works(&folder.path().join("my, \"own\" 100% data")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_may_be_very_long() {
    let folder = folder();
    works(&folder.path().join("long".repeat(40)).join("data")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relative_path_is_as_good() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let name = folder.path().file_name().unwrap();
    works(&Path::new(name).join("data")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_comes_back() {
    let folder = folder();
    let server = start(folder.path()).await;
    let url = server.url("postgres");
    let first = postmaster(folder.path());
    kill(first);
    wait_for_another(folder.path(), first);
    assert_eq!(ask_until_answered(&url, "SELECT 1"), "1");
    server.stop().await.unwrap();
    assert_eq!(processes(folder.path()), NO_PROCESSES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_server_goes_as_well() {
    let folder = folder();
    drop(start(folder.path()).await);
    wait_until("the server is gone", || processes(folder.path()).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_made_clusters_are_removed() {
    let folder = folder();
    fs::create_dir_all(folder.path().join("postgres.new-1/base")).unwrap();
    fs::create_dir(folder.path().join("postgres")).unwrap();
    works(folder.path()).await;
    // A relocated cluster is made elsewhere, and nobody looks here.
    if base(folder.path()) == folder.path() {
        assert!(!folder.path().join("postgres.new-1").exists());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_misleading_process_id_does_not_hinder() {
    let folder = folder();
    works(folder.path()).await;
    let cluster = base(folder.path()).join("postgres");
    // As after a crash of the machine: the id belongs to another program now, and was ready once.
    let (id, path) = (std::process::id(), cluster.display());
    let lines = format!("{id}\n{path}\n1\n5432\n/nowhere\n\n0 0\nready\n");
    fs::write(cluster.join("postmaster.pid"), lines).unwrap();
    works(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_closed_to_others_is_good_enough() {
    let outer = folder();
    fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = outer.path().join("data");
    let server = start(&data_dir).await;
    server.create_database_if_absent("kept").await.unwrap();
    server.stop().await.unwrap();
    let home = base(&data_dir);
    works(&data_dir).await;
    assert_eq!(base(&data_dir), home);
    if fs::metadata(&data_dir).unwrap().uid() != 0 {
        assert_eq!(home, data_dir);
        return;
    }
    assert_ne!(home, data_dir);
    // Once the data folder is gone, the next relocated cluster removes this one.
    drop(outer);
    let other = folder();
    fs::set_permissions(other.path(), fs::Permissions::from_mode(0o700)).unwrap();
    works(other.path()).await;
    assert!(!home.exists());
    fs::remove_dir_all(base(other.path())).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_became_unreachable_is_not_silently_replaced() {
    let outer = folder();
    let data_dir = outer.path().join("data");
    works(&data_dir).await;
    fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
    // An ordinary user needs nobody's leave, and a relocated cluster stays reachable.
    if fs::metadata(&data_dir).unwrap().uid() != 0 || base(&data_dir) != data_dir {
        works(&data_dir).await;
        return;
    }
    let error = tarsify_local_postgres::LocalPostgres::start(crate::bench::settings(&data_dir))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("Run `chmod o+x` on that folder"),
        "{error}"
    );
}
