//! The typed configuration, section by section, and its reading from the merged values.

mod traces;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use ipnet::IpNet;
use serde::Deserialize;
use tarsify_domain::money::{Credits, Share};
use tarsify_redis::RedisAddress;
use url::Url;

use super::reader::Reader;
use super::{Origin, Secret, keys, parse, rules};

pub(crate) use traces::Traces;

/// Everything the binary can be told.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) environment: Environment,
    pub(crate) server: Server,
    pub(crate) local: Local,
    pub(crate) database: Database,
    pub(crate) identity: Identity,
    pub(crate) runpod: RunPod,
    pub(crate) executions: Executions,
    pub(crate) retention: Retention,
    pub(crate) money: Money,
    pub(crate) stripe: Stripe,
    pub(crate) log: Log,
    pub(crate) metrics: Metrics,
    pub(crate) traces: Traces,
    pub(crate) market: Market,
    pub(crate) redis: RedisSection,
}

impl Config {
    /// Whether a private database in the data folder is ours to run: development without a `DATABASE_URL`.
    pub(crate) const fn has_private_database(&self) -> bool {
        self.has_local_identities() && self.database.url.is_none()
    }

    /// Whether Tarsify issues and accepts its own tokens: in development, whatever the database.
    pub(crate) const fn has_local_identities(&self) -> bool {
        matches!(self.environment, Environment::Development)
    }
}

/// Where the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Environment {
    /// On a person's machine, with every convenience.
    Development,
    /// Among strangers, with none.
    Production,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Both of the others (the default).
    All,
    /// Answers requests, and leaves the runs to workers.
    Api,
    /// Sees to runs. Its port answers nothing but /health, /livez, /readyz and /metrics.
    Worker,
}

impl Role {
    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Api => "api",
            Self::Worker => "worker",
        }
    }

    /// Whether it answers requests.
    pub(crate) const fn serves(self) -> bool {
        matches!(self, Self::All | Self::Api)
    }

    /// Whether it sees to runs.
    pub(crate) const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// The HTTP server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) role: Role,
    pub(crate) host: IpAddr,
    /// 0 takes any free port.
    pub(crate) port: u16,
    /// Unset, the address listened on.
    pub(crate) public_url: Option<Url>,
    pub(crate) cors_origins: Vec<Origin>,
    /// Whether answers carry `Strict-Transport-Security`.
    pub(crate) hsts: bool,
    /// The proxies in front of us, whose word about where a request comes from is believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Whether callers are held to limits.
    pub(crate) rate_limits: bool,
    /// How long a balancer may take to see that the process is no longer ready.
    pub(crate) notice: Duration,
}

impl Server {
    /// The address to listen on.
    pub(crate) const fn listen_address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }
}

/// The conveniences of development.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    pub(crate) data_dir: PathBuf,
    pub(crate) pg_bin: Option<PathBuf>,
}

/// The database and its connections.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    /// Always set in production.
    pub(crate) url: Option<Secret<String>>,
    pub(crate) pool_size: u32,
    pub(crate) worker_pool_size: u32,
    /// For health checks and the look for changes.
    pub(crate) small_pool_size: u32,
    pub(crate) connect_timeout: Duration,
    /// How long a request waits for a free connection.
    pub(crate) acquire_timeout: Duration,
}

/// Who may sign in.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Always set in production, as is the next; never the same.
    pub(crate) firebase_users_project_id: Option<String>,
    pub(crate) firebase_devs_project_id: Option<String>,
    pub(crate) firebase_jwks_url: Url,
    /// `host:port`; never set in production.
    pub(crate) firebase_emulator_host: Option<String>,
    pub(crate) admin_uids: Vec<String>,
    /// At most a minute.
    pub(crate) leeway: Duration,
}

/// RunPod: how it is reached, and the endpoint ids to seed.
#[derive(Debug, Clone)]
pub(crate) struct RunPod {
    pub(crate) api_key: Option<Secret<String>>,
    pub(crate) base_url: Url,
    /// Whether somebody chose the base URL; otherwise it is RunPod's own.
    pub(crate) has_own_base_url: bool,
    pub(crate) ep_tts: Option<String>,
    pub(crate) ep_sdxl: Option<String>,
    pub(crate) ep_whisper: Option<String>,
    pub(crate) ep_vllm: Option<String>,
}

