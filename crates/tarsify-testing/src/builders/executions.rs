//! Models to run, executions to admit, and what workers write about them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tarsify_domain::catalog::{BaseModel, Endpoint, TarsModel, TarsModelStatus};
use tarsify_domain::execution::{
    Advance, Attempt, AttemptState, Claimed, Concealed, EndReason, Ending, NewExecution,
    ProviderJobId, Requester, RunnableBase, RunnableEndpoint, RunnableModel, Settlement, Stage,
    Then, TokenHash,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId};
use tarsify_domain::idempotency::{IdempotencyClaim, IdempotencyKey};
use tarsify_domain::money::Share;

use super::{base_model, endpoint, tars_model, unique};
use crate::clock::MOMENT;

/// A published model with everything under it, of a new developer; nobody has stored any of it.
#[must_use]
pub fn runnable_model() -> RunnableModel {
    let endpoint = endpoint(MOMENT);
    let base = base_model(&endpoint);
    let model = TarsModel {
        status: TarsModelStatus::Published,
        published_at: Some(MOMENT),
        ..tars_model(&base, DeveloperId::new(MOMENT))
    };
    runnable(&endpoint, &base, &model)
}

/// The model as its executions see it.
#[must_use]
pub fn runnable(endpoint: &Endpoint, base: &BaseModel, model: &TarsModel) -> RunnableModel {
    RunnableModel {
        id: model.id,
        version: model.version,
        slug: model.slug.clone(),
        title: model.title.clone(),
        developer_id: model.developer_id,
        status: model.status,
        price: model.price,
        overrides: model.overrides.clone(),
        base_model: RunnableBase {
            id: base.id,
            version: base.version,
            name: base.name.clone(),
            category: base.category,
            output_type: base.output_type,
            input_schema: base.input_schema.clone(),
            estimated_seconds: base.estimated.get(),
            timeout_seconds: base.timeout.get(),
            streams_output: base.streams_output,
            is_active: base.is_active,
        },
        endpoint: RunnableEndpoint {
            id: endpoint.id,
            version: endpoint.version,
            provider: endpoint.provider,
            provider_endpoint_id: endpoint.provider_endpoint_id.clone(),
            is_active: endpoint.is_active,
        },
    }
}

/// A run that nobody has admitted yet. It has to end within ten minutes.
#[must_use]
pub fn new_run(model: &Arc<RunnableModel>, consumer: ConsumerId) -> NewExecution {
    NewExecution {
        id: ExecutionId::new(MOMENT),
        requester: Requester::Consumer(consumer),
        model: Arc::clone(model),
        inputs: object(json!({"prompt": "sunset"})),
        payload: object(json!({
            "prompt": "anime style, sunset, highly detailed", "width": 1024,
        })),
        concealed: Concealed {
            merged_prompt: Some("anime style, sunset, highly detailed".into()),
            own_prompt: Some("sunset".into()),
            texts: vec![", highly detailed".into(), "anime style, ".into()],
        },
        deadline_in: Duration::from_secs(600),
        developer_share: Share::DEFAULT,
        max_concurrent_runs: None,
        idempotency: None,
        trace_parent: None,
    }
}

/// A test run of the model by its developer, who has so many a day.
#[must_use]
pub fn new_test_run(model: &Arc<RunnableModel>, daily_quota: u32) -> NewExecution {
    let requester = Requester::Developer {
        id: model.developer_id,
        daily_quota,
    };
    NewExecution {
        requester,
        ..new_run(model, ConsumerId::new(MOMENT))
    }
}

/// The JSON object.
///
/// # Panics
/// When it is no object: the test is wrong.
#[must_use]
pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("a test wants an object, not {other}"),
    }
}

/// A request under a key that nobody has used yet.
///
/// # Panics
/// Never with the values it has.
#[must_use]
pub fn idempotency_claim() -> IdempotencyClaim {
    let number = unique();
    let key = IdempotencyKey::parse(&format!("key {number}"));
    IdempotencyClaim {
        principal: format!("consumer {number}"),
        route: "POST /api/marketplace/models/{slug}/run".into(),
        key: key.expect("the key is good"),
        fingerprint: [7; 32],
    }
}

/// A job's id that no other call in this process gets.
///
/// # Panics
/// Never with the values it has.
#[must_use]
pub fn new_job() -> ProviderJobId {
    let number = unique();
    ProviderJobId::parse(&format!("job-{number}-u1")).expect("the job's id is good")
}

/// The hash of a token that no other call in this process gets.
#[must_use]
pub fn new_token() -> TokenHash {
    let mut bytes = [9; 32];
    for (byte, its) in bytes.iter_mut().zip(unique().to_be_bytes()) {
        *byte = its;
    }
    TokenHash(bytes)
}

/// The newest attempt of a leased execution, in another state.
///
/// # Panics
/// When there is none: the test is wrong.
#[must_use]
pub fn attempt(claimed: &Claimed, state: AttemptState) -> Attempt {
    let newest = claimed.state.attempts.last();
    Attempt {
        state,
        ..newest.expect("a test wants an attempt").clone()
    }
}

/// The newest attempt of a leased execution with a new job.
#[must_use]
pub fn attempt_with_job(claimed: &Claimed, state: AttemptState) -> Attempt {
    Attempt {
        job: Some(new_job()),
        ..attempt(claimed, state)
    }
}

/// A move of a leased execution that changes nothing else and rests for a minute.
#[must_use]
pub fn advance(claimed: &Claimed, to: Stage) -> Advance {
    Advance {
        lease: claimed.lease,
        from: claimed.state.stage,
        to,
        attempts: Vec::new(),
        looks: claimed.state.looks,
        progress: None,
        events: Vec::new(),
        exchanges: Vec::new(),
        told: None,
        then: Then::After(Duration::from_secs(60)),
    }
}

/// The end of a leased execution without a result, and without a job that is left.
#[must_use]
pub fn settlement(claimed: &Claimed, reason: EndReason) -> Settlement {
    let ending = match reason {
        EndReason::ProviderTimeout | EndReason::Deadline => Ending::TimedOut,
        EndReason::CancelledByCaller | EndReason::CancelledByProvider => Ending::Cancelled,
        EndReason::ProviderError
        | EndReason::Refused
        | EndReason::Lost
        | EndReason::OutputMissing
        | EndReason::OutputTooLarge
        | EndReason::OutputUnreadable
        | EndReason::Quarantined => Ending::Failed,
    };
    let over = claimed.state.attempts.iter().map(|attempt| Attempt {
        state: AttemptState::Over,
        ..attempt.clone()
    });
    Settlement {
        lease: claimed.lease,
        from: claimed.state.stage,
        ending,
        reason: Some(reason),
        message: Some(reason.meaning().to_owned()),
        output: None,
        queue_ms: None,
        run_ms: None,
        attempts: over.collect(),
        exchanges: Vec::new(),
        deltas: None,
        has_orphans: false,
    }
}

/// The end of a leased execution whose newest attempt has made a result.
#[must_use]
pub fn completion(claimed: &Claimed, output: Value) -> Settlement {
    let newest = attempt(claimed, AttemptState::Won);
    let job = newest.job.clone().unwrap_or_else(new_job);
    Settlement {
        ending: Ending::Completed,
        reason: None,
        message: None,
        output: Some(output),
        queue_ms: Some(250),
        run_ms: Some(1_750),
        attempts: vec![Attempt {
            job: Some(job),
            ..newest
        }],
        ..settlement(claimed, EndReason::ProviderError)
    }
}
