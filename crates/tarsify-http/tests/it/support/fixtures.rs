//! People and things that tests start from. All of them are made through the application, so
//! they are what clients would meet.

use serde_json::{Value, json};
use tarsify_domain::id::TarsModelId;
use tarsify_domain::people::Realm;

use super::Shop;

/// What an administrator sends for a new endpoint.
pub(crate) fn endpoint_body(provider_id: &str) -> Value {
    json!({
        "runpodEndpointId": provider_id, "name": "SDXL in Europe", "source": "HUB",
        "dockerImage": "example/sdxl:1.4", "gpuType": "NVIDIA L40S",
        "limits": { "maxConcurrency": 4, "retryOn429": true },
    })
}

/// What an administrator sends for a new base model.
pub(crate) fn base_model_body(endpoint_id: &Value, slug: &str) -> Value {
    json!({
        "endpointId": endpoint_id, "slug": slug, "name": "Image Generator",
        "description": "Pictures from words.", "category": "IMAGE",
        "inputSchema": {
            "type": "object",
            "required": ["prompt"],
            "additionalProperties": false,
            "properties": {
                "prompt": { "type": "string", "maxLength": 500 },
                "width": { "type": "integer", "minimum": 256, "maximum": 2048, "default": 1024 },
                "seed": { "type": "integer", "minimum": 0 },
                "apiKey": { "type": "string" },
            },
        },
        "outputType": "IMAGE", "outputFormat": "png", "estimatedSeconds": 12, "timeoutSeconds": 300,
    })
}

/// What a developer sends for a new tars model.
pub(crate) fn tars_model_body(base_model_id: &Value, slug: &str) -> Value {
    json!({
        "baseModelId": base_model_id, "title": "Anime Generator", "slug": slug,
        "description": "Your idea as an anime picture.", "priceCredits": 25,
        "configOverrides": {
            "lockedInputs": { "width": 1024 }, "hiddenFields": ["seed"],
            "promptPrefix": "anime style, ",
        },
    })
}

impl Shop {
    /// Registers a consumer and gives his token.
    pub(crate) async fn consumer(&self, subject: &str) -> String {
        let token = self.token(Realm::Consumers, subject);
        let reply = self.post("/api/marketplace/auth/register").token(&token);
        reply.await.assert(201, "");
        token
    }

    /// Registers a developer and gives his token.
    pub(crate) async fn developer(&self, subject: &str) -> String {
        let token = self.token(Realm::Developers, subject);
        let reply = self.post("/api/studio/auth/register").token(&token);
        reply.await.assert(201, "");
        token
    }

    async fn made(&self, path: &str, token: &str, body: &Value) -> Value {
        let reply = self.post(path).token(token).json(body).await;
        reply.assert(201, "").data()
    }

    /// Registers an endpoint.
    pub(crate) async fn endpoint(&self, provider_id: &str) -> Value {
        let body = endpoint_body(provider_id);
        self.made("/api/admin/endpoints", &self.admin(), &body)
            .await
    }

    /// Makes a base model on an endpoint of its own.
    pub(crate) async fn base_model(&self, slug: &str) -> Value {
        let endpoint = self.endpoint(&format!("ep-of-{slug}")).await;
        let body = base_model_body(&endpoint["id"], slug);
        self.made("/api/admin/base-models", &self.admin(), &body)
            .await
    }

    /// Makes a draft on a base model.
    pub(crate) async fn draft_on(&self, base: &Value, token: &str, slug: &str) -> Value {
        let body = tars_model_body(&base["id"], slug);
        self.made("/api/studio/tars-models", token, &body).await
    }

    /// Makes a draft on a base model of its own.
    pub(crate) async fn draft(&self, token: &str, slug: &str) -> Value {
        let base = self.base_model(&format!("base-of-{slug}")).await;
        self.draft_on(&base, token, slug).await
    }

    /// Puts a tars model into the market.
    pub(crate) async fn publish(&self, token: &str, model: &Value) -> Value {
        let reply = self
            .post(format!("{}/publish", address(model)))
            .token(token);
        reply.await.assert(200, "").data()
    }

    /// Makes a tars model in the market, on a base model of its own.
    pub(crate) async fn published(&self, token: &str, slug: &str) -> Value {
        let draft = self.draft(token, slug).await;
        self.publish(token, &draft).await
    }
}

/// Where the studio shows a tars model.
pub(crate) fn address(model: &Value) -> String {
    format!("/api/studio/tars-models/{}", model["id"].as_str().unwrap())
}

/// The id of a tars model, for the store's own edits.
pub(crate) fn id_of(model: &Value) -> TarsModelId {
    model["id"].as_str().unwrap().parse().unwrap()
}