impl RunPod {
    /// Whether a key is needed that is not there.
    pub(crate) fn lacks_key(&self) -> bool {
        self.api_key.is_none() && self.base_url.domain() == Some("api.runpod.ai")
    }

    /// Whether it is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        rules::is_this_machine(&self.base_url)
    }
}

/// The bounds of runs.
#[derive(Debug, Clone)]
pub(crate) struct Executions {
    /// How long a run may wait for its turn, on top of the time it may work.
    pub(crate) queue_allowance: Duration,
    pub(crate) lost_answer_grace: Duration,
    /// For each kind of attention.
    pub(crate) in_hand: u32,
    pub(crate) daily_test_runs: u32,
    /// At most 30 seconds.
    pub(crate) lease: Duration,
}

/// What is kept of runs after their end, and for how long; for ever where nothing is said.
#[derive(Debug, Clone)]
pub(crate) struct Retention {
    pub(crate) events: Option<Duration>,
    pub(crate) payloads: Option<Duration>,
}

/// What runs, payouts and newcomers come to.
#[derive(Debug, Clone)]
pub(crate) struct Money {
    pub(crate) developer_share: Share,
    /// How long earnings wait until they may be paid out.
    pub(crate) mature_after: Duration,
    pub(crate) minimum_payout: Credits,
    pub(crate) welcome: Credits,
}

/// Stripe: how it is reached, and how it proves itself.
#[derive(Debug, Clone)]
pub(crate) struct Stripe {
    pub(crate) secret_key: Option<Secret<String>>,
    /// Any of them; two while one takes the place of the other.
    pub(crate) webhook_secrets: Vec<Secret<String>>,
    pub(crate) base_url: Url,
    /// Where consumers come back to.
    pub(crate) success_url: Option<String>,
    pub(crate) cancel_url: Option<String>,
}

/// What is logged and how.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// Levels and `target=level`, comma separated.
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    Json,
    Text,
}

/// What is measured.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// What opens `/metrics`; unset, it is open.
    pub(crate) auth_token: Option<Secret<String>>,
}

/// The marketplace's answers kept in memory.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    pub(crate) cache_bytes: u64,
    pub(crate) poll_interval: Duration,
}

/// What processes share and may lose.
#[derive(Debug, Clone)]
pub(crate) struct RedisSection {
    pub(crate) address: Option<RedisAddress>,
    pub(crate) prefix: String,
    /// How long a request waits for it to count before the process counts alone.
    pub(crate) patience: Duration,
}

/// Reads all sections; `None` when any has a fault, after all have been looked at.
pub(super) fn read(reader: &mut Reader, base_folder: &Path) -> Option<Config> {
    let environment = reader.plain(&keys::ENVIRONMENT);
    let server = read_server(reader);
    let local = read_local(reader, base_folder);
    let database = read_database(reader);
    let identity = read_identity(reader);
    let runpod = read_runpod(reader);
    let executions = read_executions(reader);
    let retention = read_retention(reader);
    let money = read_money(reader);
    let stripe = read_stripe(reader);
    let log = read_log(reader);
    let metrics = read_metrics(reader);
    let traces = traces::read(reader);
    let market = read_market(reader);
    let redis = read_redis(reader);
    Some(Config {
        environment: environment?,
        server: server?,
        local: local?,
        database: database?,
        identity: identity?,
        runpod: runpod?,
        executions: executions?,
        retention: retention?,
        money: money?,
        stripe: stripe?,
        log: log?,
        metrics: metrics?,
        traces: traces?,
        market: market?,
        redis: redis?,
    })
}

// In each of these all keys are read before the first `?`, so that no fault hides the next.

