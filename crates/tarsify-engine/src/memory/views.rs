//! A stored execution as its requester, its workers and administrators see it.

use std::time::Duration;

use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{
    AttemptReport, Execution, ExecutionKind, ExecutionReport, ExecutionStatus, ExecutionSummary,
    JobPlace, ModelRef, State,
};
use tarsify_domain::{Credits, Scope};

use super::row::{Row, Who};

impl Row {
    pub(super) const fn kind(&self) -> ExecutionKind {
        match self.who {
            Who::Consumer(_) => ExecutionKind::Run,
            Who::Developer(_) => ExecutionKind::TestRun,
        }
    }

    pub(super) fn is_seen_by(&self, scope: Scope) -> bool {
        match scope {
            Scope::Consumer(id) => self.who == Who::Consumer(id),
            Scope::Developer(id) => self.who == Who::Developer(id),
            Scope::System => true,
        }
    }

    pub(super) fn summary(&self) -> ExecutionSummary {
        let (consumer_id, tester_id) = match self.who {
            Who::Consumer(id) => (Some(id), None),
            Who::Developer(id) => (None, Some(id)),
        };
        ExecutionSummary {
            id: self.id,
            kind: self.kind(),
            consumer_id,
            tester_id,
            model: ModelRef {
                id: self.model.id,
                slug: self.model.slug.clone(),
                title: self.model.title.clone(),
                base_model_name: self.model.base_model.name.clone(),
                category: self.model.base_model.category,
                output_type: self.model.base_model.output_type,
                estimated_seconds: self.model.base_model.estimated_seconds,
            },
            status: self.status,
            reason: self.end.reason,
            message: self.end.message.clone(),
            price: self.price,
            charged: self.charged(),
            created_at: self.created_at,
            started_at: self.started_at,
            completed_at: self.end.completed_at,
            queue_time_ms: self.end.queue_ms,
            execution_time_ms: self.end.run_ms,
        }
    }

    const fn charged(&self) -> Credits {
        match self.status {
            ExecutionStatus::Completed => self.price.credits(),
            ExecutionStatus::Pending
            | ExecutionStatus::Queued
            | ExecutionStatus::Running
            | ExecutionStatus::Failed
            | ExecutionStatus::TimedOut
            | ExecutionStatus::Cancelled => Credits::ZERO,
        }
    }

    pub(super) fn execution(&self) -> Execution {
        Execution {
            summary: self.summary(),
            inputs: self.material.inputs.clone(),
            output: self.end.output.clone(),
            payloads_removed_at: None,
        }
    }

    pub(super) fn report(&self) -> ExecutionReport {
        let attempts = self.attempts.iter();
        let attempts = attempts.map(|tried| AttemptReport {
            attempt: tried.attempt.clone(),
            exchanges: tried.exchanges.clone(),
        });
        ExecutionReport {
            execution: self.execution(),
            stage: self.stage,
            endpoint_id: self.model.endpoint.id,
            deadline_at: self.deadline_at,
            next_action_at: self.next_action_at,
            lease_until: self.lease_until,
            cancel_requested_at: self.cancel_requested_at,
            attempts: attempts.collect(),
        }
    }

    pub(super) fn state(&self) -> State {
        let attempts = self.attempts.iter();
        State {
            stage: self.stage,
            attempts: attempts.map(|tried| tried.attempt.clone()).collect(),
            looks: self.looks,
            strikes: self.strikes,
            is_cancel_requested: self.cancel_requested_at.is_some(),
            progress: self.progress.clone(),
            created_at: self.created_at,
            deadline_at: self.deadline_at,
        }
    }

    pub(super) fn place(&self, limits: EndpointLimits) -> JobPlace {
        let endpoint = &self.model.endpoint;
        JobPlace {
            endpoint_id: endpoint.id,
            provider: endpoint.provider,
            provider_endpoint_id: endpoint.provider_endpoint_id.clone(),
            timeout: Duration::from_secs(u64::from(self.model.base_model.timeout_seconds)),
            limits,
        }
    }
}
