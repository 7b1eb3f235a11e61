//! What a process tells at `/metrics`, series by series.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Server, get, until};

/// One answer of `/metrics`.
pub(super) struct Scrape {
    pub(super) text: String,
    series: BTreeMap<String, f64>,
}

impl Scrape {
    pub(super) async fn of(server: &Server) -> Self {
        let (status, text) = server.text(get("/metrics")).await;
        assert_eq!(status, 200, "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
        let mut series = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let twice = series.insert(name.to_owned(), value.parse().unwrap());
            assert_eq!(twice, None, "{name}");
        }
        Self { text, series }
    }

    /// The same once somebody has looked at what all accounts hold, which is told from then on.
    pub(super) async fn weighed(server: &Server) -> Self {
        let mut scrape = Self::of(server).await;
        until("the accounts are looked at", async || {
            scrape = Self::of(server).await;
            scrape.has("ledger_imbalance_millicredits")
        })
        .await;
        scrape
    }

    /// The value of a series, which must be there.
    #[track_caller]
    pub(super) fn value(&self, series: &str) -> f64 {
        let value = self.series.get(series);
        *value.unwrap_or_else(|| panic!("no {series} in {}", self.text))
    }

    /// Whether there is any series of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().contains(name)
    }

    /// All series.
    pub(super) fn series(&self) -> BTreeSet<&str> {
        self.series.keys().map(String::as_str).collect()
    }

    /// The name of each series, such as `http_requests_total`.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let names = self.series.keys().map(|series| split(series).0);
        names.collect()
    }

    /// The names of the families, as they are told before their series.
    pub(super) fn families(&self) -> BTreeSet<&str> {
        let types = self.text.lines();
        let types = types.filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split(' ').next()).collect()
    }

    /// Each label of the series of this name, with its values.
    pub(super) fn labels(&self, name: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for series in self.series.keys() {
            let (found, rest) = split(series);
            if found == name {
                for (label, value) in pairs(rest) {
                    labels.entry(label).or_default().insert(value);
                }
            }
        }
        labels
    }

    /// The sum of all series of this name that have these labels.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |series: &str| {
            let (found, rest) = split(series);
            let pairs = pairs(rest);
            found == name && labels.iter().all(|label| pairs.contains(label))
        };
        let fitting = self.series.iter().filter(|(series, _)| fits(series));
        fitting.map(|(_, value)| value).sum()
    }
}

fn split(series: &str) -> (&str, &str) {
    let (name, rest) = series.split_once('{').unwrap_or((series, "}"));
    (name, rest.strip_suffix('}').unwrap())
}

/// No value of ours holds a quotation mark.
fn pairs(labels: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = labels;
    while let Some((label, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').unwrap();
        pairs.push((label, value));
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    pairs
}
