//! The people outside: they ask for runs, more than once, call them off, look at them, look at
//! those of others, and forge callbacks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;
use tarsify_domain::Scope;
use tarsify_domain::execution::{
    AdmitError, Admitted, CancelAnswer, Concealed, ExecutionKind, ExecutionRepository, Found,
    NewExecution, ProviderJobId, Requester, RunnableModel, Stage,
};
use tarsify_domain::id::ConsumerId;
use tarsify_domain::idempotency::IdempotencyClaim;

use super::network::Callback;
use super::people;
use super::run::Wish;
use super::time::{MILLI, SECOND};
use super::world::{Happening, Lawful, World, rule};

/// Repetitions of a look that somebody's impatience brings about.
const REST: Duration = Duration::from_secs(1);

impl World {
    pub(super) fn wished(&mut self, run: usize, wish: Wish) -> Lawful {
        if self.weather.outage_end(self.now).is_some() {
            if let Wish::Run { .. } = wish {
                // 503: the client comes back.
                self.saw("admission: refused during an outage and repeated");
                let after = self.dice.between(SECOND, 5 * SECOND);
                self.put_in(after, Happening::Wished { run, wish });
            }
            return Ok(());
        }
        match wish {
            Wish::Run { is_other_body } => self.ask_for(run, is_other_body),
            _ if self.runs[run].id.is_none() => Ok(()),
            Wish::Cancel => self.call_off(run),
            Wish::Nudge => self.nudge(run),
            Wish::Expedite => self.expedite(run),
            Wish::Read => self.read(run),
            Wish::Forge => self.forge(run),
        }
    }

    /// The request as it reaches the store, and whether its model was read too long ago.
    fn order(&mut self, run: usize, is_other_body: bool) -> (NewExecution, bool) {
        let plan = &self.runs[run].plan;
        let requester = plan.requester;
        let mut model = Arc::clone(&self.models[plan.model]);
        let is_stale = self.dice.chance(30);
        if is_stale {
            model = Arc::new(RunnableModel {
                version: tarsify_domain::version::Version::new(0),
                ..RunnableModel::clone(&model)
            });
        }
        let idempotency = plan.key.clone().map(|key| IdempotencyClaim {
            principal: format!("{requester:?}"),
            route: "POST /api/run".to_owned(),
            key,
            fingerprint: [u8::from(is_other_body); 32],
        });
        let new = NewExecution {
            id: people::execution_id(&mut self.dice),
            requester,
            model,
            inputs: plan.inputs.clone(),
            payload: plan.payload.clone(),
            concealed: Concealed::default(),
            deadline_in: plan.deadline_in,
            developer_share: self.share(),
            max_concurrent_runs: None,
            idempotency,
            trace_parent: None,
        };
        (new, is_stale)
    }

    fn ask_for(&mut self, run: usize, is_other_body: bool) -> Lawful {
        let (new, is_stale) = self.order(run, is_other_body);
        let requester = new.requester;
        let answer = self.admit(&new);
        let first = self.runs[run].id;
        let is_replay = first.is_some() && new.idempotency.is_some();
        let has_other_body = self.runs[run].has_other_body;
        match answer {
            Ok(admitted) if admitted.is_replay => {
                let is_same = Some(admitted.execution.summary.id) == first;
                rule(
                    is_replay && is_same && has_other_body == is_other_body,
                    "twins are one execution",
                    run,
                    || format!("answered {:?}", admitted.execution.summary.id),
                )?;
                self.saw("twin: was answered the first one's execution");
                self.audit(run)
            }
            Ok(admitted) => {
                rule(
                    !is_replay && !is_stale,
                    "twins are one execution",
                    run,
                    || format!("{:?} was accepted too", new.id),
                )?;
                self.runs[run].has_other_body = is_other_body;
                self.accepted(run, &new, &admitted)
            }
            Err(AdmitError::KeyReused) => {
                rule(
                    is_replay && has_other_body != is_other_body,
                    "twins are one execution",
                    run,
                    || "the key was called used".to_owned(),
                )?;
                self.saw("twin: another body under the key was refused");
                Ok(())
            }
            Err(AdmitError::ModelChanged) => {
                rule(
                    is_stale && !is_replay,
                    "a model that holds is accepted",
                    run,
                    || format!("{:?}", new.model.stamp()),
                )?;
                self.saw("admission: the model was changed under it");
                self.put_in(
                    MILLI,
                    Happening::Wished {
                        run,
                        wish: Wish::Run { is_other_body },
                    },
                );
                Ok(())
            }
            Err(AdmitError::QuotaUsedUp(quota)) => {
                let used = self.trials.get(&requester).copied().unwrap_or(0);
                rule(used >= quota, "a quota is used up by runs", run, || {
                    format!("{used} of {quota} were used")
                })?;
                self.saw("admission: the quota was used up");
                Ok(())
            }
            Err(AdmitError::InsufficientCredits {
                required,
                available,
            }) => {
                rule(
                    !is_replay && !is_stale,
                    "a replay asks nothing of the wallet",
                    run,
                    || format!("{required:?} of {available:?}"),
                )?;
                let wish = Wish::Run { is_other_body };
                self.refused_credit(run, &new, (required, available), wish)
            }
            Err(error) => Err(self.store_failed(run, &error)),
        }
    }

