//! The last things a process does when it serves no more, which whoever asks a second time need not
//! wait for.

use std::process::ExitCode;

use super::Signals;
use crate::exit::Served;
use crate::store::Store;
use crate::traces::{self, Traces};

/// How serving came to its end, and who may still ask for it to be over at once.
pub(crate) struct Ended {
    pub(super) served: Served,
    pub(super) signals: Signals,
}

impl Ended {
    /// Does something last, for as long as nobody asks to stop once more.
    async fn doing<T>(&mut self, last: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = last => Some(done),
            _again = self.signals.next() => {
                tracing::warn!("asked to stop a second time: the last things are left");
                self.served = Served::CutShort;
                None
            }
        }
    }
}

/// Lets go of the store, whatever came of serving. A private one is stopped by its guard in any case,
/// as soon as we are gone.
pub(crate) async fn close(store: Store, served: anyhow::Result<Ended>) -> anyhow::Result<Ended> {
    match served {
        Ok(mut ended) => match ended.doing(store.close()).await {
            Some(Err(error)) => Err(error),
            Some(Ok(())) | None => Ok(ended),
        },
        Err(error) => {
            store.close().await?;
            Err(error)
        }
    }
}

/// Sends what is left of what was traced, and says with which code the process ends. Who asked twice
/// has no patience left.
pub(crate) async fn finish(
    traces: Option<Traces>,
    served: anyhow::Result<Ended>,
) -> anyhow::Result<ExitCode> {
    match served {
        Ok(mut ended) => {
            if ended.served == Served::ToTheEnd {
                let _sent: Option<()> = ended.doing(traces::end(traces)).await;
            }
            Ok(ended.served.into())
        }
        Err(error) => {
            traces::end(traces).await;
            Err(error)
        }
    }
}
