//! What each mistake is told: key, value, origin and remedy, one line each, all together.

use super::*;

#[rustfmt::skip]
const BAD_VARIABLES: &[(&str, &str, &str, &str)] = &[
    ("PORT", "abc", "no number", "server.port = \"abc\" (from PORT) is not a whole number. Give a whole number from 0 to 65535."),
    ("PORT", "70000", "too large", "server.port = \"70000\" (from PORT) is out of range. Give a whole number from 0 to 65535."),
    ("PORT", "-1", "negative", "server.port = \"-1\" (from PORT) is not a whole number."),
    ("PORT", "\u{FFFD}", "bytes that are no text", "(from PORT) is not UTF-8 text."),
    ("TARSIFY__SERVER__PORT", "x", "full name", "(from TARSIFY__SERVER__PORT) is not a whole number."),
    ("TARSIFY__SERVER__HOST", "localhost", "a name", "server.host = \"localhost\" (from TARSIFY__SERVER__HOST) is not an IP address. Give an address such as 127.0.0.1"),
    ("TARSIFY__SERVER__HOST", "0.0.0.0", "open to strangers", "server.host = \"0.0.0.0\" (from TARSIFY__SERVER__HOST) would open development, with its local tokens, to other machines. Set TARSIFY_ENV=production, or TARSIFY_ALLOW_PUBLIC_DEVELOPMENT=1"),
    ("TARSIFY__SERVER__HOST", "::", "open over IPv6", "to other machines"),
    ("TARSIFY__SERVER__HSTS", "maybe", "no flag", "server.hsts = \"maybe\" (from TARSIFY__SERVER__HSTS) is neither true nor false."),
    ("TARSIFY_ENV", "prod", "short word", "environment.name = \"prod\" (from TARSIFY_ENV) is not one of the known words. Give one of development, production."),
    ("PUBLIC_URL", "api.example.com", "no scheme", "server.public_url = \"api.example.com\" (from PUBLIC_URL) is not a URL"),
    ("PUBLIC_URL", "ftp://a", "other scheme", "is neither http nor https"),
    ("PUBLIC_URL", "https://a/?b=c", "a query", "has a query or a fragment"),
    ("PUBLIC_URL", "https://me:hunter2@a", "credentials", "server.public_url = \"https://me:***@a\" (from PUBLIC_URL) carries credentials."),
    ("CORS_ORIGINS", "*", "everybody", "server.cors_origins = [\"*\"] (from CORS_ORIGINS) would let every website call"),
    ("CORS_ORIGINS", "https://a,b", "one is bad", "[\"https://a\",\"b\"] (from CORS_ORIGINS) holds an origin that is not a URL"),
    ("CORS_ORIGINS", "https://a/shop", "a path", "holds an origin with a path. List each origin as scheme://host"),
    ("DATABASE_URL", "mysql://me:hunter2@h/d", "other database", "database.url = *** (from DATABASE_URL) is not a PostgreSQL URL. Give postgres://"),
    ("DATABASE_URL", "postgres://me:hunter2#x@h/d", "password not encoded", "database.url = *** (from DATABASE_URL) is not a URL"),
    ("DATABASE_URL", "postgres://", "nothing after", "is not a PostgreSQL URL"),
    ("FIREBASE_USERS_PROJECT_ID", "my project", "white space", "identity.firebase_users_project_id = \"my project\" (from FIREBASE_USERS_PROJECT_ID) is not an id"),
    ("FIREBASE_JWKS_URL", "keys", "no URL", "identity.firebase_jwks_url = \"keys\" (from FIREBASE_JWKS_URL) is not a URL"),
    ("FIREBASE_AUTH_EMULATOR_HOST", "http://localhost:9099", "a scheme", "is not host:port. Give it without a scheme"),
    ("FIREBASE_AUTH_EMULATOR_HOST", "localhost", "no port", "is not host:port"),
    ("ADMIN_UIDS", "a b", "white space", "identity.admin_uids = [\"a b\"] (from ADMIN_UIDS) is not an id"),
    ("RUNPOD_EP_TTS", "https://api.runpod.ai/v2/x", "a URL", "runpod.ep_tts = \"https://api.runpod.ai/v2/x\" (from RUNPOD_EP_TTS) is not an id"),
    ("RUNPOD_API_KEY", "hunter2 hunter2", "two words", "runpod.api_key = *** (from RUNPOD_API_KEY) is not a key"),
    ("RUNPOD_BASE_URL", "api.runpod.ai/v2", "no scheme", "runpod.base_url = \"api.runpod.ai/v2\" (from RUNPOD_BASE_URL) is not a URL"),
    ("RUNPOD_BASE_URL", "https://me:hunter2@api.runpod.ai/v2", "credentials", "carries credentials."),
    ("TARSIFY__SERVER__ROLE", "boss", "no role", "Give one of all, api, worker."),
    ("TARSIFY__EXECUTIONS__LEASE_SECONDS", "31", "longer than a lease may be", "Give a whole number from 1 to 30."),
    ("TARSIFY__EXECUTIONS__IN_HAND", "0", "nothing in hand", "Give a whole number from 1 to 4096."),
    ("RETENTION_EVENTS_DAYS", "7", "shorter than a run", "retention.events_days = 7 (from RETENTION_EVENTS_DAYS) is less than 8 days, which is how long a run may take: a week of work and a day of waiting. Give 8 or more, or 0 to keep everything for ever."),
    ("RETENTION_PAYLOADS_DAYS", "1", "shorter than a run", "retention.payloads_days = 1 (from RETENTION_PAYLOADS_DAYS) is less than 8 days"),
    ("TRUSTED_PROXIES", "10.0.0.0/8,proxy", "no network", "server.trusted_proxies = [\"10.0.0.0/8\",\"proxy\"] (from TRUSTED_PROXIES) is not a network. Give networks"),
    ("TRUSTED_PROXIES", "10.0.0.0/33", "too long a prefix", "is not a network"),
    ("TRUSTED_PROXIES", "::/0", "everybody", "holds every address"),
    ("RATE_LIMITS", "maybe", "no flag", "Give true or false"),
    ("REDIS_URL", "http://:hunter2@cache", "no Redis", "redis.url = *** (from REDIS_URL) is neither redis:// nor rediss:// (with TLS), for a single server. Give redis://"),
    ("REDIS_URL", "redis-cluster://:hunter2@cache", "a cluster", "for a single server"),
    ("REDIS_URL", "redis://:hunter2@cache/shop", "a database without a number", "a number from 0 to 255"),
    ("TARSIFY__REDIS__PREFIX", "shop*", "part of a pattern", "is not a prefix. Give up to 32 letters"),
    ("LOG_LEVEL", "verbose", "no level", "log.level = \"verbose\" (from LOG_LEVEL) is not a log level. Give one of off, error, warn"),
    ("LOG_LEVEL", "info,=debug", "no target", "is not a log level"),
    ("TARSIFY__LOG__FORMAT", "xml", "other word", "Give one of auto, json, text."),
    ("TARSIFY__IDENTITY__LEEWAY_SECONDS", "61", "over a minute", "Give a whole number from 0 to 60."),
    ("TARSIFY__DATABASE__POOL_SIZE", "0", "no connection", "Give a whole number from 1 to 500."),
    ("TARSIFY__SERVER__PROT", "1", "misspelled", "TARSIFY__SERVER__PROT sets no key. Did you mean TARSIFY__SERVER__PORT?"),
    ("STRIPE_SECRET_KEY", PASSWORD, "nobody would hear of payments", "Set STRIPE_WEBHOOK_SECRETS to the signing secret"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "no scheme", "traces.endpoint = *** (from OTEL_EXPORTER_OTLP_ENDPOINT) is neither http nor https."),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://me:hunter2@collector", "credentials", "carries credentials."),
    ("OTEL_EXPORTER_OTLP_HEADERS", "x-key", "no value", "traces.headers = *** (from OTEL_EXPORTER_OTLP_HEADERS) holds something that is not name=value."),
    ("OTEL_EXPORTER_OTLP_HEADERS", "x key=hunter2", "no name", "holds a name that no header can have"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter2%", "half an encoding", "holds a value that no header can carry. Write commas, %"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter2%0D%0Ax-other:1", "another line", "holds a value that no header can carry"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "1", "no time", "Give a whole number from 100 to 60000."),
    ("TARSIFY__TRACES__SAMPLE_PERCENT", "101", "more than all", "Give a whole number from 0 to 100."),
    ("TARSIFY_CONFIG", "none.toml", "absent file", "TARSIFY_CONFIG names /base/none.toml, which cannot be read"),
];

