//! The one table of configuration keys. Unknown-key detection, variable names, provenance and typed reading all follow it.

/// What a value has to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Text, not empty.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number within bounds, both included.
    Integer { minimum: u64, maximum: u64 },
    /// True or false.
    Flag,
    /// Texts, none empty; in a variable one of these characters separates them.
    List(&'static [char]),
}

/// Whether a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    Open,
    /// A URL with a password: never shown in a report, and without its password elsewhere.
    Password,
    /// Shown nowhere.
    Secret,
}

/// Where a key may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    /// A convenience of the local mode, refused in production.
    DevelopmentOnly,
}

/// One setting.
#[derive(Debug)]
pub(super) struct Key {
    /// `section.name`.
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// The plain environment variable, where operators know one.
    pub(super) plain_variable: Option<&'static str>,
    pub(super) secrecy: Secrecy,
    pub(super) place: Place,
}

impl Key {
    const fn new(path: &'static str, kind: Kind) -> Self {
        Self {
            path,
            kind,
            plain_variable: None,
            secrecy: Secrecy::Open,
            place: Place::Anywhere,
        }
    }

    const fn variable(mut self, name: &'static str) -> Self {
        self.plain_variable = Some(name);
        self
    }

    const fn with_password(mut self) -> Self {
        self.secrecy = Secrecy::Password;
        self
    }

    const fn secret(mut self) -> Self {
        self.secrecy = Secrecy::Secret;
        self
    }

    const fn development_only(mut self) -> Self {
        self.place = Place::DevelopmentOnly;
        self
    }

    /// The section and the name within it.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        self.path.split_once('.').unwrap_or((self.path, ""))
    }

    /// `TARSIFY__SECTION__NAME`, which every key has.
    pub(super) fn full_variable(&self) -> String {
        let (section, name) = self.parts();
        format!("{VARIABLE_PREFIX}{section}__{name}").to_uppercase()
    }

    /// The variable to name in a remedy.
    pub(super) fn known_variable(&self) -> String {
        self.plain_variable
            .map_or_else(|| self.full_variable(), str::to_owned)
    }
}

/// Opens every variable that sets a key by its path.
pub(super) const VARIABLE_PREFIX: &str = "TARSIFY__";

/// The variable that names a configuration file; not a key, for it says where keys are.
pub(super) const CONFIG_FILE_VARIABLE: &str = "TARSIFY_CONFIG";

const fn integer(minimum: u64, maximum: u64) -> Kind {
    Kind::Integer { minimum, maximum }
}

macro_rules! keys {
    ($($name:ident = $key:expr;)*) => {
        $(pub(super) static $name: Key = $key;)*
        /// Every key, in the order it is shown.
        pub(super) static ALL: &[&Key] = &[$(&$name),*];
    };
}

