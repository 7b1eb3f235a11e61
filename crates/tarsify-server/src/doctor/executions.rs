//! How many runs wait, and whether what must always hold of them does.

use tarsify_db::{BrokenInvariant, PgInvariants};
use tarsify_domain::execution::{ExecutionFilter, ExecutionStatus};
use tarsify_domain::{PageRequest, RepoError, Scope};
use tarsify_engine::Engine;

use super::{Finding, chain};
use crate::store::Store;

const QUEUE: &str = "runs";
const INVARIANTS: &str = "invariants";
/// What is broken by runs that are long past their deadline.
const PAST_DEADLINE: &str = "E5";

pub(super) async fn look(store: &Store, engine: &Engine) -> Vec<Finding> {
    let database = match store.connect_patiently().await {
        Ok(database) => database,
        Err(error) => return vec![Finding::bad(INVARIANTS, format!("{error:#}"))],
    };
    let broken = PgInvariants::new(database.clone()).broken().await;
    let late = broken.as_ref().map_or(0, |broken| late(broken));
    let findings = [vec![queue(engine, late).await], promises(broken)];
    database.close();
    findings.concat()
}

fn late(broken: &[BrokenInvariant]) -> u64 {
    let late = broken
        .iter()
        .find(|invariant| invariant.name == PAST_DEADLINE);
    late.map_or(0, |invariant| invariant.violations)
}

async fn queue(engine: &Engine, late: u64) -> Finding {
    let count = async |status| count(engine, status).await;
    let counted = async {
        Ok::<_, RepoError>((
            count(ExecutionStatus::Pending).await?,
            count(ExecutionStatus::Queued).await? + count(ExecutionStatus::Running).await?,
        ))
    };
    match counted.await {
        Ok((waiting, at_work)) if late == 0 => Finding::good(
            QUEUE,
            format!("{waiting} wait to be submitted, {at_work} are at the provider"),
        ),
        Ok((waiting, at_work)) => Finding::bad(
            QUEUE,
            format!(
                "{waiting} wait to be submitted, {at_work} are at the provider, and {late} of these should have ended over a minute ago: is a worker running (`tarsify serve`, or `tarsify serve --role worker`)?"
            ),
        ),
        Err(error) => Finding::bad(QUEUE, chain(&error)),
    }
}

async fn count(engine: &Engine, status: ExecutionStatus) -> Result<u64, RepoError> {
    let filter = ExecutionFilter {
        status: Some(status),
        ..ExecutionFilter::default()
    };
    let page = PageRequest::default();
    Ok(engine.list(Scope::System, &filter, &page).await?.total)
}

fn promises(broken: Result<Vec<BrokenInvariant>, RepoError>) -> Vec<Finding> {
    match broken {
        Ok(broken) if broken.is_empty() => vec![Finding::good(
            INVARIANTS,
            "what must always hold of runs does",
        )],
        Ok(broken) => broken.into_iter().map(tell).collect(),
        Err(error) => vec![Finding::bad(INVARIANTS, chain(&error))],
    }
}

fn tell(broken: BrokenInvariant) -> Finding {
    let BrokenInvariant {
        name,
        rule,
        violations,
        detail,
        executions,
    } = broken;
    let samples: Vec<String> = executions.iter().map(ToString::to_string).collect();
    Finding::bad(
        INVARIANTS,
        format!(
            "{name} does not hold in {violations} places: {rule}. The first: {detail}. Look at {} under GET /api/admin/executions/{{id}}, and report it: this is a defect of Tarsify",
            samples.join(", ")
        ),
    )
}
