//! A transaction that stays open somewhere: who follows one run does not notice.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use super::{Stream, events};
use crate::support::Workshop;

/// A session with a transaction that has its turn, and stays open until it is told to end.
struct Open(Child);

impl Open {
    fn begin(url: &str) -> Self {
        let mut psql = Command::new("psql");
        psql.args([url, "-Xq"]).stdin(Stdio::piped());
        let session = psql.stdout(Stdio::null()).spawn().unwrap();
        let mut open = Self(session);
        open.say("BEGIN; SELECT pg_current_xact_id(); NOTIFY begun;\n");
        open
    }

    fn say(&mut self, sql: &str) {
        let stdin = self.0.stdin.as_mut().unwrap();
        stdin.write_all(sql.as_bytes()).unwrap();
    }

    fn end(mut self) {
        self.say("COMMIT;\n");
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

#[tokio::test]
async fn who_follows_a_run_is_not_held_up_and_who_follows_all_goes_on_without_a_gap() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("all").await;
    let token = workshop.consumer.as_str();
    let before = workshop.submit(&server, "echo").await;
    let ended = Stream::open(&server, &events(&before), token, "").await;
    ended.kinds_until_end().await;
    let mut all = Stream::open(&server, "/api/marketplace/events", token, "").await;
    let open = Open::begin(workshop.store.url());
    // More than is read at once, and none of it is settled.
    workshop.store.sql(&format!(
        "INSERT INTO execution_events (execution_id, seq, kind, data, at) \
         SELECT '{before}', 1000 + number, 'progress', '{{}}', now() \
         FROM generate_series(1, 12000) number"
    ));
    let run = workshop.submit(&server, "echo").await;
    let followed = Stream::open(&server, &events(&run), token, "").await;
    let kinds = followed.kinds_until_end().await;
    assert_eq!(kinds.last().map(String::as_str), Some("completed"));
    open.end();
    let mut numbers = Vec::new();
    loop {
        let told = all.next().await.unwrap();
        if told.data["executionId"] == before.as_str() {
            numbers.push(told.data["seq"].as_i64().unwrap());
        } else if told.event == "completed" {
            break;
        }
    }
    let numbers: Vec<_> = numbers
        .into_iter()
        .filter(|number| *number > 1_000)
        .collect();
    assert_eq!(numbers, (1_001..=13_000).collect::<Vec<_>>());
    server.stop("TERM").await.assert_code(0);
}
