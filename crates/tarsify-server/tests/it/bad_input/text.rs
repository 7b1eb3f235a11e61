//! Bytes that are no text, wherever they can stand: they are refused or read as harmless, and never
//! break anything.

use super::{Target, head};

/// Bytes that no UTF-8 has, and one that ends texts in C.
const BAD: [&[u8]; 5] = [
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"a\x80b",
    b"\xf5\x80\x80\x80",
];

#[tokio::test]
async fn bytes_that_are_no_text_break_nothing_in_a_path_or_a_query() {
    let target = Target::open().await;
    let bearer = format!("Bearer {}", target.workshop.consumer);
    let by = [("authorization", bearer.as_bytes())];
    let escaped = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("%{byte:02x}"))
            .collect::<String>()
    };
    let mut cases: Vec<(String, &[u16])> = Vec::new();
    for bad in BAD.map(escaped).iter().map(String::as_str).chain([
        "%00",
        "%",
        "%zz",
        "..%2f..",
        "%2e%2e%2f",
    ]) {
        let table: [(String, &[u16]); 9] = [
            (format!("GET /api/marketplace/models/{bad}"), &[400, 404]),
            (format!("GET /api/marketplace/runs/{bad}"), &[400, 404]),
            (format!("GET /{bad}"), &[400, 404]),
            (format!("GET /api/marketplace/runs?cursor={bad}"), &[400]),
            (format!("GET /api/marketplace/runs?page={bad}"), &[400]),
            (format!("GET /api/marketplace/runs?status={bad}"), &[400]),
            (
                format!("GET /api/marketplace/models?search={bad}"),
                &[200, 400],
            ),
            (format!("GET /api/marketplace/models?{bad}=1"), &[200, 400]),
            (
                format!("POST /api/webhooks/runpod/{bad}/{bad}"),
                &[400, 404],
            ),
        ];
        cases.extend(table);
    }
    for (line, statuses) in cases {
        let (found, answer) = target.talk(&head(&line, &by)).await;
        assert!(statuses.contains(&found), "{line}: {found} {answer}");
    }
    for bad in BAD {
        for (before, after) in [
            ("/api/marketplace/models/", ""),
            ("/api/marketplace/models?search=", ""),
            ("/", "/x"),
        ] {
            let mut request = format!("GET {before}").into_bytes();
            request.extend_from_slice(bad);
            request.extend_from_slice(
                format!("{after} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                    .as_bytes(),
            );
            let (found, answer) = target.talk(&request).await;
            assert!(
                matches!(found, 200 | 400 | 404),
                "{}: {found} {answer}",
                request.escape_ascii()
            );
        }
    }
    target.is_served().await;
}

const HEADERS: [(&str, &str, &[u16]); 19] = [
    ("authorization", "GET /api/marketplace/auth/me", &[401]),
    ("x-request-id", "GET /api/marketplace/auth/me", &[200]),
    ("accept", "GET /api/marketplace/auth/me", &[200]),
    ("accept-encoding", "GET /api/marketplace/auth/me", &[200]),
    ("if-none-match", "GET /api/marketplace/auth/me", &[200]),
    ("origin", "GET /api/marketplace/auth/me", &[200]),
    ("x-forwarded-for", "GET /api/marketplace/auth/me", &[200]),
    ("forwarded", "GET /api/marketplace/auth/me", &[200]),
    ("traceparent", "GET /api/marketplace/auth/me", &[200]),
    ("user-agent", "GET /api/marketplace/auth/me", &[200]),
    ("last-event-id", "GET /api/marketplace/events", &[400]),
    ("if-match", "PATCH /api/marketplace/auth/profile", &[412]),
    (
        "prefer",
        "POST /api/marketplace/models/echo/run",
        &[400, 422],
    ),
    (
        "idempotency-key",
        "POST /api/marketplace/models/echo/run",
        &[400],
    ),
    (
        "content-type",
        "PATCH /api/marketplace/auth/profile",
        &[415],
    ),
    (
        "content-encoding",
        "PATCH /api/marketplace/auth/profile",
        &[415],
    ),
    (
        "content-length",
        "PATCH /api/marketplace/auth/profile",
        &[400],
    ),
    (
        "transfer-encoding",
        "PATCH /api/marketplace/auth/profile",
        &[400, 501],
    ),
    ("stripe-signature", "POST /api/webhooks/stripe", &[400]),
];

#[tokio::test]
async fn bytes_that_are_no_text_break_nothing_in_a_header() {
    let target = Target::open().await;
    let bearer = format!("Bearer {}", target.workshop.consumer);
    let length = b"2";
    for bad in BAD {
        for (name, line, statuses) in HEADERS {
            let usual: [(&str, &[u8]); 3] = [
                ("authorization", bearer.as_bytes()),
                ("content-type", b"application/json"),
                ("content-length", length),
            ];
            let has_body = !line.starts_with("GET");
            let mut headers: Vec<(&str, &[u8])> = vec![(name, bad)];
            headers.extend(
                usual
                    .into_iter()
                    .filter(|(usual, _)| *usual != name && (has_body || *usual == "authorization")),
            );
            let mut request = head(line, &headers);
            if has_body {
                request.extend_from_slice(b"{}");
            }
            let (found, answer) = target.talk(&request).await;
            assert!(
                statuses.contains(&found),
                "{name} of {line}: {found} {answer}"
            );
        }
    }
    target.is_served().await;
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused_in_a_body() {
    let target = Target::open().await;
    let bearer = format!("Bearer {}", target.workshop.consumer);
    for bad in BAD {
        for line in [
            "PATCH /api/marketplace/auth/profile",
            "POST /api/marketplace/models/echo/run",
            "POST /api/webhooks/stripe",
        ] {
            let body = [b"{\"name\":\"".as_slice(), bad, b"\"}"].concat();
            let length = body.len().to_string();
            let mut request = head(
                line,
                &[
                    ("authorization", bearer.as_bytes()),
                    ("content-type", b"application/json"),
                    ("content-length", length.as_bytes()),
                ],
            );
            request.extend_from_slice(&body);
            let (found, answer) = target.talk(&request).await;
            assert_eq!(found, 400, "{line}: {answer}");
            assert!(answer.contains("ERR_1001"), "{line}: {answer}");
        }
    }
    target.is_served().await;
}
