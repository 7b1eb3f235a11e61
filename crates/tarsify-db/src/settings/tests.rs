//! Which addresses are read, and how.

use std::path::PathBuf;

use tokio_postgres::config::{Host, SslMode};

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
        let config = parse(url).unwrap().config;
        assert_eq!(config.get_hosts(), std::slice::from_ref(&folder), "{url}");
        assert_eq!(config.get_user(), Some("tarsify"), "{url}");
        assert_eq!(config.get_dbname(), Some("shop"), "{url}");
    }
}

#[test]
fn tls_is_preferred_by_default_and_sockets_go_without() {
    for (url, expected) in [
        ("postgres://u@db.example/d", SslMode::Prefer),
        ("postgres://u@db.example/d?sslmode=prefer", SslMode::Prefer),
        (
            "postgres://u@db.example/d?sslmode=disable",
            SslMode::Disable,
        ),
        (
            "postgres://u@db.example/d?sslmode=require",
            SslMode::Require,
        ),
        (
            "host=db.example user=u sslmode = 'require'",
            SslMode::Require,
        ),
        ("postgres://u@%2Frun/d", SslMode::Disable),
        (
            "postgres://u@%2Frun/d?sslmode=verify-full&sslrootcert=/absent",
            SslMode::Disable,
        ),
        ("host=/run,db.example user=u", SslMode::Prefer),
    ] {
        let target = parse(url).unwrap();
        assert_eq!(target.config.get_ssl_mode(), expected, "{url}");
    }
}

#[test]
fn a_bare_address_is_its_own_name() {
    let target = parse("hostaddr=127.0.0.1,::1 user=u").unwrap();
    let names = ["127.0.0.1", "::1"].map(|name| Host::Tcp(name.to_owned()));
    assert_eq!(target.config.get_hosts(), names);
}

#[test]
fn wishes_for_tls_that_cannot_be_kept_are_refused() {
    type IsExpected = fn(&ConnectError) -> bool;
    let cases: [(&str, IsExpected); 12] = [
        ("sslmode=verify_full", |e| {
            matches!(e, ConnectError::TlsMode)
        }),
        ("sslmode=allow", |e| matches!(e, ConnectError::TlsMode)),
        ("sslmode=", |e| matches!(e, ConnectError::TlsMode)),
        ("ssl%6Dode=hunter2", |e| matches!(e, ConnectError::TlsMode)),
        ("sslmode=require&sslcert=c.pem&sslkey=k.pem", |e| {
            matches!(e, ConnectError::TlsOption { option: "sslcert" })
        }),
        ("sslcrl=list.pem", |e| {
            matches!(e, ConnectError::TlsOption { option: "sslcrl" })
        }),
        ("sslmode=disable&sslkey=k.pem", |e| {
            matches!(e, ConnectError::TlsOption { option: "sslkey" })
        }),
        ("sslmode=require&sslrootcert=system", |e| {
            matches!(e, ConnectError::TlsContradiction(_))
        }),
        ("sslnegotiation=direct", |e| {
            matches!(e, ConnectError::TlsContradiction(_))
        }),
        ("sslmode=require&host=/run", |e| {
            matches!(e, ConnectError::TlsContradiction(_))
        }),
        ("sslmode=verify-full&sslrootcert=/absent/root.pem", |e| {
            matches!(e, ConnectError::RootCertificates { .. })
                && e.to_string().contains("/absent/root.pem")
        }),
        ("sslcolour=red", |e| matches!(e, ConnectError::Address(_))),
    ];
    for (parameters, is_expected) in cases {
        let Err(error) = parse(&format!("postgres://u:hunter2@db.example/d?{parameters}")) else {
            panic!("{parameters} was taken");
        };
        assert!(is_expected(&error), "{parameters}: {error:?}");
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
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
    let config = DatabaseSettings::new(url).connection().unwrap().config;
    assert_eq!(
        config.get_options(),
        Some(
            "-c search_path=shop -c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 -c default_transaction_isolation=read\\ committed -c jit=off"
        )
    );
    assert_eq!(config.get_application_name(), Some("tarsify"));
}

#[test]
fn settings_keep_their_address_to_themselves() {
    let settings = DatabaseSettings::new("postgres://u:hunter2@h/d");
    assert!(!format!("{settings:?}").contains("hunter2"));
}
