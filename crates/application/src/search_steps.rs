//! The steps of searches: how long each may take, and whether it is worth trying.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foretell_ports::error::{Chain, StoreError};
use metrics::counter;
use tokio::time::{Instant, timeout};

/// How many failures in a row it takes until a step is left out.
const FAILURES: u32 = 3;
/// How long it is left out before it is tried again.
const PAUSE: Duration = Duration::from_secs(5);

/// What found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchStep {
    /// The meaning of the query.
    Semantic,
    /// Its words.
    FullText,
    /// Its text as it stands.
    Substring,
}

impl SearchStep {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Semantic, Self::FullText, Self::Substring];

    /// The name on the wire and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::FullText => "fulltext",
            Self::Substring => "substring",
        }
    }

    /// Whether slowness is the step's own. A search of texts may be slow by its query, which is no reason to leave the step
    /// out of the searches of others.
    const fn is_closed_when_slow(self) -> bool {
        matches!(self, Self::Semantic)
    }

    /// How long it may take.
    pub const fn budget(self) -> Duration {
        match self {
            Self::Semantic => Duration::from_millis(250),
            Self::FullText => Duration::from_secs(1),
            Self::Substring => Duration::from_secs(3),
        }
    }
}

/// All steps.
#[derive(Debug, Default)]
pub(crate) struct SearchSteps {
    semantic: Guard,
    full_text: Guard,
    substring: Guard,
}

impl SearchSteps {
    /// Takes a step within its budget.
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
            tracing::warn!(step = step.as_str(), error = %Chain(error), "a step of a search failed");
        }
        result
    }
}

impl SearchStep {
    /// Says whether it has found anything.
    pub(crate) fn count(self, has_found: bool) {
        count(self, if has_found { "found" } else { "nothing" });
    }
}

fn count(step: SearchStep, result: &'static str) {
    counter!("foretell_search_steps_total", "step" => step.as_str(), "result" => result).increment(1);
}

fn unavailable(why: &'static str) -> StoreError {
    StoreError::Unavailable(format!("a step of the search {why}").into())
}

/// Lets nobody try what has failed some times in a row, but for one now and then.
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
                // This one tries; the others wait for what comes of it.
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
    async fn a_step_that_keeps_failing_is_left_out_for_a_while() {
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
        assert!(steps.take(SearchStep::FullText, async { Ok(()) }).await.is_ok(), "the others are not");
        tokio::time::advance(PAUSE).await;
        fail(&steps).await;
        assert!(!works().await, "the one that tried has failed");
        tokio::time::advance(PAUSE).await;
        assert!(works().await && works().await);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_queries_leave_the_steps_of_texts_to_others() {
        let steps = SearchSteps::default();
        for (step, stays) in
            [(SearchStep::FullText, true), (SearchStep::Substring, true), (SearchStep::Semantic, false)]
        {
            for _ in 0..FAILURES {
                steps.take(step, std::future::pending::<Result<(), StoreError>>()).await.unwrap_err();
            }
            assert_eq!(steps.take(step, async { Ok(()) }).await.is_ok(), stays, "{step:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_that_hangs_ends_with_its_budget() {
        let begun = Instant::now();
        let hanging = std::future::pending::<Result<(), StoreError>>();
        assert!(SearchSteps::default().take(SearchStep::Semantic, hanging).await.is_err());
        assert_eq!(begun.elapsed(), SearchStep::Semantic.budget());
    }
}
