//! Executions: one job of one person on one tars model, from the click to its one end.
//!
//! Here is what an execution is and what its store must promise. How it gets from one stage to
//! the next is decided in `tarsify-engine`, whose machine knows neither store nor provider.

mod admission;
mod concealed;
mod crew;
mod event;
mod log;
mod outlook;
mod output;
mod queue;
mod run;
mod status;
mod work;

pub use admission::{
    AdmitError, Admitted, ModelStamp, NewExecution, Requester, RunnableBase, RunnableEndpoint,
    RunnableModel, RunnableModels,
};
pub use concealed::Concealed;
pub use crew::{Crew, PRESENCE};
pub use event::{EventKind, NewEvent};
pub use log::{EventLog, History, LogPage, LogPlace, LoggedEvent};
pub use outlook::{Forecast, Outlook, Standing};
pub use output::{Audience, OutputTold};
pub use queue::{Claim, Claimed, ExecutionQueue, Known, Work, Written};
pub use run::{
    AttemptReport, CancelAnswer, Execution, ExecutionFilter, ExecutionReport, ExecutionRepository,
    ExecutionSummary, Found, ModelRef,
};
pub use status::{EndReason, Ending, ExecutionKind, ExecutionStatus, Stage};
pub use work::{
    Advance, Attempt, AttemptState, Exchange, JobPlace, Lease, Material, Operation, ProviderJobId,
    Settlement, State, Then, TokenHash,
};
