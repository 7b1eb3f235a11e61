//! When faults strike, and how a header names them.

use super::{Fault, FaultError, FaultKind, FaultPlan, When};

fn strikes(plan: &mut FaultPlan, occasions: usize) -> usize {
    (0..occasions)
        .map(|_| plan.fire(When::Run, |_| true).len())
        .sum()
}

#[test]
fn a_fault_strikes_as_often_as_it_says() {
    let fault = Fault::new(When::Run, FaultKind::Unavailable);
    for (fault, why, expected) in [
        (fault.clone(), "always", 10),
        (fault.clone().times(3), "three times", 3),
        (
            Fault {
                after: Some(8),
                ..fault.clone()
            },
            "after eight",
            2,
        ),
        (
            Fault {
                probability: Some(0.0),
                ..fault.clone()
            },
            "never",
            0,
        ),
        (
            Fault {
                probability: Some(1.0),
                ..fault.clone()
            },
            "surely",
            10,
        ),
        (
            Fault {
                when: When::Status,
                ..fault
            },
            "at another moment",
            0,
        ),
    ] {
        let mut plan = FaultPlan::new(vec![fault], 7);
        assert_eq!(strikes(&mut plan, 10), expected, "{why}");
    }
}

#[test]
fn the_same_seed_draws_the_same_faults() {
    let fault = Fault {
        probability: Some(0.3),
        ..Fault::new(When::Run, FaultKind::Refuse)
    };
    let draw = |seed| -> Vec<usize> {
        let mut plan = FaultPlan::new(vec![fault.clone()], seed);
        (0..1000)
            .map(|_| plan.fire(When::Run, |_| true).len())
            .collect()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let struck: usize = draw(3).iter().sum();
    assert!((230..370).contains(&struck), "{struck} of 1000");
}

#[test]
fn an_impossible_fault_keeps_its_strikes() {
    let mut plan = FaultPlan::new(
        vec![Fault::new(When::Status, FaultKind::Backwards).times(1)],
        0,
    );
    assert_eq!(plan.fire(When::Status, |_| false).len(), 0);
    assert_eq!(plan.fire(When::Status, |_| true).len(), 1);
    assert_eq!(plan.fire(When::Status, |_| true).len(), 0);
}

#[test]
fn a_header_names_faults() {
    let faults = Fault::parse_list("run=delay:500, status=lost*2,output=traceback").unwrap();
    assert_eq!(
        faults,
        [
            Fault::new(When::Run, FaultKind::Delay).lasting_ms(500),
            Fault::new(When::Status, FaultKind::Lost).times(2),
            Fault::new(When::Output, FaultKind::Traceback),
        ]
    );
    assert_eq!(
        Fault::parse_list("run=http_status:402").unwrap()[0].status,
        Some(402)
    );
    assert_eq!(
        Fault::parse_list("webhook=duplicate:5").unwrap()[0].copies,
        Some(5)
    );
    for bad in [
        "run",
        "run=boom",
        "now=stuck",
        "run=delay:soon",
        "run=stuck*x",
    ] {
        assert!(
            matches!(Fault::parse_list(bad), Err(FaultError::Header(_))),
            "{bad}"
        );
    }
}

#[test]
fn a_fault_without_meaning_is_refused() {
    for (text, why) in [
        ("webhook=stuck", "not a webhook's"),
        ("status=accept_then_drop", "reading has no effect to lose"),
        ("run=http_status", "no status"),
        ("run=http_status:200", "not an error"),
        ("webhook=duplicate:101", "too many copies"),
        ("output=huge:99999999999", "too large"),
    ] {
        assert!(Fault::parse_list(text).is_err(), "{why}");
    }
    let odd = Fault {
        probability: Some(1.5),
        ..Fault::new(When::Run, FaultKind::Stuck)
    };
    assert_eq!(odd.check(), Err(FaultError::Probability));
}
