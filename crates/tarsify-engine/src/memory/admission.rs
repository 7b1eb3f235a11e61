//! Accepting an execution: idempotency key, model, quota, hold, row and first event in one step.

use std::sync::Arc;

use tarsify_domain::catalog::TarsModelStatus;
use tarsify_domain::execution::{
    AdmitError, Admitted, EventKind, ExecutionKind, ExecutionStatus, Material, NewEvent,
    NewExecution, Requester, Stage,
};
use tarsify_domain::idempotency::IdempotencyClaim;
use tarsify_domain::money::Price;
use tarsify_domain::{RepoError, Timestamp};

use super::keys::{KeyName, Taken};
use super::later;
use super::row::{End, Row, Who};
use super::table::Table;

impl Table {
    pub(super) fn admit(
        &mut self,
        now: Timestamp,
        new: &NewExecution,
    ) -> Result<Admitted, AdmitError> {
        let claim = new.idempotency.as_ref();
        if let Some(replay) = claim.map_or(Ok(None), |claim| self.find_replay(claim))? {
            return Ok(replay);
        }
        self.check_model(new)?;
        if self.row(new.id).is_some() {
            return Err(RepoError::Conflict.into());
        }
        self.check_crowd(new)?;
        self.count_trial(now, new.requester)?;
        self.hold(new)?;
        let key = claim.map(|claim| self.keys.take_for_execution(now, claim, new.id));
        let mut row = self.row_of(now, new, key);
        row.tell(now, NewEvent::plain(EventKind::Queued));
        let execution = row.execution();
        self.insert(row);
        Ok(Admitted {
            execution,
            is_replay: false,
        })
    }

    pub(super) fn find_replay(
        &self,
        claim: &IdempotencyClaim,
    ) -> Result<Option<Admitted>, AdmitError> {
        let Some(entry) = self.keys.find(claim) else {
            return Ok(None);
        };
        if entry.fingerprint != claim.fingerprint {
            return Err(AdmitError::KeyReused);
        }
        // A key that belongs to another kind of request means another request.
        let Taken::ByExecution(id) = entry.taken else {
            return Err(AdmitError::KeyReused);
        };
        let row = self.row(id).ok_or(AdmitError::KeyReused)?;
        Ok(Some(Admitted {
            execution: row.execution(),
            is_replay: true,
        }))
    }

    fn check_model(&self, new: &NewExecution) -> Result<(), AdmitError> {
        let model = self.model(new.model.id);
        let model = model.filter(|model| model.stamp() == new.model.stamp());
        let model = model.ok_or(AdmitError::ModelChanged)?;
        let is_offered = model.status == TarsModelStatus::Published
            && model.base_model.is_active
            && model.endpoint.is_active;
        match new.requester.kind() {
            ExecutionKind::Run if !is_offered => Err(AdmitError::ModelChanged),
            ExecutionKind::Run | ExecutionKind::TestRun => Ok(()),
        }
    }

    fn check_crowd(&self, new: &NewExecution) -> Result<(), AdmitError> {
        match (new.requester, new.max_concurrent_runs) {
            (Requester::Consumer(consumer), Some(most)) if self.unfinished_of(consumer) >= most => {
                Err(AdmitError::TooManyAtOnce(most))
            }
            _ => Ok(()),
        }
    }

    fn count_trial(&mut self, now: Timestamp, requester: Requester) -> Result<(), AdmitError> {
        let Requester::Developer { id, daily_quota } = requester else {
            return Ok(());
        };
        let today = now.date();
        let trials = self.trials.get(&(id, today)).copied().unwrap_or_default();
        if trials >= daily_quota {
            return Err(AdmitError::QuotaUsedUp(daily_quota));
        }
        if trials == 0 {
            self.trials.retain(|(_, day), _| *day >= today);
        }
        self.trials.insert((id, today), trials.saturating_add(1));
        Ok(())
    }

    fn hold(&mut self, new: &NewExecution) -> Result<(), AdmitError> {
        let Requester::Consumer(consumer) = new.requester else {
            return Ok(());
        };
        let price = new.model.price;
        let held = self.wallets.hold(consumer, price);
        held.map_err(|available| AdmitError::InsufficientCredits {
            required: price.credits(),
            available,
        })
    }

    fn row_of(&self, now: Timestamp, new: &NewExecution, key: Option<Arc<KeyName>>) -> Row {
        let NewExecution {
            id,
            requester,
            model,
            inputs,
            payload,
            concealed,
            deadline_in,
            developer_share,
            max_concurrent_runs: _,
            idempotency: _,
            trace_parent,
        } = new;
        let (who, price) = match requester {
            Requester::Consumer(id) => (Who::Consumer(*id), model.price),
            Requester::Developer { id, .. } => {
                let nothing = Price::parse(0).unwrap_or(model.price);
                (Who::Developer(*id), nothing)
            }
        };
        Row {
            id: *id,
            who,
            model: Arc::clone(model),
            price,
            share: *developer_share,
            material: Material {
                inputs: inputs.clone(),
                payload: payload.clone(),
                concealed: concealed.clone(),
            },
            key,
            created_at: now,
            deadline_at: later(now, *deadline_in),
            rank: self.schedule.next_rank(model.endpoint.id, who),
            stage: Stage::Created,
            status: ExecutionStatus::Pending,
            end: End::default(),
            started_at: None,
            attempts: Vec::new(),
            looks: 0,
            strikes: 0,
            progress: None,
            cancel_requested_at: None,
            next_action_at: Some(now),
            lease_until: None,
            lease_epoch: 0,
            is_woken: false,
            touched_at: now,
            events: Vec::new(),
            watched_until: None,
            told: None,
            trace_parent: trace_parent.clone(),
        }
    }
}
