//! What `docs/observability` says, against what the binary tells: a dashboard or an alert about
//! something that does not exist never shows and never rings.

use serde_json::Value;

use super::expression::Spoken;
use super::scrape::Scrape;
use crate::support::Workshop;

const DASHBOARD: &str = include_str!("../../../../../docs/observability/dashboard.json");
const ALERTS: &str = include_str!("../../../../../docs/observability/alerts.yml");
const README: &str = include_str!("../../../../../docs/observability/README.md");

/// What Prometheus adds to every series, or Tarsify's `prometheus.yml` does.
const ADDED: [&str; 4] = ["job", "instance", "role", "le"];

#[tokio::test]
async fn what_dashboards_and_alerts_speak_of_exists() {
    let workshop = Workshop::with(&[("REDIS_URL", "redis://127.0.0.1:1/0")]).await;
    let server = workshop.serve("all").await;
    workshop.submit(&server, "echo").await;
    workshop.all_ended().await;
    // How long a request took is told from the next one on.
    Scrape::of(&server).await;
    let scrape = Scrape::weighed(&server).await;
    let alerts = expressions_of_alerts();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut panels = Vec::new();
    expressions(&dashboard, &mut panels);
    assert!(
        alerts.len() >= 16 && panels.len() >= 40,
        "{} {}",
        alerts.len(),
        panels.len()
    );
    for expression in alerts.iter().chain(&panels) {
        assert_exists(&scrape, expression);
    }
    let unknown: Vec<_> = scrape
        .families()
        .into_iter()
        .filter(|family| !README.contains(&format!("`{family}")))
        .collect();
    assert!(unknown.is_empty(), "README.md does not tell of {unknown:?}");
}

#[track_caller]
fn assert_exists(scrape: &Scrape, expression: &str) {
    let spoken = Spoken::of(expression);
    assert!(!spoken.metrics.is_empty(), "{expression}");
    let mut all = Vec::new();
    for (name, matchers) in &spoken.metrics {
        // Prometheus says so itself.
        if name == "up" {
            continue;
        }
        assert!(scrape.has(name), "there is no {name}: {expression}");
        let labels = scrape.labels(name);
        for matcher in matchers {
            let label = matcher.label.as_str();
            if ADDED.contains(&label) {
                continue;
            }
            let values = labels.get(label);
            let values = values.unwrap_or_else(|| panic!("{name} has no {label}: {expression}"));
            // A status may not have been answered yet.
            if let Some(value) = &matcher.value
                && label != "status"
            {
                assert!(
                    values.contains(value.as_str()),
                    "no {label} is {value}: {expression}"
                );
            }
        }
        all.extend(labels.into_keys());
    }
    for label in &spoken.labels {
        let is_there = ADDED.contains(&label.as_str()) || all.contains(&label.as_str());
        assert!(is_there, "there is no {label} to group by: {expression}");
    }
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" => found.push(text.clone()),
                    value => expressions(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

/// Each rule names itself, asks in one line, and says what it means and what to do.
fn expressions_of_alerts() -> Vec<String> {
    let mut found = Vec::new();
    for rule in ALERTS.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let line = |key: &str| {
            let mut lines = rule.lines();
            let line = lines.find_map(|line| line.trim_start().strip_prefix(key));
            line.unwrap_or_else(|| panic!("{name} has no {key}")).trim()
        };
        let expression = line("expr: ");
        assert!(
            !expression.starts_with(['|', '>']),
            "{name}: write it in one line"
        );
        for key in ["severity: ", "summary: ", "description: "] {
            assert!(line(key).len() > 3, "{name}: {key}");
        }
        found.push(expression.trim_matches('\'').to_owned());
    }
    found
}
