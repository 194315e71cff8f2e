//! Who decides over a waiting command: the lane that begins it, or the caller who has waited long enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One right over a command, shared by its caller and its lane; whoever takes it first has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Takes the right, and says whether it was still to be had.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}
