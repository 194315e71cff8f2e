//! Timeout of responses.
//!
//! Work in progress continues after the timeout: a unit of work ends in its own task, and a command
//! sent again with its key gets the outcome.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest};
use futures::poll;
use tokio::time::{Instant, sleep_until};

use crate::WebState;
use crate::error::{ApiError, ErrorCode};

/// Deadline of a response, extended while the client itself is slow.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    limit: Duration,
    until: Rc<Cell<Option<Instant>>>,
}

impl Deadline {
    /// Starts the timeout.
    pub(crate) fn new(limit: Duration) -> Self {
        let deadline = Self { limit, until: Rc::default() };
        deadline.restart();
        deadline
    }

    /// Starts the timeout of a request. Readers of its body find it in the extensions, to suspend
    /// it.
    ///
    /// # Errors
    /// 500 `INTERNAL` if the app has no [`WebState`].
    pub(crate) fn of(request: &HttpRequest, payload: &Payload) -> Result<Self, ApiError> {
        let state = request.app_data::<Data<WebState>>();
        let state = state.ok_or_else(|| ApiError::internal("no web state"))?;
        let deadline = Self::new(state.settings.answer_timeout);
        if !matches!(payload, Payload::None) {
            request.extensions_mut().insert(deadline.clone());
        }
        Ok(deadline)
    }

    /// Disables the timeout.
    pub(crate) fn suspend(&self) {
        self.until.set(None);
    }

    /// Waits for the client, and restarts the timeout afterwards.
    pub(crate) async fn excluding<F: Future>(&self, work: F) -> F::Output {
        self.suspend();
        let output = work.await;
        self.restart();
        output
    }

    fn restart(&self) {
        self.until.set(Some(Instant::now() + self.limit));
    }

    /// Waits for `work`, which may itself suspend or restart the timeout. The caller pins it, so
    /// that no large future is moved.
    ///
    /// # Errors
    /// 503 `UNAVAILABLE` after the timeout.
    pub(crate) async fn wait_for<F: Future>(
        &self,
        work: Pin<&mut F>,
    ) -> Result<F::Output, ApiError> {
        let mut output = None;
        self.wait(pin!(async { output = Some(work.await) })).await?;
        output.ok_or_else(|| ApiError::internal("the work has no output"))
    }

    /// Waits for `work` of any type: this function is compiled once instead of for each handler.
    async fn wait(&self, mut work: Pin<&mut dyn Future<Output = ()>>) -> Result<(), ApiError> {
        // Most work is done at once, and needs no timer.
        if poll!(work.as_mut()).is_ready() {
            return Ok(());
        }
        let mut alarm = pin!(sleep_until(Instant::now()));
        poll_fn(|context| {
            if work.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let Some(until) = self.until.get() else { return Poll::Pending };
            if alarm.deadline() != until {
                alarm.as_mut().reset(until);
            }
            alarm.as_mut().poll(context).map(|()| Err(too_late()))
        })
        .await
    }
}

fn too_late() -> ApiError {
    let message = "The server cannot do this in time; what was begun may be done yet";
    ApiError::new(ErrorCode::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    async fn after(seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn work_within_timeout_returns_result() {
        assert!(Deadline::new(LIMIT).wait_for(pin!(after(1))).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn work_beyond_timeout_is_unavailable() {
        let begun = Instant::now();
        let error = Deadline::new(LIMIT).wait_for(pin!(pending::<()>())).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert!((LIMIT..LIMIT * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_client_does_not_count() {
        let deadline = Deadline::new(LIMIT);
        let work = async {
            after(1).await;
            deadline.excluding(after(10)).await;
            after(1).await;
        };
        assert!(deadline.wait_for(pin!(work)).await.is_ok());
        let renewed = async {
            deadline.excluding(after(10)).await;
            after(3).await;
        };
        assert!(
            deadline.wait_for(pin!(renewed)).await.is_err(),
            "it counts again from when it was renewed"
        );
    }
}
