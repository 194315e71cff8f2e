//! Counts the statements of a piece of work.

use std::cell::Cell;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

thread_local! {
    /// Statements that this thread has sent since the last call: a connection is used by one thread
    /// at a time.
    static SENT: Cell<u32> = const { Cell::new(0) };
}

/// Enables the counting of statements on all connections that this process opens from now on, also
/// on those of other crates. It replaces any default instrumentation of Diesel.
pub fn count_statements() {
    // It fails only if an earlier call panicked in another thread.
    drop(set_default_instrumentation(|| Some(Box::new(StatementCounter))));
}

/// Returns the number of this thread's statements since the last call.
pub(crate) fn take() -> u32 {
    SENT.take()
}

struct StatementCounter;

impl Instrumentation for StatementCounter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { .. } = event {
            SENT.set(SENT.get().saturating_add(1));
        }
    }
}
