//! Many who follow: what they take, how late they hear, and what those who are cut off see.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::{Stream, events};
use crate::support::{Workshop, assert_may_open, until};

/// A part of how long a client is left alone, for each so many of them: more often no machine could
/// take all of them back.
const CUT: Duration = Duration::from_millis(25);
const FEW: usize = 60;

/// What the streams of one process take, and how late they tell an end, with so many of them.
#[expect(clippy::print_stdout, reason = "the figures are for who runs it")]
async fn crowd(watchers: usize, runs: usize) {
    assert_may_open(watchers + runs);
    let workshop = Workshop::open().await;
    workshop
        .gpus
        .behave("echo", json!({"runMs": 3_600_000}))
        .await;
    let server = workshop.serve("all").await;
    let token = workshop.consumer.as_str();
    let long = workshop.submit(&server, "echo").await;
    let is_sent = async || workshop.gpus.count("echo", "run").await == 1;
    until("the long run is at work", is_sent).await;
    workshop.gpus.behave("echo", json!({})).await;
    let memory = || resident(server.process.id());
    let before = memory();
    let mut idle = Vec::new();
    for _ in 0..watchers {
        idle.push(Stream::open(&server, &events(&long), token, "").await);
    }
    let each = (memory() - before) / watchers;
    let connections = workshop
        .store
        .sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()");
    let mut late = Vec::new();
    let mut watching = tokio::task::JoinSet::new();
    let mut clock = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..runs {
        clock.tick().await;
        let run = workshop.submit(&server, "echo").await;
        let mut stream = Stream::open(&server, &events(&run), token, "").await;
        watching.spawn(async move {
            loop {
                let told = stream.next().await.expect("it ends");
                if told.event == "completed" {
                    let at = told.data["at"].as_str().unwrap().to_owned();
                    return (at, now());
                }
            }
        });
    }
    while let Some(told) = watching.join_next().await {
        let (at, heard) = told.unwrap();
        let format = &time::format_description::well_known::Rfc3339;
        let at = time::OffsetDateTime::parse(&at, format).unwrap();
        late.push((heard - at).whole_milliseconds());
    }
    late.sort_unstable();
    let (half, most) = (late[late.len() / 2], late[late.len() * 99 / 100]);
    println!(
        "{watchers} streams: {each} bytes each, {connections} connections to the database; \
         the end of {runs} runs was told after {half} ms (half of them) and {most} ms (99 %)"
    );
    assert!(each <= 20 * 1024, "{each} bytes for a stream");
    assert!(connections.parse::<usize>().unwrap() < 60, "{connections}");
    drop(idle);
    server.stop("KILL").await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moments of another process are compared with it"
)]
fn now() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc()
}

/// Bytes of memory that a process has.
fn resident(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn hundreds_of_streams_take_little() {
    crowd(500, 50).await;
}

#[tokio::test]
#[ignore = "needs the machine for itself: scripts/endurance runs it"]
async fn ten_thousand_streams_take_little_and_hear_of_an_end_at_once() {
    crowd(10_000, 2_000).await;
}

/// What a client sees of a run that he follows to its end, and how often he was cut off: 20 times
/// at most, each after another while.
async fn watch(
    addresses: [SocketAddr; 2],
    (client, cut): (usize, Duration),
    run: String,
    token: &str,
) -> (String, Vec<String>, usize) {
    let mut last = String::new();
    let mut seen = Vec::new();
    let mut cuts = 0;
    loop {
        let address = addresses[(client + cuts) % 2];
        let mut stream = Stream::at(address, &events(&run), token, &last).await;
        // Whatever was on its way when he is cut off, he did not see.
        let end = sleep(cut * u32::try_from((client + cuts * 7) % 11).unwrap());
        tokio::pin!(end);
        loop {
            let told = tokio::select! {
                () = &mut end, if cuts < 20 => break,
                told = stream.next() => told.expect("it ends with an end"),
            };
            if told.event == "end" {
                return (run, seen, cuts);
            }
            last.clone_from(&told.id);
            seen.push(format!("{} {}", told.id, told.event));
        }
        cuts += 1;
    }
}

/// So many clients, each cut off 20 times while what they follow happens, on two processes. Each
/// sees everything once and in order, and the end.
async fn cut_off(clients: usize, runs: usize) {
    let workshop = Workshop::open().await;
    let crowding = u32::try_from(clients.div_ceil(FEW)).unwrap();
    let slow = json!({"runMs": 7_000 + 3_000 * crowding, "progressSteps": 50});
    workshop.gpus.behave("echo", slow).await;
    let (one, two) = tokio::join!(workshop.serve("all"), workshop.serve("all"));
    let token = workshop.consumer.as_str();
    let mut followed = Vec::new();
    for _ in 0..runs {
        followed.push(workshop.submit(&one, "echo").await);
    }
    let mut watching = tokio::task::JoinSet::new();
    for client in 0..clients {
        let (run, token) = (followed[client % runs].clone(), token.to_owned());
        let addresses = [one.address, two.address];
        let cut = CUT * crowding;
        watching.spawn(async move { watch(addresses, (client, cut), run, &token).await });
    }
    let mut most = 0;
    while let Some(watched) = watching.join_next().await {
        let (run, seen, cuts) = watched.unwrap();
        let stored = workshop.store.sql(&format!(
            "SELECT string_agg(seq || ' ' || kind, ',' ORDER BY seq) \
             FROM execution_events WHERE execution_id = '{run}'"
        ));
        assert_eq!(seen.join(","), stored);
        most = most.max(cuts);
    }
    assert!(most >= 10, "they were hardly cut off: {most}");
    for server in [one, two] {
        server.stop("TERM").await.assert_code(0);
    }
    workshop.assert_sound();
}

#[tokio::test]
async fn some_who_are_cut_off_on_two_processes_see_everything_once() {
    cut_off(60, 6).await;
}

#[tokio::test]
#[ignore = "needs the machine for itself: scripts/endurance runs it"]
async fn a_thousand_who_are_cut_off_twenty_times_see_everything_once() {
    cut_off(1_000, 50).await;
}
