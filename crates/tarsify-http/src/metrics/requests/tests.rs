//! What comes of requests in the text that is told.

use std::time::Duration;

use actix_web::http::Method;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::{HttpMetrics, StreamKind};

fn told(metrics: &HttpMetrics) -> String {
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    text
}

fn series(text: &str) -> usize {
    text.lines().filter(|line| !line.starts_with('#')).count()
}

const MOMENT: Duration = Duration::from_millis(3);

#[test]
fn every_route_stands_at_zero_under_the_status_of_its_success() {
    let text = told(&HttpMetrics::new());
    for line in [
        "http_requests_total{method=\"GET\",route=\"/health/live\",status=\"200\"} 0",
        "http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"} 0",
        "http_requests_total{method=\"POST\",route=\"/api/marketplace/models/{slug}/run\",status=\"202\"} 0",
        "http_requests_total{method=\"POST\",route=\"/api/studio/tars-models\",status=\"201\"} 0",
        "http_requests_total{method=\"DELETE\",route=\"/api/admin/endpoints/{id}\",status=\"204\"} 0",
        "sse_streams{kind=\"admin\"} 0",
        "sse_events_total 0",
        "http_waiting_requests 0",
        "rate_limited_total{category=\"taskCreation\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn a_route_has_one_name_whatever_address_it_was_asked_at() {
    let metrics = HttpMetrics::new();
    for name in ["/health/live", "/livez"] {
        metrics.answered((&Method::GET, Some(name)), 200, MOMENT);
    }
    let line = "http_requests_total{method=\"GET\",route=\"/health/live\",status=\"200\"} 2";
    assert!(told(&metrics).contains(line));
}

#[test]
fn what_callers_make_up_makes_no_series() {
    let metrics = HttpMetrics::new();
    metrics.answered((&Method::GET, None), 404, MOMENT);
    let odd = Method::from_bytes(b"BREW").unwrap();
    metrics.answered((&odd, Some("/health")), 405, MOMENT);
    let before = series(&told(&metrics));
    for number in 0..300 {
        let path = format!("/made-up/{number}");
        metrics.answered((&Method::GET, Some(&path)), 404, MOMENT);
        let method = Method::from_bytes(format!("ODD{number}").as_bytes()).unwrap();
        metrics.answered((&method, Some("/health")), 405, MOMENT);
    }
    let text = told(&metrics);
    assert_eq!(series(&text), before);
    assert!(!text.contains("made-up") && !text.contains("ODD"), "{text}");
    let line = "http_requests_total{method=\"GET\",route=\"unknown\",status=\"404\"} 301";
    assert!(text.contains(line), "{text}");
}

#[test]
fn whoever_follows_is_counted_until_he_goes() {
    let metrics = HttpMetrics::new();
    let one = metrics.open_stream(StreamKind::Run);
    let other = metrics.open_stream(StreamKind::Run);
    one.sent();
    other.sent();
    let waiting = metrics.begin_wait();
    let text = told(&metrics);
    assert!(text.contains("sse_streams{kind=\"run\"} 2"), "{text}");
    assert!(text.contains("http_waiting_requests 1"), "{text}");
    drop((one, other, waiting));
    let text = told(&metrics);
    assert!(text.contains("sse_streams{kind=\"run\"} 0"), "{text}");
    assert!(text.contains("sse_events_total 2"), "{text}");
    assert!(text.contains("http_waiting_requests 0"), "{text}");
}
