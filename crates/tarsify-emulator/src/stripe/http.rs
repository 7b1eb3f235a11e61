//! The emulator over HTTP: `/v1/…` for whoever believes it is Stripe, `/stripe-emulator/…` for
//! whoever tests with it.

use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::web::{self, Bytes, Data, Path, PayloadConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::time::sleep;

use super::answer::Answer;
use super::form::Form;
use super::key::Found;
use super::make::Call;
use super::{Shared, StripeFault, StripeOperation, control};

const LARGEST_BODY: usize = 1024 * 1024;
const LONGEST_KEY: usize = 255;
const SLOW: Duration = Duration::from_millis(500);
const LATE: Duration = Duration::from_secs(7);
/// A call without answer ends after so long, should the client be more patient.
const HANG: Duration = Duration::from_secs(3_600);

/// Every route there is.
pub(super) fn routes(config: &mut ServiceConfig) {
    let stripe = web::scope("/v1")
        .route("/checkout/sessions", web::post().to(create_checkout))
        .route("/accounts", web::post().to(create_account))
        .route("/account_links", web::post().to(create_account_link))
        .route("/transfers", web::post().to(create_transfer))
        .route("/transfers", web::get().to(list_transfers))
        .route(
            "/transfers/{transfer}/reversals",
            web::post().to(reverse_transfer),
        );
    config
        .app_data(PayloadConfig::new(LARGEST_BODY))
        .service(stripe)
        .service(control::scope())
        .default_service(web::to(nothing_here));
}

async fn create_checkout(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let operation = StripeOperation::CreateCheckout;
    answer(&shared, Asked::new(operation, &request, &body)).await
}

async fn create_account(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let operation = StripeOperation::CreateAccount;
    answer(&shared, Asked::new(operation, &request, &body)).await
}

async fn create_account_link(
    shared: Data<Shared>,
    request: HttpRequest,
    body: Bytes,
) -> HttpResponse {
    let operation = StripeOperation::CreateAccountLink;
    answer(&shared, Asked::new(operation, &request, &body)).await
}

async fn create_transfer(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let operation = StripeOperation::CreateTransfer;
    answer(&shared, Asked::new(operation, &request, &body)).await
}

async fn list_transfers(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let query = request.query_string().as_bytes();
    let asked = Asked::new(StripeOperation::ListTransfers, &request, query);
    answer(&shared, asked).await
}

async fn reverse_transfer(
    shared: Data<Shared>,
    request: HttpRequest,
    transfer: Path<String>,
    body: Bytes,
) -> HttpResponse {
    let mut asked = Asked::new(StripeOperation::ReverseTransfer, &request, &body);
    asked.id = transfer.into_inner();
    answer(&shared, asked).await
}

async fn nothing_here(request: HttpRequest) -> HttpResponse {
    let what = format!(
        "Unrecognized request URL ({} {}).",
        request.method(),
        request.path()
    );
    let mut answer = Answer::not_found(&what);
    if let Some(error) = answer
        .body
        .pointer_mut("/error")
        .and_then(|e| e.as_object_mut())
    {
        error.remove("code");
    }
    answer.response()
}

/// What is asked.
struct Asked<'a> {
    operation: StripeOperation,
    headers: &'a HeaderMap,
    id: String,
    form: Form,
    /// What has to be the same when the key is.
    way: String,
}

impl<'a> Asked<'a> {
    fn new(operation: StripeOperation, request: &'a HttpRequest, form: &[u8]) -> Self {
        Self {
            operation,
            headers: request.headers(),
            id: String::new(),
            form: Form::decode(form),
            way: format!("{} {}", request.method(), request.path()),
        }
    }

    fn key(&self) -> Option<&str> {
        if self.operation == StripeOperation::ListTransfers {
            return None;
        }
        self.headers.get("Idempotency-Key")?.to_str().ok()
    }
}

async fn answer(shared: &Shared, asked: Asked<'_>) -> HttpResponse {
    if !is_known(shared, asked.headers) {
        return Answer::unauthorized().response();
    }
    let fault = shared.books().call(asked.operation);
    match fault {
        Some(StripeFault::Down) => return Answer::down().response(),
        Some(StripeFault::TooMany) => return Answer::too_many().response(),
        _ => {}
    }
    let call = Call {
        operation: asked.operation,
        id: &asked.id,
        form: &asked.form,
        base_url: &shared.base_url,
    };
    if let Err(refused) = call.check() {
        return refused.response();
    }
    let mut using = None;
    if let Some(key) = asked.key() {
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Answer::invalid("", "A key has 1 to 255 characters.").response();
        }
        let written = format!("{} {}", asked.way, asked.form.written());
        let found = shared.books().keys.begin(key, &written);
        match found {
            Found::Nothing => using = Some(Using { shared, key }),
            Found::Same(kept) => {
                hang(shared, fault).await;
                return kept.replayed();
            }
            Found::UnderWay => return Answer::in_use(key).response(),
            Found::Other => return Answer::other_parameters(key).response(),
        }
    }
    match fault {
        Some(StripeFault::Slow) => sleep(SLOW).await,
        Some(StripeFault::Late) => sleep(LATE).await,
        _ => {}
    }
    let made = make(shared, &call, fault, using.as_ref());
    hang(shared, fault).await;
    made.response()
}

/// Has the effect and keeps the answer, together.
fn make(
    shared: &Shared,
    call: &Call<'_>,
    fault: Option<StripeFault>,
    using: Option<&Using<'_>>,
) -> Answer {
    let mut books = shared.books();
    let made = match fault {
        Some(StripeFault::ErrorBefore) => Answer::failure(),
        Some(StripeFault::ErrorAfter) => {
            call.make(&mut books);
            Answer::failure()
        }
        Some(StripeFault::BalanceInsufficient) => Answer::invalid(
            "balance_insufficient",
            "Insufficient funds in your account.",
        ),
        Some(StripeFault::Refused) => Answer::invalid("account_closed", "A fault was asked for."),
        _ => call.make(&mut books),
    };
    if let Some(using) = using {
        books.keys.keep(using.key, &made);
    }
    made
}

async fn hang(shared: &Shared, fault: Option<StripeFault>) {
    if fault == Some(StripeFault::HangAfter) {
        tokio::select! {
            () = sleep(HANG) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// A key in use; free again should its call be left.
struct Using<'a> {
    shared: &'a Shared,
    key: &'a str,
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        self.shared.books().keys.leave(self.key);
    }
}

/// The key comes as a bearer token, or as a user name without password.
pub(super) fn is_known(shared: &Shared, headers: &HeaderMap) -> bool {
    let sent = headers
        .get(AUTHORIZATION)
        .and_then(|sent| sent.to_str().ok());
    let Some((scheme, value)) = sent.and_then(|sent| sent.split_once(' ')) else {
        return false;
    };
    match scheme {
        "Bearer" => value == shared.secret_key,
        "Basic" => {
            let expected = format!("{}:", shared.secret_key);
            STANDARD
                .decode(value)
                .is_ok_and(|sent| sent == expected.as_bytes())
        }
        _ => false,
    }
}
