//! Streams of events: what is said, to whom, from where on, and how they end.

use std::time::Duration;

use actix_web::http::Method;
use serde_json::{Value, json};
use tarsify_domain::people::Realm;
use tarsify_http::HttpSettings;

use crate::support::{Fate, Plan, Reply, Shop, run_place};

/// One event of a stream, as it came.
#[derive(Debug, Clone, PartialEq)]
struct Word {
    id: String,
    event: String,
    data: Value,
}

/// Everything that came, without the words that say nothing.
fn words(reply: &Reply) -> Vec<Word> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(
        text.starts_with("retry: 2000\nevent: connected\n"),
        "{text}"
    );
    assert!(text.ends_with("\n\n"), "{text}");
    let parts = text.split("\n\n").filter(|part| !part.is_empty());
    let words = parts.filter(|part| part.contains("data: ")).map(|part| {
        let field = |name: &str| {
            let mut lines = part.lines().filter_map(|line| line.strip_prefix(name));
            lines.next().unwrap_or_default().to_owned()
        };
        Word {
            id: field("id: "),
            event: field("event: "),
            data: serde_json::from_str(&field("data: ")).unwrap(),
        }
    });
    words.collect()
}

fn kinds(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.event.as_str()).collect()
}

async fn shop() -> (Shop, String) {
    let shop = Shop::open().await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    (shop, token)
}

#[actix_web::test]
async fn a_run_that_has_ended_is_told_from_any_event_on() {
    let (shop, token) = shop().await;
    let run = shop.finished(&token, "anime").await;
    let place = format!("{}/events", run_place(&run));
    let reply = shop.get(&place).token(&token).await;
    assert_eq!(reply.header("content-type"), "text/event-stream");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-accel-buffering"), "no");
    let whole = words(&reply);
    let told = kinds(&whole);
    assert_eq!((told[0], told[1]), ("connected", "queued"));
    assert_eq!(told[told.len() - 2..], ["completed", "end"]);
    assert_eq!(whole[0].data, json!({ "executionId": run }));
    for (number, word) in whole[1..whole.len() - 1].iter().enumerate() {
        assert_eq!(word.id, (number + 1).to_string());
        assert_eq!(word.data["executionId"], run);
        assert_eq!(word.data["seq"], json!(number + 1));
        assert_eq!(word.data["kind"], json!(word.event));
        assert!(word.data["at"].as_str().unwrap().ends_with('Z'));
        assert!(word.data["data"].is_object());
    }
    for last in 1..whole.len() - 1 {
        let by_header = shop.get(&place).token(&token);
        let by_header = by_header.header("last-event-id", last.to_string()).await;
        let by_query = shop.get(format!("{place}?lastEventId={last}"));
        let by_query = by_query.token(&token).await;
        for reply in [by_header, by_query] {
            let rest = words(&reply);
            assert_eq!(rest[1..], whole[last + 1..]);
        }
    }
    // A browser that comes back by itself has the newer one in the header.
    let both = shop.get(format!("{place}?lastEventId=1")).token(&token);
    let both = words(&both.header("last-event-id", "2").await);
    assert_eq!(both[1..], whole[3..]);
    let empty = shop.get(format!("{place}?lastEventId=")).token(&token);
    assert_eq!(words(&empty.header("last-event-id", " ").await), whole);
}

#[actix_web::test]
async fn who_watches_sees_it_happen() {
    let (shop, token) = shop().await;
    let run = shop.started(&token, "anime").await;
    shop.gpu.will(Fate::Complete(json!("done")));
    let place = run_place(&run);
    let watching = async { shop.get(format!("{place}/events")).token(&token).await };
    let working = async {
        shop.work().await;
        // Nobody reads the log for those who watch here but this.
        while shop.services.engine.tell_followers().await.unwrap().new == 0 {
            tokio::task::yield_now().await;
        }
    };
    let (reply, ()) = futures_util::future::join(watching, working).await;
    let told = words(&reply);
    assert_eq!(kinds(&told).first(), Some(&"connected"));
    assert_eq!(kinds(&told)[told.len() - 2..], ["completed", "end"]);
}

