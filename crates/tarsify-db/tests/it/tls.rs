//! TLS to servers that do it well, badly or not at all. Each logs in with a password by
//! SCRAM-SHA-256, which TLS binds to the connection.

mod certificates;
mod server;

use std::error::Error;

use tarsify_db::{
    ConnectError, Database, DatabaseSettings, MigrateError, Migrator, PgMarketRepository,
    PgStoreHealth,
};
use tarsify_domain::catalog::MarketRepository;
use tarsify_domain::health::StoreHealth;

use crate::support::Outside;
use server::{ELSEWHERE, PASSWORD, PLAIN, SECURE, Server};

async fn connect(url: &str) -> Result<Database, ConnectError> {
    let connected = Database::connect(&DatabaseSettings::new(url)).await;
    if let Err(error) = &connected {
        let told = format!("{} {error:?}", chain(error));
        assert!(!told.contains(PASSWORD), "{told}");
    }
    connected
}

fn chain(error: &dyn Error) -> String {
    let cause = error.source().map(chain).unwrap_or_default();
    format!("{error}: {cause}")
}

async fn tls_refusal(url: &str) -> String {
    match connect(url).await {
        Err(error @ ConnectError::Tls(_)) => chain(&error),
        Err(other) => panic!("{url}: {other:?}"),
        Ok(_) => panic!("{url} was taken"),
    }
}

/// Opens a connection of each pool and answers what the server says of them.
async fn both_pools(server: &Server, url: &str, name: &str) -> Vec<String> {
    let mut settings = DatabaseSettings::new(url);
    name.clone_into(&mut settings.application_name);
    let database = Database::connect(&settings).await.unwrap();
    PgStoreHealth::new(&database).schema_state().await.unwrap();
    // Whether the table is there does not matter here: the connection is.
    drop(PgMarketRepository::new(database.clone()).version().await);
    let told = format!(
        "SELECT ssl || ' ' || version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
         WHERE application_name = '{name}'"
    );
    let outside = Outside::connect(&server.socket_url()).await;
    let told = outside.sql(&told).await;
    assert!(told.len() >= 2, "{told:?}");
    told
}

#[tokio::test]
async fn require_is_encrypted_in_both_pools_and_in_migrations() {
    let url = SECURE.url("localhost", "sslmode=require");
    // Nobody but this address's user gets in, and he not without TLS.
    Migrator::new(&url).unwrap().run().await.unwrap();
    Migrator::new(&url).unwrap().check().await.unwrap();
    for line in both_pools(&SECURE, &url, "require").await {
        assert_eq!(line, "true TLSv1.3");
    }
}

#[tokio::test]
async fn without_a_word_tls_is_used_where_the_server_does_it() {
    for line in both_pools(&SECURE, &SECURE.url("127.0.0.1", ""), "unsaid").await {
        assert_eq!(line, "true TLSv1.3");
    }
    connect(&PLAIN.url("127.0.0.1", "")).await.unwrap();
}

#[tokio::test]
async fn disable_has_no_tls() {
    let url = SECURE.url("127.0.0.1", "sslmode=disable");
    let Err(ConnectError::Unreachable(cause)) = connect(&url).await else {
        panic!("the server lets nobody in without TLS");
    };
    let told = cause.source().unwrap().to_string();
    assert!(told.contains("pg_hba.conf"), "{told}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_by_require_and_taken_by_prefer() {
    let told = tls_refusal(&PLAIN.url("localhost", "sslmode=require")).await;
    assert!(told.contains("ssl = on"), "{told}");
    let refused = Migrator::new(&PLAIN.url("localhost", "sslmode=require"))
        .unwrap()
        .run()
        .await;
    let fits = matches!(refused, Err(MigrateError::Connect(ConnectError::Tls(_))));
    assert!(fits, "{refused:?}");
    connect(&PLAIN.url("localhost", "sslmode=prefer"))
        .await
        .unwrap();
}

#[tokio::test]
async fn prefer_goes_without_where_the_server_lets_nobody_in_with_it() {
    let url = SECURE.url_of("without", "127.0.0.1", "sslmode=prefer");
    connect(&url).await.unwrap();
    let Err(ConnectError::Unreachable(_)) = connect(&url.replace("prefer", "require")).await else {
        panic!("require went without");
    };
    let roots = &SECURE.certificates.other_roots;
    // A server that it does not trust, it trusts as little as one without TLS.
    let url = SECURE.url_of(
        "without",
        "127.0.0.1",
        &format!("sslmode=prefer&sslrootcert={roots}"),
    );
    connect(&url).await.unwrap();
}

#[tokio::test]
async fn the_right_root_and_host_satisfy_every_check() {
    let roots = &SECURE.certificates.roots;
    for host in ["localhost", "127.0.0.1"] {
        for mode in ["require", "verify-ca", "verify-full"] {
            let wishes = format!("sslmode={mode}&sslrootcert={roots}&channel_binding=require");
            connect(&SECURE.url(host, &wishes)).await.unwrap();
        }
    }
    let pairs = format!(
        "hostaddr=127.0.0.1 port={} user=tarsify password='{PASSWORD}' dbname=postgres \
         sslmode=verify-full sslrootcert='{roots}'",
        SECURE.port
    );
    connect(&pairs).await.unwrap();
}

#[tokio::test]
async fn a_wrong_root_is_refused_wherever_it_is_checked() {
    let roots = &SECURE.certificates.other_roots;
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = SECURE.url("localhost", &format!("sslmode={mode}&sslrootcert={roots}"));
        let told = tls_refusal(&url).await;
        assert!(told.contains("UnknownIssuer"), "{mode}: {told}");
    }
    // The system has never heard of ours.
    let told = connect(&SECURE.url("localhost", "sslmode=verify-full")).await;
    let fits = matches!(
        told,
        Err(ConnectError::Tls(_) | ConnectError::SystemRoots(_))
    );
    assert!(fits, "{:?}", told.err());
}

#[tokio::test]
async fn a_wrong_host_is_refused_by_verify_full_only() {
    let roots = &ELSEWHERE.certificates.roots;
    let url = |mode: &str, more: &str| {
        ELSEWHERE.url(
            "localhost",
            &format!("sslmode={mode}&sslrootcert={roots}{more}"),
        )
    };
    let told = tls_refusal(&url("verify-full", "")).await;
    assert!(told.contains("not valid for name"), "{told}");
    for mode in ["require", "verify-ca"] {
        connect(&url(mode, "")).await.unwrap();
    }
    // The name counts, not where it leads.
    let named = format!(
        "host=elsewhere.example hostaddr=127.0.0.1 port={} user=tarsify password='{PASSWORD}' \
         dbname=postgres sslmode=verify-full sslrootcert='{roots}'",
        ELSEWHERE.port
    );
    connect(&named).await.unwrap();
}

#[tokio::test]
async fn passwords_are_bound_to_the_connection_and_checked() {
    connect(&SECURE.url("localhost", "sslmode=require&channel_binding=require"))
        .await
        .unwrap();
    let Err(error) = connect(&PLAIN.url("localhost", "channel_binding=require")).await else {
        panic!("nothing to bind to was enough");
    };
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    for mode in ["prefer", "require"] {
        let url = SECURE.url("localhost", &format!("sslmode={mode}"));
        let Err(error) = connect(&url.replace(PASSWORD, "guessed")).await else {
            panic!("{mode} took any password");
        };
        let told = chain(&error);
        assert!(told.contains("password authentication failed"), "{told}");
        assert!(!told.contains("guessed"), "{told}");
    }
}
