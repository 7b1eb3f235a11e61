//! Masses of keys and of faults, and lists inside lists inside lists.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Target, head};
use crate::support::{get, patch, post, tars_model_body};

/// An object of so many keys, in as few bytes as can be.
fn keys(many: usize) -> String {
    let mut object = String::from("{");
    for number in 0..many {
        let comma = if number == 0 { "" } else { "," };
        write!(object, "{comma}\"{number:x}\":1").unwrap();
    }
    object.push('}');
    object
}

impl Target {
    /// A developer's draft.
    async fn draft(&self) -> String {
        let base_model = self
            .workshop
            .store
            .sql("SELECT id FROM base_models LIMIT 1");
        let draft = post("/api/studio/tars-models").by(&self.workshop.developer);
        let draft = draft.json(tars_model_body(&base_model, "crowded"));
        self.server.send(draft).await.assert_ok(201).id()
    }

    async fn post(&self, line: &str, body: &str) -> (u16, String) {
        let token = if line.contains("/studio/") {
            &self.workshop.developer
        } else {
            &self.workshop.consumer
        };
        let (bearer, length) = (format!("Bearer {token}"), body.len().to_string());
        let mut request = head(
            line,
            &[
                ("authorization", bearer.as_bytes()),
                ("content-type", b"application/json"),
                ("content-length", length.as_bytes()),
            ],
        );
        request.extend_from_slice(body.as_bytes());
        self.talk(&request).await
    }
}

const RUN: &str = "POST /api/marketplace/models/echo/run";
const PROFILE: &str = "PATCH /api/marketplace/auth/profile";
const REGISTER: &str = "POST /api/marketplace/auth/register";

#[tokio::test]
async fn masses_of_keys_are_refused_in_bounded_words_and_memory() {
    let target = Target::open().await;
    let peak = target.peak();
    let most = keys(105_000);
    assert!((900_000..999_000).contains(&most.len()), "{}", most.len());
    let draft = format!("PATCH /api/studio/tars-models/{}", target.draft().await);
    let locks = format!("{{\"configOverrides\":{{\"lockedInputs\":{most}}}}}");
    let cases = [
        (
            "a million keys",
            RUN,
            format!("{{\"inputs\":{}}}", keys(1_000_000)),
            413,
        ),
        ("a million keys nobody reads", PROFILE, keys(1_000_000), 413),
        (
            "more inputs than fit",
            RUN,
            format!("{{\"inputs\":{most}}}"),
            413,
        ),
        (
            "as many inputs as fit",
            RUN,
            format!("{{\"inputs\":{}}}", keys(28_000)),
            422,
        ),
        // He has registered, and that is all that is told.
        ("as many keys as fit", REGISTER, most.clone(), 409),
        ("as many faults as fit", draft.as_str(), locks, 400),
    ];
    for (why, line, body, status) in &cases {
        let began = Instant::now();
        let asked = [(); 4].map(|()| target.post(line, body));
        let [one, two, three, four] = asked;
        let (one, two, three, four, ()) = tokio::join!(one, two, three, four, target.is_served());
        for (found, answer) in [one, two, three, four] {
            let beginning = answer.get(..answer.len().min(400)).unwrap_or_default();
            // What is far too large may be hung up on so fast that the answer is lost.
            let is_lost = found == 0 && body.len() > 1_000_000;
            assert!(found == *status || is_lost, "{why}: {found} {beginning}");
            assert!(
                answer.len() < 100_000,
                "{why}: {} bytes are answered",
                answer.len()
            );
        }
        let took = began.elapsed();
        assert!(took < Duration::from_secs(20), "{why}: {took:?}");
    }
    target.assert_grew_at_most(peak, 400);
    let kept = target
        .server
        .send(get("/api/marketplace/auth/me").by(&target.workshop.consumer))
        .await;
    assert_eq!(kept.assert_ok(200).data()["name"], "Local consumer");
}

#[tokio::test]
async fn whatever_is_nested_too_deep_is_refused_where_it_stands() {
    let target = Target::open().await;
    let peak = target.peak();
    let nested = |open: &str, many: usize, close: &str| {
        format!(
            "{{\"inputs\":{{\"prompt\":{}1{}}}}}",
            open.repeat(many),
            close.repeat(many)
        )
    };
    for (many, status) in [(63, 400), (70, 400), (10_000, 400), (150_000, 400)] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let body = nested(open, many, close);
            let (found, answer) = target.post(RUN, &body).await;
            let beginning = answer.get(..answer.len().min(600)).unwrap_or_default();
            assert_eq!(found, status, "{many} {open}: {beginning}");
            assert!(
                answer.contains("nested deeper than"),
                "{many} {open}: {beginning}"
            );
        }
    }
    // What is only opened is no deeper than what is closed as well.
    let (found, _) = target.post(RUN, &"[".repeat(900_000)).await;
    assert_eq!(found, 400);
    target.is_served().await;
    target.assert_grew_at_most(peak, 60);
    let change = patch("/api/marketplace/auth/profile").by(&target.workshop.consumer);
    let change = change.json(json!({"name": "Anne"}));
    target.server.send(change).await.assert_ok(200);
}

#[tokio::test]
async fn masses_of_headers_are_refused_in_bounded_memory() {
    let target = Target::open().await;
    let peak = target.peak();
    let cases = [
        ("as many as fit", 90, 1, &[200][..]),
        ("too many", 200, 1, &[431]),
        ("far too many", 100_000, 1, &[431, 0]),
        ("few that are too long", 80, 20_000, &[431, 0]),
        ("one without an end", 1, 20_000_000, &[431, 0]),
    ];
    for (why, many, length, statuses) in cases {
        let value = vec![b'a'; length];
        let headers = vec![("x-crowd", value.as_slice()); many];
        let request = head("GET /api/public/models", &headers);
        let asked = [(); 4].map(|()| target.talk(&request));
        let [one, two, three, four] = asked;
        let (one, two, three, four, ()) = tokio::join!(one, two, three, four, target.is_served());
        for (found, answer) in [one, two, three, four] {
            // It may hang up so fast that its answer is lost on the way.
            let beginning = answer.get(..answer.len().min(400)).unwrap_or_default();
            assert!(statuses.contains(&found), "{why}: {found} {beginning}");
        }
    }
    target.is_served().await;
    target.assert_grew_at_most(peak, 60);
}
