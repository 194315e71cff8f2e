//! Request metrics. Each worker keeps its counters: looking them up by their labels would cost more
//! than counting.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::routing::RoutePath;

type Labels = (&'static str, &'static str, &'static str);

thread_local! {
    static BY_LABELS: RefCell<HashMap<Labels, (Counter, Histogram)>> = RefCell::default();
    static IN_FLIGHT: Gauge = gauge!("foretell_http_requests_in_flight");
}

/// Counts a request, and its duration, by method, route (and not by id) and class of the status.
pub(super) fn record(
    method: &Method,
    request: Option<&HttpRequest>,
    status: StatusCode,
    took: Duration,
) {
    let method = name_of(method);
    let route = request.and_then(HttpRequest::app_data::<RoutePath>).map_or("none", |path| path.0);
    let class = class_of(status);
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

/// Returns the label of a method; one for all unusual ones, or clients could make labels up.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class_of(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
