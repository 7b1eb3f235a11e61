//! The market that is measured: its people and its first model come in by the API, the multitude of
//! models and of ended runs as copies of what is there then.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tarsify_auth::{LocalIdentities, LocalKind};
use tarsify_domain::text::EmailAddress;
use time::OffsetDateTime;

use crate::client::{Ask, Line};
use crate::cluster::ask;

/// How many models there are in the market.
pub(crate) const MODELS: usize = 1_000;
/// How many consumers.
pub(crate) const CONSUMERS: usize = 1_000;
/// How many endpoints their jobs go to: we ask one no more often than its provider documents, which is
/// not what is measured.
const ENDPOINTS: usize = 32;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// Who asks.
pub(crate) struct People {
    pub(crate) consumers: Vec<String>,
    developer: String,
    admin: String,
}

impl People {
    /// Tokens signed with RSA, as those of a real identity provider.
    pub(crate) fn meet(data_folder: &Path) -> anyhow::Result<Self> {
        let identities = LocalIdentities::open(data_folder)?;
        let token = |kind: LocalKind, name: &str| -> anyhow::Result<String> {
            let email = EmailAddress::parse(&format!("{name}@example.com"))?;
            let now = now();
            Ok(identities.issue(kind, &email, time::Duration::hours(12), now)?)
        };
        let consumers =
            (0..CONSUMERS).map(|number| token(LocalKind::Consumer, &format!("consumer-{number}")));
        Ok(Self {
            consumers: consumers.collect::<Result<_, _>>()?,
            developer: token(LocalKind::Developer, "developer")?,
            admin: token(LocalKind::Admin, "admin")?,
        })
    }

    pub(crate) fn first(&self) -> anyhow::Result<&str> {
        self.consumers
            .first()
            .map(String::as_str)
            .context("there is no consumer")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokens are good from now on, and nothing here is told the time"
)]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A run, of this consumer.
pub(crate) fn run(token: &str, number: usize) -> Ask {
    let path = format!("/api/marketplace/models/model-{}/run", number % MODELS + 1);
    let headers = Ask::bearer(token);
    Ask::post(
        &path,
        &headers,
        &json!({"inputs": {"prompt": "a lighthouse at dusk"}}),
    )
}

/// Tells the server something, for somebody, and answers what it says when that has this status.
type Tell<'a> = dyn FnMut(&str, &str, &Value, u16) -> anyhow::Result<Value> + 'a;

/// An endpoint with a base model; answers its id.
fn make_base_model(tell: &mut Tell<'_>, people: &People, number: usize) -> anyhow::Result<Value> {
    let endpoint = tell(
        "/api/admin/endpoints",
        &people.admin,
        &json!({
            "runpodEndpointId": format!("echo-{number}"), "name": format!("GPUs {number}"), "source": "HUB",
            "gpuType": "NVIDIA L40S",
        }),
        201,
    )?;
    let mut base_model = tell(
        "/api/admin/base-models",
        &people.admin,
        &json!({
            "endpointId": endpoint.get("id"), "slug": format!("base-{number}"), "name": format!("Base {number}"),
            "category": "TEXT",
            "inputSchema": {
                "type": "object",
                "required": ["prompt"],
                "properties": {
                    "prompt": {"type": "string", "maxLength": 2000},
                    "style": {"type": "string", "enum": ["plain", "bold"], "default": "plain"},
                    "steps": {"type": "integer", "minimum": 1, "maximum": 50, "default": 20},
                },
            },
            "outputType": "JSON", "outputFormat": "json", "estimatedSeconds": 1, "timeoutSeconds": 600,
        }),
        201,
    )?;
    let id = base_model.get_mut("id").map(Value::take);
    id.context("the base model has no id")
}

