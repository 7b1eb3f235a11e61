//! The page on which a purchase is paid.

use serde_json::Value;
use tarsify_domain::money::Credits;
use tarsify_domain::payments::{Checkout, CheckoutRef, CheckoutRequest, PaymentError, Purchase};
use tarsify_domain::text::EmailAddress;
use time::Duration;
use url::Url;

use super::form::{Form, Method, Question};
use super::unreadable;

/// How long after its beginning a purchase can be paid. Stripe allows a day at the most, by its
/// own clock.
const LASTS: Duration = Duration::minutes(24 * 60 - 15);

/// Where whoever leaves the page is led.
pub(super) struct Pages {
    pub(super) success: String,
    pub(super) cancel: String,
}

/// All of it is made of what is stored: asked again, it is the same question.
pub(super) fn question(request: &CheckoutRequest, pages: &Pages) -> Question {
    let purchase = &request.purchase;
    let expires_at = purchase.created_at.saturating_add(LASTS).unix_timestamp();
    let email = request.email.as_ref().filter(|email| is_usual(email));
    let form = Form::default()
        .with("mode", "payment")
        .with("line_items[0][price_data][currency]", &purchase.currency)
        .with(
            "line_items[0][price_data][unit_amount]",
            purchase.price_cents,
        )
        .with(
            "line_items[0][price_data][product_data][name]",
            product(purchase),
        )
        .with("line_items[0][quantity]", 1)
        .with("success_url", &pages.success)
        .with("cancel_url", &pages.cancel)
        .with("client_reference_id", purchase.id)
        .with("metadata[purchase_id]", purchase.id)
        .with("payment_intent_data[metadata][purchase_id]", purchase.id)
        .with("expires_at", expires_at)
        .with_some("customer_email", email.map(EmailAddress::as_str));
    Question {
        name: "open_checkout",
        method: Method::Post,
        path: "checkout/sessions",
        form,
        key: Some(format!("purchase:{}", purchase.id)),
    }
}

pub(super) fn read(session: &Value) -> Result<Checkout, PaymentError> {
    let text = |field: &str| session.get(field).and_then(Value::as_str);
    let reference = text("id").and_then(|id| CheckoutRef::parse(id).ok());
    let url = text("url")
        .filter(|url| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")));
    match (reference, url) {
        (Some(reference), Some(url)) => Ok(Checkout {
            reference,
            url: url.to_owned(),
        }),
        _ => Err(unreadable("the checkout session has no id or no address")),
    }
}

/// An unusual one is not worth losing the purchase for: whoever pays can type it there.
fn is_usual(email: &EmailAddress) -> bool {
    let text = email.as_str();
    let host = text.rsplit_once('@').map_or("", |(_, host)| host);
    host.contains('.') && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn product(purchase: &Purchase) -> String {
    let credits = purchase.credits;
    let unit = if credits.get() == 1 {
        "credit"
    } else {
        "credits"
    };
    let credits = grouped(credits);
    if purchase.bonus == Credits::ZERO {
        format!("{credits} {unit}")
    } else {
        format!("{credits} {unit} (+{} bonus)", grouped(purchase.bonus))
    }
}

/// 1234567 as 1,234,567.
fn grouped(credits: Credits) -> String {
    let digits = credits.get().to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests;