#[test]
fn each_bad_variable_is_told_with_value_and_remedy() {
    for (name, value, why, expected) in BAD_VARIABLES {
        let report = report(&[(name, value)]);
        assert!(report.contains("has 1 fault:\n  - "), "{why}: {report}");
        assert!(report.contains(expected), "{why}: {report}");
        assert!(!report.contains(PASSWORD), "{why}: {report}");
        assert!(report.ends_with('.'), "{why}: {report}");
    }
}

#[rustfmt::skip]
const BAD_FILES: &[(&str, &str, &str, &str)] = &[
    ("[server]\nprot = 1", "misspelled key", "server.prot (from ", "Did you mean server.port? Rename or remove it."),
    ("[sever]\nport = 1", "misspelled section", "sever.port (from ", "Did you mean server.port?"),
    ("port = 1", "no section", "port (from ", "Did you mean server.port?"),
    ("[database]\npool = 1", "half a name", "database.pool (from ", "Did you mean database.pool_size?"),
    ("[stripes]\nsecret_key = \"hunter2\"", "a section of nobody's", "stripes.secret_key (from ", "is not a key."),
    ("[wholly]", "an empty unknown section", "wholly (from ", "is not a key"),
    ("server = 1", "a value for a section", "server (from ", "is not a key"),
    ("[server]\nport = \"80\"", "text for a number", "server.port = \"80\" (from ", "mine.toml) is not a whole number."),
    ("[server]\nport = 80.5", "a fraction", "server.port = 80.5 (from ", "is not a whole number."),
    ("[server]\nport = -5", "negative", "server.port = -5 (from ", "is out of range."),
    ("[server]\nhsts = \"true\"", "text for a flag", "server.hsts = \"true\" (from ", "Give true or false, without quotes."),
    ("[server]\nhost = \"\"", "empty", "server.host = \"\" (from ", "is empty. Give a value or remove the line."),
    ("[server]\nhost = 1", "number for a text", "server.host = 1 (from ", "is not text. Write it in double quotes."),
    ("[server]\ncors_origins = \"https://a\"", "text for a list", "server.cors_origins = \"https://a\" (from ", "is not a list of texts."),
    ("[identity]\nadmin_uids = [\"\"]", "an empty item", "identity.admin_uids = [\"\"] (from ", "no item empty."),
    ("[database.url]\npassword = \"hunter2\"", "a table", "database.url = *** (from ", "is not text."),
    ("[server.host]\npassword = \"hunter2\"", "a table", "server.host = \"***\" (from ", "is not text."),
    ("[server]\nport = 1\n\n[database]\nurl = \"hunter2\n", "broken", "mine.toml is not valid TOML at line 5: ", "Mend that line"),
    ("[server]\nport = 1\nport = 2\n", "twice", "mine.toml is not valid TOML at line 3: ", "duplicate key"),
];