    pub(super) fn admit(&self, new: &NewExecution) -> Result<Admitted, AdmitError> {
        self.store.admit(new).now_or_never().unwrap()
    }

    fn accepted(&mut self, run: usize, new: &NewExecution, admitted: &Admitted) -> Lawful {
        let price = match new.requester.kind() {
            ExecutionKind::Run => Some(new.model.price),
            ExecutionKind::TestRun => None,
        };
        let summary = &admitted.execution.summary;
        rule(
            price.is_none_or(|price| price == summary.price) && summary.id == new.id,
            "an execution is accepted as it was asked for",
            run,
            || format!("{admitted:?}"),
        )?;
        if let Requester::Developer { daily_quota, .. } = new.requester {
            let used = self.trials.entry(new.requester).or_default();
            *used += 1;
            let used = *used;
            rule(used <= daily_quota, "a quota is kept", run, || {
                format!("{used} of {daily_quota}")
            })?;
        }
        self.book_hold(run, new)?;
        let deadline_in = u64::try_from(new.deadline_in.as_micros()).unwrap();
        let its = &mut self.runs[run];
        its.id = Some(new.id);
        its.model = Some(Arc::clone(&new.model));
        its.accepted_at = self.now;
        its.deadline_at = self.now + deadline_in;
        let deadline_at = its.deadline_at;
        self.last_deadline = self.last_deadline.max(deadline_at);
        self.by_id.insert(new.id, run);
        self.open += 1;
        self.tell(run, || {
            format!("accepted, deadline at {}", super::time::told(deadline_at))
        });
        self.put(deadline_at + 61 * SECOND, Happening::MustHaveEnded { run });
        self.audit(run)?;
        if new.idempotency.is_some() && self.dice.chance(self.weather.write_unheard * 3) {
            self.saw("admission: its answer was lost and it was repeated");
            let is_other_body = self.runs[run].has_other_body;
            self.put_in(
                2 * SECOND,
                Happening::Wished {
                    run,
                    wish: Wish::Run { is_other_body },
                },
            );
        }
        Ok(())
    }

    fn call_off(&mut self, run: usize) -> Lawful {
        let id = self.runs[run].id.unwrap();
        if self.dice.chance(100) {
            let stranger = Scope::Consumer(people::id::<ConsumerId>(&mut self.dice));
            let answer = self
                .store
                .request_cancel(stranger, id)
                .now_or_never()
                .unwrap();
            rule(
                matches!(answer, Ok(Found::Foreign)),
                "strangers call nothing off",
                run,
                || format!("{answer:?}"),
            )?;
            self.saw("cancel: of a stranger's run changed nothing");
            return self.audit(run);
        }
        let scope = self.runs[run].plan.scope();
        let answer = self.store.request_cancel(scope, id).now_or_never().unwrap();
        let answer = answer.map_err(|error| self.store_failed(run, &error))?;
        let now = self.now;
        let its = &mut self.runs[run];
        let is_leased = its.leased_until.is_some_and(|until| until > now);
        match answer {
            Found::Here(CancelAnswer::Ended(_)) => {
                let is_right = its.stage == Stage::Created && !is_leased && its.end.is_none();
                its.bookings += 1;
                its.cancel_asked.get_or_insert(now);
                rule(
                    is_right,
                    "only what nobody has in hand ends at once",
                    run,
                    String::new,
                )?;
                self.tell(run, || "called off at once".to_owned());
                self.saw("cancel: ended at once what nobody knew of");
            }
            Found::Here(CancelAnswer::Requested(_)) => {
                let is_right = its.end.is_none() && (its.stage != Stage::Created || is_leased);
                rule(
                    is_right,
                    "word is left where a worker may be at work",
                    run,
                    String::new,
                )?;
                if self.runs[run].cancel_asked.is_some() {
                    self.saw("cancel: was asked for again");
                } else {
                    self.runs[run].cancel_asked = Some(now);
                    self.saw("cancel: left word for the workers");
                    self.woke(run);
                    self.put_in(95 * SECOND, Happening::CancelMustBeHeard { run });
                }
                self.tell(run, || "to be called off".to_owned());
            }
            Found::Here(CancelAnswer::TooLate(_)) => {
                rule(
                    its.end.is_some(),
                    "only an end is too late",
                    run,
                    String::new,
                )?;
                self.saw("cancel: came too late");
            }
            answer => {
                return rule(false, "its own people see a run", run, || {
                    format!("{answer:?}")
                });
            }
        }
        self.audit(run)
    }

