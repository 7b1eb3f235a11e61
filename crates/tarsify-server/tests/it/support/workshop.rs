//! A market whose models run: GPUs, a model on each of their own endpoints, and somebody who
//! runs them.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::{Answer, Ask, Gpus, Place, Server, Store, get, post, until};

/// The views of what must hold of executions at any moment.
const INVARIANTS: [&str; 10] = ["e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9", "e10"];

/// A database, GPUs, and the people of a market. Who serves and works is up to the test.
pub(crate) struct Workshop {
    pub(crate) store: Store,
    pub(crate) gpus: Gpus,
    pub(crate) place: Place,
    pub(crate) admin: String,
    pub(crate) developer: String,
    pub(crate) consumer: String,
}

impl Workshop {
    /// With everybody registered, and the model `echo` on the endpoint `echo` in the market.
    pub(crate) async fn open() -> Self {
        Self::with(&[]).await
    }

    /// The same with these settings for every process.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let (store, gpus) = (Store::migrated().await, Gpus::start());
        let place = Place::on(&store)
            .with("RUNPOD_BASE_URL", &gpus.base_url())
            .with("WELCOME_CREDITS", "1000000");
        let place = settings
            .iter()
            .fold(place, |place, (name, value)| place.with(name, value));
        let admin = place.token("admin", "ada@example.com").await;
        let developer = place.token("developer", "grace@example.com").await;
        let consumer = place.token("consumer", "ann@example.com").await;
        let workshop = Self {
            store,
            gpus,
            place,
            admin,
            developer,
            consumer,
        };
        let clerk = workshop.serve("api").await;
        let studio = post("/api/studio/auth/register").by(&workshop.developer);
        clerk.send(studio).await.assert_ok(201);
        let market = post("/api/marketplace/auth/register").by(&workshop.consumer);
        clerk.send(market).await.assert_ok(201);
        let echo = workshop.add_base_model(&clerk, "echo", 600).await;
        workshop.add_model(&clerk, &echo, "echo", json!({})).await;
        clerk.stop("INT").await.assert_code(0);
        workshop
    }

    /// A process of that role on a free port.
    pub(crate) async fn serve(&self, role: &str) -> Server {
        let arguments = ["serve", "--port", "0", "--role", role];
        Server::ready(self.place.start(&arguments)).await
    }

    /// A process of that role that providers call back.
    pub(crate) async fn serve_with_callbacks(&mut self, role: &str) -> Server {
        let port = free_port();
        self.place
            .set("PUBLIC_URL", &format!("http://127.0.0.1:{port}"));
        let port = port.to_string();
        let arguments = ["serve", "--port", &port, "--role", role];
        Server::ready(self.place.start(&arguments)).await
    }

    /// Makes a base model on an endpoint of the GPUs whose jobs may take so long.
    pub(crate) async fn add_base_model(
        &self,
        clerk: &Server,
        endpoint: &str,
        timeout_seconds: u32,
    ) -> String {
        let made = post("/api/admin/endpoints").by(&self.admin).json(json!({
            "runpodEndpointId": endpoint, "name": "GPUs", "source": "HUB", "gpuType": "NVIDIA L40S",
        }));
        let id = clerk.send(made).await.assert_ok(201).id();
        let made = post("/api/admin/base-models").by(&self.admin).json(json!({
            "endpointId": id, "slug": format!("base-{endpoint}"), "name": "Base", "category": "TEXT",
            "inputSchema": {
                "type": "object",
                "required": ["prompt"],
                "properties": {
                    "prompt": {"type": "string", "maxLength": 2000},
                    "style": {"type": "string"},
                    "recipe": {"type": "string"},
                    "mood": {"type": "string"},
                },
            },
            "outputType": "JSON", "outputFormat": "json", "estimatedSeconds": 1,
            "timeoutSeconds": timeout_seconds,
        }));
        clerk.send(made).await.assert_ok(201).id()
    }

    /// Makes a model and publishes it.
    pub(crate) async fn add_model(
        &self,
        clerk: &Server,
        base_model: &str,
        slug: &str,
        overrides: Value,
    ) -> String {
        let draft = post("/api/studio/tars-models")
            .by(&self.developer)
            .json(json!({
                "baseModelId": base_model, "title": "A Model", "slug": slug, "priceCredits": 5,
                "configOverrides": overrides,
            }));
        let id = clerk.send(draft).await.assert_ok(201).id();
        let publish = post(format!("/api/studio/tars-models/{id}/publish")).by(&self.developer);
        clerk.send(publish).await.assert_ok(200);
        id
    }

    /// What runs a model.
    pub(crate) fn run(&self, slug: &str) -> Ask {
        self.run_with(slug, json!({"prompt": "a lighthouse at dusk"}))
    }

    pub(crate) fn run_with(&self, slug: &str, inputs: Value) -> Ask {
        post(format!("/api/marketplace/models/{slug}/run"))
            .by(&self.consumer)
            .json(json!({"inputs": inputs}))
    }

    /// Runs a model without waiting and gives the run's id.
    pub(crate) async fn submit(&self, server: &Server, slug: &str) -> String {
        accepted(server.send(self.run(slug)).await)
    }

    /// How a run is.
    pub(crate) fn status(&self, run: &str) -> Ask {
        get(format!("/api/marketplace/runs/{run}/status")).by(&self.consumer)
    }

    /// Waits until a run has ended and gives the whole of it.
    pub(crate) async fn ended(&self, server: &Server, run: &str) -> Value {
        let waiting = get(format!("/api/marketplace/runs/{run}/status?waitMs=20000"));
        until("the run ends", async || {
            let answer = server.send(waiting.clone().by(&self.consumer)).await;
            let status = answer.assert_ok(200).data()["status"].clone();
            !matches!(status.as_str(), Some("PENDING" | "QUEUED" | "RUNNING"))
        })
        .await;
        let run = get(format!("/api/marketplace/runs/{run}")).by(&self.consumer);
        server.send(run).await.assert_ok(200).data().clone()
    }

    /// How many executions are so, by a condition in SQL.
    pub(crate) fn executions(&self, condition: &str) -> usize {
        let count = format!("SELECT count(*) FROM executions WHERE {condition}");
        self.store.sql(&count).parse().unwrap()
    }

    /// Waits until every execution has ended, and checks what must hold of all of them.
    pub(crate) async fn all_ended(&self) {
        until("every execution ends", async || {
            self.executions("stage <> 'ended'") == 0
        })
        .await;
        self.assert_sound();
    }

    /// What must hold of executions and of money at any moment holds.
    #[track_caller]
    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.store.sql("SELECT * FROM ledger_faults LIMIT 5"), "");
        for invariant in INVARIANTS {
            let broken = self
                .store
                .sql(&format!("SELECT * FROM invariant_{invariant} LIMIT 5"));
            assert_eq!(broken, "", "{invariant}");
        }
    }
}

/// The id of a run that was accepted.
#[track_caller]
pub(crate) fn accepted(answer: Answer) -> String {
    let answer = answer.assert_ok(202);
    answer.data()["executionId"].as_str().unwrap().to_owned()
}

/// A port that nobody uses.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
