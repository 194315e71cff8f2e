//! Request metrics. Each worker keeps its counters: looking them up by their labels would cost more
//! than counting.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

type Labels = (&'static str, &'static str, &'static str);

thread_local! {
    static BY_LABELS: RefCell<HashMap<Labels, (Counter, Histogram)>> = RefCell::default();
    static IN_FLIGHT: Gauge = gauge!("foretell_http_requests_in_flight");
}

/// Counts a request, and its duration, by method, route and class of the status.
pub(super) fn record(
    method: &'static str,
    route: &'static str,
    class: &'static str,
    took: Duration,
) {
    BY_LABELS.with_borrow_mut(|by_labels| {
        let (count, duration) = by_labels.entry((method, route, class)).or_insert_with(|| {
            let labels = [("method", method), ("route", route)];
            let duration = histogram!("foretell_http_request_duration_seconds", &labels);
            let labels = [("method", method), ("route", route), ("status", class)];
            (counter!("foretell_http_requests_total", &labels), duration)
        });
        count.increment(1);
        duration.record(took);
    });
}

/// A request in progress, counted while this exists.
pub(super) struct InFlight;

impl InFlight {
    pub(super) fn begin() -> Self {
        IN_FLIGHT.with(|in_flight| in_flight.increment(1));
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // A thread that is ending has no counter any more.
        IN_FLIGHT.try_with(|in_flight| in_flight.decrement(1)).unwrap_or_default();
    }
}
