//! What is measured, in which order, and what was promised of it.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::Context;

use crate::ceiling::Ceiling;
use crate::client::{Ask, Line};
use crate::cluster::ask;
use crate::filling::{CONSUMERS, MODELS, Whose, remember, run, until};
use crate::load::{Pressed, Pressure, press};
use crate::market::Market;
use crate::meter::{family_ms, most_resident_mb, processor_ms, resident_mb};
use crate::process::Running;
use crate::report::{Mark, Report, Row};
use crate::say;
use crate::wrk::{self, Gets};

/// How many requests for runs are under way at once.
const CLIENTS: u32 = 32;
/// How many runs have ended before anything is measured, all of one consumer; and in the end.
const RUNS: u32 = 100_000;
const MANY_RUNS: u32 = 900_000;
/// Runs a second, when what one costs is compared.
const PACE: f64 = 40.0;
const ALL_ENDED: &str = "SELECT count(*) = 0 FROM executions WHERE stage <> 'ended'";

/// What is measured with.
pub(crate) struct Tools {
    pub(crate) tarsify: PathBuf,
    pub(crate) pgbench: PathBuf,
    pub(crate) each: Duration,
}

/// A market, ready to be measured.
pub(crate) struct Bench {
    each: Duration,
    ceiling: Ceiling,
    market: Market,
}

/// What has been measured so far.
#[derive(Default)]
struct Figures {
    rows: Vec<Row>,
    marks: Vec<Mark>,
    submitted: u64,
}

impl Bench {
    pub(crate) fn prepare(tools: Tools) -> anyhow::Result<Self> {
        let Tools {
            tarsify,
            pgbench,
            each,
        } = tools;
        let market = Market::open(tarsify)?;
        say("the ceilings' tables");
        let database = market.cluster.make("ceiling")?;
        let ceiling = Ceiling::prepare(&pgbench, database, market.folder.path())?;
        remember(&market.url, RUNS, Whose::First)?;
        Ok(Self {
            each,
            ceiling,
            market,
        })
    }

    pub(crate) fn measure(self) -> anyhow::Result<Report> {
        say("what this PostgreSQL can do");
        let before = self.ceiling.measure(self.each)?;
        let mut figures = Figures::default();
        let least = self.reads(&mut figures)?;
        self.lifecycles(&mut figures)?;
        self.millions(&mut figures)?;
        self.submits(&mut figures)?;
        say("what this PostgreSQL can do, once more");
        let after = self.ceiling.measure(self.each)?;
        let Figures { rows, marks, .. } = figures;
        self.market.cluster.stop()?;
        Ok(Report {
            least,
            ceilings: before.mean(after),
            rows,
            marks,
        })
    }

    /// Everything that is only read. Answers how fast the least of it is.
    fn reads(&self, figures: &mut Figures) -> anyhow::Result<f64> {
        say("reads");
        let server = self.market.binary.serve("api")?;
        figures.mark(
            "from the start to ready",
            server.took.as_secs_f64() * 1e3,
            ("ms", 300.0),
        );
        thread::sleep(Duration::from_secs(3));
        figures.mark("resident, idle", resident_mb(server.id())?, ("MB", 60.0));
        let livez = Gets::of(vec!["/livez".to_owned()]);
        // Once for the sake of what comes first.
        self.read(&server, ("", &livez, 200), None)?;
        let least = self.read(&server, ("`GET /livez`", &livez, 200), None)?;
        let rate = least.rate;
        figures.rows.push(least);
        self.pages(&server, figures)?;
        if let [.., first, deep, _search, _again] = figures.rows.as_slice() {
            let ratio = first.rate / deep.rate;
            figures.mark(
                "the first page of runs, by one in the middle",
                ratio,
                ("times as fast", 1.2),
            );
        }
        figures.mark(
            "resident, at the most during these reads",
            most_resident_mb(server.id())?,
            ("MB", 150.0),
        );
        Ok(rate)
    }