#[test]
fn each_bad_line_of_a_file_is_told_with_the_files_name() {
    for (text, why, subject, expected) in BAD_FILES {
        let report = file_report(text);
        assert!(report.contains("has 1 fault:\n  - "), "{why}: {report}");
        assert!(
            report.contains(subject) && report.contains(expected),
            "{why}: {report}"
        );
        assert!(report.contains("mine.toml"), "{why}: {report}");
        assert!(!report.contains(PASSWORD), "{why}: {report}");
    }
}

#[rustfmt::skip]
const GOOD_VALUES: &[(&str, &str, &str)] = &[
    ("DATABASE_URL", "postgres://me:hunter2@/d?host=/cloudsql/a:b:c", "a socket folder"),
    ("DATABASE_URL", "postgresql://me:hunter2@a:1,b:2/d", "two hosts"),
    ("DATABASE_URL", "postgres://me:a%40b@[::1]:5432/d?sslmode=require", "encoded password"),
    ("TARSIFY__SERVER__HOST", "127.0.0.2", "another loopback"),
    ("TARSIFY__SERVER__HOST", "::1", "IPv6 loopback"),
    ("TARSIFY__SERVER__HSTS", "Yes", "a word for true"),
    ("FIREBASE_AUTH_EMULATOR_HOST", "[::1]:9099", "IPv6 emulator"),
    ("PORT", "0", "any free port"),
    ("LOG_LEVEL", "off", "silence"),
];

