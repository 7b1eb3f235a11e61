//! Everybody at every door: each operation of the served document is asked for by each kind of caller,
//! for what is his, what is somebody else's and what is not there. What has to be answered follows from
//! a few rules about addresses; it is written down for no cell.

mod callers;
mod document;
mod requests;
mod rules;
mod world;

use std::collections::BTreeSet;

use self::callers::Caller;
use self::document::{Operation, operations};
use self::requests::Reply;
use self::rules::{
    Kind, NEVER_CARRIED_OUT, Object, guard_of, kind_of, may_be_refused, may_tell_apart, refusal,
};
use self::world::{SIDES, World};
use crate::support::{assert_money_adds_up, get};

/// What the whole matrix has found.
#[derive(Default)]
struct Findings {
    cells: usize,
    /// Streams that told something.
    streams: usize,
    carried_out: BTreeSet<String>,
    faults: Vec<String>,
}

impl Findings {
    fn fault(&mut self, cell: &str, what: &str, reply: &Reply) {
        let (status, text) = (reply.status, &reply.text);
        self.faults.push(format!("{cell}: {what}: {status} {text}"));
    }
}

fn objects(kind: Option<Kind>) -> Vec<Object> {
    match kind {
        Some(_) => {
            let sides = SIDES.map(Object::Of);
            sides.into_iter().chain([Object::Absent]).collect()
        }
        None => vec![Object::None],
    }
}

/// Some of the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Those that have to be refused.
    Refused,
    /// Those that have to be carried out.
    CarriedOut,
}

/// One operation, asked for by one caller, for everything; but only what belongs to this part.
async fn knock(
    world: &World,
    (operation, caller): (&Operation, &Caller),
    part: Part,
    findings: &mut Findings,
) {
    let name = operation.name();
    let (guard, kind) = (guard_of(&name, &operation.path), kind_of(&operation.path));
    let mut refused: Vec<(u16, serde_json::Value)> = Vec::new();
    for object in objects(kind) {
        let expected = refusal(guard, kind, (caller.standing, object));
        if expected.is_some() != (part == Part::Refused) {
            continue;
        }
        let reply = world
            .ask(operation, caller, (kind, object, expected.is_none()))
            .await;
        findings.cells += 1;
        findings.streams += usize::from(reply.is_stream && reply.text.contains("event: "));
        let cell = format!("{name} by {} for {object:?}", caller.name);
        let found = (reply.status, reply.code());
        match expected {
            Some(expected) if found != expected => {
                findings.fault(&cell, &format!("not {expected:?}"), &reply);
            }
            Some(_) => refused.push(reply.told()),
            None if (200..300).contains(&reply.status) => {
                findings.carried_out.insert(operation.handler.clone());
            }
            None if may_be_refused(&operation.handler, caller.standing, found) => {}
            None => findings.fault(&cell, "refused", &reply),
        }
        let code = Some(reply.code()).filter(|code| !code.is_empty());
        if !operation.declares(reply.status, code) {
            findings.fault(&cell, "the document knows no such answer", &reply);
        }
        for secret in &world.secrets {
            if reply.text.contains(&secret.text) && !secret.known_to.contains(&caller.standing) {
                let what = format!("tells what is none of his business ({})", secret.text);
                findings.fault(&cell, &what, &reply);
            }
        }
    }
    // Who may not have a thing is not told whether it is there.
    let tells = kind.is_some_and(|kind| may_tell_apart(guard, kind, caller.standing));
    if !tells && refused.windows(2).any(|two| two[0] != two[1]) {
        let what = format!(
            "{name} by {}: tells what is there: {refused:?}",
            caller.name
        );
        findings.faults.push(what);
    }
}

/// Everything that has to be refused, asked for by everybody, one after another: nothing may come of
/// it, whatever is answered.
async fn knock_in_vain(world: &World, operations: &[Operation], findings: &mut Findings) {
    world.rests().await;
    let mut before = world.rows();
    for caller in &world.callers {
        for operation in operations {
            knock(world, (operation, caller), Part::Refused, findings).await;
        }
        let after = world.rows();
        let changed = |table: &&String| before.get(*table) != after.get(*table);
        let changed: Vec<_> = after.keys().filter(changed).collect();
        if !changed.is_empty() {
            let fault = format!("refused to {}, and yet written: {changed:?}", caller.name);
            findings.faults.push(fault);
        }
        before = after;
    }
}

#[tokio::test]
async fn everybody_is_answered_everywhere_by_the_same_few_rules() {
    let world = World::open().await;
    let document = world.server.send(get("/openapi.json")).await;
    let operations = operations(&document.body);
    let mut findings = Findings::default();
    knock_in_vain(&world, &operations, &mut findings).await;
    for operation in &operations {
        let name = operation.name();
        let guard = guard_of(&name, &operation.path);
        let scheme = operation.scheme.as_deref();
        if scheme != guard.scheme() {
            let what = format!("{name}: the document says that it is for {scheme:?}");
            findings.faults.push(what);
        }
        for caller in &world.callers {
            let what = (operation, caller);
            knock(&world, what, Part::CarriedOut, &mut findings).await;
        }
    }
    let Findings {
        cells,
        streams,
        carried_out,
        faults,
    } = findings;
    let shown = faults.iter().take(30).cloned().collect::<Vec<_>>();
    assert!(
        faults.is_empty(),
        "{} of {cells} cells are wrong:\n{}",
        faults.len(),
        shown.join("\n")
    );
    assert!(cells >= 1_000, "only {cells} cells");
    assert!(streams > 0, "no stream was read");
    let all: BTreeSet<String> = operations
        .iter()
        .map(|operation| operation.handler.clone())
        .collect();
    let never: Vec<&String> = all.difference(&carried_out).collect();
    assert_eq!(never, NEVER_CARRIED_OUT, "what was carried out for nobody");
    assert_money_adds_up(&world.workshop);
}
