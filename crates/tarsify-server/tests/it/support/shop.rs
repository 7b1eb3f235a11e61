//! A market made through the API, with somebody for each role.

use serde_json::{Value, json};

use super::{Ask, Place, Server, Store, get, post};

/// A server in development, and people signed in at it.
pub(crate) struct Shop {
    pub(crate) place: Place,
    pub(crate) server: Server,
    pub(crate) admin: String,
    /// A registered developer.
    pub(crate) developer: String,
    pub(crate) base_model: String,
}

impl Shop {
    /// Serves the database from one process.
    pub(crate) async fn open(store: &Store) -> Self {
        let place = Place::on(store);
        let server = place.serve().await;
        let admin = place.token("admin", "ada@example.com").await;
        let developer = place.token("developer", "grace@example.com").await;
        let register = post("/api/studio/auth/register").by(&developer);
        server.send(register).await.assert_ok(201);
        let base_model = add_base_model(&server, &admin).await;
        Self {
            place,
            server,
            admin,
            developer,
            base_model,
        }
    }

    /// Makes a draft.
    pub(crate) async fn draft(&self, slug: &str) -> String {
        let made = self.server.send(self.drafting(slug)).await;
        made.assert_ok(201).id()
    }

    /// What makes a draft.
    pub(crate) fn drafting(&self, slug: &str) -> Ask {
        post("/api/studio/tars-models")
            .by(&self.developer)
            .json(tars_model_body(&self.base_model, slug))
    }

    /// Publishes a model.
    pub(crate) async fn publish(&self, id: &str) {
        let publish = post(format!("/api/studio/tars-models/{id}/publish")).by(&self.developer);
        self.server.send(publish).await.assert_ok(200);
    }
}

/// Makes a base model on an endpoint of its own.
pub(crate) async fn add_base_model(server: &Server, admin: &str) -> String {
    let endpoint = post("/api/admin/endpoints")
        .by(admin)
        .json(endpoint_body("ep-sdxl"));
    let endpoint = server.send(endpoint).await.assert_ok(201).id();
    let base_model = post("/api/admin/base-models")
        .by(admin)
        .json(base_model_body(&endpoint));
    server.send(base_model).await.assert_ok(201).id()
}

pub(crate) fn endpoint_body(provider_id: &str) -> Value {
    json!({
        "runpodEndpointId": provider_id, "name": "SDXL in Europe", "source": "HUB",
        "gpuType": "NVIDIA L40S",
    })
}

pub(crate) fn base_model_body(endpoint: &str) -> Value {
    json!({
        "endpointId": endpoint, "slug": "image-maker", "name": "Image Maker", "category": "IMAGE",
        "inputSchema": {
            "type": "object",
            "required": ["prompt"],
            "properties": {
                "prompt": {"type": "string", "maxLength": 500},
                "width": {"type": "integer", "minimum": 256, "maximum": 2048},
                "style": {"type": "string"},
            },
        },
        "outputType": "IMAGE", "outputFormat": "png", "estimatedSeconds": 12,
    })
}

pub(crate) fn tars_model_body(base_model: &str, slug: &str) -> Value {
    json!({
        "baseModelId": base_model, "title": "Anime Generator", "slug": slug, "priceCredits": 25,
        "configOverrides": {"lockedInputs": {"width": 1024}, "promptPrefix": "anime style, "},
    })
}

impl Server {
    /// What the market shows of a model; `None` when it does not.
    pub(crate) async fn shown(&self, slug: &str) -> Option<Value> {
        let answer = self
            .send(get(format!("/api/marketplace/models/{slug}")))
            .await;
        match answer.status {
            200 => Some(answer.data().clone()),
            _ => {
                answer.assert_failed(404, "ERR_6100");
                None
            }
        }
    }
}
