//! What is kept of an answer is what was answered.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use tarsify_domain::idempotency::StoredAnswer;

use super::{IDEMPOTENCY_REPLAYED, answer, replay};

#[actix_web::test]
async fn an_answer_comes_back_as_it_was() {
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, HeaderValue::from_static("/api/x/1"));
    headers.insert(header::ETAG, HeaderValue::from_static("\"1-ab\""));
    headers.insert(header::SERVER, HeaderValue::from_static("not kept"));
    for body in [&b""[..], b"{}", b"\n\nlines\n", b"\xff\x00"] {
        let kept = answer(StatusCode::CREATED, &headers, body);
        let again = replay(&kept).unwrap();
        assert_eq!(again.status(), StatusCode::CREATED);
        let told = again.headers();
        assert_eq!(told.get(header::LOCATION), headers.get(header::LOCATION));
        assert_eq!(told.get(header::ETAG), headers.get(header::ETAG));
        assert_eq!(told.get(header::SERVER), None);
        assert_eq!(told.get(IDEMPOTENCY_REPLAYED).unwrap(), "true");
        let size = again.body().size();
        let read = to_bytes(again.into_body()).await.ok().unwrap();
        assert_eq!(read, body, "{size:?}");
    }
}

#[test]
fn what_is_no_kept_answer_is_no_answer() {
    for written in [
        "",
        "{}",
        "\n",
        "{}\n",
        "{\"status\":9,\"headers\":[]}\n",
        "x",
    ] {
        assert!(
            replay(&StoredAnswer(written.into())).is_err(),
            "{written:?}"
        );
    }
}
