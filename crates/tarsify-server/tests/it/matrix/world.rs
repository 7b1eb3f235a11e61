//! A market with two of each kind of people, and something of each kind for both of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::json;

use super::callers::{Caller, OPERATOR};
use super::rules::{Kind, Side, Standing};
use crate::support::{
    Answer, Ask, Firebase, Server, Workshop, base_model_body, endpoint_body, get, post, until,
};

pub(super) const SIDES: [Side; 2] = [Side::First, Side::Second];

/// A text that only these may read.
pub(super) struct Secret {
    pub(super) text: String,
    pub(super) known_to: Vec<Standing>,
}

pub(super) struct World {
    pub(super) workshop: Workshop,
    pub(super) server: Server,
    pub(super) callers: Vec<Caller>,
    pub(super) secrets: Vec<Secret>,
    /// What is only looked at.
    pub(super) things: BTreeMap<(Kind, Side), String>,
    /// What the model `echo` is made of.
    pub(super) base_model: String,
    pub(super) endpoint: String,
    pub(super) client: Client,
    second_consumer: String,
    second_developer: String,
    made: AtomicUsize,
    _firebase: Firebase,
}

impl World {
    pub(super) async fn open() -> Self {
        let firebase = Firebase::start().await;
        let mut workshop = Workshop::with(&[
            ("FIREBASE_USERS_PROJECT_ID", Firebase::USERS),
            ("FIREBASE_DEVS_PROJECT_ID", Firebase::DEVELOPERS),
            ("FIREBASE_JWKS_URL", &firebase.url),
            ("METRICS_AUTH_TOKEN", OPERATOR),
        ])
        .await;
        let server = workshop.serve_with_callbacks("all").await;
        let slow = workshop.add_base_model(&server, "slow", 600).await;
        workshop.add_model(&server, &slow, "slow", json!({})).await;
        let forever = json!({"runMs": 3_600_000});
        workshop.gpus.behave("slow", forever).await;
        let of_echo = |column: &str| {
            let select = format!("SELECT {column} FROM base_models WHERE slug = 'base-echo'");
            workshop.store.sql(&select)
        };
        let (base_model, endpoint) = (of_echo("id"), of_echo("endpoint_id"));
        let mut world = Self {
            second_consumer: register(&workshop, &server, "consumer", "ben@example.com").await,
            second_developer: register(&workshop, &server, "developer", "dora@example.com").await,
            workshop,
            server,
            callers: Vec::new(),
            secrets: Vec::new(),
            things: BTreeMap::new(),
            base_model,
            endpoint,
            client: Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(40))
                .build()
                .unwrap(),
            made: AtomicUsize::new(0),
            _firebase: firebase,
        };
        world.invite().await;
        for side in SIDES {
            world.furnish(side).await;
        }
        world
    }

    /// Something of each kind, and what nobody else may read of it.
    async fn furnish(&mut self, side: Side) {
        for kind in [
            Kind::Run,
            Kind::Purchase,
            Kind::TarsModel,
            Kind::TestRun,
            Kind::Endpoint,
            Kind::BaseModel,
            Kind::Package,
        ] {
            let id = self.make(kind, side).await;
            self.things.insert((kind, side), id);
        }
        let thing = |kind| self.things[&(kind, side)].clone();
        let me = get("/api/marketplace/auth/me").by(self.consumer(side));
        let person = self.send(me).await.assert_ok(200).id();
        let slug = match side {
            Side::First => "echo".to_owned(),
            Side::Second => {
                let draft = &self.things[&(Kind::TarsModel, Side::First)];
                let slug = format!("SELECT slug FROM tars_models WHERE id = '{draft}'");
                self.workshop.store.sql(&slug)
            }
        };
        let (consumer, developer) = (Standing::Consumer(side), Standing::Developer(side));
        // The first developer's models are what is run, and who earns by a run is told which it was.
        let earner = Standing::Developer(Side::First);
        let secret = |text: String, known_to: &[Standing]| {
            let known_to = [known_to, &[Standing::Admin, Standing::BareAdmin]].concat();
            Secret { text, known_to }
        };
        let secrets = [
            secret(thing(Kind::Run), &[consumer, earner]),
            secret(prompt_of(side), &[consumer]),
            secret(thing(Kind::Purchase), &[consumer]),
            secret(thing(Kind::TarsModel), &[developer]),
            secret(thing(Kind::TestRun), &[developer]),
            secret(prefix_of(side), &[developer]),
            secret(trial_of(side), &[developer]),
        ];
        let execution = thing(Kind::Run);
        self.secrets.extend(secrets);
        self.things
            .insert((Kind::Execution, side), execution.clone());
        self.things.insert((Kind::Callback, side), execution);
        self.things.insert((Kind::Person, side), person);
        self.things.insert((Kind::Runnable, side), slug.clone());
        self.things.insert((Kind::Slug, side), slug);
    }

    /// What each table holds, in short; but for those in which processes write by themselves.
    pub(super) fn rows(&self) -> BTreeMap<String, String> {
        let rows = self.workshop.store.sql(
            "SELECT tablename, md5(query_to_xml(format('SELECT t::text FROM %I t ORDER BY 1', tablename), \
                true, true, '')::text) FROM pg_tables WHERE schemaname = 'public' \
                AND tablename NOT IN ('workers', 'retention', 'ledger_checkpoints')",
        );
        let rows = rows.lines().map(|row| row.split_once('|').unwrap());
        rows.map(|(table, rows)| (table.to_owned(), rows.to_owned()))
            .collect()
    }

    /// Waits until nothing is done any more but what somebody asks for.
    pub(super) async fn rests(&self) {
        until("all has been done", async || {
            self.workshop.store.sql(
                "SELECT (SELECT count(*) FROM executions WHERE stage <> 'ended') \
                    + (SELECT count(*) FROM outbox WHERE done_at IS NULL) \
                    + (SELECT count(*) FROM untallied)",
            ) == "0"
        })
        .await;
    }

    pub(super) fn consumer(&self, side: Side) -> &str {
        match side {
            Side::First => &self.workshop.consumer,
            Side::Second => &self.second_consumer,
        }
    }

    pub(super) fn developer(&self, side: Side) -> &str {
        match side {
            Side::First => &self.workshop.developer,
            Side::Second => &self.second_developer,
        }
    }

    /// One that nobody got before.
    pub(super) fn number(&self) -> usize {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) async fn send(&self, ask: Ask) -> Answer {
        self.server.send(ask).await
    }

    /// Makes something that is new.
    pub(super) async fn make(&self, kind: Kind, side: Side) -> String {
        let number = self.number();
        let (consumer, developer) = (self.consumer(side), self.developer(side));
        let admin = &self.workshop.admin;
        let (ask, status) = match kind {
            Kind::Run => {
                let inputs = json!({"inputs": {"prompt": prompt_of(side)}});
                let run = post("/api/marketplace/models/echo/run")
                    .by(consumer)
                    .json(inputs);
                (run.header("prefer", "wait=30"), 200)
            }
            Kind::Purchase => {
                let purchase = post("/api/marketplace/credits/purchase").by(consumer);
                (purchase.json(json!({"amountCents": 1_000})), 201)
            }
            Kind::TarsModel => {
                let draft = json!({
                    "baseModelId": self.base_model, "title": "A Draft",
                    "slug": format!("draft-{number}"), "priceCredits": 5,
                    "configOverrides": {"promptPrefix": prefix_of(side)},
                });
                (
                    post("/api/studio/tars-models").by(developer).json(draft),
                    201,
                )
            }
            Kind::TestRun => return self.try_out(side).await,
            Kind::Endpoint => {
                let endpoint = endpoint_body(&format!("ep-{number}"));
                (post("/api/admin/endpoints").by(admin).json(endpoint), 201)
            }
            Kind::BaseModel => {
                let mut base_model = base_model_body(&self.endpoint);
                base_model["slug"] = json!(format!("base-{number}"));
                (
                    post("/api/admin/base-models").by(admin).json(base_model),
                    201,
                )
            }
            Kind::Package => {
                let package = json!({"credits": 10_000 + number, "priceCents": 10_000 + number});
                (
                    post("/api/admin/credit-packages").by(admin).json(package),
                    201,
                )
            }
            Kind::Slug | Kind::Runnable | Kind::Execution | Kind::Person | Kind::Callback => {
                panic!("{kind:?} is not made by itself")
            }
        };
        self.send(ask).await.assert_ok(status).id()
    }

    async fn try_out(&self, side: Side) -> String {
        let model = &self.things[&(Kind::TarsModel, side)];
        let run = post(format!("/api/studio/tars-models/{model}/test-run"))
            .by(self.developer(side))
            .json(json!({"inputs": {"prompt": trial_of(side)}}));
        let answer = self.send(run).await.assert_ok(200);
        answer.data()["jobId"].as_str().unwrap().to_owned()
    }
}

/// The beginning of the addresses for that kind of people.
pub(super) fn scope_of(kind: &str) -> &'static str {
    match kind {
        "consumer" => "/api/marketplace",
        _ => "/api/studio",
    }
}

/// Makes a profile for that address; gives its owner's token.
pub(super) async fn register(
    workshop: &Workshop,
    server: &Server,
    kind: &str,
    email: &str,
) -> String {
    let token = workshop.place.token(kind, email).await;
    let register = post(format!("{}/auth/register", scope_of(kind))).by(&token);
    server.send(register).await.assert_ok(201);
    token
}

pub(super) fn prompt_of(side: Side) -> String {
    format!("what the {side:?} consumer typed")
}

fn trial_of(side: Side) -> String {
    format!("what the {side:?} developer tried")
}

fn prefix_of(side: Side) -> String {
    format!("the {side:?} developer's own words, ")
}
