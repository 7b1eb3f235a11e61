//! Requests that do not end: half sent ones by the thousand, and bodies of a hundred megabytes.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Target, head};
use crate::support::{PATIENCE, assert_may_open, open_files, until};

/// How many stop in the head, and how many in the body.
const HALVES: usize = 1_000;
const CHUNK: usize = 64 * 1_024;
/// Of such chunks a hundred megabytes are made.
const CHUNKS: usize = 1_600;

#[tokio::test]
async fn two_thousand_half_sent_requests_keep_nobody_out() {
    assert_may_open(2 * HALVES);
    let target = Target::open().await;
    let (files, peak) = (open_files(&target.server), target.peak());
    let bearer = format!("Bearer {}", target.workshop.consumer);
    let half_body = head(
        "PATCH /api/marketplace/auth/profile",
        &[
            ("authorization", bearer.as_bytes()),
            ("content-type", b"application/json"),
            ("content-length", b"900000"),
        ],
    );
    let mut halves = Vec::new();
    for _ in 0..HALVES {
        let mut half = target.connect().await;
        let sent = half
            .write_all(b"GET /api/marketplace/models HTTP/1.1\r\nho")
            .await;
        sent.unwrap();
        halves.push(half);
        let mut half = target.connect().await;
        half.write_all(&half_body).await.unwrap();
        half.write_all(b"{\"name\": \"A").await.unwrap();
        halves.push(half);
    }
    target.is_served().await;
    target.assert_grew_at_most(peak, 150);
    until("all are let go", async || {
        open_files(&target.server) <= files + 20
    })
    .await;
    target.is_served().await;
}

/// Sends chunks until the server answers or hangs up; gives the status and how many it took.
async fn pour(mut stream: TcpStream, head: Vec<u8>, is_chunked: bool) -> (Option<u16>, usize) {
    stream.write_all(&head).await.unwrap();
    let (mut reads, mut writes) = stream.into_split();
    let chunk = vec![b' '; CHUNK];
    let mut poured = 0;
    let pouring = async {
        for _ in 0..CHUNKS {
            let before = format!("{CHUNK:x}\r\n");
            let parts: [&[u8]; 3] = if is_chunked {
                [before.as_bytes(), &chunk, b"\r\n"]
            } else {
                [b"", &chunk, b""]
            };
            for part in parts {
                if writes.write_all(part).await.is_err() {
                    return;
                }
            }
            poured += 1;
        }
    };
    let mut answer = [0; 64];
    let reading = async { reads.read(&mut answer).await.unwrap_or(0) };
    let both = async {
        tokio::pin!(pouring, reading);
        tokio::select! {
            // The answer first: what pours may do so until its task has had its turn, and nothing is
            // read in the rest of that.
            biased;
            length = &mut reading => length,
            () = &mut pouring => reading.await,
        }
    };
    let length = timeout(PATIENCE, both).await.expect("it never answers");
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    (status, poured)
}

#[tokio::test]
async fn bodies_of_a_hundred_megabytes_are_refused_early_and_kept_by_nobody() {
    let target = Target::open().await;
    let peak = target.peak();
    let bearer = format!("Bearer {}", target.workshop.consumer);
    let run = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7ff";
    let callback = format!("POST /api/webhooks/runpod/{run}/{}", "a".repeat(43));
    let places = [
        ("PATCH /api/marketplace/auth/profile", 413),
        ("POST /api/marketplace/models/echo/run", 413),
        ("POST /api/webhooks/stripe", 413),
        (callback.as_str(), 404),
        ("POST /api/nowhere", 404),
        ("GET /api/marketplace/runs", 200),
    ];
    let length = (CHUNK * CHUNKS).to_string();
    for (line, status) in places {
        for (is_chunked, name, value) in [
            (false, "content-length", length.as_str()),
            (true, "transfer-encoding", "chunked"),
        ] {
            let head = head(
                line,
                &[
                    ("authorization", bearer.as_bytes()),
                    ("content-type", b"application/json"),
                    (name, value.as_bytes()),
                ],
            );
            let pours = [(); 8].map(|()| async {
                let stream = target.connect().await;
                pour(stream, head.clone(), is_chunked).await
            });
            let [one, two, three, four, five, six, seven, eight] = pours;
            let (a, b, c, d) = tokio::join!(one, two, three, four);
            target.is_served().await;
            let (e, f, g, h) = tokio::join!(five, six, seven, eight);
            for (found, poured) in [a, b, c, d, e, f, g, h] {
                // It may hang up so fast that its answer is lost on the way.
                let answered = found.is_none_or(|found| found == status);
                assert!(answered, "{line} {name}: {found:?}");
                assert!(
                    poured < CHUNKS / 4,
                    "{line} {name}: it took {poured} chunks"
                );
            }
        }
    }
    target.is_served().await;
    target.assert_grew_at_most(peak, 100);
}
