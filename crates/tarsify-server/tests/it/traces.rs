//! Traces: one from the request through the queue to the provider call, what comes in with requests,
//! what is never in one, and collectors that are away, silent or mad.

mod collector;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::collector::{Collector, Manner, Seen};
use crate::support::{Answer, Said, Workshop, accepted, get, log_line, until};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const RUN: &str = "POST /api/marketplace/models/{slug}/run";

/// Everything is traced, and sent soon.
fn everything(url: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
        ("TARSIFY__TRACES__SAMPLE_PERCENT", "100"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]
}

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

#[track_caller]
fn only<'a>(spans: &'a [Seen], what: &str, is_it: impl Fn(&Seen) -> bool) -> &'a Seen {
    let found: Vec<_> = spans.iter().filter(|span| is_it(span)).collect();
    assert_eq!(found.len(), 1, "{what}: {spans:#?}");
    found[0]
}

#[tokio::test]
async fn one_trace_leads_from_the_request_through_the_queue_to_the_provider() {
    let collector = Collector::start(Manner::Takes).await;
    let workshop = Workshop::with(&everything(&collector.url)).await;
    let api = workshop.serve("api").await;
    let worker = workshop.serve("worker").await;
    let ask = workshop.run("echo").header("traceparent", &parent("01"));
    let run = accepted(api.send(ask).await);
    workshop.ended(&api, &run).await;
    until("all of the run is traced", async || {
        let spans = collector.of(TRACE);
        let has = |name: &str, value: &str| spans.iter().any(|s| s.attribute(name) == value);
        has("ended", "COMPLETED") && has("operation", "run") && has("http.route", &RUN[5..])
    })
    .await;
    let spans = collector.of(TRACE);

    let request = only(&spans, "the request", |span| span.name == RUN);
    assert_eq!(request.parent, CALLER);
    assert_eq!(request.attribute("http.response.status_code"), "202");
    assert_eq!(request.attribute("principal"), "consumer");
    assert_eq!(request.sender["tarsify.role"], "api");
    assert_eq!(request.sender["service.name"], "tarsify");
    assert!(!request.sender["service.version"].is_empty());
    let of_the_request = |span: &Seen| span.name == "query" && span.parent == request.span;
    let admission =
        |span: &Seen| of_the_request(span) && span.attribute("group").starts_with("execution");
    assert!(spans.iter().any(admission), "{spans:#?}");

    let step = only(&spans, "the step", |span| {
        span.attribute("work") == "submit"
    });
    assert_eq!(
        (step.name.as_str(), &step.parent),
        ("run step", &request.span)
    );
    assert_eq!(step.attribute("execution"), run);
    assert_eq!(step.attribute("attempt"), "1");
    assert_eq!(step.sender["tarsify.role"], "worker");
    let call = only(&spans, "the call", |span| {
        span.attribute("operation") == "run"
    });
    assert_eq!(
        (call.name.as_str(), &call.parent),
        ("provider call", &step.span)
    );
    assert_eq!(call.attribute("provider"), "runpod");
    assert_eq!(call.attribute("http.response.status_code"), "200");
    let writes = |span: &Seen| span.name == "query" && span.parent == step.span;
    assert!(spans.iter().any(writes), "{spans:#?}");
    assert!(spans.iter().all(|span| !span.is_error), "{spans:#?}");

    // No statement stands alone: those that workers send by themselves are in no trace.
    let alone = |span: &Seen| span.name == "query" && span.parent.is_empty();
    assert!(!collector.all().iter().any(alone));
    for (said, message) in [
        (api.stop("INT").await, "request"),
        (worker.stop("INT").await, "run ended"),
    ] {
        let lines = lines_of_trace(&said);
        assert!(
            lines.iter().any(|line| line["message"] == message),
            "{said:#?}"
        );
    }
}

fn lines_of_trace(said: &Said) -> Vec<Value> {
    let lines = said.err.lines().filter_map(log_line);
    lines.filter(|line| line["trace_id"] == TRACE).collect()
}