#[actix_web::test]
async fn what_is_no_event_of_the_stream_is_refused() {
    let (shop, token) = shop().await;
    let run = shop.finished(&token, "anime").await;
    let place = format!("{}/events", run_place(&run));
    let id = run.as_str().unwrap();
    let of_all = format!("7.{id}.1");
    for wrong in [
        "x",
        "-1",
        "1.5",
        "99",
        "99999999999999999999",
        &of_all,
        "1 2",
    ] {
        let ask = shop.get(&place).token(&token);
        let reply = ask.header("last-event-id", wrong).await;
        reply.assert_faults(&[("/lastEventId", "format")]);
    }
    let admin = shop.admin();
    let never = format!("7.{id}.99");
    for wrong in ["x", "1", "-1.a.b", "1..1", &never, "7.x.1", "1.2.3.4"] {
        for (place, token) in [
            ("/api/marketplace/events", &token),
            ("/api/admin/events", &admin),
        ] {
            let ask = shop.get(place).token(token);
            let reply = ask.header("last-event-id", wrong).await;
            reply.assert_faults(&[("/lastEventId", "format")]);
        }
    }
    let twice = format!("{place}?lastEventId=1&lastEventId=2");
    let reply = shop.get(twice).token(&token).await;
    reply.assert_faults(&[("/lastEventId", "duplicateKey")]);
}

#[actix_web::test]
async fn nobody_follows_what_is_not_his() {
    let (shop, token) = shop().await;
    let run = shop.finished(&token, "anime").await;
    let stranger = shop.consumer("bob").await;
    let place = run_place(&run);
    for part in ["events", "stream-token"] {
        let path = format!("{place}/{part}");
        let ask = |path: String| match part {
            "events" => shop.get(path),
            _ => shop.post(path),
        };
        ask(path.clone())
            .token(&stranger)
            .await
            .assert(403, "ERR_6104");
        ask(path.clone()).await.assert(401, "ERR_2000");
        let nobodys = "/api/marketplace/runs/0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d";
        let path = format!("{nobodys}/{part}");
        ask(path).token(&token).await.assert(404, "ERR_6103");
    }
    let developer = shop.token(Realm::Developers, "dora");
    let reply = shop.get("/api/admin/events").token(&developer).await;
    reply.assert(403, "ERR_2003");
}

#[actix_web::test]
async fn a_stream_token_is_good_for_its_run_once_and_for_a_minute() {
    let (shop, token) = shop().await;
    let run = shop.finished(&token, "anime").await;
    let other = shop.finished(&token, "anime").await;
    let place = run_place(&run);
    let asked = async || {
        let reply = shop
            .post(format!("{place}/stream-token"))
            .token(&token)
            .await;
        let data = reply.assert(201, "").data();
        data["token"].as_str().unwrap().to_owned()
    };
    let by =
        async |place: &str, token: &str| shop.get(format!("{place}/events?token={token}")).await;
    let good = asked().await;
    by(&run_place(&other), &good).await.assert(401, "ERR_2001");
    let told = words(&by(&place, &good).await);
    assert_eq!(kinds(&told).last(), Some(&"end"));
    by(&place, &good).await.assert(401, "ERR_2001");
    let late = asked().await;
    shop.clock.advance(time::Duration::seconds(61));
    by(&place, &late).await.assert(401, "ERR_2001");
    for wrong in ["", "x", "%00", &"f".repeat(64)] {
        by(&place, wrong).await.assert(401, "ERR_2001");
    }
    // It opens nothing else, and whoever says who he is needs none.
    let fresh = asked().await;
    for closed in [place.clone(), format!("{place}/receipt")] {
        let reply = shop.get(format!("{closed}?token={fresh}")).await;
        reply.assert(401, "ERR_2000");
    }
    let ask = shop.get(format!("{place}/events?token={fresh}&lastEventId=1"));
    let told = words(&ask.token(&token).await);
    assert_eq!(told[1].id, "2");
    assert_eq!(
        kinds(&words(&by(&place, &fresh).await)).last(),
        Some(&"end")
    );
}

