//! The local mode's folder: used as it is found, or refused with the reason.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::{Place, get, post};

#[tokio::test]
async fn a_file_in_its_place_is_told() {
    let place = Place::empty().with("TARSIFY_DATA_DIR", "data");
    place.write("data", "not a folder");
    for command in [&["serve", "--port", "0"][..], &["demo", "--port", "0"]] {
        let said = place.run(command).await.assert_code(1);
        said.assert_complains(&["data", "it is a file"]);
    }
    let said = place.run(&["token", "consumer"]).await.assert_code(1);
    said.assert_one_line(&["data"]);
    assert_eq!(
        fs::read_to_string(place.path().join("data")).unwrap(),
        "not a folder"
    );
}

#[tokio::test]
async fn a_folder_that_may_not_be_read_is_told() {
    let place = Place::empty().with("TARSIFY_DATA_DIR", "data");
    let data = place.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o000)).unwrap();
    // To root every folder is open.
    if fs::read_dir(&data).is_err() {
        let said = place.run(&["serve", "--port", "0"]).await.assert_code(1);
        said.assert_complains(&["data"]);
        let said = place.run(&["token", "consumer"]).await.assert_code(1);
        said.assert_one_line(&["data"]);
    }
    fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn commands_join_the_private_database_of_a_running_server() {
    let place = Place::empty().with("TARSIFY_DATA_DIR", "all my data");
    let server = place.serve().await;
    let developer = place.token("developer", "grace@example.com").await;
    let register = post("/api/studio/auth/register").by(&developer);
    server.send(register).await.assert_ok(201);
    let said = place.run(&["admin", "grant", "grace@example.com"]).await;
    said.assert_code(0);
    place.run(&["doctor"]).await.assert_code(0);
    let endpoints = get("/api/admin/endpoints").by(&developer);
    server.send(endpoints.clone()).await.assert_ok(200);
    server.stop("TERM").await.assert_code(0);

    // All of it is there at the next start.
    let server = place.serve().await;
    server.send(endpoints).await.assert_ok(200);
    server.stop("INT").await.assert_code(0);
}
