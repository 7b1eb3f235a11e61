//! Starts that fail, and what the person at the terminal is told; and commands that only print.

use std::net::TcpListener;

use serde_json::Value;

use crate::support::{Firebase, Place, Store};

#[tokio::test]
async fn a_port_in_use_is_told_in_one_line_with_the_way_out() {
    let store = Store::migrated().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (command, place) in [("serve", Place::on(&store)), ("demo", Place::empty())] {
        let said = place.run(&[command, "--port", &port]).await;
        said.assert_code(1)
            .assert_one_line(&["cannot listen on", &port, "--port"]);
    }
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_is_refused() {
    let place = Place::empty();
    for arguments in [
        &[][..],
        &["sevre"],
        &["serve", "--port", "99999"],
        &["token", "emperor"],
        &["admin", "grant"],
    ] {
        place.run(arguments).await.assert_code(2);
    }
    let said = place.run(&["serve", "--help"]).await.assert_code(0);
    assert!(said.out.contains("Example:"), "{said:#?}");
}

#[tokio::test]
async fn the_openapi_document_is_json_and_needs_no_configuration() {
    let place = Place::in_bare_production().with("TARSIFY__NO__SUCH", "key");
    let said = place.run(&["openapi"]).await.assert_code(0);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/api/marketplace/models"), "{paths:?}");
    let said = place.run(&["openapi", "--markdown"]).await.assert_code(0);
    assert!(said.out.starts_with("# "), "{said:#?}");
}

#[tokio::test]
async fn the_doctor_finds_a_healthy_installation_healthy() {
    let (store, firebase) = (Store::migrated().await, Firebase::start().await);
    for place in [Place::on(&store), Place::in_production(&store, &firebase)] {
        let said = place.run(&["doctor"]).await.assert_code(0);
        assert!(!said.out.contains("WRONG"), "{said:#?}");
        for part in ["configuration", "database", "clock", "keys"] {
            assert!(said.out.contains(part), "{part}: {said:#?}");
        }
    }
}

#[tokio::test]
async fn the_doctor_names_every_part_that_is_ill() {
    let store = Store::empty().await;
    let place = Place::in_production(&store, &Firebase::unreachable());
    let said = place.run(&["doctor", "--json"]).await.assert_code(1);
    let findings: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let ill = findings.iter().filter(|finding| finding["ok"] == false);
    let ill: Vec<_> = ill.map(|finding| finding["part"].clone()).collect();
    assert_eq!(ill, ["database", "keys"], "{said:#?}");
    assert!(said.out.contains("tarsify migrate"), "{said:#?}");

    let nowhere = "postgresql://nobody@127.0.0.1:1/nothing";
    let place = Place::empty().with("DATABASE_URL", nowhere);
    let said = place.run(&["doctor"]).await.assert_code(1);
    assert!(said.out.contains("WRONG  database"), "{said:#?}");
}