#[actix_web::test]
async fn all_runs_are_followed_until_the_process_stops_and_on_from_there() {
    let (shop, token) = shop().await;
    let before = shop.finished(&token, "anime").await;
    let stranger = shop.consumer("bob").await;
    let admin = shop.admin();
    let ask = |path: &'static str, token: &str| shop.get(path).token(token);
    let working = async {
        let mine = shop.finished(&token, "anime").await;
        let theirs = shop.finished(&stranger, "anime").await;
        while shop.services.engine.tell_followers().await.unwrap().new == 0 {
            tokio::task::yield_now().await;
        }
        // All of this is one task: who watches takes what was told when it is his turn.
        tokio::task::yield_now().await;
        shop.services.lifecycle.turn_away();
        (mine, theirs)
    };
    let (own, all, (mine, theirs)) = futures_util::future::join3(
        async { ask("/api/marketplace/events", &token).await },
        async { ask("/api/admin/events", &admin).await },
        working,
    )
    .await;
    let goodbyes = [&own, &all].map(|reply| {
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        text.trim_end().rsplit("\n\n").next().unwrap().to_owned()
    });
    assert_eq!(goodbyes, ["retry: 2200", "retry: 2200"]);
    let (own, all) = (words(&own), words(&all));
    let whose = |words: &[Word]| {
        let mut ids: Vec<_> = words[1..]
            .iter()
            .map(|word| word.data["executionId"].clone())
            .collect();
        ids.dedup();
        ids
    };
    // Live only, without what was before; and it goes on elsewhere, so this is no end.
    assert!(!whose(&all).contains(&before));
    assert_eq!(whose(&own), std::slice::from_ref(&mine));
    assert_eq!(whose(&all), [mine, theirs]);
    assert_eq!(kinds(&own).last(), Some(&"completed"));
    for (path, token, told) in [
        ("/api/marketplace/events", &token, &own),
        ("/api/admin/events", &admin, &all),
    ] {
        for (place, word) in told.iter().enumerate().skip(1) {
            let again = ask(path, token).header("last-event-id", &word.id).await;
            // The process is about to stop, so it may tell nothing any more.
            let again = words(&again);
            assert!(told[place + 1..].starts_with(&again[1..]), "{again:?}");
        }
    }
}

#[actix_web::test]
async fn who_follows_without_an_end_has_to_come_back_and_knows_from_where() {
    let plan = Plan {
        settings: HttpSettings {
            stream_life: Duration::from_millis(20),
            ..Plan::default().settings
        },
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    shop.runnable("anime").await;
    let token = shop.consumer("ada").await;
    shop.finished(&token, "anime").await;
    let told = words(&shop.get("/api/marketplace/events").token(&token).await);
    assert_eq!(kinds(&told), ["connected"], "it is over without an end");
    let run = shop.finished(&token, "anime").await;
    let ask = shop.get("/api/marketplace/events").token(&token);
    let missed = words(&ask.header("last-event-id", &told[0].id).await);
    let its = missed.iter().filter(|word| word.data["executionId"] == run);
    assert!(its.count() > 1, "{missed:?}");
    assert_eq!(missed[0].id, told[0].id);
    let strict = format!("{}/events", run_place(&run));
    let whole = words(&shop.get(&strict).token(&token).await);
    assert_eq!(kinds(&whole).last(), Some(&"end"));
}

#[actix_web::test]
async fn a_head_of_what_does_not_end_is_refused() {
    let (shop, token) = shop().await;
    let run = shop.finished(&token, "anime").await;
    for place in [
        format!("{}/events", run_place(&run)),
        "/api/marketplace/events".to_owned(),
    ] {
        let reply = shop.get(&place).method(Method::HEAD).token(&token).await;
        assert_eq!(reply.status, 405, "{place}");
        assert_eq!(reply.header("allow"), "GET");
    }
}