    /// What people and programs read all day.
    fn pages(&self, server: &Running, figures: &mut Figures) -> anyhow::Result<()> {
        let mut line = Line::open(server.address)?;
        let token = self.market.people.first()?;
        let list = "/api/marketplace/models?limit=20";
        let tag = line
            .send(&Ask::get(list))?
            .etag
            .context("a list has no ETag")?;
        let models = (1..=MODELS).map(|number| format!("/api/marketplace/models/model-{number}"));
        let runs = self.market.ended_runs()?;
        let history = "/api/marketplace/runs?limit=20";
        let deep = deep_page(&mut line, token)?;
        let words = ["lighthouses", "dragons", "maps", "kitchens"]
            .map(|word| format!("/api/marketplace/models?search={word}"));
        let mine = |paths| Gets::of(paths).by(token);
        let plain = Gets::of;
        for (what, gets, wanted, promise) in [
            (
                "a page of the market",
                plain(vec![list.to_owned()]),
                200,
                ('H', 0.6),
            ),
            (
                "a model, each of 1,000 in turn",
                plain(models.collect()),
                200,
                ('H', 0.6),
            ),
            (
                "a page of the market, unchanged (304)",
                plain(vec![list.to_owned()]).with("If-None-Match", tag),
                304,
                ('H', 0.8),
            ),
            (
                "the status of an ended run, 1,000 in turn",
                mine(runs),
                200,
                ('H', 0.35),
            ),
            (
                "the first page of 100,000 runs, with the total",
                mine(vec![history.to_owned()]),
                200,
                ('H', 0.15),
            ),
            (
                "a page in the middle of them, by cursor",
                mine(vec![deep]),
                200,
                ('H', 0.15),
            ),
            (
                "a full-text search, each for the first time",
                plain(searches()),
                200,
                ('H', 0.10),
            ),
            (
                "a full-text search, four words in turn",
                plain(words.to_vec()),
                200,
                ('H', 0.10),
            ),
        ] {
            figures
                .rows
                .push(self.read(server, (what, &gets, wanted), Some(promise))?);
        }
        Ok(())
    }

    fn read(
        &self,
        server: &Running,
        (what, gets, wanted): (&str, &Gets, u16),
        promise: Option<(char, f64)>,
    ) -> anyhow::Result<Row> {
        let before = self.used(server)?;
        let read = wrk::ask(
            server.address,
            self.market.folder.path(),
            (gets, wanted),
            self.each,
        )
        .with_context(|| format!("{what} was not measured"))?;
        Ok(Row {
            what: what.to_owned(),
            rate: read.rate,
            half: read.half,
            most: read.most,
            cost: self.cost(server, before, read.requests)?,
            promise,
        })
    }

    /// Runs from their submission to their end, as fast as it goes.
    fn lifecycles(&self, figures: &mut Figures) -> anyhow::Result<()> {
        say("whole runs");
        let server = self.market.binary.serve("all")?;
        let before = self.used(&server)?;
        let began = ask(&self.market.url, "SELECT now()")?;
        let pressed = self.submit(&server, figures, None)?;
        until(&self.market.url, ALL_ENDED)?;
        // As the rows say, because nobody looks all the time.
        let took = ask(
            &self.market.url,
            &format!(
                "SELECT extract(epoch FROM max(completed_at) - min(created_at)) FROM executions WHERE created_at >= '{began}'"
            ),
        )?;
        let took: f64 = took.parse().context("no run was measured")?;
        let count = pressed.count();
        figures.rows.push(Row {
            what: "whole runs: submitted, called back, settled".to_owned(),
            rate: count / took,
            half: pressed.percentile(50),
            most: pressed.percentile(99),
            cost: self.cost(&server, before, count)?,
            promise: Some(('C', 0.12)),
        });
        Ok(())
    }

    /// What costs the same with ten times as many ended runs.
    fn millions(&self, figures: &mut Figures) -> anyhow::Result<()> {
        let few = self.usual(figures, "with 100,000 ended runs")?;
        say("a million ended runs");
        remember(&self.market.url, MANY_RUNS, Whose::Everybodys)?;
        let many = self.usual(figures, "with 1,000,000")?;
        for ((what, few), (_, many)) in few.into_iter().zip(many) {
            figures.mark(
                &format!("{what}, cost with 1,000,000 ended runs by that with 100,000"),
                many / few,
                ("", 1.2),
            );
        }
        Ok(())
    }

