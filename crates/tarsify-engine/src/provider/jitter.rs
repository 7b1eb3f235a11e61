//! Small differences, so that what failed together does not come back together.

use std::time::Duration;

/// Any time up to this one.
pub(super) fn up_to(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => most.mul_f64(f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)),
        Err(_) => Duration::ZERO,
    }
}