#[test]
fn good_values_of_unusual_shape_pass() {
    for (name, value, why) in GOOD_VALUES {
        assert_eq!(report(&[(name, value)]), "", "{why}");
    }
}

#[test]
fn one_project_for_both_realms_is_refused() {
    let both = [
        ("FIREBASE_USERS_PROJECT_ID", "one"),
        ("FIREBASE_DEVS_PROJECT_ID", "one"),
    ];
    let report = report(&both);
    assert!(report.contains("identity.firebase_devs_project_id = \"one\" (from FIREBASE_DEVS_PROJECT_ID) is the consumers' project too"), "{report}");
    config(&both[..1]);
}

#[test]
fn production_names_each_thing_it_lacks() {
    let report = report(&PRODUCTION[..1]);
    for line in [
        "database.url is not set, and production needs it. Set DATABASE_URL.",
        "identity.firebase_users_project_id is not set, and production needs it. Set FIREBASE_USERS_PROJECT_ID.",
        "identity.firebase_devs_project_id is not set, and production needs it. Set FIREBASE_DEVS_PROJECT_ID.",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    assert!(report.contains("has 3 faults:"), "{report}");
}

#[rustfmt::skip]
const CONVENIENCES: &[(&str, &str, &str)] = &[
    ("FIREBASE_AUTH_EMULATOR_HOST", "localhost:9099", "identity.firebase_emulator_host = \"localhost:9099\" (from FIREBASE_AUTH_EMULATOR_HOST) is a local convenience, which production refuses"),
    ("TARSIFY_DATA_DIR", ".tarsify", "local.data_dir = \".tarsify\" (from TARSIFY_DATA_DIR) is a local convenience"),
    ("PG_BIN", "/pg", "local.pg_bin = \"/pg\" (from PG_BIN) is a local convenience"),
    ("TARSIFY_ALLOW_PUBLIC_DEVELOPMENT", "1", "local.allow_public_development = true (from TARSIFY_ALLOW_PUBLIC_DEVELOPMENT) is a local convenience"),
    ("FIREBASE_JWKS_URL", "http://keys.internal/", "identity.firebase_jwks_url = \"http://keys.internal/\" (from FIREBASE_JWKS_URL) is http"),
    ("RUNPOD_BASE_URL", "http://gpus.internal/v2", "runpod.base_url = \"http://gpus.internal/v2\" (from RUNPOD_BASE_URL) is http"),
];

#[test]
fn production_refuses_each_local_convenience() {
    for (name, value, expected) in CONVENIENCES {
        let report = report(&production_and(&[(name, value)]));
        assert!(
            report.contains("has 1 fault:") && report.contains(expected),
            "{report}"
        );
    }
    config(&production_and(&[(
        "TARSIFY_ALLOW_PUBLIC_DEVELOPMENT",
        "0",
    )]));
    config(&production_and(&[(
        "RUNPOD_BASE_URL",
        "http://127.0.0.1:8090/v2",
    )]));
    config(&production_and(&[(
        "FIREBASE_JWKS_URL",
        "http://127.0.0.1:1/keys",
    )]));
}

#[test]
fn all_faults_come_together() {
    let file = "[server]\nprot = 1\nhsts = 3\n[market]\npoll_ms = 1\n";
    let faults = load_file(
        file,
        &[
            ("TARSIFY_ENV", "production"),
            ("PORT", "x"),
            ("LOG_LEVEL", "loud"),
            ("PUBLIC_URL", "x"),
            ("CORS_ORIGINS", "x"),
            ("PG_BIN", "/pg"),
            ("TARSIFY__NO__KEY", "1"),
            ("FIREBASE_DEVS_PROJECT_ID", "d"),
            ("DATABASE_URL", "nothing"),
        ],
    )
    .unwrap_err();
    let report = faults.to_string();
    for key in [
        "server.prot",
        "server.hsts",
        "market.poll_ms",
        "server.port",
        "log.level",
        "server.public_url",
        "server.cors_origins",
        "local.pg_bin",
        "TARSIFY__NO__KEY",
        "firebase_users_project_id",
        "database.url",
    ] {
        assert!(report.contains(key), "{key} in {report}");
    }
    assert_eq!(faults.0.len(), 11, "{report}");
    assert_eq!(report.lines().count(), 12, "one line each: {report}");
}
