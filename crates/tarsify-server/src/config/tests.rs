//! The configuration as an operator meets it: defaults, layers and which of them wins. Mistakes, what is shown, and the
//! shipped files have tests of their own beside this.

mod faults;
mod files;
mod shown;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::sections::Executions;
use super::*;

const PASSWORD: &str = "hunter2";

fn variables(pairs: &[(&str, &str)]) -> EnvironmentVariables {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn load_from(pairs: &[(&str, &str)]) -> Result<Loaded, Faults> {
    load(&variables(pairs), Path::new("/base"))
}

fn config(pairs: &[(&str, &str)]) -> Config {
    load_from(pairs)
        .unwrap_or_else(|faults| panic!("{pairs:?}: {faults}"))
        .config
}

fn report(pairs: &[(&str, &str)]) -> String {
    load_from(pairs)
        .err()
        .map_or_else(String::new, |faults| faults.to_string())
}

/// Loads with a `TARSIFY_CONFIG` file of this text.
fn load_file(text: &str, pairs: &[(&str, &str)]) -> Result<Loaded, Faults> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), text).unwrap();
    let mut variables = variables(pairs);
    variables.insert("TARSIFY_CONFIG".to_owned(), "mine.toml".to_owned());
    load(&variables, folder.path())
}

fn file_report(text: &str) -> String {
    load_file(text, &[])
        .err()
        .map_or_else(String::new, |faults| faults.to_string())
}

const PRODUCTION: [(&str, &str); 4] = [
    ("TARSIFY_ENV", "production"),
    (
        "DATABASE_URL",
        "postgres://tarsify:hunter2@db.internal/tarsify",
    ),
    ("FIREBASE_USERS_PROJECT_ID", "shop-users"),
    ("FIREBASE_DEVS_PROJECT_ID", "shop-devs"),
];

fn production_and(pairs: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    PRODUCTION.iter().chain(pairs).copied().collect()
}

#[test]
fn nothing_set_is_a_development_on_this_machine_alone() {
    let config = config(&[]);
    assert_eq!(config.environment, Environment::Development);
    assert_eq!(
        config.server.listen_address(),
        (Ipv4Addr::LOCALHOST, 8080).into()
    );
    assert!(config.has_private_database() && config.has_local_identities());
    assert!(!config.server.hsts);
    assert_eq!(config.server.public_url, None);
    assert_eq!(config.local.data_dir, Path::new("/base/.tarsify"));
    assert_eq!(config.log.format, LogFormat::Auto);
    assert_eq!(config.market.cache_bytes, 16 * 1024 * 1024);
    assert_eq!(config.market.poll_interval, Duration::from_millis(500));
    assert!(config.identity.leeway <= Duration::from_secs(60));
    assert_eq!(
        config.identity.firebase_jwks_url.host_str(),
        Some("www.googleapis.com")
    );
}

#[test]
fn the_token_for_metrics_is_one_word_that_nobody_guesses() {
    const NAME: &str = "METRICS_AUTH_TOKEN";
    assert_eq!(config(&[]).metrics.auth_token, None);
    let token = config(&[(NAME, "0123456789abcdef")]).metrics.auth_token;
    assert_eq!(token.unwrap().expose(), "0123456789abcdef");
    for bad in ["0123456789abcde", "0123456789 abcdef", "0123456789abcdéf0"] {
        let report = report(&[(NAME, bad)]);
        assert!(report.contains("metrics.auth_token"), "{bad}: {report}");
        assert!(report.contains("openssl"), "{bad}: {report}");
        assert!(!report.contains(bad), "{report}");
    }
    let empty = file_report("[metrics]\nauth_token = \"  \"\n");
    assert!(empty.contains("metrics.auth_token"), "{empty}");
}

#[test]
fn traces_go_nowhere_unless_it_is_said_where() {
    assert_eq!(config(&[]).traces.endpoint, None);
    let traces = config(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "X-Key=a%2Cb=, other=Basic%20aGk=",
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"),
    ])
    .traces;
    assert_eq!(traces.endpoint.unwrap().as_str(), "http://collector:4318/");
    assert_eq!(traces.timeout, Duration::from_secs(2));
    assert_eq!(traces.sample_percent, 10);
    let headers: Vec<_> = traces
        .headers
        .iter()
        .map(|header| header.expose().clone())
        .collect();
    let expected = [("x-key", "a,b="), ("other", "Basic aGk=")];
    assert_eq!(
        headers,
        expected.map(|(name, value)| (name.into(), value.into()))
    );
}