    fn nudge(&mut self, run: usize) -> Lawful {
        let id = self.runs[run].id.unwrap();
        let answer = self.store.nudge(id, REST).now_or_never().unwrap();
        let is_nudged = answer.map_err(|error| self.store_failed(run, &error))?;
        let is_at_provider = !matches!(self.runs[run].stage, Stage::Created | Stage::Ended);
        rule(
            !is_nudged || is_at_provider,
            "only what is at the provider is nudged",
            run,
            String::new,
        )?;
        if is_nudged {
            self.woke(run);
            self.saw("nudge: made it due");
        } else {
            self.saw("nudge: was too soon");
        }
        self.audit(run)
    }

    fn expedite(&mut self, run: usize) -> Lawful {
        let id = self.runs[run].id.unwrap();
        let answer = self.store.expedite(id).now_or_never().unwrap();
        let answer = answer.map_err(|error| self.store_failed(run, &error))?;
        let has_ended = self.runs[run].end.is_some();
        rule(
            answer == Some(!has_ended),
            "what has not ended is expedited",
            run,
            || format!("{answer:?}"),
        )?;
        if has_ended {
            self.saw("expedite: came too late");
        } else {
            // All but that of a lease which was not given back.
            self.runs[run].strikes = self.runs[run].strikes.min(1);
            self.woke(run);
            self.saw("expedite: made it due");
        }
        self.audit(run)
    }

    fn read(&mut self, run: usize) -> Lawful {
        let id = self.runs[run].id.unwrap();
        let own = self.runs[run].plan.scope();
        let found = self.store.find(own, id).now_or_never().unwrap();
        rule(
            matches!(found, Ok(Found::Here(_))),
            "its own people see a run",
            run,
            || format!("{found:?}"),
        )?;
        let stranger = Scope::Consumer(people::id::<ConsumerId>(&mut self.dice));
        let found = self.store.find(stranger, id).now_or_never().unwrap();
        rule(
            matches!(found, Ok(Found::Foreign)),
            "strangers see nothing of a run",
            run,
            || format!("{found:?}"),
        )?;
        self.saw("read: a stranger sees nothing");
        self.audit(run)
    }

    /// Somebody calls in the provider's name.
    fn forge(&mut self, run: usize) -> Lawful {
        let made_up = self.token();
        let other = self.dice.place(self.runs.len());
        let strange = self.runs[other].tries.last().map(|its| its.token);
        let own = self.runs[run].tries.last().map(|its| its.token);
        let body = json!({"status": "COMPLETED", "output": {"forged": self.dice.below(1000)}});
        let forged = ProviderJobId::parse("forged-job").unwrap();
        match self.dice.below(4) {
            0 => {
                let callback = Callback {
                    run,
                    token: made_up,
                    job: Some(&forged),
                    body,
                };
                self.must_be_unheard(callback, "forged: a made-up token was refused")
            }
            1 if other != run => {
                let Some(token) = strange else { return Ok(()) };
                let callback = Callback {
                    run,
                    token,
                    job: Some(&forged),
                    body,
                };
                self.must_be_unheard(callback, "forged: another run's token was refused")
            }
            2 if other != run => {
                let taken = self.runs[other].tries.iter().rev();
                let taken = taken
                    .filter_map(|its| its.stored.as_ref()?.job.clone())
                    .next();
                let (Some(token), Some(job)) = (own, taken) else {
                    return Ok(());
                };
                self.receive(Callback {
                    run,
                    token,
                    job: Some(&job),
                    body,
                })?;
                self.saw("forged: another run's job was not adopted");
                Ok(())
            }
            _ => {
                let Some(token) = own else { return Ok(()) };
                self.receive(Callback {
                    run,
                    token,
                    job: None,
                    body,
                })?;
                self.saw("forged: a good token without a job changed nothing");
                Ok(())
            }
        }
    }

    fn must_be_unheard(&mut self, callback: Callback<'_>, saw: &'static str) -> Lawful {
        let run = callback.run;
        let heard = self.receive(callback)?;
        rule(heard.is_none(), "a forged token has no effect", run, || {
            format!("{heard:?}")
        })?;
        self.saw(saw);
        self.audit(run)
    }
}
