//! Runs that tests start, and the worker's steps that bring them forward. Nothing works by
//! itself here: a test says when.

use std::future::IntoFuture;

use serde_json::{Value, json};
use time::Duration;

use super::{Ask, Reply, Shop};

/// Where a consumer finds his run.
pub(crate) fn run_place(id: &Value) -> String {
    format!("/api/marketplace/runs/{}", id.as_str().unwrap())
}

impl Shop {
    /// A model in the market that anybody may run.
    pub(crate) async fn runnable(&self, slug: &str) -> Value {
        let developer = self.developer(&format!("maker-of-{slug}")).await;
        self.published(&developer, slug).await
    }

    /// A request to run a model with inputs that fit it.
    pub(crate) fn asks_to_run(&self, token: &str, slug: &str) -> Ask<'_> {
        self.post(format!("/api/marketplace/models/{slug}/run"))
            .token(token)
            .json(&json!({ "inputs": { "prompt": "a lighthouse at dusk" } }))
    }

    /// Starts a run and gives its id.
    pub(crate) async fn started(&self, token: &str, slug: &str) -> Value {
        let reply = self.asks_to_run(token, slug).await;
        reply.assert(202, "").data()["executionId"].clone()
    }

    /// Starts a run, brings it to its end and gives its id.
    pub(crate) async fn finished(&self, token: &str, slug: &str) -> Value {
        let id = self.started(token, slug).await;
        self.work().await;
        id
    }

    /// Submits what waits, lets time pass, and looks at everything.
    pub(crate) async fn work(&self) {
        self.submit().await;
        self.look().await;
    }

    /// Submits what waits.
    pub(crate) async fn submit(&self) {
        self.services.engine.submit_due().await.unwrap();
    }

    /// Lets time pass and looks at everything.
    pub(crate) async fn look(&self) {
        self.clock.advance(Duration::seconds(31));
        self.services.engine.look_due().await.unwrap();
    }

    /// Sends the request, and works as soon as there are so many executions.
    pub(crate) async fn sent_and_worked(&self, ask: Ask<'_>, executions: usize) -> Reply {
        let working = async {
            self.has_accepted(executions).await;
            self.work().await;
        };
        let (reply, ()) = tokio::join!(ask.into_future(), working);
        reply
    }

    /// Ends as soon as there are so many executions.
    pub(crate) async fn has_accepted(&self, executions: usize) {
        while self.runs.memory.len() < executions {
            tokio::task::yield_now().await;
        }
    }

    /// The address that the provider was told to call for its newest job, without the host.
    pub(crate) fn callback(&self) -> String {
        let asked = self.gpu.asked().pop().unwrap();
        let address = asked.callback.unwrap();
        let host = "https://tarsify.example.com";
        address.strip_prefix(host).unwrap().to_owned()
    }
}