#[test]
fn runs_have_the_bounds_that_are_promised() {
    let config = config(&[]);
    assert_eq!(config.server.role, Role::All);
    let Executions {
        queue_allowance,
        lost_answer_grace,
        in_hand,
        daily_test_runs,
        lease,
    } = config.executions;
    let seconds = [queue_allowance, lost_answer_grace, lease].map(|time| time.as_secs());
    assert_eq!(seconds, [600, 90, 30]);
    assert_eq!((in_hand, daily_test_runs), (256, 50));
    let runpod = config.runpod;
    assert_eq!(runpod.base_url.as_str(), "https://api.runpod.ai/v2");
    assert!(!runpod.has_own_base_url && !runpod.is_local() && runpod.lacks_key());
}

#[test]
fn what_is_old_is_removed_after_its_days_or_never() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let kept = config(&[]).retention;
    assert_eq!(
        (kept.events, kept.payloads),
        (Some(90 * DAY), Some(30 * DAY))
    );
    let told = [
        ("RETENTION_EVENTS_DAYS", "0"),
        ("RETENTION_PAYLOADS_DAYS", "8"),
    ];
    let kept = config(&told).retention;
    assert_eq!((kept.events, kept.payloads), (None, Some(8 * DAY)));
}

#[test]
fn each_role_does_its_part() {
    for (name, serves, works) in [
        ("all", true, true),
        ("api", true, false),
        ("worker", false, true),
    ] {
        let role = config(&[("TARSIFY__SERVER__ROLE", name)]).server.role;
        assert_eq!((role.serves(), role.works()), (serves, works), "{name}");
    }
}

#[test]
fn a_key_is_missed_only_where_runpod_itself_is_asked() {
    let emulator = ("RUNPOD_BASE_URL", "http://127.0.0.1:8090/v2");
    let in_full = ("RUNPOD_BASE_URL", "https://api.runpod.ai/v2/");
    let key = ("RUNPOD_API_KEY", "rpa_x");
    assert!(!config(&[emulator]).runpod.lacks_key());
    assert!(config(&[in_full]).runpod.lacks_key());
    assert!(!config(&[in_full, key]).runpod.lacks_key());
    assert!(config(&[in_full]).runpod.has_own_base_url);
    // An empty one chooses nothing.
    assert!(!config(&[("RUNPOD_BASE_URL", "")]).runpod.has_own_base_url);
}

#[test]
fn production_listens_everywhere_and_logs_json() {
    let config = config(&PRODUCTION);
    assert_eq!(config.environment, Environment::Production);
    assert_eq!(config.server.host, Ipv4Addr::UNSPECIFIED);
    assert_eq!(config.log.format, LogFormat::Json);
    assert!(config.server.hsts);
    assert!(!config.has_private_database() && !config.has_local_identities());
}

#[test]
fn a_database_of_ones_own_ends_the_private_one_but_not_local_identities() {
    let config = config(&[("DATABASE_URL", "postgres://localhost/mine")]);
    assert!(!config.has_private_database() && config.has_local_identities());
}

#[test]
fn callers_are_held_to_limits_and_no_proxy_is_believed_unless_somebody_says_so() {
    let silent = config(&[]).server;
    assert!(silent.rate_limits && silent.trusted_proxies.is_empty());
    let told = config(&[
        ("TRUSTED_PROXIES", "none, 10.0.0.0/8, 2001:db8::1"),
        ("RATE_LIMITS", "off"),
    ]);
    let proxies = told.server.trusted_proxies.iter();
    let proxies: Vec<_> = proxies.map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "2001:db8::1/128"]);
    assert!(!told.server.rate_limits);
}

