//! What calls make. A call that fails a check of its fields has made nothing and is not kept.

use serde_json::{Value, json};

use super::StripeOperation;
use super::answer::Answer;
use super::books::{Books, cents, find, set, text};
use super::form::Form;
use super::message::unix_now;

/// A call whose fields are checked.
pub(super) struct Call<'a> {
    pub(super) operation: StripeOperation,
    /// What it is about, for one that is about something.
    pub(super) id: &'a str,
    pub(super) form: &'a Form,
    pub(super) base_url: &'a str,
}

const MOST_IN_A_LIST: usize = 100;
const LINK_SECONDS: i64 = 300;

impl Call<'_> {
    pub(super) fn check(&self) -> Result<(), Answer> {
        let form = self.form;
        form.check(self.operation)?;
        match self.operation {
            StripeOperation::CreateCheckout => {
                if form.needed("mode")? != "payment" {
                    return Err(Answer::invalid("", "Only the mode `payment` is emulated."));
                }
                form.needed("line_items[0][price_data][currency]")?;
                form.needed("line_items[0][price_data][product_data][name]")?;
                form.whole("line_items[0][price_data][unit_amount]")?;
                form.whole("line_items[0][quantity]")?;
                form.whole("expires_at")?;
                form.needed("success_url")?;
            }
            StripeOperation::CreateAccount => {
                form.needed("controller[stripe_dashboard][type]")?;
            }
            StripeOperation::CreateAccountLink => {
                for field in ["account", "return_url", "refresh_url", "type"] {
                    form.needed(field)?;
                }
            }
            StripeOperation::CreateTransfer => {
                form.whole("amount")?;
                form.needed("currency")?;
                form.needed("destination")?;
            }
            StripeOperation::ListTransfers => {
                form.text("limit")
                    .map(|_| form.whole("limit"))
                    .transpose()?;
            }
            StripeOperation::ReverseTransfer => {
                form.text("amount")
                    .map(|_| form.whole("amount"))
                    .transpose()?;
            }
        }
        Ok(())
    }

    /// What comes of it.
    pub(super) fn make(&self, books: &mut Books) -> Answer {
        let made = match self.operation {
            StripeOperation::CreateCheckout => self.session(books),
            StripeOperation::CreateAccount => Ok(self.account(books)),
            StripeOperation::CreateAccountLink => self.link(books),
            StripeOperation::CreateTransfer => self.transfer(books),
            StripeOperation::ListTransfers => self.list(books),
            StripeOperation::ReverseTransfer => self.reversal(books),
        };
        made.map_or_else(|refused| refused, Answer::object)
    }

    fn session(&self, books: &mut Books) -> Result<Value, Answer> {
        let form = self.form;
        let price = form.whole("line_items[0][price_data][unit_amount]")?;
        let total = price.saturating_mul(form.whole("line_items[0][quantity]")?);
        let id = books.id("cs_test");
        let session = json!({
            "id": id,
            "object": "checkout.session",
            "mode": "payment",
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": null,
            "amount_total": total,
            "currency": form.needed("line_items[0][price_data][currency]")?,
            "client_reference_id": form.text("client_reference_id"),
            "customer_email": form.text("customer_email"),
            "metadata": form.metadata(),
            "expires_at": form.whole("expires_at")?,
            "success_url": form.needed("success_url")?,
            "cancel_url": form.text("cancel_url"),
            "url": format!("{}/c/pay/{id}", self.base_url),
            "livemode": false,
        });
        books.sessions.push(session.clone());
        Ok(session)
    }

    fn account(&self, books: &mut Books) -> Value {
        let account = json!({
            "id": books.id("acct"),
            "object": "account",
            "email": self.form.text("email"),
            "charges_enabled": false,
            "payouts_enabled": false,
            "metadata": self.form.metadata(),
        });
        books.accounts.push(account.clone());
        account
    }

    fn link(&self, books: &mut Books) -> Result<Value, Answer> {
        let account = self.form.needed("account")?;
        if find(&mut books.accounts, account).is_none() {
            return Err(Answer::missing("account", account));
        }
        let url = format!("{}/setup/e/{account}/{}", self.base_url, books.id("link"));
        let now = unix_now();
        Ok(json!({
            "object": "account_link",
            "created": now,
            "expires_at": now.saturating_add(LINK_SECONDS),
            "url": url,
        }))
    }

    fn transfer(&self, books: &mut Books) -> Result<Value, Answer> {
        let destination = self.form.needed("destination")?;
        let account = find(&mut books.accounts, destination);
        let account = account.ok_or_else(|| Answer::missing("destination", destination))?;
        if account.get("payouts_enabled") != Some(&Value::Bool(true)) {
            return Err(Answer::invalid(
                "insufficient_capabilities_for_transfer",
                "The destination cannot be paid yet.",
            ));
        }
        let transfer = json!({
            "id": books.id("tr"),
            "object": "transfer",
            "amount": self.form.whole("amount")?,
            "amount_reversed": 0,
            "currency": self.form.needed("currency")?,
            "destination": destination,
            "transfer_group": self.form.text("transfer_group"),
            "metadata": self.form.metadata(),
            "reversed": false,
            "created": unix_now(),
            "livemode": false,
        });
        books.transfers.push(transfer.clone());
        Ok(transfer)
    }

    fn list(&self, books: &mut Books) -> Result<Value, Answer> {
        let limit = self.form.text("limit").map(|_| self.form.whole("limit"));
        let limit = limit.transpose()?.unwrap_or(10);
        let limit =
            usize::try_from(limit).map_or(MOST_IN_A_LIST, |limit| limit.min(MOST_IN_A_LIST));
        let fits = |transfer: &Value, field: &str| {
            let wanted = self.form.text(field);
            wanted.is_none_or(|wanted| text(transfer, field) == wanted)
        };
        let found =
            books.transfers.iter().rev().filter(|transfer| {
                fits(transfer, "transfer_group") && fits(transfer, "destination")
            });
        let found: Vec<&Value> = found.collect();
        Ok(json!({
            "object": "list",
            "url": "/v1/transfers",
            "has_more": found.len() > limit,
            "data": found.into_iter().take(limit).collect::<Vec<_>>(),
        }))
    }

    fn reversal(&self, books: &mut Books) -> Result<Value, Answer> {
        let id = books.id("trr");
        let transfer = find(&mut books.transfers, self.id);
        let transfer = transfer.ok_or_else(|| Answer::missing("transfer", self.id))?;
        let (amount, before) = (
            cents(transfer, "amount"),
            cents(transfer, "amount_reversed"),
        );
        let rest = amount.saturating_sub(before);
        let wanted = self.form.text("amount").map(|_| self.form.whole("amount"));
        let wanted = wanted.transpose()?.unwrap_or(rest);
        if wanted > rest || rest == 0 {
            return Err(Answer::invalid(
                "",
                "More than is left of it cannot be reversed.",
            ));
        }
        set(transfer, "amount_reversed", before.saturating_add(wanted));
        set(transfer, "reversed", wanted == rest);
        Ok(json!({
            "id": id,
            "object": "transfer_reversal",
            "amount": wanted,
            "transfer": self.id,
        }))
    }
}
