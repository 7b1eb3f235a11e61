//! Which addresses are read, and how.

use std::path::PathBuf;

use tokio_postgres::config::Host;

use super::{ConnectError, DatabaseSettings, parse};

#[test]
fn socket_folders_may_hold_spaces_in_either_form() {
    let folder = Host::Unix(PathBuf::from("/a path/with space"));
    for url in [
        "postgresql://tarsify@%2Fa%20path%2Fwith%20space/shop",
        "postgresql:///shop?host=/a%20path/with%20space&user=tarsify",
        "postgres:///shop?user=tarsify&host=%2Fa%20path%2Fwith%20space",
        "host='/a path/with space' user=tarsify dbname=shop",
    ] {
        let config = parse(url).unwrap();
        assert_eq!(config.get_hosts(), std::slice::from_ref(&folder), "{url}");
        assert_eq!(config.get_user(), Some("tarsify"), "{url}");
        assert_eq!(config.get_dbname(), Some("shop"), "{url}");
    }
}

#[test]
fn tls_is_refused_by_name_instead_of_left_out_in_silence() {
    for mode in ["require", "verify-ca", "verify-full"] {
        let refusal = parse(&format!("postgres://u@db.example/d?sslmode={mode}"));
        assert!(matches!(refusal, Err(ConnectError::Tls)), "{mode}");
    }
    for mode in ["disable", "prefer"] {
        parse(&format!("postgres://u@db.example/d?sslmode={mode}")).unwrap();
    }
}

#[test]
fn unreadable_addresses_are_refused_without_their_password() {
    for url in [
        "mysql://u:hunter2@h/d",
        "postgres://",
        "hunter2",
        "postgres://u:hunter2@h:port/d",
        "",
    ] {
        let Err(error) = parse(url) else {
            panic!("{url} was taken");
        };
        assert!(matches!(error, ConnectError::Address(_)), "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}");
    }
}

#[test]
fn bounds_are_added_to_the_options_of_the_address() {
    let url = "postgres://u@h/d?options=-c%20search_path%3Dshop";
    let config = DatabaseSettings::new(url).connection().unwrap();
    assert_eq!(
        config.get_options(),
        Some(
            "-c search_path=shop -c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"
        )
    );
    assert_eq!(config.get_application_name(), Some("tarsify"));
}

#[test]
fn settings_keep_their_address_to_themselves() {
    let settings = DatabaseSettings::new("postgres://u:hunter2@h/d");
    assert!(!format!("{settings:?}").contains("hunter2"));
}
