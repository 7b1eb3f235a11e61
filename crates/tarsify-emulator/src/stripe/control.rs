//! What whoever tests with the emulator calls: faults, what happens at Stripe, and what was made.
//! Every call needs the key; whatever happens is told to the address that was set.

use actix_web::dev::HttpServiceFactory;
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::Answer;
use super::http::is_known;
use super::message::StripeMessage;
use super::story::{DisputeStep, SessionEnd, StoryError, TransferStep};
use super::{Payouts, Shared, StripeFault, StripeOperation};

pub(super) fn scope() -> impl HttpServiceFactory {
    web::scope("/stripe-emulator")
        .route("", web::get().to(show))
        .route("/faults", web::post().to(plan_faults))
        .route("/keys", web::delete().to(forget_keys))
        .route("/webhook", web::put().to(set_webhook))
        .route("/sessions/{id}/end", web::post().to(end_session))
        .route("/payments/{id}/refund", web::post().to(refund))
        .route("/payments/{id}/dispute", web::post().to(dispute))
        .route("/accounts/{id}", web::put().to(set_account))
        .route("/transfers/{id}/tell", web::post().to(tell_transfer))
        .route("/events", web::post().to(tell_anything))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    operation: StripeOperation,
    fault: StripeFault,
    times: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    end: SessionEnd,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refund {
    cents: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dispute {
    step: DisputeStep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    payouts_enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    step: TransferStep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Anything {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
    /// The message's id; without it, a new one.
    id: Option<String>,
}

/// What there is, and how often each operation was called.
async fn show(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    if !is_known(&shared, request.headers()) {
        return Answer::unauthorized().response();
    }
    let books = shared.books();
    HttpResponse::Ok().json(json!({
        "calls": books.all_calls(),
        "sessions": books.sessions,
        "accounts": books.accounts,
        "transfers": books.transfers,
    }))
}

async fn plan_faults(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    done(read::<Faults>(&shared, &request, &body).map(|faults| {
        let mut books = shared.books();
        books.plan(faults.operation, faults.fault, faults.times);
    }))
}

async fn forget_keys(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    if !is_known(&shared, request.headers()) {
        return Answer::unauthorized().response();
    }
    shared.books().keys.forget();
    done(Ok(()))
}

async fn set_webhook(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let webhook = read::<Webhook>(&shared, &request, &body);
    done(webhook.map(|webhook| shared.post.set_url(&webhook.url)))
}

async fn end_session(
    shared: Data<Shared>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let asked = read::<End>(&shared, &request, &body);
    let told = asked.map(|asked| shared.books().end_session(&id, asked.end));
    tell(&shared, told).await
}

async fn refund(
    shared: Data<Shared>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let asked = read::<Refund>(&shared, &request, &body);
    let told = asked.map(|asked| shared.books().refund(&id, asked.cents));
    tell(&shared, told).await
}

async fn dispute(
    shared: Data<Shared>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let asked = read::<Dispute>(&shared, &request, &body);
    let told = asked.map(|asked| shared.books().dispute(&id, asked.step));
    tell(&shared, told).await
}

/// Adds the account if there is none such.
async fn set_account(
    shared: Data<Shared>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let asked = read::<Account>(&shared, &request, &body);
    let told = asked.map(|asked| {
        let payouts = if asked.payouts_enabled {
            Payouts::Enabled
        } else {
            Payouts::Disabled
        };
        let mut books = shared.books();
        if super::books::find(&mut books.accounts, &id).is_none() {
            books.add_account(&id);
        }
        books.set_payouts(&id, payouts)
    });
    tell(&shared, told).await
}

async fn tell_transfer(
    shared: Data<Shared>,
    request: HttpRequest,
    id: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let asked = read::<Transfer>(&shared, &request, &body);
    let told = asked.map(|asked| shared.books().tell_transfer(&id, asked.step));
    tell(&shared, told).await
}

async fn tell_anything(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let asked = read::<Anything>(&shared, &request, &body);
    let told = asked.map(|asked| {
        Ok(match asked.id {
            Some(id) => StripeMessage::about(&id, &asked.kind, &asked.object),
            None => shared.books().message(&asked.kind, &asked.object),
        })
    });
    tell(&shared, told).await
}

fn read<T: DeserializeOwned>(
    shared: &Shared,
    request: &HttpRequest,
    body: &[u8],
) -> Result<T, Answer> {
    if !is_known(shared, request.headers()) {
        return Err(Answer::unauthorized());
    }
    serde_json::from_slice(body).map_err(|error| Answer::invalid("", &error.to_string()))
}

fn done(result: Result<(), Answer>) -> HttpResponse {
    match result {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(refused) => refused.response(),
    }
}

/// Brings the message, and shows it with the status that it was answered with.
async fn tell(
    shared: &Shared,
    told: Result<Result<StripeMessage, StoryError>, Answer>,
) -> HttpResponse {
    match told {
        Ok(Ok(message)) => {
            let delivered = shared.post.bring(&message).await;
            let signature = shared.post.signature(&message);
            HttpResponse::Ok().json(json!({
                "event": message.event,
                "delivered": delivered,
                "signature": signature,
            }))
        }
        Ok(Err(error)) => Answer::not_found(&error.to_string()).response(),
        Err(refused) => refused.response(),
    }
}
