//! Jobs that are left over when an execution has ended.

use tarsify_domain::execution::{Stage, State};

use super::{CLAIMED, DEADLINE, Row, check, state, stopped};
use crate::provider::StopAnswer;

#[test]
fn they_are_called_off_until_the_provider_has_answered() {
    let ended = || state(Stage::Ended, "won:a orphaned:b");
    let pause = |looks| State { looks, ..ended() };
    let table: Vec<Row> = vec![
        ("asked for", ended(), 40, vec![CLAIMED], "stop 2:b"),
        (
            "stopped",
            ended(),
            40,
            vec![CLAIMED, stopped(StopAnswer::Cancelled)],
            "ended>ended rest [2 over:b]",
        ),
        (
            "had ended: nobody waits for what it came to",
            ended(),
            40,
            vec![CLAIMED, stopped(StopAnswer::Ended)],
            "ended>ended rest [2 over:b]",
        ),
        (
            "not known",
            ended(),
            40,
            vec![CLAIMED, stopped(StopAnswer::NotFound)],
            "ended>ended rest [2 over:b]",
        ),
        (
            "not known yet",
            ended(),
            5,
            vec![CLAIMED, stopped(StopAnswer::NotFound)],
            "ended>ended after 1s",
        ),
        (
            "silence",
            ended(),
            40,
            vec![CLAIMED, stopped(StopAnswer::Unavailable)],
            "ended>ended after 1s",
        ),
        (
            "more silence",
            pause(4),
            40,
            vec![CLAIMED, stopped(StopAnswer::Unavailable)],
            "ended>ended after 16s",
        ),
        (
            "silence for ever",
            pause(400),
            40,
            vec![CLAIMED, stopped(StopAnswer::Unavailable)],
            "ended>ended after 60s",
        ),
        (
            "until the provider forgets it by itself",
            ended(),
            DEADLINE + 299,
            vec![CLAIMED],
            "stop 2:b",
        ),
        (
            "and no longer",
            ended(),
            DEADLINE + 300,
            vec![CLAIMED],
            "ended>ended rest [2 over:b]",
        ),
    ];
    check(table);
}

#[test]
fn each_of_several_is_called_off() {
    let ended = || state(Stage::Ended, "orphaned:a orphaned:b");
    let table: Vec<Row> = vec![
        (
            "one after the other",
            ended(),
            40,
            vec![CLAIMED, stopped(StopAnswer::Cancelled)],
            "stop 1:a",
        ),
        (
            "both done",
            ended(),
            40,
            vec![
                CLAIMED,
                stopped(StopAnswer::Cancelled),
                stopped(StopAnswer::Ended),
            ],
            "ended>ended rest [1 over:a, 2 over:b]",
        ),
        (
            "one is left",
            ended(),
            40,
            vec![
                CLAIMED,
                stopped(StopAnswer::Unavailable),
                stopped(StopAnswer::Cancelled),
            ],
            "ended>ended after 1s [1 over:a]",
        ),
    ];
    check(table);
}
