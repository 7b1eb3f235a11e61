//! Who follows and who waits is counted, each as what he is and for as long as he is there.

use serde_json::json;

use super::scrape::Scrape;
use crate::live::{Stream, events};
use crate::support::{Server, Workshop, post, until};

/// How many streams of each kind are opened: a number of its own for each, so that no two are mixed
/// up.
const STREAMS: [(&str, u32); 4] = [("run", 1), ("consumer", 2), ("developer", 3), ("admin", 4)];

/// Those who follow, by kind, and those who wait.
async fn open_at(server: &Server) -> ([f64; 4], f64) {
    let scrape = Scrape::of(server).await;
    let streams = STREAMS.map(|(kind, _)| {
        let series = format!("sse_streams{{kind=\"{kind}\"}}");
        scrape.value(&series)
    });
    (streams, scrape.value("http_waiting_requests"))
}

async fn sent(server: &Server) -> f64 {
    Scrape::of(server).await.value("sse_events_total")
}

#[tokio::test]
async fn who_follows_and_who_waits_is_counted_for_as_long_as_he_is_there() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("api").await;
    let run = workshop.submit(&server, "echo").await;
    assert_eq!(open_at(&server).await, ([0.0; 4], 0.0));
    assert_eq!(sent(&server).await, 0.0);
    let model = workshop.store.sql("SELECT id FROM tars_models");
    let trial = post(format!("/api/studio/tars-models/{model}/test-run"))
        .by(&workshop.developer)
        .json(json!({"inputs": {"prompt": "a fox"}}));
    let waiting = workshop.run("echo").header("prefer", "wait=60");
    let (trial, answer, streams) = tokio::join!(server.send(trial), server.send(waiting), async {
        let streams = follow(&workshop, &server, &run).await;
        until("all of them are counted", async || {
            open_at(&server).await == (STREAMS.map(|(_, many)| f64::from(many)), 2.0)
        })
        .await;
        // What is waited for ends, and so do the runs that are followed.
        let worker = workshop.serve("worker").await;
        workshop.all_ended().await;
        worker.stop("INT").await.assert_code(0);
        streams
    });
    // It is only waited for half a minute.
    assert!(matches!(trial.status, 200 | 202), "{trial:#?}");
    answer.assert_ok(200);
    until(
        "nobody waits, and who followed one run is gone",
        async || open_at(&server).await == ([0.0, 2.0, 0.0, 4.0], 0.0),
    )
    .await;
    drop(streams);
    until("nobody follows", async || {
        open_at(&server).await == ([0.0; 4], 0.0)
    })
    .await;
    let before = sent(&server).await;
    let followed = Stream::open(&server, &events(&run), &workshop.consumer, "").await;
    let told = followed.kinds_until_end().await.len();
    assert!(told >= 3, "{told}");
    let after = sent(&server).await;
    assert_eq!((after - before).to_string(), told.to_string());
}

/// Opens the streams, and reads the first event of each that has one already.
async fn follow(workshop: &Workshop, server: &Server, run: &str) -> Vec<Stream> {
    let mut trial = String::new();
    until("the test run is accepted", async || {
        let asked = "SELECT id FROM executions WHERE tester_id IS NOT NULL";
        trial = workshop.store.sql(asked);
        !trial.is_empty()
    })
    .await;
    let followed = [
        (events(run), &workshop.consumer),
        ("/api/marketplace/events".to_owned(), &workshop.consumer),
        (
            format!("/api/studio/runs/{trial}/events"),
            &workshop.developer,
        ),
        ("/api/admin/events".to_owned(), &workshop.admin),
    ];
    let mut streams = Vec::new();
    for ((path, token), (kind, many)) in followed.iter().zip(STREAMS) {
        for _ in 0..many {
            let mut stream = Stream::open(server, path, token, "").await;
            if ["run", "developer"].contains(&kind) {
                assert_eq!(stream.next().await.unwrap().event, "queued");
            }
            streams.push(stream);
        }
    }
    streams
}
