//! The pages of the built-in payment provider, in the local mode only. What is clicked here
//! becomes a signed message, and that goes the way of every provider's message.

mod page;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use tarsify_domain::id::PurchaseId;
use tarsify_domain::payments::{
    AccountRef, CheckoutRef, EventOutcome, PaymentEvent, PaymentRef, Purchase, Purchases,
    TestPayments,
};
use tarsify_domain::{Clock, ErrorCode, Misfit};
use url::form_urlencoded;

use self::page::{Offer, Onboarding};
use super::webhook::note;
use super::wire::page_address;
use crate::error::ApiError;
use crate::extract::valid::read_at_most;
use crate::middleware::answer::Page;
use crate::route::reading;

/// Bytes that a form may have.
const MOST_BYTES: usize = 16 * 1_024;

/// The pages load nothing and run no script; a form goes nowhere but here.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the pages need to make the provider speak.
pub(crate) struct Provider {
    pub(crate) payments: Arc<dyn TestPayments>,
    pub(crate) purchases: Arc<Purchases>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Provider {
    async fn tell(&self, event: &PaymentEvent) -> Result<EventOutcome, ApiError> {
        let message = self.payments.message(event, self.clock.now());
        let told = self
            .purchases
            .receive(Some(&message.signature), &message.body);
        let (received, outcome) = told.await?;
        note(&received, outcome);
        Ok(outcome)
    }

    async fn find(&self, id: &str) -> Result<Option<Purchase>, ApiError> {
        match id.parse::<PurchaseId>() {
            Ok(id) => Ok(self.purchases.repository.find_any(id).await?),
            Err(_) => Ok(None),
        }
    }
}

/// Mounts the pages.
pub(crate) fn mount(config: &mut ServiceConfig, provider: Provider) {
    let provider = Data::new(provider);
    config
        .service(
            web::resource("/local/checkout/{purchase}")
                .app_data(Data::clone(&provider))
                .route(reading().to(show_checkout))
                .route(web::post().to(use_checkout)),
        )
        .service(
            web::resource("/local/onboarding/{account}")
                .app_data(provider)
                .route(reading().to(show_onboarding))
                .route(web::post().to(complete_onboarding)),
        );
}

async fn show_checkout(
    path: Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, ApiError> {
    Ok(match provider.find(&path).await? {
        Some(purchase) => page(StatusCode::OK, page::checkout(&Offer::of(&purchase))),
        None => nothing_here("There is no such purchase."),
    })
}

async fn use_checkout(
    request: HttpRequest,
    body: Payload,
    path: Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, ApiError> {
    let form = read_form(&request, body).await?;
    let Some(purchase) = provider.find(&path).await? else {
        return Ok(nothing_here("There is no such purchase."));
    };
    let event = event(&purchase, field(&form, "outcome"))?;
    provider.tell(&event).await?;
    let after = provider.find(&path).await?.unwrap_or(purchase);
    Ok(page(StatusCode::OK, page::checkout(&Offer::of(&after))))
}

/// What a real provider would tell. The payment's name is the purchase's, so that paying twice is
/// one payment.
fn event(purchase: &Purchase, outcome: Option<&str>) -> Result<PaymentEvent, ApiError> {
    let id = purchase.id;
    let named = |prefix: &str| format!("{prefix}_local_{id}");
    match outcome {
        Some("pay") => Ok(PaymentEvent::Paid {
            purchase: id,
            checkout: CheckoutRef::parse(&named("cs")).map_err(ApiError::internal)?,
            payment: PaymentRef::parse(&named("pi")).map_err(ApiError::internal)?,
            cents: purchase.price_cents,
            currency: purchase.currency.clone(),
        }),
        Some("decline") => Ok(PaymentEvent::Failed { purchase: id }),
        Some("expire") => Ok(PaymentEvent::Expired { purchase: id }),
        _ => {
            let misfit = Misfit::new("enum", "must be one of: pay decline expire");
            Err(ApiError::fault(misfit.at("/outcome")))
        }
    }
}

async fn show_onboarding(request: HttpRequest, path: Path<String>) -> HttpResponse {
    let query: Vec<_> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .collect();
    let Ok(account) = AccountRef::parse(&path) else {
        return nothing_here("There is no such account.");
    };
    let back = back(&query);
    let onboarding = Onboarding {
        account: account.as_str(),
        back: back.as_deref(),
        is_complete: false,
    };
    page(StatusCode::OK, page::onboarding(&onboarding))
}

async fn complete_onboarding(
    request: HttpRequest,
    body: Payload,
    path: Path<String>,
    provider: Data<Provider>,
) -> Result<HttpResponse, ApiError> {
    let form = read_form(&request, body).await?;
    let Ok(account) = AccountRef::parse(&path) else {
        return Ok(nothing_here("There is no such account."));
    };
    let event = PaymentEvent::AccountUpdated {
        account: account.clone(),
        can_be_paid: true,
    };
    if provider.tell(&event).await? == EventOutcome::Unknown {
        return Ok(nothing_here("There is no such account."));
    }
    let back = back(&form);
    let onboarding = Onboarding {
        account: account.as_str(),
        back: back.as_deref(),
        is_complete: true,
    };
    Ok(page(StatusCode::OK, page::onboarding(&onboarding)))
}

type Form = Vec<(String, String)>;

async fn read_form(request: &HttpRequest, body: Payload) -> Result<Form, ApiError> {
    if request.content_type() != "application/x-www-form-urlencoded" {
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType)
            .saying("The body must be a form, sent as application/x-www-form-urlencoded."));
    }
    let bytes = read_at_most(request, body.into_inner(), MOST_BYTES).await?;
    Ok(form_urlencoded::parse(&bytes).into_owned().collect())
}

fn field<'a>(form: &'a Form, key: &str) -> Option<&'a str> {
    let mut found = form.iter().filter(|(name, _)| name == key);
    found.next().map(|(_, value)| value.as_str())
}

/// Where to go afterwards; nowhere when that is no address of a page.
fn back(form: &Form) -> Option<String> {
    field(form, "return").and_then(|text| page_address(text).ok())
}

fn nothing_here(what: &str) -> HttpResponse {
    page(StatusCode::NOT_FOUND, page::notice(what))
}

fn page(status: StatusCode, html: String) -> HttpResponse {
    let mut response = HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(html);
    response.extensions_mut().insert(Page);
    response
}
