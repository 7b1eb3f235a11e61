//! What it refuses, and whether the message tells how to mend it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tarsify_local_postgres::{LocalPostgres, LocalPostgresError};

use crate::bench::{base, folder, processes, settings, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_as_data_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = LocalPostgres::start(settings(file.path()))
        .await
        .unwrap_err();
    assert!(matches!(error, LocalPostgresError::DataFolder { .. }));
    assert!(
        error
            .to_string()
            .contains("it is a file, not a folder. Choose another one with TARSIFY_DATA_DIR"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pg_bin_without_postgres() {
    let folder = folder();
    let mut settings = settings(&folder.path().join("data"));
    settings.binaries = Some(folder.path().to_path_buf());
    let error = LocalPostgres::start(settings).await.unwrap_err();
    assert!(error.to_string().starts_with("PG_BIN is "), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_no_cluster() {
    let folder = folder();
    fs::create_dir(folder.path().join("postgres")).unwrap();
    fs::write(folder.path().join("postgres/letter.txt"), "dear").unwrap();
    // As root in a closed folder the cluster lives elsewhere and this one is not looked at.
    if let Err(error) = LocalPostgres::start(settings(folder.path())).await {
        assert!(
            error.to_string().contains("is not a PostgreSQL cluster"),
            "{error}"
        );
    }
    assert!(folder.path().join("postgres/letter.txt").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_another_version() {
    let folder = folder();
    start(folder.path()).await.stop().await.unwrap();
    let base = base(folder.path());
    fs::write(base.join("postgres/PG_VERSION"), "9\n").unwrap();
    let error = LocalPostgres::start(settings(folder.path()))
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("made by PostgreSQL 9") && message.contains("Install PostgreSQL 9"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_start() {
    let folder = folder();
    start(folder.path()).await.stop().await.unwrap();
    let base = base(folder.path());
    fs::write(base.join("postgres/postgresql.conf"), "nonsense = 1\n").unwrap();
    let error = LocalPostgres::start(settings(folder.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, LocalPostgresError::NotReady { .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("unrecognized configuration parameter \"nonsense\""),
        "{error}"
    );
    assert_eq!(processes(folder.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_folder_open_to_others() {
    let folder = folder();
    let server = start(folder.path()).await;
    let socket_dir = server.socket_dir().to_path_buf();
    server.stop().await.unwrap();
    if !socket_dir.exists() {
        return;
    }
    fs::set_permissions(&socket_dir, fs::Permissions::from_mode(0o777)).unwrap();
    let error = LocalPostgres::start(settings(folder.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, LocalPostgresError::UnsafeFolder { .. }),
        "{error}"
    );
}