    /// The processor time of what is done all day, for each.
    fn usual(&self, figures: &mut Figures, when: &str) -> anyhow::Result<[(&'static str, f64); 3]> {
        let server = self.market.binary.serve("all")?;
        let before = self.used(&server)?;
        let pressed = self.submit(&server, figures, Some(PACE))?;
        until(&self.market.url, ALL_ENDED)?;
        let (ours, databases) = self.cost(&server, before, pressed.count())?;
        figures.rows.push(Row {
            what: format!("whole runs, {PACE} a second, {when}"),
            rate: pressed.rate(),
            half: pressed.percentile(50),
            most: pressed.percentile(99),
            cost: (ours, databases),
            promise: None,
        });
        let token = self.market.people.first()?;
        let status = Gets::of(self.market.ended_runs()?).by(token);
        let status = self.read(
            &server,
            (&format!("the status of a run, {when}"), &status, 200),
            None,
        )?;
        let list = Gets::of(vec!["/api/marketplace/runs?limit=20".to_owned()]).by(token);
        let list = self.read(
            &server,
            (&format!("a page of runs, {when}"), &list, 200),
            None,
        )?;
        let costs = [
            ("a whole run", ours + databases),
            ("a status", status.cost.0 + status.cost.1),
            ("a page", list.cost.0 + list.cost.1),
        ];
        figures.rows.extend([status, list]);
        Ok(costs)
    }

    /// Paid runs that are only accepted: nobody works on them.
    fn submits(&self, figures: &mut Figures) -> anyhow::Result<()> {
        say("submissions");
        let server = self.market.binary.serve("api")?;
        let mut rate = 0.0;
        for (what, promise) in [
            ("a paid submit", Some(('C', 0.35))),
            ("a paid submit, at 70 % of that", None),
        ] {
            let pace = promise.is_none().then_some(rate * 0.7);
            let before = self.used(&server)?;
            let pressed = self.submit(&server, figures, pace)?;
            rate = pressed.rate();
            figures.rows.push(Row {
                what: what.to_owned(),
                rate,
                half: pressed.percentile(50),
                most: pressed.percentile(99),
                cost: self.cost(&server, before, pressed.count())?,
                promise,
            });
            if pace.is_some() {
                let slowest = pressed.percentile(99).as_secs_f64() * 1e3;
                figures.mark("99 % of paid submits at 70 %", slowest, ("ms", 50.0));
            }
        }
        Ok(())
    }

    fn submit(
        &self,
        server: &Running,
        figures: &mut Figures,
        pace: Option<f64>,
    ) -> anyhow::Result<Pressed> {
        let pressure = Pressure {
            connections: CLIENTS,
            lasts: self.each,
            pace,
        };
        let consumers = &self.market.people.consumers;
        let make = |number: u64| {
            let number = usize::try_from(number).unwrap_or_default();
            let token = consumers.get(number % CONSUMERS).map_or("", String::as_str);
            run(token, number)
        };
        let pressed = press(server.address, pressure, (figures.submitted, 202), make)?;
        figures.submitted += u64::try_from(pressed.latencies.len())?;
        Ok(pressed)
    }

    /// Processor time of the server and of the database so far.
    fn used(&self, server: &Running) -> anyhow::Result<(f64, f64)> {
        Ok((
            processor_ms(server.id())?,
            family_ms(self.market.cluster.id)?,
        ))
    }

    /// Seconds of it for each thousand of so many.
    fn cost(&self, server: &Running, before: (f64, f64), count: f64) -> anyhow::Result<(f64, f64)> {
        let after = self.used(server)?;
        Ok(((after.0 - before.0) / count, (after.1 - before.1) / count))
    }
}

impl Figures {
    fn mark(&mut self, what: &str, measured: f64, (unit, most): (&'static str, f64)) {
        self.marks.push(Mark {
            what: what.to_owned(),
            measured,
            unit,
            most,
        });
    }
}

/// Searches that find something and that nobody has made before, more than can be made in the time.
fn searches() -> Vec<String> {
    let words = [
        "a",
        "and",
        "asked",
        "by",
        "day",
        "for",
        "is",
        "it",
        "lighthouses",
        "model",
        "night",
        "paints",
        "says",
        "that",
        "was",
        "what",
    ];
    let numbers = 1..=MODELS;
    let pairs = numbers.flat_map(|number| words.map(|word| (word, number)));
    pairs
        .map(|(word, number)| format!("/api/marketplace/models?search={word}+{number}"))
        .collect()
}

/// A page in the middle of a consumer's runs.
fn deep_page(line: &mut Line, token: &str) -> anyhow::Result<String> {
    let mut path = "/api/marketplace/runs?limit=20".to_owned();
    for _ in 0..RUNS / 20 / 2 {
        let page = line.send(&Ask::write("GET", &path, &Ask::bearer(token)))?;
        let cursor = page
            .next_cursor()
            .context("the runs come to an end too soon")?;
        path = format!("/api/marketplace/runs?limit=20&cursor={cursor}");
    }
    Ok(path)
}
