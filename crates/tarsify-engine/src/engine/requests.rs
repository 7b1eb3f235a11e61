//! What people ask the engine to run, and how it is accepted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tarsify_domain::catalog::TarsModelStatus;
use tarsify_domain::execution::{
    AdmitError, Admitted, Execution, NewExecution, Requester, RunnableModel,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::idempotency::IdempotencyClaim;
use tarsify_domain::money::Price;
use tarsify_domain::text::Slug;
use tarsify_domain::{Credits, RepoError, Scope};

use super::{Engine, RunError};
use crate::scrub::conceal;

/// How often a model is read anew because it was changed while its run was being accepted.
const MOST_READS: u32 = 4;

/// A consumer's wish to run a model.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Who.
    pub consumer: ConsumerId,
    /// What.
    pub slug: Slug,
    /// With what.
    pub inputs: Map<String, Value>,
    /// How many of his runs may be unfinished at once, this one among them; as many as he likes
    /// when nothing is said.
    pub max_concurrent_runs: Option<u32>,
    /// The key that makes repetitions harmless.
    pub idempotency: Option<IdempotencyClaim>,
}

/// A developer's wish to try a model of his own.
#[derive(Debug, Clone)]
pub struct TestRunRequest {
    /// Who.
    pub developer: DeveloperId,
    /// What.
    pub model: TarsModelId,
    /// With what.
    pub inputs: Map<String, Value>,
    /// The key that makes repetitions harmless.
    pub idempotency: Option<IdempotencyClaim>,
}

/// What a run would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// What it would cost.
    pub price: Price,
    /// How long it would usually take.
    pub estimated_seconds: u32,
    /// What the consumer can spend now.
    pub available: Credits,
}

impl Engine {
    /// Accepts a run: it is stored, and will be run whatever happens to this process.
    ///
    /// # Errors
    /// When there is no such model, it may not be run, the inputs do not fit it, the consumer
    /// cannot spend as much as it costs, the idempotency key was used for something else, or the
    /// store fails.
    pub async fn submit(&self, request: RunRequest) -> Result<Admitted, RunError> {
        let RunRequest {
            consumer,
            slug,
            inputs,
            max_concurrent_runs,
            idempotency,
        } = request;
        let models = &self.shared.models;
        let requester = Requester::Consumer(consumer);
        let prepare = |model| {
            let new = self.prepare(requester, model, &inputs, idempotency.as_ref())?;
            Ok(NewExecution {
                max_concurrent_runs,
                ..new
            })
        };
        if let Some(model) = models.kept(&slug)
            && let Ok(new) = prepare(model)
        {
            match self.admit(&new).await {
                Err(AdmitError::ModelChanged) => {}
                other => return Ok(other?),
            }
        }
        for _ in 0..MOST_READS {
            let model = models.read(&slug).await?;
            let prepared = match model {
                Some(model) => prepare(model),
                None => Err(RunError::ModelNotFound),
            };
            match self.admit_or_replay(prepared, idempotency.as_ref()).await {
                Err(Refusal::ModelChanged) => {}
                Err(Refusal::Final(error)) => return Err(error),
                Ok(admitted) => return Ok(admitted),
            }
        }
        Err(RunError::Repo(RepoError::Stale))
    }

