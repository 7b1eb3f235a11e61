//! Reads what `/run` and `/runsync` are sent, and refuses what is no job.

use actix_web::web::Payload;
use serde_json::Value;
use tokio::time::Instant;

use super::body;
use super::call::Call;
use super::refusal::Refusal;
use crate::emulator::Shared;
use crate::endpoint::Request;
use crate::job::Entrance;
use crate::policy::PolicyIn;

/// Reads a submission and takes its job in.
pub(super) async fn submit(
    shared: &Shared,
    call: &mut Call,
    payload: Payload,
    entrance: Entrance,
) -> Result<String, Refusal> {
    let bytes = body::bytes(payload, entrance.largest_body()).await?;
    let mut fields = body::object(&bytes)?;
    let input = fields.remove("input").filter(|input| !input.is_null());
    let input = input
        .ok_or_else(|| Refusal::Bad("`input` is missing: send {\"input\": {…}}".to_owned()))?;
    let policy = match fields.remove("policy") {
        None | Some(Value::Null) => PolicyIn::default(),
        Some(policy) => serde_json::from_value(policy)
            .map_err(|error| Refusal::Bad(format!("`policy` cannot be followed: {error}")))?,
    };
    let request = Request {
        entrance,
        input,
        webhook: webhook(fields.remove("webhook"))?,
        policy: policy.within(&shared.around.settings),
        bytes: bytes.len(),
        fired: call.fired.clone(),
        plan: call.plan.clone(),
    };
    let submitted = call.endpoint.submit(request, Instant::now());
    submitted.map_err(Refusal::Full)
}

fn webhook(given: Option<Value>) -> Result<Option<String>, Refusal> {
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(address)) if address.is_empty() => Ok(None),
        Some(Value::String(address))
            if address.starts_with("http://") || address.starts_with("https://") =>
        {
            Ok(Some(address))
        }
        Some(_) => Err(Refusal::Bad(
            "`webhook` is not an address that begins with http:// or https://".to_owned(),
        )),
    }
}