#[tokio::test]
async fn who_sends_no_good_trace_or_wants_none_gets_the_same_answer() {
    let collector = Collector::start(Manner::Takes).await;
    let workshop = Workshop::with(&everything(&collector.url)).await;
    let server = workshop.serve("all").await;
    let plain = |answer: Answer| {
        let answer = answer.assert_ok(200);
        (answer.body["data"].clone(), answer.headers.len())
    };
    let market = || get("/api/marketplace/models");
    let usual = plain(server.send(market()).await);
    let bad = [
        "canary".to_owned(),
        parent("01").to_uppercase(),
        format!("{}-canary", parent("01")),
        parent("01").replace(TRACE, &"0".repeat(32)),
        parent("01").replace(CALLER, &"0".repeat(16)),
        parent("01").replacen("00", "ff", 1),
        "0".repeat(4_000),
    ];
    for value in &bad {
        let answer = server.send(market().header("traceparent", value)).await;
        assert_eq!(plain(answer), usual, "{value}");
    }
    // Whoever does not record has us record nothing either, there and in the work for it.
    let unrecorded = workshop.run("echo").header("traceparent", &parent("00"));
    let run = accepted(server.send(unrecorded).await);
    assert_eq!(workshop.ended(&server, &run).await["status"], "COMPLETED");
    server.stop("INT").await.assert_code(0);
    assert!(collector.of(TRACE).is_empty(), "{:#?}", collector.of(TRACE));
    let all = collector.all();
    let asked: Vec<_> = all
        .iter()
        .filter(|span| span.name == "GET /api/marketplace/models")
        .collect();
    assert_eq!(asked.len(), 1 + bad.len());
    for span in asked {
        assert_eq!(span.parent, "", "{span:#?}");
    }
    let ours = |span: &&Seen| span.attribute("execution") == run;
    assert_eq!(all.iter().find(ours).map(|span| &span.name), None);
}

#[tokio::test]
async fn without_a_collector_there_are_no_traces_and_the_log_says_nothing_of_any() {
    let workshop = Workshop::with(&[("LOG_LEVEL", "trace,hyper_util=off,reqwest=off")]).await;
    let server = workshop.serve("all").await;
    let ask = workshop.run("echo").header("traceparent", &parent("01"));
    let run = accepted(server.send(ask).await);
    workshop.ended(&server, &run).await;
    assert_eq!(workshop.executions("trace_parent IS NOT NULL"), 0);
    let said = server.stop("INT").await.assert_code(0);
    for word in [
        "trace_id",
        "tarsify_spans",
        TRACE,
        "run step",
        "provider call",
    ] {
        assert!(!said.err.contains(word), "{word}");
    }
}

#[tokio::test]
async fn nothing_private_is_in_a_trace() {
    let collector = Collector::start(Manner::Takes).await;
    let mut settings = everything(&collector.url);
    settings.push(("RUNPOD_API_KEY", "rpa_CANARYKEY"));
    settings.push(("OTEL_SERVICE_NAME", "shop-backend"));
    let workshop = Workshop::with(&settings).await;
    let server = workshop.serve("all").await;
    let base = workshop.store.sql("SELECT id FROM base_models");
    let hidden = json!({
        "promptPrefix": "CANARY-prefix ", "hiddenFields": ["recipe"],
        "secretInputs": {"recipe": "CANARY-recipe"},
    });
    workshop
        .add_model(&server, &base, "canary-slug", hidden)
        .await;
    let ask = workshop
        .run_with("canary-slug", json!({"prompt": "CANARY-prompt"}))
        .header("traceparent", &parent("01"))
        .header("tracestate", "vendor=CANARY-state")
        .header("baggage", "who=CANARY-baggage")
        .header("x-request-id", "CANARY-id")
        .header("idempotency-key", "CANARY-key-0123456789")
        .header("user-agent", "CANARY-agent");
    let run = accepted(server.send(ask).await);
    let ended = workshop.ended(&server, &run).await;
    assert!(
        ended["outputPayload"].to_string().contains("CANARY-prompt"),
        "{ended}"
    );
    server
        .send(get("/api/marketplace/models?search=CANARY-search"))
        .await
        .assert_ok(200);
    server
        .send(get("/api/CANARY-path?CANARY=1"))
        .await
        .assert_failed(404, "ERR_1002");
    server
        .send(get("/api/studio/auth/me").by("CANARY.forged.token"))
        .await
        .assert_failed(401, "ERR_2001");
    // Statements that fail talk more than those that do not.
    workshop.store.close();
    let lost = server.send(workshop.run("echo")).await;
    assert_eq!(lost.status, 503, "{lost:#?}");
    workshop.store.open();
    server.stop("INT").await;

    let (all, sent) = (collector.all(), collector.text().to_lowercase());
    assert!(
        all.iter()
            .any(|span| span.attribute("ended") == "COMPLETED")
    );
    assert!(all.iter().any(|span| span.is_error), "{all:#?}");
    assert!(all.iter().all(|span| span.events == 0));
    let sender = &all[all.len() - 1].sender;
    assert_eq!(sender["service.name"], "shop-backend");
    assert!(!sent.contains("canary"), "{all:#?}");
    assert!(!sent.contains("example.com"), "{all:#?}");
    for token in [&workshop.admin, &workshop.developer, &workshop.consumer] {
        for part in token.to_lowercase().split('.').skip(1) {
            assert!(!sent.contains(part));
        }
    }
    assert_only_known_names(&all);
}