fn read_server(reader: &mut Reader) -> Option<Server> {
    let role = reader.plain(&keys::ROLE);
    let host = reader.parsed(&keys::HOST, parse::address);
    let port = reader.plain(&keys::PORT);
    let public_url = reader.optional(&keys::PUBLIC_URL, parse::web_url);
    let cors_origins = reader.list(&keys::CORS_ORIGINS, parse::origin);
    let hsts = reader.plain(&keys::HSTS);
    let trusted_proxies = reader.list(&keys::TRUSTED_PROXIES, parse::networks);
    let rate_limits = reader.plain(&keys::RATE_LIMITS);
    let notice = reader.plain(&keys::NOTICE);
    Some(Server {
        role: role?,
        host: host?,
        port: port?,
        public_url: public_url?,
        cors_origins: cors_origins?,
        hsts: hsts?,
        trusted_proxies: trusted_proxies?.into_iter().flatten().collect(),
        rate_limits: rate_limits?,
        notice: Duration::from_secs(notice?),
    })
}

fn read_local(reader: &mut Reader, base_folder: &Path) -> Option<Local> {
    let data_dir = reader.parsed(&keys::DATA_DIR, parse::folder);
    let pg_bin = reader.optional(&keys::PG_BIN, parse::folder);
    // Only a rule asks for it, but a value that is no flag is a fault like any other.
    let _allowed: bool = reader.plain(&keys::ALLOW_PUBLIC_DEVELOPMENT)?;
    Some(Local {
        data_dir: base_folder.join(data_dir?),
        pg_bin: pg_bin?.map(|folder| base_folder.join(folder)),
    })
}

fn read_database(reader: &mut Reader) -> Option<Database> {
    let url = reader.optional(&keys::DATABASE_URL, parse::database_url);
    let pool_size = reader.plain(&keys::POOL_SIZE);
    let worker_pool_size = reader.plain(&keys::WORKER_POOL_SIZE);
    let small_pool_size = reader.plain(&keys::SMALL_POOL_SIZE);
    let connect_timeout = reader.plain(&keys::CONNECT_TIMEOUT);
    let acquire_timeout = reader.plain(&keys::ACQUIRE_TIMEOUT);
    Some(Database {
        url: url?,
        pool_size: pool_size?,
        worker_pool_size: worker_pool_size?,
        small_pool_size: small_pool_size?,
        connect_timeout: Duration::from_secs(connect_timeout?),
        acquire_timeout: Duration::from_secs(acquire_timeout?),
    })
}

fn read_identity(reader: &mut Reader) -> Option<Identity> {
    let users_project = reader.optional(&keys::USERS_PROJECT, parse::id);
    let devs_project = reader.optional(&keys::DEVS_PROJECT, parse::id);
    let jwks_url = reader.parsed(&keys::JWKS_URL, parse::web_url);
    let emulator_host = reader.optional(&keys::EMULATOR_HOST, parse::host_and_port);
    let admin_uids = reader.list(&keys::ADMIN_UIDS, parse::uid);
    let leeway = reader.plain(&keys::LEEWAY);
    Some(Identity {
        firebase_users_project_id: users_project?,
        firebase_devs_project_id: devs_project?,
        firebase_jwks_url: jwks_url?,
        firebase_emulator_host: emulator_host?,
        admin_uids: admin_uids?,
        leeway: Duration::from_secs(leeway?),
    })
}

fn read_runpod(reader: &mut Reader) -> Option<RunPod> {
    let api_key = reader.optional(&keys::API_KEY, parse::api_key);
    let base_url = reader.parsed(&keys::BASE_URL, parse::web_url);
    let has_own_base_url = reader.is_chosen(&keys::BASE_URL);
    let ep_tts = reader.optional(&keys::EP_TTS, parse::id);
    let ep_sdxl = reader.optional(&keys::EP_SDXL, parse::id);
    let ep_whisper = reader.optional(&keys::EP_WHISPER, parse::id);
    let ep_vllm = reader.optional(&keys::EP_VLLM, parse::id);
    Some(RunPod {
        api_key: api_key?,
        base_url: base_url?,
        has_own_base_url,
        ep_tts: ep_tts?,
        ep_sdxl: ep_sdxl?,
        ep_whisper: ep_whisper?,
        ep_vllm: ep_vllm?,
    })
}

