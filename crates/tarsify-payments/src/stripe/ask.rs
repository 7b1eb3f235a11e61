//! Asks Stripe, and asks again what may be asked again: a few times, not at once, and not for
//! ever, since somebody waits.

use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tarsify_domain::payments::PaymentError;
use tokio::time::{Instant, sleep};

use super::cleaner::Cleaner;
use super::form::Question;
use super::judged::{Judged, judge};
use super::line::{Line, Reply};
use super::settings::{StripeError, StripeSettings};

/// How often something is asked.
const TRIES: u32 = 3;
/// How long all of that may take.
const LONGEST_CALL: Duration = Duration::from_secs(20);
/// A repetition that has less time left is not worth it.
const SHORTEST_TRY: Duration = Duration::from_secs(3);
/// How long the first repetition waits when nobody asked for more.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Asks Stripe.
pub(super) struct Asker {
    line: Line,
    cleaner: Cleaner,
    request_timeout: Duration,
}

impl Asker {
    pub(super) fn new(settings: &StripeSettings) -> Result<Self, StripeError> {
        Ok(Self {
            line: Line::new(settings)?,
            cleaner: Cleaner::hiding(&settings.secret_key),
            request_timeout: settings.request_timeout.min(LONGEST_CALL),
        })
    }

    pub(super) const fn base(&self) -> &Url {
        self.line.base()
    }

    /// The object that is the answer.
    pub(super) async fn ask(&self, question: &Question) -> Result<Value, PaymentError> {
        let begun = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            let deadline = Instant::now() + self.request_timeout;
            let reply = self.line.send(question, deadline.min(begun + LONGEST_CALL));
            let reply = reply.await;
            trace(question, &reply, begun);
            let (said, wait) = match judge(&reply, &self.cleaner) {
                Judged::Done(object) => return Ok(object),
                Judged::Refused(said) => return Err(PaymentError::Refused(said)),
                Judged::Unknown(said) => (said, None),
                Judged::Passing { said, retry_after } => (said, Some(pause(tries, retry_after))),
            };
            let wait = wait.filter(|wait| {
                tries < TRIES && begun.elapsed() + *wait + SHORTEST_TRY <= LONGEST_CALL
            });
            match wait {
                Some(wait) => sleep(wait).await,
                None if tries > 1 => {
                    return Err(PaymentError::Unavailable(format!("{said} ({tries} tries)")));
                }
                None => return Err(PaymentError::Unavailable(said)),
            }
        }
    }
}

fn pause(tries: u32, retry_after: Option<Duration>) -> Duration {
    let wait = (FIRST_PAUSE * tries).max(retry_after.unwrap_or_default());
    // What failed together does not come back together.
    wait + some_of(wait / 2)
}

fn some_of(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => most.mul_f64(f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)),
        Err(_) => Duration::ZERO,
    }
}

fn trace(question: &Question, reply: &Reply, begun: Instant) {
    let answer = match reply {
        Reply::Answer(answer) => Some(answer),
        Reply::Silence(_) => None,
    };
    tracing::debug!(
        question = question.name,
        http_status = answer.map(|answer| answer.status.as_u16()),
        request_id = answer.and_then(|answer| answer.request_id.as_deref()),
        took = ?begun.elapsed(),
        "the payment provider was asked"
    );
}
