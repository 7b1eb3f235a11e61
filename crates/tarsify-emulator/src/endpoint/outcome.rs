//! What becomes of a result before anybody sees it: too large a one is dropped, as on the platform,
//! and faults spoil it.

use serde_json::{Value, json};

use crate::faults::FaultKind;
use crate::job::{Ending, Job, Spoiling, size_of};

const HUGE: usize = 25_000_000;

/// The result as it will be kept.
pub(super) fn spoil(job: &mut Job, ending: Ending) -> Ending {
    let ending = drop_oversize(job, ending);
    let faults = job.made_of.output_faults.clone();
    let input = &job.made_of.input;
    let spoils = |kind| !matches!(kind, FaultKind::NotJson | FaultKind::WrongTypes);
    if faults.has(FaultKind::NotJson) {
        job.spoiling = Spoiling::CutOff;
    } else if faults.has(FaultKind::WrongTypes) {
        job.spoiling = Spoiling::WrongTypes;
    }
    let Some(fault) = faults.first(spoils) else {
        return ending;
    };
    match fault.kind {
        FaultKind::Missing | FaultKind::Oversize => Ending::Completed(None),
        FaultKind::Huge => {
            Ending::Completed(Some(Value::String("x".repeat(fault.bytes.unwrap_or(HUGE)))))
        }
        FaultKind::ErrorInside => Ending::Completed(Some(
            json!({ "error": "CUDA out of memory. Tried to allocate 2.00 GiB" }),
        )),
        FaultKind::Failed => Ending::Failed(json!("the worker gave up on this job")),
        FaultKind::Traceback => Ending::Failed(Value::String(traceback().to_string())),
        FaultKind::TimedOut => {
            Ending::TimedOut("the job exceeded its execution timeout".to_owned())
        }
        FaultKind::TimeoutAsFailed => Ending::Failed(json!("job timed out after 1 retries")),
        FaultKind::EchoInput => Ending::Completed(Some(with_echo(ending, input))),
        FaultKind::EchoInError => {
            Ending::Failed(json!(format!("ValueError: nothing can be made of {input}")))
        }
        FaultKind::Falsy => Ending::Completed(Some(Value::Bool(false))),
        _ => ending,
    }
}

fn drop_oversize(job: &Job, ending: Ending) -> Ending {
    match ending {
        Ending::Completed(Some(output))
            if size_of(&output) > job.made_of.entrance.largest_body() =>
        {
            Ending::Completed(None)
        }
        ending => ending,
    }
}

/// The output with the input in it, as workers do that hand back their whole request.
fn with_echo(ending: Ending, input: &Value) -> Value {
    match ending {
        Ending::Completed(Some(Value::Object(mut fields))) => {
            fields.insert("input".to_owned(), input.clone());
            Value::Object(fields)
        }
        Ending::Completed(output) => json!({ "output": output, "input": input }),
        _ => json!({ "input": input }),
    }
}

/// What official workers send when a handler raises.
fn traceback() -> Value {
    json!({
        "error_type": "<class 'RuntimeError'>",
        "error_message": "CUDA out of memory",
        "error_traceback": "Traceback (most recent call last):\n  File \"/src/handler.py\", line 41, in handler\n    raise RuntimeError(\"CUDA out of memory\")\nRuntimeError: CUDA out of memory\n",
        "hostname": "emulated-host-64410b3a",
        "worker_id": "emulated-worker",
        "runpod_version": "1.12.0",
    })
}
