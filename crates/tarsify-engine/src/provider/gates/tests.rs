//! The gates of many endpoints.

use tarsify_domain::Timestamp;

use super::*;

fn endpoint() -> EndpointId {
    EndpointId::new(Timestamp::UNIX_EPOCH)
}

#[test]
fn operations_and_endpoints_have_gates_of_their_own() {
    let gates = Gates::new(Budgets::default());
    let (one, other) = (endpoint(), endpoint());
    assert!(gates.allowances(Operation::Run).is_empty());
    let permit = gates
        .enter(one, Operation::Run, Duration::from_secs(1))
        .unwrap();
    permit.report(Outcome::Forbidden);
    assert!(
        gates
            .enter(one, Operation::Run, Duration::from_secs(1))
            .is_err()
    );
    assert!(
        gates
            .enter(one, Operation::Cancel, Duration::from_secs(1))
            .is_ok()
    );
    assert!(
        gates
            .enter(other, Operation::Run, Duration::from_secs(1))
            .is_ok()
    );
    let mut allowances = gates.allowances(Operation::Run);
    allowances.sort();
    let mut expected = vec![(one, 0), (other, 149)];
    expected.sort();
    assert_eq!(allowances, expected);
    assert!(matches!(
        gates.closed(one, Operation::Run),
        Some(Denied::Circuit(_))
    ));
    assert_eq!(gates.closed(other, Operation::Run), None);
}

#[test]
fn a_permit_that_is_dropped_makes_room() {
    let gates = Gates::new(Budgets {
        run: super::super::budget::Budget {
            per_second: 10,
            burst: 10,
            at_once: 1,
        },
        ..Budgets::default()
    });
    let endpoint = endpoint();
    let permit = gates
        .enter(endpoint, Operation::Run, Duration::from_secs(1))
        .unwrap();
    assert!(
        gates
            .enter(endpoint, Operation::Run, Duration::from_secs(1))
            .is_err()
    );
    drop(permit);
    assert!(
        gates
            .enter(endpoint, Operation::Run, Duration::from_secs(1))
            .is_ok()
    );
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn whoever_joins_others_begins_when_they_have_heard_of_it() {
    let gates = Gates::new(Budgets::default());
    let (one, other) = (endpoint(), endpoint());
    let now = Instant::now();
    gates.share_at(now, 2, SECOND);
    assert_eq!(gates.burst_at(now + SECOND, Operation::Run), 0);
    let refused = gates.enter_at(now, (one, Operation::Run), SECOND);
    assert!(matches!(refused, Err(Denied::Budget(_))), "{refused:?}");
    // Half of the rate for a second, at every gate, whether it was there or not.
    let later = now + SECOND * 2;
    assert_eq!(gates.allowances_at(later, Operation::Run), [(one, 40)]);
    assert_eq!(gates.burst_at(later, Operation::Run), 40);
    gates.share_at(later, 2, Duration::ZERO);
    assert_eq!(gates.burst_at(later, Operation::Run), 40, "nothing is new");
    let permit = gates.enter_at(later, (other, Operation::Run), SECOND);
    permit.unwrap();
    let full = now + SECOND * 9;
    gates.share_at(full, 2, Duration::ZERO);
    assert_eq!(gates.burst_at(full, Operation::Run), 75);
    // Somebody who was silent for long comes as if anew.
    gates.share_at(later, 2, SECOND);
    assert_eq!(gates.burst_at(later, Operation::Run), 0);
    let allowances = gates.allowances_at(later, Operation::Run);
    assert!(
        allowances.iter().all(|(_, left)| *left == 0),
        "{allowances:?}"
    );
}

#[test]
fn whoever_may_be_gone_for_the_others_takes_nothing() {
    let gates = Gates::new(Budgets::default());
    let (one, other) = (endpoint(), endpoint());
    let now = Instant::now();
    gates.share_at(now, 1, SECOND);
    gates
        .enter_at(now, (one, Operation::Run), SECOND)
        .map(drop)
        .unwrap();
    let here = now + SILENCE;
    assert_eq!(gates.burst_at(here, Operation::Run), 150);
    assert_eq!(gates.allowances_at(here, Operation::Run), [(one, 150)]);
    let gone = here + SECOND;
    assert_eq!(gates.burst_at(gone, Operation::Run), 0);
    assert_eq!(gates.allowances_at(gone, Operation::Run), [(one, 0)]);
    for endpoint in [one, other] {
        let refused = gates.enter_at(gone, (endpoint, Operation::Run), SECOND);
        assert!(
            matches!(refused, Err(Denied::Budget(SECOND))),
            "{refused:?}"
        );
    }
    // Frozen, and then among others: nothing that came in meanwhile is his.
    gates.share_at(gone, 2, SECOND);
    assert_eq!(
        gates.allowances_at(gone + SECOND, Operation::Run),
        [(one, 0)]
    );
    let later = gone + SECOND * 2;
    assert_eq!(gates.allowances_at(later, Operation::Run), [(one, 40)]);
}

#[test]
fn whoever_is_joined_gives_up_half_at_once() {
    let gates = Gates::new(Budgets::default());
    let endpoint = endpoint();
    let now = Instant::now();
    gates.share_at(now, 1, SECOND);
    assert_eq!(gates.burst_at(now, Operation::Run), 150, "nobody is here");
    let permit = gates.enter_at(now, (endpoint, Operation::Run), SECOND);
    permit.unwrap();
    gates.share_at(now, 2, Duration::ZERO);
    assert_eq!(gates.allowances_at(now, Operation::Run), [(endpoint, 75)]);
    gates.share_at(now, 1, Duration::ZERO);
    assert_eq!(gates.allowances_at(now, Operation::Run), [(endpoint, 75)]);
    let later = now + SECOND;
    assert_eq!(
        gates.allowances_at(later, Operation::Run),
        [(endpoint, 150)]
    );
}

#[test]
fn an_endpoint_that_is_left_alone_is_counted_once_however_many_operations_it_has() {
    let gates = Gates::new(Budgets::default());
    let now = Instant::now();
    let enter = |endpoint, operation| {
        let key = (endpoint, operation);
        gates.enter_at(now, key, Duration::from_secs(1)).unwrap()
    };
    let (ill, busy, well) = (endpoint(), endpoint(), endpoint());
    enter(well, Operation::Run).report(Outcome::Answered);
    assert_eq!(gates.circuits(), Circuits::default());
    for operation in [Operation::Run, Operation::Status] {
        enter(ill, operation).report(Outcome::Forbidden);
    }
    enter(ill, Operation::Cancel).report(Outcome::Answered);
    enter(busy, Operation::Run).report(Outcome::TooMany(Some(Duration::from_secs(60))));
    let open = Circuits {
        open: 1,
        half_open: 0,
        resting: 1,
    };
    assert_eq!(gates.circuits(), open);
    let later = now + Duration::from_secs(50);
    let half_open = Circuits {
        open: 0,
        half_open: 1,
        resting: 1,
    };
    assert_eq!(gates.circuits_at(later), half_open);
}
