//! Steps of a search, with their timeouts and circuit breakers.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foretell_ports::error::{Chain, StoreError};
use metrics::counter;
use tokio::time::{Instant, timeout};

/// Number of consecutive failures that disable a step.
const FAILURES: u32 = 3;
/// Time for which a step is disabled.
const PAUSE: Duration = Duration::from_secs(5);

/// Step that found matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchStep {
    /// Semantic search.
    Semantic,
    /// Words of the query.
    FullText,
    /// Substrings of the query.
    Substring,
}

impl SearchStep {
    /// All steps, in order.
    pub const ALL: [Self; 3] = [Self::Semantic, Self::FullText, Self::Substring];

    /// Returns the name used in JSON and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::FullText => "fulltext",
            Self::Substring => "substring",
        }
    }

    /// Returns `true` if a timeout is the fault of the step. A text search may be slow because of
    /// its query, which is no reason to disable the step for others.
    const fn is_closed_when_slow(self) -> bool {
        matches!(self, Self::Semantic)
    }

    /// Returns the timeout.
    pub const fn budget(self) -> Duration {
        match self {
            Self::Semantic => Duration::from_millis(250),
            Self::FullText => Duration::from_secs(1),
            Self::Substring => Duration::from_secs(3),
        }
    }
}

/// All steps with their circuit breakers.
#[derive(Debug, Default)]
pub(crate) struct SearchSteps {
    semantic: Guard,
    full_text: Guard,
    substring: Guard,
}

impl SearchSteps {
    /// Runs a step with its timeout.
    pub(crate) async fn take<T>(
        &self,
        step: SearchStep,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let guard = match step {
            SearchStep::Semantic => &self.semantic,
            SearchStep::FullText => &self.full_text,
            SearchStep::Substring => &self.substring,
        };
        if !guard.may_try() {
            count(step, "left_out");
            return Err(unavailable("is left out, since it has failed"));
        }
        let (reason, counts, result) = match timeout(step.budget(), work).await {
            Ok(result) => ("failed", true, result),
            Err(_) => ("too_slow", step.is_closed_when_slow(), Err(unavailable("took too long"))),
        };
        if counts {
            guard.note(result.is_ok());
        }
        if let Err(error) = &result {
            count(step, reason);
            tracing::warn!(
                step = step.as_str(), error = %Chain(error),
                "search step failed, continuing with the next one"
            );
        }
        result
    }
}

impl SearchStep {
    /// Counts the result of a step: matches or none.
    pub(crate) fn count(self, has_found: bool) {
        count(self, if has_found { "found" } else { "nothing" });
    }
}

fn count(step: SearchStep, result: &'static str) {
    counter!("foretell_search_steps_total", "step" => step.as_str(), "result" => result)
        .increment(1);
}

fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(format!("a step of the search {why}").into())
}

/// Circuit breaker: rejects attempts after some consecutive failures, except for one now and then.
#[derive(Debug, Default)]
struct Guard(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    closed_until: Option<Instant>,
}

impl Guard {
    fn may_try(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match state.closed_until {
            Some(until) if now < until => false,
            Some(_) => {
                // This call is the probe; the others wait for its result.
                state.closed_until = Some(now + PAUSE);
                true
            }
            None => true,
        }
    }

    fn note(&self, is_good: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_good {
            *state = State::default();
        } else {
            state.failures = state.failures.saturating_add(1);
            if state.failures >= FAILURES {
                state.closed_until = Some(Instant::now() + PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fail(steps: &SearchSteps) -> String {
        let failing = async { Err::<(), _>(StoreError::Unavailable("it is away".into())) };
        steps.take(SearchStep::Semantic, failing).await.unwrap_err().to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn failing_step_is_disabled_for_a_while() {
        let steps = SearchSteps::default();
        let works = || async { steps.take(SearchStep::Semantic, async { Ok(()) }).await.is_ok() };
        for _ in 1..FAILURES {
            fail(&steps).await;
        }
        assert!(works().await, "others were failures in a row no longer");
        for _ in 0..FAILURES {
            fail(&steps).await;
        }
        assert!(!works().await, "it is left out");
        assert!(
            steps.take(SearchStep::FullText, async { Ok(()) }).await.is_ok(),
            "the others are not"
        );
        tokio::time::advance(PAUSE).await;
        fail(&steps).await;
        assert!(!works().await, "the one that tried has failed");
        tokio::time::advance(PAUSE).await;
        assert!(works().await && works().await);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_query_does_not_disable_text_steps() {
        let steps = SearchSteps::default();
        for (step, stays) in [
            (SearchStep::FullText, true),
            (SearchStep::Substring, true),
            (SearchStep::Semantic, false),
        ] {
            for _ in 0..FAILURES {
                steps
                    .take(step, std::future::pending::<Result<(), StoreError>>())
                    .await
                    .unwrap_err();
            }
            assert_eq!(steps.take(step, async { Ok(()) }).await.is_ok(), stays, "{step:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hanging_step_ends_at_its_timeout() {
        let begun = Instant::now();
        let hanging = std::future::pending::<Result<(), StoreError>>();
        assert!(SearchSteps::default().take(SearchStep::Semantic, hanging).await.is_err());
        assert_eq!(begun.elapsed(), SearchStep::Semantic.budget());
    }
}
