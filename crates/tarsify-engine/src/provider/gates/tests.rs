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
