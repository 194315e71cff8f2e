//! Decides the race for a waiting command: either the lane begins it, or its caller withdraws it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Flag shared by a caller and a lane; the first to claim it wins.
#[derive(Debug, Clone, Default)]
pub(super) struct ClaimFlag(Arc<AtomicBool>);

impl ClaimFlag {
    /// Claims the flag; `false` if the other side was first.
    pub(super) fn claim(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}