keys! {
    ENVIRONMENT = Key::new("environment.name", Kind::Choice(&["development", "production"])).variable("TARSIFY_ENV");

    ROLE = Key::new("server.role", Kind::Choice(&["all", "api", "worker"]));
    HOST = Key::new("server.host", Kind::Text);
    PORT = Key::new("server.port", integer(0, 65_535)).variable("PORT");
    PUBLIC_URL = Key::new("server.public_url", Kind::Text).variable("PUBLIC_URL");
    CORS_ORIGINS = Key::new("server.cors_origins", Kind::List(&[',', '|'])).variable("CORS_ORIGINS");
    HSTS = Key::new("server.hsts", Kind::Flag);
    TRUSTED_PROXIES = Key::new("server.trusted_proxies", Kind::List(&[','])).variable("TRUSTED_PROXIES");
    RATE_LIMITS = Key::new("server.rate_limits", Kind::Flag).variable("RATE_LIMITS");
    NOTICE = Key::new("server.notice_seconds", integer(0, 15));

    DATA_DIR = Key::new("local.data_dir", Kind::Text).variable("TARSIFY_DATA_DIR").development_only();
    PG_BIN = Key::new("local.pg_bin", Kind::Text).variable("PG_BIN").development_only();
    ALLOW_PUBLIC_DEVELOPMENT = Key::new("local.allow_public_development", Kind::Flag)
        .variable("TARSIFY_ALLOW_PUBLIC_DEVELOPMENT").development_only();

    DATABASE_URL = Key::new("database.url", Kind::Text).variable("DATABASE_URL").with_password();
    POOL_SIZE = Key::new("database.pool_size", integer(1, 500));
    WORKER_POOL_SIZE = Key::new("database.worker_pool_size", integer(1, 100));
    SMALL_POOL_SIZE = Key::new("database.small_pool_size", integer(1, 50));
    CONNECT_TIMEOUT = Key::new("database.connect_timeout_seconds", integer(1, 60));
    ACQUIRE_TIMEOUT = Key::new("database.acquire_timeout_seconds", integer(1, 60));

    USERS_PROJECT = Key::new("identity.firebase_users_project_id", Kind::Text).variable("FIREBASE_USERS_PROJECT_ID");
    DEVS_PROJECT = Key::new("identity.firebase_devs_project_id", Kind::Text).variable("FIREBASE_DEVS_PROJECT_ID");
    JWKS_URL = Key::new("identity.firebase_jwks_url", Kind::Text).variable("FIREBASE_JWKS_URL");
    EMULATOR_HOST = Key::new("identity.firebase_emulator_host", Kind::Text)
        .variable("FIREBASE_AUTH_EMULATOR_HOST").development_only();
    ADMIN_UIDS = Key::new("identity.admin_uids", Kind::List(&[','])).variable("ADMIN_UIDS");
    LEEWAY = Key::new("identity.leeway_seconds", integer(0, 60));

    API_KEY = Key::new("runpod.api_key", Kind::Text).variable("RUNPOD_API_KEY").secret();
    BASE_URL = Key::new("runpod.base_url", Kind::Text).variable("RUNPOD_BASE_URL");
    EP_TTS = Key::new("runpod.ep_tts", Kind::Text).variable("RUNPOD_EP_TTS");
    EP_SDXL = Key::new("runpod.ep_sdxl", Kind::Text).variable("RUNPOD_EP_SDXL");
    EP_WHISPER = Key::new("runpod.ep_whisper", Kind::Text).variable("RUNPOD_EP_WHISPER");
    EP_VLLM = Key::new("runpod.ep_vllm", Kind::Text).variable("RUNPOD_EP_VLLM");

    QUEUE_ALLOWANCE = Key::new("executions.queue_allowance_seconds", integer(1, 86_400));
    LOST_ANSWER_GRACE = Key::new("executions.lost_answer_grace_seconds", integer(1, 3_600));
    IN_HAND = Key::new("executions.in_hand", integer(1, 4_096));
    DAILY_TEST_RUNS = Key::new("executions.daily_test_runs", integer(0, 1_000_000));
    LEASE = Key::new("executions.lease_seconds", integer(1, 30));

    RETENTION_EVENTS = Key::new("retention.events_days", integer(0, 36_500)).variable("RETENTION_EVENTS_DAYS");
    RETENTION_PAYLOADS = Key::new("retention.payloads_days", integer(0, 36_500)).variable("RETENTION_PAYLOADS_DAYS");

    DEVELOPER_SHARE = Key::new("money.developer_share_bps", integer(0, 10_000));
    MATURE_AFTER = Key::new("money.mature_after_seconds", integer(0, 31_536_000));
    MINIMUM_PAYOUT = Key::new("money.minimum_payout_credits", integer(1, 1_000_000_000));
    WELCOME_CREDITS = Key::new("money.welcome_credits", integer(0, 1_000_000)).variable("WELCOME_CREDITS");

    STRIPE_KEY = Key::new("stripe.secret_key", Kind::Text).variable("STRIPE_SECRET_KEY").secret();
    STRIPE_WEBHOOK_SECRETS = Key::new("stripe.webhook_secrets", Kind::List(&[','])).variable("STRIPE_WEBHOOK_SECRETS").secret();
    STRIPE_BASE_URL = Key::new("stripe.base_url", Kind::Text).variable("STRIPE_BASE_URL");
    STRIPE_SUCCESS_URL = Key::new("stripe.success_url", Kind::Text).variable("STRIPE_SUCCESS_URL");
    STRIPE_CANCEL_URL = Key::new("stripe.cancel_url", Kind::Text).variable("STRIPE_CANCEL_URL");

    LOG_LEVEL = Key::new("log.level", Kind::Text).variable("LOG_LEVEL");
    LOG_FORMAT = Key::new("log.format", Kind::Choice(&["auto", "json", "text"]));

    METRICS_TOKEN = Key::new("metrics.auth_token", Kind::Text).variable("METRICS_AUTH_TOKEN").secret();

    TRACES_ENDPOINT = Key::new("traces.endpoint", Kind::Text).variable("OTEL_EXPORTER_OTLP_ENDPOINT").with_password();
    TRACES_HEADERS = Key::new("traces.headers", Kind::List(&[','])).variable("OTEL_EXPORTER_OTLP_HEADERS").secret();
    TRACES_TIMEOUT = Key::new("traces.timeout_ms", integer(100, 60_000)).variable("OTEL_EXPORTER_OTLP_TIMEOUT");
    TRACES_SAMPLE = Key::new("traces.sample_percent", integer(0, 100));

    CACHE_BYTES = Key::new("market.cache_bytes", integer(65_536, 1_073_741_824));
    POLL_INTERVAL = Key::new("market.poll_ms", integer(50, 60_000));

    REDIS_URL = Key::new("redis.url", Kind::Text).variable("REDIS_URL").with_password();
    REDIS_PREFIX = Key::new("redis.prefix", Kind::Text);
    REDIS_PATIENCE = Key::new("redis.patience_ms", integer(5, 2_000));
}

/// The key with this path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    ALL.iter().find(|key| key.path == path).copied()
}

/// The key somebody most likely meant by `path`: one a letter or two away, else the same name in another section,
/// else the shortest name in the same section that holds the given one or is held by it.
pub(super) fn find_similar(path: &str) -> Option<&'static Key> {
    let (section, name) = path.split_once('.').unwrap_or(("", path));
    let near = ALL
        .iter()
        .map(|key| (edits_between(path, key.path), key))
        .filter(|(edits, _)| *edits <= 2)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, key)| key);
    let same_name = || ALL.iter().find(|key| key.parts().1 == name);
    let overlapping = || {
        ALL.iter()
            .filter(|key| key.parts().0 == section && name.len() > 2)
            .filter(|key| key.parts().1.contains(name) || name.contains(key.parts().1))
            .min_by_key(|key| key.path.len())
    };
    near.or_else(same_name).or_else(overlapping).copied()
}

/// How many letters to insert, drop or change to turn one text into the other.
fn edits_between(left: &str, right: &str) -> usize {
    let mut previous: Vec<usize> = (0..=right.chars().count()).collect();
    for (row, from) in left.chars().enumerate() {
        let mut diagonal = row;
        let mut beside = row + 1;
        let mut current = vec![beside];
        for (to, above) in right.chars().zip(previous.iter().skip(1).copied()) {
            let changed = diagonal + usize::from(from != to);
            beside = changed.min(above + 1).min(beside + 1);
            diagonal = above;
            current.push(beside);
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}