fn read_executions(reader: &mut Reader) -> Option<Executions> {
    let queue_allowance = reader.plain(&keys::QUEUE_ALLOWANCE);
    let lost_answer_grace = reader.plain(&keys::LOST_ANSWER_GRACE);
    let in_hand = reader.plain(&keys::IN_HAND);
    let daily_test_runs = reader.plain(&keys::DAILY_TEST_RUNS);
    let lease = reader.plain(&keys::LEASE);
    Some(Executions {
        queue_allowance: Duration::from_secs(queue_allowance?),
        lost_answer_grace: Duration::from_secs(lost_answer_grace?),
        in_hand: in_hand?,
        daily_test_runs: daily_test_runs?,
        lease: Duration::from_secs(lease?),
    })
}

fn read_retention(reader: &mut Reader) -> Option<Retention> {
    let events = reader.plain(&keys::RETENTION_EVENTS);
    let payloads = reader.plain(&keys::RETENTION_PAYLOADS);
    Some(Retention {
        events: days(events?),
        payloads: days(payloads?),
    })
}

/// None of them is no end.
fn days(number: u64) -> Option<Duration> {
    (number > 0).then(|| Duration::from_secs(number.saturating_mul(24 * 60 * 60)))
}

fn read_money(reader: &mut Reader) -> Option<Money> {
    let developer_share = reader.plain(&keys::DEVELOPER_SHARE);
    let mature_after = reader.plain(&keys::MATURE_AFTER);
    let minimum_payout = reader.plain(&keys::MINIMUM_PAYOUT);
    let welcome = reader.plain(&keys::WELCOME_CREDITS);
    Some(Money {
        // Its bounds are those of the key.
        developer_share: Share::parse(developer_share?).ok()?,
        mature_after: Duration::from_secs(mature_after?),
        minimum_payout: Credits::new(minimum_payout?),
        welcome: Credits::new(welcome?),
    })
}

fn read_stripe(reader: &mut Reader) -> Option<Stripe> {
    let secret_key = reader.optional(&keys::STRIPE_KEY, parse::api_key);
    let webhook_secrets = reader.list(&keys::STRIPE_WEBHOOK_SECRETS, parse::api_key);
    let base_url = reader.parsed(&keys::STRIPE_BASE_URL, parse::web_url);
    let success_url = reader.optional(&keys::STRIPE_SUCCESS_URL, parse::page_url);
    let cancel_url = reader.optional(&keys::STRIPE_CANCEL_URL, parse::page_url);
    Some(Stripe {
        secret_key: secret_key?,
        webhook_secrets: webhook_secrets?,
        base_url: base_url?,
        success_url: success_url?,
        cancel_url: cancel_url?,
    })
}

fn read_log(reader: &mut Reader) -> Option<Log> {
    let level = reader.parsed(&keys::LOG_LEVEL, parse::log_filter);
    let format = reader.plain(&keys::LOG_FORMAT);
    Some(Log {
        level: level?,
        format: format?,
    })
}

fn read_metrics(reader: &mut Reader) -> Option<Metrics> {
    let auth_token = reader.optional(&keys::METRICS_TOKEN, parse::metrics_token);
    Some(Metrics {
        auth_token: auth_token?,
    })
}

fn read_market(reader: &mut Reader) -> Option<Market> {
    let cache_bytes = reader.plain(&keys::CACHE_BYTES);
    let poll_interval = reader.plain(&keys::POLL_INTERVAL);
    Some(Market {
        cache_bytes: cache_bytes?,
        poll_interval: Duration::from_millis(poll_interval?),
    })
}

fn read_redis(reader: &mut Reader) -> Option<RedisSection> {
    let address = reader.optional(&keys::REDIS_URL, parse::redis_url);
    let prefix = reader.parsed(&keys::REDIS_PREFIX, parse::redis_prefix);
    let patience = reader.plain(&keys::REDIS_PATIENCE);
    Some(RedisSection {
        address: address?,
        prefix: prefix?,
        patience: Duration::from_millis(patience?),
    })
}
