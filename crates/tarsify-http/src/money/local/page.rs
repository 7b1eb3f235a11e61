//! The HTML of the pages: no script, and nothing that was not escaped.

use tarsify_domain::payments::{Purchase, PurchaseStatus};

use crate::money::wire::dollars;

/// What a purchase's page shows.
pub(super) struct Offer {
    credits: i64,
    bonus: i64,
    price: String,
    status: PurchaseStatus,
}

impl Offer {
    pub(super) fn of(purchase: &Purchase) -> Self {
        let amount = dollars(purchase.price_cents);
        Self {
            credits: purchase.credits.get(),
            bonus: purchase.bonus.get(),
            price: format!("{amount} ({})", purchase.currency.to_uppercase()),
            status: purchase.status,
        }
    }
}

/// What a page of an account shows.
pub(super) struct Onboarding<'a> {
    pub(super) account: &'a str,
    /// Where to go afterwards.
    pub(super) back: Option<&'a str>,
    pub(super) is_complete: bool,
}

/// The page on which a purchase is paid, or what became of it.
pub(super) fn checkout(offer: &Offer) -> String {
    let Offer {
        credits,
        bonus,
        price,
        status,
    } = offer;
    let bonus = if *bonus > 0 {
        format!(" and {bonus} on top")
    } else {
        String::new()
    };
    let rest = match status {
        PurchaseStatus::Pending => BUTTONS.to_owned(),
        PurchaseStatus::Paid => "<p>It is paid, and the credits are granted.</p>".to_owned(),
        PurchaseStatus::Failed => "<p>The card was declined; nothing was charged.</p>".to_owned(),
        PurchaseStatus::Expired => "<p>Nobody paid in time; nothing was charged.</p>".to_owned(),
        PurchaseStatus::Refunded => "<p>All of it went back to the card.</p>".to_owned(),
        PurchaseStatus::Disputed => "<p>The bank has taken the payment back.</p>".to_owned(),
    };
    let (price, status) = (escaped(price), status.as_str());
    let body = format!(
        "<dl><dt>You buy</dt><dd>{credits} credits{bonus}</dd>\
         <dt>Price</dt><dd>{price}</dd><dt>Status</dt><dd>{status}</dd></dl>{rest}"
    );
    whole("Test checkout", &body)
}

const BUTTONS: &str = "<form method=\"post\">\
<button name=\"outcome\" value=\"pay\">Pay with the test card</button> \
<button name=\"outcome\" value=\"decline\">Decline</button> \
<button name=\"outcome\" value=\"expire\">Let it expire</button></form>";

/// The page on which a developer completes his account, or says that he has.
pub(super) fn onboarding(onboarding: &Onboarding<'_>) -> String {
    let Onboarding {
        account,
        back,
        is_complete,
    } = onboarding;
    let account = escaped(account);
    let rest = match (is_complete, back.map(escaped)) {
        (false, back) => {
            let back = back.unwrap_or_default();
            format!(
                "<form method=\"post\"><input type=\"hidden\" name=\"return\" value=\"{back}\">\
                 <button>Complete the onboarding</button></form>"
            )
        }
        (true, Some(back)) => {
            format!("<p>The account may be paid.</p><p><a href=\"{back}\">Go back</a></p>")
        }
        (true, None) => "<p>The account may be paid.</p>".to_owned(),
    };
    let body = format!("<dl><dt>Account</dt><dd>{account}</dd></dl>{rest}");
    whole("Test onboarding", &body)
}

/// A page that says one thing.
pub(super) fn notice(text: &str) -> String {
    whole("Test payments", &format!("<p>{}</p>", escaped(text)))
}

fn whole(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}}\
         dt{{font-weight:bold}}button{{font:inherit;padding:.4rem .8rem}}</style></head>\
         <body><h1>{title}</h1>{body}\
         <p><small>The local mode of Tarsify: no money moves.</small></p></body></html>"
    )
}

/// The text as it stands between tags and inside double quotes.
fn escaped(text: impl AsRef<str>) -> String {
    let mut safe = String::new();
    for each in text.as_ref().chars() {
        match each {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_can_become_markup() {
        let page = onboarding(&Onboarding {
            account: "<script>'",
            back: Some("https://example.com/\"onclick=\"x()&a"),
            is_complete: true,
        });
        assert!(page.contains("&lt;script&gt;&#39;"), "{page}");
        assert!(page.contains("https://example.com/&quot;onclick=&quot;x()&amp;a"));
        assert!(!page.contains("<script"), "{page}");
    }
}
