//! Idempotency keys of requests that are not admissions.

use tarsify_domain::idempotency::{Begun, IdempotencyClaim, StoredAnswer};

use super::world::{ExecutionWorld, seconds};
use crate::builders::idempotency_claim;

const PATIENCE: u64 = 60;

async fn begin(world: &ExecutionWorld, claim: &IdempotencyClaim) -> Begun {
    let begun = world.keys.begin(claim, seconds(PATIENCE)).await;
    begun.unwrap()
}

async fn finish(world: &ExecutionWorld, claim: &IdempotencyClaim, answer: &[u8]) {
    let answer = StoredAnswer(answer.to_vec());
    world.keys.finish(claim, &answer).await.unwrap();
}

fn answered(answer: &[u8]) -> Begun {
    Begun::Answered(StoredAnswer(answer.to_vec()))
}

pub(super) async fn a_key_is_taken_once(world: ExecutionWorld) {
    let claim = idempotency_claim();
    assert_eq!(begin(&world, &claim).await, Begun::Fresh);
    assert_eq!(begin(&world, &claim).await, Begun::Running);
    world.pass(seconds(PATIENCE / 2)).await;
    assert_eq!(begin(&world, &claim).await, Begun::Running);
}

pub(super) async fn an_answer_is_kept(world: ExecutionWorld) {
    for answer in [b"".as_slice(), b"{\"a\": 1}", b"\0\xff\xfe not text"] {
        let claim = idempotency_claim();
        assert_eq!(begin(&world, &claim).await, Begun::Fresh);
        finish(&world, &claim, answer).await;
        assert_eq!(begin(&world, &claim).await, answered(answer));
        world.pass(seconds(2 * PATIENCE)).await;
        assert_eq!(begin(&world, &claim).await, answered(answer));
    }
}

pub(super) async fn another_body_is_refused_while_running_and_after(world: ExecutionWorld) {
    let claim = idempotency_claim();
    let other = IdempotencyClaim {
        fingerprint: [8; 32],
        ..claim.clone()
    };
    assert_eq!(begin(&world, &claim).await, Begun::Fresh);
    assert_eq!(begin(&world, &other).await, Begun::Reused);
    finish(&world, &claim, b"done").await;
    assert_eq!(begin(&world, &other).await, Begun::Reused);
    assert_eq!(begin(&world, &claim).await, answered(b"done"));
}

pub(super) async fn what_was_given_up_begins_anew(world: ExecutionWorld) {
    let claim = idempotency_claim();
    assert_eq!(begin(&world, &claim).await, Begun::Fresh);
    world.keys.give_up(&claim).await.unwrap();
    let other = IdempotencyClaim {
        fingerprint: [8; 32],
        ..claim.clone()
    };
    assert_eq!(begin(&world, &other).await, Begun::Fresh);
    assert_eq!(begin(&world, &claim).await, Begun::Reused);
    world.keys.give_up(&idempotency_claim()).await.unwrap();
}

pub(super) async fn whoever_takes_too_long_loses_the_key(world: ExecutionWorld) {
    let claim = idempotency_claim();
    assert_eq!(begin(&world, &claim).await, Begun::Fresh);
    world.pass(seconds(PATIENCE + 1)).await;
    assert_eq!(begin(&world, &claim).await, Begun::Fresh);
    assert_eq!(begin(&world, &claim).await, Begun::Running);
    finish(&world, &claim, b"done").await;
    assert_eq!(begin(&world, &claim).await, answered(b"done"));
}

pub(super) async fn giving_up_late_loses_nobodys_answer(world: ExecutionWorld) {
    let claim = idempotency_claim();
    assert_eq!(begin(&world, &claim).await, Begun::Fresh);
    world.pass(seconds(PATIENCE + 1)).await;
    assert_eq!(begin(&world, &claim).await, Begun::Fresh);
    finish(&world, &claim, b"done").await;
    world.keys.give_up(&claim).await.unwrap();
    assert_eq!(begin(&world, &claim).await, answered(b"done"));
}

pub(super) async fn old_keys_are_forgotten(world: ExecutionWorld) {
    const DAY: u64 = 24 * 60 * 60;
    let forget = async |limit| world.keys.forget(seconds(DAY), limit).await.unwrap();
    let old = [(); 3].map(|()| idempotency_claim());
    for claim in &old {
        begin(&world, claim).await;
        finish(&world, claim, b"old").await;
    }
    world.pass(seconds(DAY - 60)).await;
    let young = idempotency_claim();
    begin(&world, &young).await;
    finish(&world, &young, b"young").await;
    assert_eq!(forget(100).await, 0);
    world.pass(seconds(120)).await;
    assert_eq!(forget(2).await, 2);
    assert_eq!(forget(2).await, 1);
    assert_eq!(forget(2).await, 0);
    for claim in &old {
        assert_eq!(begin(&world, claim).await, Begun::Fresh);
    }
    assert_eq!(begin(&world, &young).await, answered(b"young"));
}

pub(super) async fn everybody_has_his_own_keys_everywhere(world: ExecutionWorld) {
    let claim = idempotency_claim();
    let of_another = IdempotencyClaim {
        principal: "somebody else".into(),
        fingerprint: [8; 32],
        ..claim.clone()
    };
    let elsewhere = IdempotencyClaim {
        route: "POST /elsewhere".into(),
        ..claim.clone()
    };
    for (claim, answer) in [(&claim, b"1"), (&of_another, b"2"), (&elsewhere, b"3")] {
        assert_eq!(begin(&world, claim).await, Begun::Fresh);
        finish(&world, claim, answer).await;
    }
    for (claim, answer) in [(&claim, b"1"), (&of_another, b"2"), (&elsewhere, b"3")] {
        assert_eq!(begin(&world, claim).await, answered(answer));
    }
}
