//! The fields of a call, as forms write them. A field that the operation does not know is refused,
//! as Stripe does: that finds misspelt ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::form_urlencoded::parse;

use super::StripeOperation;
use super::answer::Answer;

/// The fields of a call, by their names as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn decode(body: &[u8]) -> Self {
        Self(parse(body).into_owned().collect())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Answer> {
        let text = self.text(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| {
            let message = format!("Missing required param: {name}.");
            Answer::invalid("parameter_missing", &message)
        })
    }

    pub(super) fn whole(&self, name: &str) -> Result<i64, Answer> {
        let text = self.needed(name)?;
        text.parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| {
                let message = format!("Invalid positive integer: {name}.");
                Answer::invalid("parameter_invalid_integer", &message)
            })
    }

    /// What is written as `metadata[name]`.
    pub(super) fn metadata(&self) -> Value {
        let fields = self.0.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("metadata[")?.strip_suffix(']')?;
            Some((name.to_owned(), Value::from(value.as_str())))
        });
        Value::Object(fields.collect::<Map<_, _>>())
    }

    /// All of it, to be compared.
    pub(super) fn written(&self) -> String {
        format!("{:?}", self.0)
    }

    pub(super) fn check(&self, operation: StripeOperation) -> Result<(), Answer> {
        for name in self.0.keys() {
            let is_known = known(operation)
                .iter()
                .any(|known| match known.strip_suffix('*') {
                    Some(beginning) => name.starts_with(beginning),
                    None => name == known,
                });
            if !is_known {
                let message = format!("Received unknown parameter: {name}.");
                return Err(Answer::invalid("parameter_unknown", &message));
            }
        }
        Ok(())
    }
}

/// What an operation knows; of what ends with a star, all that begins so.
const fn known(operation: StripeOperation) -> &'static [&'static str] {
    match operation {
        StripeOperation::CreateCheckout => &[
            "mode",
            "line_items[0][price_data][currency]",
            "line_items[0][price_data][unit_amount]",
            "line_items[0][price_data][product_data][name]",
            "line_items[0][quantity]",
            "success_url",
            "cancel_url",
            "client_reference_id",
            "metadata[*",
            "payment_intent_data[metadata][*",
            "customer_email",
            "expires_at",
        ],
        StripeOperation::CreateAccount => &[
            "controller[stripe_dashboard][type]",
            "controller[fees][payer]",
            "controller[losses][payments]",
            "controller[requirement_collection]",
            "capabilities[transfers][requested]",
            "country",
            "email",
            "metadata[*",
        ],
        StripeOperation::CreateAccountLink => &["account", "return_url", "refresh_url", "type"],
        StripeOperation::CreateTransfer => &[
            "amount",
            "currency",
            "destination",
            "transfer_group",
            "description",
            "metadata[*",
        ],
        StripeOperation::ListTransfers => &["transfer_group", "destination", "limit"],
        StripeOperation::ReverseTransfer => &["amount", "metadata[*"],
    }
}