/// Registers everybody, makes a model, runs it once, and makes a market of it.
pub(crate) fn fill(address: SocketAddr, url: &str, people: &People) -> anyhow::Result<()> {
    let mut line = Line::open(address)?;
    let mut tell = |path: &str, token: &str, body: &Value, wanted: u16| {
        let answer = line.send(&Ask::post(path, &Ask::bearer(token), body))?;
        answer
            .data(wanted)
            .with_context(|| format!("{path} was refused"))
    };
    tell(
        "/api/studio/auth/register",
        &people.developer,
        &Value::Null,
        201,
    )?;
    for consumer in &people.consumers {
        tell(
            "/api/marketplace/auth/register",
            consumer,
            &Value::Null,
            201,
        )?;
    }
    let base_models = (1..=ENDPOINTS).map(|number| make_base_model(&mut tell, people, number));
    let base_models = base_models.collect::<anyhow::Result<Vec<_>>>()?;
    let model = tell(
        "/api/studio/tars-models",
        &people.developer,
        &json!({
            "baseModelId": base_models.first(), "title": "Model 1 paints lighthouses", "slug": "model-1", "priceCredits": 5,
            "description": "A model that is asked for lighthouses, by night and by day, and says what it was asked.",
            "configOverrides": {"promptPrefix": "In oil, ", "hiddenFields": ["steps"]},
        }),
        201,
    )?;
    let id = model
        .get("id")
        .and_then(Value::as_str)
        .context("the model has no id")?;
    tell(
        &format!("/api/studio/tars-models/{id}/publish"),
        &people.developer,
        &Value::Null,
        200,
    )?;
    let answer = line.send(&run(people.first()?, 0))?;
    answer.data(202)?;
    until(
        url,
        "SELECT count(*) = 1 FROM executions WHERE status = 'COMPLETED'",
    )?;
    multiply_models(url)
}

/// Makes the market's models of the one that there is, each with a subject of its own to look for.
fn multiply_models(url: &str) -> anyhow::Result<()> {
    let subjects = [
        "lighthouses",
        "harbours",
        "mountains",
        "portraits",
        "logos",
        "kitchens",
        "dragons",
        "maps",
    ];
    let subjects = subjects.map(|subject| format!("'{subject}'")).join(", ");
    ask(
        url,
        &format!(
            "INSERT INTO tars_models (id, developer_id, base_model_id, title, slug, description, config_overrides, \
            price_credits, status, created_at, updated_at, published_at) \
         SELECT gen_random_uuid(), developer_id, \
            (SELECT array_agg(id ORDER BY id) FROM base_models)[1 + (n - 1) % {ENDPOINTS}], \
            format('Model %s paints %s', n, (ARRAY[{subjects}])[1 + n % 8]), format('model-%s', n), description, \
            config_overrides, price_credits, status, created_at + n * interval '1 second', updated_at, \
            published_at + n * interval '1 second' \
         FROM tars_models, generate_series(2, {MODELS}) n"
        ),
    )?;
    Ok(())
}

/// Makes so many ended runs of the one that there is: of the first consumer, or of everybody. They
/// were free, so that they moved no money; and no trigger hears of them.
pub(crate) fn remember(url: &str, runs: u32, whose: Whose) -> anyhow::Result<()> {
    let consumer = match whose {
        Whose::First => "x.consumer_id",
        Whose::Everybodys => "c.id",
    };
    let columns = ask(
        url,
        "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) \
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'executions' AND is_generated = 'NEVER'",
    )?;
    let values = columns.split(", ").map(|column| match column {
        // Ids begin with their time, as those of real runs do.
        "id" => format!("(lpad(to_hex((extract(epoch FROM x.created_at) * 1000)::bigint - n::bigint * 60000), 12, '0') \
            || '7' || substr(md5(n::text || {consumer}), 1, 3) || '8' || substr(md5(n::text || {consumer}), 4, 15))::uuid"),
        "consumer_id" => consumer.to_owned(),
        "price_credits" | "charged_credits" => "0".to_owned(),
        "created_at" | "deadline_at" | "started_at" | "completed_at" | "touched_at" => {
            format!("x.{column} - n * interval '1 minute'")
        }
        other => format!("x.{other}"),
    });
    let values: Vec<_> = values.collect();
    ask(
        url,
        &format!(
            "SET session_replication_role = replica; \
         INSERT INTO executions ({columns}) SELECT {} \
         FROM generate_series(1, {runs}) n \
            CROSS JOIN (SELECT * FROM executions WHERE stage = 'ended' ORDER BY id DESC LIMIT 1) x \
            JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM consumers) c ON c.place = 1 + n % {CONSUMERS}; \
         UPDATE consumers c SET run_count = (\
            SELECT count(*) FROM executions e WHERE e.consumer_id = c.id AND e.status = 'COMPLETED'\
         ) - (SELECT count(*) FROM untallied u WHERE u.consumer_id = c.id AND u.status = 'COMPLETED'); \
         RESET session_replication_role; VACUUM ANALYZE;",
            values.join(", "),
        ),
    )?;
    Ok(())
}

/// Whose runs are made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    /// All of one consumer.
    First,
    /// Of each about the same.
    Everybodys,
}

/// Waits until the database says so.
pub(crate) fn until(url: &str, question: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if ask(url, question)? == "t" {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(250));
    }
    bail!("it never came to this: {question}")
}
