//! Conversion of errors of inner crates to errors of requests.

use std::time::Duration;

use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use foretell_application::AppError;
use foretell_domain::error::DomainError;
use foretell_ports::error::StoreError;
use foretell_ports::secret::PasswordError;

use super::{ApiError, Details, ErrorCode, VALIDATION_FAILED};

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Refused(refusal) => refusal.into(),
            AppError::Unauthorized => {
                Self::new(ErrorCode::Unauthorized, "The session or API key is unknown or has ended")
            }
            AppError::BadCredentials => {
                Self::new(ErrorCode::Unauthorized, "Email address or password is wrong")
            }
            AppError::WrongPassword => Self::new(ErrorCode::Unauthorized, "The password is wrong"),
            AppError::TooManyAttempts { retry_after } => {
                Self::new(ErrorCode::RateLimited, "Too many wrong passwords; try again later")
                    .with_header(RETRY_AFTER, seconds(retry_after))
            }
            AppError::TooManyInvalidTokens { retry_after } => {
                Self::new(ErrorCode::RateLimited, "Too many invalid tokens; try again later")
                    .with_header(RETRY_AFTER, seconds(retry_after))
            }
            AppError::TooManyStreams { retry_after } => Self::new(
                ErrorCode::Unavailable,
                "Too many event streams are open; close one or try again later",
            )
            .with_header(RETRY_AFTER, seconds(retry_after)),
            AppError::KeyReused => Self::new(
                ErrorCode::IdempotencyMismatch,
                "The idempotency key was used for another request",
            ),
            AppError::Stale => Self::new(
                ErrorCode::PreconditionFailed,
                "The version that the change is meant for is not the latest",
            ),
            AppError::Overloaded | AppError::Password(PasswordError::Busy) => Self::unavailable(),
            AppError::Store(error) => error.into(),
            AppError::Password(PasswordError::Failed(_)) | AppError::Internal(_) => {
                Self::internal(error)
            }
        }
    }
}

/// Returns a time in whole seconds, rounded up, for `Retry-After`.
fn seconds(time: Duration) -> HeaderValue {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    HeaderValue::from(millis.div_ceil(1_000).max(1))
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Contention(_)
            | StoreError::Unavailable(_)
            | StoreError::CommitUnknown(_) => Self::unavailable().with_cause(error),
            StoreError::Rejected(_) => Self::internal(error),
            StoreError::Corrupt { .. } => {
                Self::new(ErrorCode::UnreadableRecord, "What is stored of this cannot be read")
                    .with_cause(error)
            }
        }
    }
}

impl From<DomainError> for ApiError {
    fn from(refusal: DomainError) -> Self {
        let code = ErrorCode::from(refusal.code());
        if code == ErrorCode::ValidationError {
            return Self::new(code, VALIDATION_FAILED).with_details(Details::Refusal(refusal));
        }
        Self::new(code, super::refusal::sentence(&refusal)).with_details(Details::Refusal(refusal))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;

    use super::*;

    fn check(error: AppError, code: ErrorCode, retry_after: bool) {
        let error = ApiError::from(error);
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(
            error.error_response().headers().contains_key("Retry-After"),
            retry_after,
            "{error}"
        );
        assert!(!error.message().contains("secret"), "{error}");
    }

    #[test]
    fn causes_are_not_sent_to_clients() {
        check(AppError::Overloaded, ErrorCode::Unavailable, true);
        check(AppError::Password(PasswordError::Busy), ErrorCode::Unavailable, true);
        check(StoreError::Contention("secret".into()).into(), ErrorCode::Unavailable, true);
        check(StoreError::CommitUnknown("secret".into()).into(), ErrorCode::Unavailable, true);
        check(StoreError::Rejected("secret".into()).into(), ErrorCode::InternalError, false);
        let (table, column, id) = ("users", "name", "1".to_owned());
        let corrupt = StoreError::Corrupt { table, column, id, cause: "secret".into() };
        check(corrupt.into(), ErrorCode::UnreadableRecord, false);
        check(AppError::Internal("secret"), ErrorCode::InternalError, false);
        let retry_after = Duration::from_secs(1);
        check(AppError::TooManyInvalidTokens { retry_after }, ErrorCode::RateLimited, true);
        check(AppError::TooManyStreams { retry_after }, ErrorCode::Unavailable, true);
        check(AppError::Stale, ErrorCode::PreconditionFailed, false);
        check(AppError::KeyReused, ErrorCode::IdempotencyMismatch, false);
        check(AppError::Unauthorized, ErrorCode::Unauthorized, false);
        check(AppError::BadCredentials, ErrorCode::Unauthorized, false);
        check(AppError::WrongPassword, ErrorCode::Unauthorized, false);
        check(
            AppError::TooManyAttempts { retry_after: Duration::ZERO },
            ErrorCode::RateLimited,
            true,
        );
    }

    #[test]
    fn retry_after_is_rounded_up() {
        for (wait_ms, expected) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (90_000, "90")]
        {
            let retry_after = Duration::from_millis(wait_ms);
            let response =
                ApiError::from(AppError::TooManyAttempts { retry_after }).error_response();
            assert_eq!(response.headers().get("Retry-After").unwrap(), expected, "{wait_ms}");
        }
    }
}
