//! How long a client is kept waiting for an answer.
//!
//! What was begun is carried on when nobody waits for it any more: a unit of work ends in a task of its own, and a
//! command sent again under its key is told what became of it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures::future::LocalBoxFuture;
use futures::{FutureExt as _, poll};
use tokio::time::{Instant, sleep_until};

use crate::WebState;
use crate::error::{ApiError, ErrorCode};

/// The moment at which a client has waited long enough, unless it is up to the client itself.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    limit: Duration,
    until: Rc<Cell<Option<Instant>>>,
}

impl Patience {
    /// Begins to count.
    pub(crate) fn new(limit: Duration) -> Self {
        let patience = Self { limit, until: Rc::default() };
        patience.renew();
        patience
    }

    /// Stops counting: it is to take as long as it takes.
    pub(crate) fn suspend(&self) {
        self.until.set(None);
    }

    /// Waits for what is up to the client, and counts from the beginning after it.
    pub(crate) async fn for_the_client<F: Future>(&self, work: F) -> F::Output {
        self.suspend();
        let output = work.await;
        self.renew();
        output
    }

    fn renew(&self) {
        self.until.set(Some(Instant::now() + self.limit));
    }

    /// Waits for `work`, which may itself suspend and renew this. It is pinned by the caller, so that no large future
    /// is moved.
    ///
    /// # Errors
    /// 503 `UNAVAILABLE` once the client has waited long enough.
    pub(crate) async fn wait_for<F: Future>(&self, mut work: Pin<&mut F>) -> Result<F::Output, ApiError> {
        // Most work is done at once, and needs no timer.
        if let Poll::Ready(value) = poll!(work.as_mut()) {
            return Ok(value);
        }
        let mut alarm = pin!(sleep_until(Instant::now()));
        poll_fn(|context| {
            if let Poll::Ready(value) = work.as_mut().poll(context) {
                return Poll::Ready(Ok(value));
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

/// What a handler takes of its request, unless the client had to wait for it too long.
pub(crate) struct InTime<Args> {
    pub(crate) args: Args,
    pub(crate) patience: Patience,
}

impl<Args: FromRequest + 'static> FromRequest for InTime<Args> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<Data<WebState>>() else {
            return async { Err(ApiError::internal("no web state").into()) }.boxed_local();
        };
        let patience = Patience::new(state.settings.answer_timeout);
        if !matches!(payload, Payload::None) {
            request.extensions_mut().insert(patience.clone());
        }
        let args = Args::from_request(request, payload);
        async move {
            let args = patience.wait_for(pin!(args)).await?.map_err(Into::into)?;
            Ok(Self { args, patience })
        }
        .boxed_local()
    }
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
    async fn work_that_is_done_in_time_is_waited_for() {
        assert!(Patience::new(LIMIT).wait_for(pin!(after(1))).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_longer() {
        let begun = Instant::now();
        let error = Patience::new(LIMIT).wait_for(pin!(pending::<()>())).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
        assert!((LIMIT..LIMIT * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_up_to_the_client_does_not_count() {
        let patience = Patience::new(LIMIT);
        let work = async {
            after(1).await;
            patience.for_the_client(after(10)).await;
            after(1).await;
        };
        assert!(patience.wait_for(pin!(work)).await.is_ok());
        let renewed = async {
            patience.for_the_client(after(10)).await;
            after(3).await;
        };
        assert!(patience.wait_for(pin!(renewed)).await.is_err(), "it counts again from when it was renewed");
    }
}
