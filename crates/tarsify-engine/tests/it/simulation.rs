//! Lifecycles of runs by the million, each world under one seed: the real machine and the real
//! in-memory store, with simulated time, workers, provider, callbacks and people, and every
//! fault that `docs/ARCHITECTURE.md` promises to survive. What must always hold is checked after
//! each step; what never happened fails the test as well.

mod audit;
mod bug;
mod client;
mod cloud;
mod coverage;
mod dice;
mod misdeed;
mod misfortune;
mod network;
mod people;
mod run;
mod till;
mod time;
mod verdict;
mod weather;
mod worker;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tarsify_domain::execution::{EndReason, Ending};

use bug::Bug;
use coverage::Coverage;
use world::{Outcome, Settings, Violation, World};

/// What came of many worlds.
#[derive(Default)]
struct Totals {
    seeds: u64,
    lifecycles: u64,
    steps: u64,
    coverage: Coverage,
    /// The first broken rule, and the seed under which it broke.
    broken: Option<(u64, Violation)>,
}

fn live(seed: u64, lifecycles: usize, bug: Option<Bug>) -> Result<Outcome, Violation> {
    World::new(Settings {
        seed,
        lifecycles,
        bug,
        blackout: None,
        follows: None,
    })
    .live()
}

/// The same world again, with the story of the run that went wrong.
fn story(seed: u64, lifecycles: usize, bug: Option<Bug>, run: Option<usize>) -> String {
    let mut world = World::new(Settings {
        seed,
        lifecycles,
        bug,
        blackout: None,
        follows: run,
    });
    let _ = world.live();
    world.story.join("\n")
}

/// Lets the worlds of these seeds live, on every core, until one breaks a rule.
fn live_all(from: u64, until: u64, lifecycles: usize) -> Totals {
    let next = AtomicU64::new(from);
    let is_broken = AtomicBool::new(false);
    let totals = Mutex::new(Totals::default());
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !is_broken.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= until {
                        return;
                    }
                    let outcome = live(seed, lifecycles, None);
                    let mut totals = totals.lock().unwrap();
                    match outcome {
                        Ok(outcome) => {
                            totals.seeds += 1;
                            totals.lifecycles += outcome.lifecycles;
                            totals.steps += outcome.steps;
                            totals.coverage.add(&outcome.coverage);
                        }
                        Err(violation) => {
                            is_broken.store(true, Ordering::Relaxed);
                            let broken = totals.broken.take();
                            let first = broken.filter(|(before, _)| *before < seed);
                            totals.broken = first.or(Some((seed, violation)));
                        }
                    }
                }
            });
        }
    });
    totals.into_inner().unwrap()
}

/// Fails with seed, rule and story when a rule was broken, or with what was never seen.
fn judge(totals: &Totals, lifecycles: usize) {
    if let Some((seed, violation)) = &totals.broken {
        let Violation { rule, run, said } = violation;
        let story = story(*seed, lifecycles, None, *run);
        panic!(
            "seed {seed} with {lifecycles} lifecycles broke the rule \"{rule}\" in run {run:?}: \
             {said}\nIts story:\n{story}"
        );
    }
    let gaps = totals.coverage.gaps();
    assert!(gaps.is_empty(), "{} seeds: {gaps:#?}", totals.seeds);
}

#[test]
fn a_seed_is_one_world() {
    let first = live(7, 60, None).unwrap();
    let second = live(7, 60, None).unwrap();
    assert_eq!(first.trace, second.trace);
    assert_eq!(first.coverage, second.coverage);
    assert_ne!(first.trace, live(8, 60, None).unwrap().trace);
}

#[test]
fn a_short_run_holds() {
    const LIFECYCLES: usize = 60;
    let totals = live_all(0, 300, LIFECYCLES);
    judge(&totals, LIFECYCLES);
}

