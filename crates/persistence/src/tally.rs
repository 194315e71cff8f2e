//! Counts the statements that a piece of work sends.

use std::cell::Cell;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

thread_local! {
    /// The statements that this thread has sent since it was last asked: a connection is used by one thread at a time.
    static SENT: Cell<u32> = const { Cell::new(0) };
}

/// Has statements counted on all connections that this process opens from now on, also on those of other crates; until
/// then none is. It takes the place of any default instrumentation of Diesel's.
pub fn count_statements() {
    // It fails only where a thread that set one before has panicked.
    drop(set_default_instrumentation(|| Some(Box::new(Counting))));
}

/// The statements of this thread since it was last asked.
pub(crate) fn take() -> u32 {
    SENT.take()
}

struct Counting;

impl Instrumentation for Counting {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { .. } = event {
            SENT.set(SENT.get().saturating_add(1));
        }
    }
}