#[test]
fn every_plain_variable_reaches_its_value() {
    let config = config(&[
        ("PORT", "9000"),
        ("PUBLIC_URL", "https://api.example.com"),
        (
            "CORS_ORIGINS",
            "https://Shop.example.com:443/ | http://localhost:3000,",
        ),
        ("TARSIFY_DATA_DIR", "/var/lib/tarsify"),
        ("PG_BIN", "pg/bin"),
        ("TARSIFY_ALLOW_PUBLIC_DEVELOPMENT", "1"),
        ("DATABASE_URL", " postgres://u:hunter2@h/d\n"),
        ("FIREBASE_USERS_PROJECT_ID", "a-users"),
        ("FIREBASE_DEVS_PROJECT_ID", "a-devs"),
        ("FIREBASE_JWKS_URL", "http://127.0.0.1:1/keys"),
        ("FIREBASE_AUTH_EMULATOR_HOST", "localhost:9099"),
        ("ADMIN_UIDS", "first, auth0|second"),
        ("RUNPOD_API_KEY", " rpa_hunter2 "),
        ("RUNPOD_BASE_URL", "http://127.0.0.1:8090/v2"),
        ("RUNPOD_EP_TTS", "tts"),
        ("RUNPOD_EP_SDXL", "sdxl"),
        ("RUNPOD_EP_WHISPER", "whisper"),
        ("RUNPOD_EP_VLLM", "vllm"),
        ("REDIS_URL", "redis://:hunter2@cache/1"),
        ("LOG_LEVEL", "INFO,tarsify_db=debug"),
    ]);
    assert_eq!(config.server.port, 9000);
    assert_eq!(
        config.server.public_url.unwrap().as_str(),
        "https://api.example.com/"
    );
    let origins: Vec<&str> = config
        .server
        .cors_origins
        .iter()
        .map(Origin::as_str)
        .collect();
    assert_eq!(
        origins,
        ["https://shop.example.com", "http://localhost:3000"]
    );
    assert_eq!(config.local.data_dir, Path::new("/var/lib/tarsify"));
    assert_eq!(config.local.pg_bin.unwrap(), Path::new("/base/pg/bin"));
    assert_eq!(
        config.database.url.unwrap().expose(),
        "postgres://u:hunter2@h/d"
    );
    assert_eq!(
        config.identity.firebase_users_project_id.unwrap(),
        "a-users"
    );
    assert_eq!(config.identity.firebase_devs_project_id.unwrap(), "a-devs");
    assert_eq!(config.identity.firebase_jwks_url.port(), Some(1));
    assert_eq!(
        config.identity.firebase_emulator_host.unwrap(),
        "localhost:9099"
    );
    assert_eq!(config.identity.admin_uids, ["first", "auth0|second"]);
    assert!(config.runpod.is_local() && !config.runpod.lacks_key());
    let RunPod {
        api_key,
        base_url,
        has_own_base_url,
        ep_tts,
        ep_sdxl,
        ep_whisper,
        ep_vllm,
    } = config.runpod;
    assert_eq!(api_key.unwrap().expose(), "rpa_hunter2");
    assert_eq!(base_url.as_str(), "http://127.0.0.1:8090/v2");
    assert!(has_own_base_url);
    let endpoints = [ep_tts, ep_sdxl, ep_whisper, ep_vllm].map(Option::unwrap);
    assert_eq!(endpoints, ["tts", "sdxl", "whisper", "vllm"]);
    assert!(config.redis.address.is_some());
    assert_eq!(config.redis.prefix, "tarsify");
    assert_eq!(config.log.level, "INFO,tarsify_db=debug");
}

#[test]
fn later_layers_win() {
    let file = "[server]\nport = 1111\n[log]\nformat = \"text\"\n[database]\npool_size = 9\n";
    let only_file = load_file(file, &[]).unwrap().config;
    assert_eq!(
        only_file.server.port, 1111,
        "the file wins over default.toml"
    );
    assert_eq!(only_file.database.pool_size, 9);

    let in_production = load_file(file, &PRODUCTION).unwrap().config;
    assert_eq!(
        in_production.log.format,
        LogFormat::Text,
        "the file wins over production.toml"
    );

    let plain = load_file(file, &[("PORT", "2222")]).unwrap().config;
    assert_eq!(plain.server.port, 2222, "a variable wins over the file");

    let both = [("PORT", "2222"), ("TARSIFY__SERVER__PORT", "3333")];
    let full = load_file(file, &both).unwrap().config;
    assert_eq!(
        full.server.port, 3333,
        "the full name wins over the plain one"
    );

    let empty = load_file(file, &[("PORT", " ")]).unwrap().config;
    assert_eq!(empty.server.port, 1111, "an empty variable is unset");
}

#[test]
fn a_file_may_choose_production() {
    let file = "[environment]\nname = \"production\"\n";
    let loaded = load_file(file, &PRODUCTION[1..]).unwrap();
    assert!(loaded.config.server.hsts);
    let faults = load_file(file, &[]).unwrap_err().to_string();
    assert!(
        faults.contains("database.url is not set, and production needs it"),
        "{faults}"
    );
}

#[test]
fn foreign_plain_variables_are_ignored() {
    config(&[
        ("PATH", "/bin"),
        ("SENTRY_DSN", "https://x"),
        ("HOST", "?"),
        ("TARSIFY_OTHER", "1"),
    ]);
}

#[test]
fn development_may_be_opened_on_purpose() {
    let config = config(&[
        ("TARSIFY__SERVER__HOST", "::"),
        ("TARSIFY_ALLOW_PUBLIC_DEVELOPMENT", "true"),
    ]);
    assert_eq!(config.server.host, Ipv6Addr::UNSPECIFIED);
}