/// What ends otherwise than by its deadline, or because somebody called it off, breaks a rule of the
/// world. Beyond that nobody may press a provider that refuses: a run is tried after 1, 2, 4 and so
/// on up to 60 seconds, each up to a fifth less.
#[test]
fn ten_minutes_of_blackout_fail_nothing_and_press_nobody() {
    const BLACKOUT: (time::Micros, time::Micros) = (5 * time::SECOND, 605 * time::SECOND);
    let mut most = 0;
    let mut coverage = Coverage::default();
    for seed in 0..40 {
        let outcome = World::new(Settings {
            seed,
            lifecycles: 60,
            bug: None,
            blackout: Some(BLACKOUT),
            follows: None,
        })
        .live();
        let outcome = outcome.unwrap_or_else(|violation| panic!("seed {seed}: {violation:?}"));
        most = most.max(outcome.most_in_vain);
        coverage.add(&outcome.coverage);
    }
    assert!((8..=19).contains(&most), "{most} submissions of one run");
    let failed = coverage.reasons_of(Ending::Failed);
    let bad_input = Some(EndReason::Refused);
    assert!(
        failed.iter().all(|reason| *reason == bad_input),
        "{failed:?}"
    );
    let late = coverage.reasons_of(Ending::TimedOut);
    let deadline = Some(EndReason::Deadline);
    assert!(late.iter().all(|reason| *reason == deadline), "{late:?}");
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "whoever runs it wants to see what found what"
)]
fn planted_bugs_are_caught() {
    const LIFECYCLES: usize = 40;
    assert!(Bug::ALL.len() >= 10);
    let mut uncaught = Vec::new();
    for bug in Bug::ALL {
        let caught = (0..1000).find_map(|seed| {
            let violation = live(seed, LIFECYCLES, Some(*bug)).err()?;
            // It counts only where nothing is wrong without the bug.
            live(seed, LIFECYCLES, None)
                .is_ok()
                .then_some((seed, violation))
        });
        match caught {
            Some((seed, Violation { rule, .. })) => {
                eprintln!("{bug:?}: caught under seed {seed} by \"{rule}\"");
            }
            None => uncaught.push(*bug),
        }
    }
    assert!(uncaught.is_empty(), "never caught: {uncaught:?}");
}

/// `scripts/simulate` runs this one, and sets `TARSIFY_SEED` to live one world again.
#[test]
#[ignore = "takes minutes in a release build: scripts/simulate"]
#[expect(clippy::print_stderr, reason = "its numbers are what it is run for")]
fn a_long_run_holds() {
    const LIFECYCLES: usize = 130;
    const SEEDS: u64 = 10_000;
    #[expect(
        clippy::disallowed_methods,
        reason = "a test has no configuration to read"
    )]
    let asked = std::env::var("TARSIFY_SEED").ok();
    if let Some(seed) = asked {
        let seed = seed.parse().expect("TARSIFY_SEED is a number");
        judge_one(seed, LIFECYCLES);
        return;
    }
    let begun = Instant::now();
    let totals = live_all(0, SEEDS, LIFECYCLES);
    let took = begun.elapsed();
    for line in totals.coverage.lines() {
        eprintln!("{line}");
    }
    eprintln!(
        "{} seeds, {} lifecycles, {} steps, {:.1} seconds",
        totals.seeds,
        totals.lifecycles,
        totals.steps,
        took.as_secs_f64()
    );
    judge(&totals, LIFECYCLES);
    assert!(totals.seeds >= 10_000 && totals.lifecycles >= 1_000_000);
    assert!(took < Duration::from_secs(600), "it took {took:?}");
}

#[expect(clippy::print_stderr, reason = "its numbers are what it is run for")]
fn judge_one(seed: u64, lifecycles: usize) {
    let totals = live_all(seed, seed + 1, lifecycles);
    if totals.broken.is_some() {
        judge(&totals, lifecycles);
    }
    eprintln!(
        "seed {seed} holds: {} lifecycles, {} steps",
        totals.lifecycles, totals.steps
    );
}