    /// Whether a request was accepted before, under this key: sending it again does nothing new.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_known(&self, claim: &IdempotencyClaim) -> Result<bool, RepoError> {
        match self.shared.executions.find_replay(claim).await {
            Ok(found) => Ok(found.is_some()),
            Err(AdmitError::Repo(error)) => Err(error),
            // It will be refused, whatever it asks for.
            Err(_) => Ok(true),
        }
    }

    /// Tells what a run would be, and changes nothing.
    ///
    /// # Errors
    /// Those that the run itself would get.
    pub async fn quote(
        &self,
        consumer: ConsumerId,
        slug: &Slug,
        inputs: &Map<String, Value>,
    ) -> Result<Quote, RunError> {
        let model = self.shared.models.read(slug).await?;
        let model = model.ok_or(RunError::ModelNotFound)?;
        let new = self.prepare(Requester::Consumer(consumer), model, inputs, None)?;
        let (price, base_model) = (new.model.price, &new.model.base_model);
        let available = self.shared.executions.find_funds(consumer).await?;
        if price.credits() > available {
            return Err(RunError::InsufficientCredits {
                required: price.credits(),
                available,
            });
        }
        Ok(Quote {
            price,
            estimated_seconds: base_model.estimated_seconds,
            available,
        })
    }

    /// Runs a developer's own model, for him, and waits a while for the end.
    ///
    /// # Errors
    /// As [`Engine::submit_test_run`].
    pub async fn test_run(&self, request: TestRunRequest) -> Result<Execution, RunError> {
        let scope = Scope::Developer(request.developer);
        let accepted = self.submit_test_run(request).await?.execution;
        let patience = self.test_run_patience();
        let waited = self.wait(scope, accepted.summary.id, patience).await;
        // It is accepted: how it stands may be read again.
        Ok(waited.unwrap_or(accepted))
    }

    /// How long a test run is waited for.
    #[must_use]
    pub fn test_run_patience(&self) -> Duration {
        self.shared.settings.test_run_patience
    }

    /// Accepts a test run, for who would rather wait for its end himself.
    ///
    /// # Errors
    /// When there is no such model of his, it is archived, the inputs do not fit it, he has
    /// used up his test runs of today, or the store fails.
    pub async fn submit_test_run(&self, request: TestRunRequest) -> Result<Admitted, RunError> {
        let TestRunRequest {
            developer,
            model,
            inputs,
            idempotency,
        } = request;
        let requester = Requester::Developer {
            id: developer,
            daily_quota: self.shared.settings.daily_test_runs,
        };
        for _ in 0..MOST_READS {
            let own = self
                .shared
                .models
                .source()
                .find_own(developer, model)
                .await?;
            let prepared = match own.map(Arc::new) {
                Some(own) => self.prepare(requester, own, &inputs, idempotency.as_ref()),
                None => Err(RunError::ModelNotFound),
            };
            match self.admit_or_replay(prepared, idempotency.as_ref()).await {
                Err(Refusal::ModelChanged) => {}
                Err(Refusal::Final(error)) => return Err(error),
                Ok(admitted) => return Ok(admitted),
            }
        }
        Err(RunError::Repo(RepoError::Stale))
    }

    /// Decides everything that can be decided without the store.
    fn prepare(
        &self,
        requester: Requester,
        model: Arc<RunnableModel>,
        inputs: &Map<String, Value>,
        idempotency: Option<&IdempotencyClaim>,
    ) -> Result<NewExecution, RunError> {
        let may_run = match requester {
            Requester::Consumer(_) => model.status == TarsModelStatus::Published,
            Requester::Developer { .. } => model.status != TarsModelStatus::Archived,
        };
        if !may_run {
            return Err(RunError::StatusForbids);
        }
        if !model.base_model.is_active || !model.endpoint.is_active {
            return Err(RunError::NotActive);
        }
        if self.shared.provider(model.endpoint.provider).is_none() {
            return Err(RunError::NoProvider);
        }
        let schema = &model.base_model.input_schema;
        let validator = &self.shared.validator;
        let payload = validator
            .validate_inputs(schema, &model.overrides, inputs)
            .map_err(RunError::InputsDoNotFit)?;
        let timeout = Duration::from_secs(model.base_model.timeout_seconds.into());
        Ok(NewExecution {
            id: ExecutionId::new(self.shared.clock.now()),
            requester,
            concealed: conceal(&model.overrides, inputs, &payload),
            inputs: inputs.clone(),
            payload,
            deadline_in: timeout + self.shared.settings.queue_allowance,
            developer_share: self.shared.settings.developer_share,
            max_concurrent_runs: None,
            idempotency: idempotency.cloned(),
            trace_parent: self.shared.tracing.parent(),
            model,
        })
    }

    async fn admit(&self, new: &NewExecution) -> Result<Admitted, AdmitError> {
        let admitted = self.shared.executions.admit(new).await?;
        if !admitted.is_replay {
            self.shared.submissions.notify_one();
            self.shared.bus.announce();
        }
        Ok(admitted)
    }

    /// A request that was accepted once is answered so again, whatever has become of its model.
    async fn admit_or_replay(
        &self,
        prepared: Result<NewExecution, RunError>,
        idempotency: Option<&IdempotencyClaim>,
    ) -> Result<Admitted, Refusal> {
        let refusal = match prepared {
            Ok(new) => match self.admit(&new).await {
                Ok(admitted) => return Ok(admitted),
                Err(AdmitError::ModelChanged) => return Err(Refusal::ModelChanged),
                Err(error) => return Err(Refusal::Final(error.into())),
            },
            Err(refusal) => refusal,
        };
        let Some(claim) = idempotency else {
            return Err(Refusal::Final(refusal));
        };
        match self.shared.executions.find_replay(claim).await {
            Ok(Some(admitted)) => Ok(admitted),
            Ok(None) => Err(Refusal::Final(refusal)),
            Err(error) => Err(Refusal::Final(error.into())),
        }
    }
}

enum Refusal {
    ModelChanged,
    Final(RunError),
}
