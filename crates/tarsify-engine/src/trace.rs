//! The port to whoever follows requests across processes. The engine makes spans and knows nothing
//! of what becomes of them; what links a run to the request that asked for it goes through here.

use tarsify_domain::TraceParent;
use tracing::Span;

/// Takes a trace from one place to another. Both methods are called in the middle of the work and
/// must not block; each does nothing unless it is written anew.
pub trait Tracing: Send + Sync {
    /// The span that we are in, for whoever goes on elsewhere; nothing where there is none.
    fn parent(&self) -> Option<TraceParent> {
        None
    }

    /// Makes `span`, which has just been made and is not entered yet, go on from there.
    fn continue_from(&self, span: &Span, parent: &TraceParent) {
        let _ = (span, parent);
    }
}

/// Nothing is traced.
impl Tracing for () {}