/// Names come out of a closed set, and so do those of attributes.
#[track_caller]
fn assert_only_known_names(spans: &[Seen]) {
    const ATTRIBUTES: [&str; 17] = [
        "attempt",
        "db.system.name",
        "ended",
        "execution",
        "group",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "in_line_us",
        "line",
        "operation",
        "principal",
        "provider",
        "stage",
        "together",
        "waited_us",
        "work",
    ];
    for span in spans {
        let name = span.name.as_str();
        let is_request = name
            .split_once(' ')
            .is_some_and(|(_, route)| route.starts_with("/api/") || route == "unknown");
        let is_known = matches!(name, "query" | "run step" | "provider call");
        assert!(is_known || is_request, "{span:#?}");
        for attribute in span.attributes.keys() {
            assert!(
                ATTRIBUTES.contains(&attribute.as_str()),
                "{attribute}: {span:#?}"
            );
        }
    }
}

#[tokio::test]
async fn a_collector_that_is_away_silent_or_mad_disturbs_nobody_and_is_told_of_once() {
    let mut workshop = Workshop::open().await;
    let (silent, mad) = (
        Collector::start(Manner::Silent).await,
        Collector::start(Manner::Nonsense).await,
    );
    for (name, value) in everything("http://127.0.0.1:1") {
        workshop.place.set(name, value);
    }
    workshop.place.set("OTEL_EXPORTER_OTLP_TIMEOUT", "300");
    for url in ["http://127.0.0.1:1", &silent.url, &mad.url] {
        workshop.place.set("OTEL_EXPORTER_OTLP_ENDPOINT", url);
        let server = workshop.serve("all").await;
        let run = workshop.submit(&server, "echo").await;
        assert_eq!(workshop.ended(&server, &run).await["status"], "COMPLETED");
        // Several batches long, and far more spans than are kept.
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1_500) {
            server
                .send(get("/api/marketplace/models"))
                .await
                .assert_ok(200);
        }
        let told = |log: &str| log.contains("traces do not reach").then_some(());
        server.process.wait_for_err(told).await;
        let said = server.stop("INT").await.assert_code(0);
        let times = said.err.matches("traces do not reach").count();
        assert_eq!(times, 1, "{url}: {said:#?}");
    }
    assert!(
        silent.requests() > 1,
        "one batch does not hold up the next for good"
    );
    assert!(mad.requests() > 1);
}

#[tokio::test]
async fn the_last_traces_are_sent_at_the_end_and_nobody_waits_long_for_that() {
    let (kind, silent) = (
        Collector::start(Manner::Takes).await,
        Collector::start(Manner::Silent).await,
    );
    let mut workshop = Workshop::open().await;
    for (name, value) in everything(&kind.url) {
        workshop.place.set(name, value);
    }
    // Nothing would be sent by itself for an hour, and no answer missed for a minute.
    workshop.place.set("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    workshop.place.set("OTEL_EXPORTER_OTLP_TIMEOUT", "60000");
    let server = workshop.serve("all").await;
    let ask = workshop.run("echo").header("traceparent", &parent("01"));
    let run = accepted(server.send(ask).await);
    workshop.ended(&server, &run).await;
    assert_eq!(kind.requests(), 0);
    server.stop("INT").await.assert_code(0);
    assert!(kind.of(TRACE).iter().any(|span| span.name == RUN));

    workshop
        .place
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", &silent.url);
    let server = workshop.serve("all").await;
    server
        .send(get("/api/marketplace/models"))
        .await
        .assert_ok(200);
    let began = Instant::now();
    let said = server.stop("INT").await.assert_code(0);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(silent.requests(), 1);
    said.assert_complains(&["the last traces have not reached their collector"]);
}
