//! Error codes: the one table of names, statuses and descriptions.

use actix_web::http::StatusCode;
use foretell_domain::error::Code;
use serde::{Serialize, Serializer};

macro_rules! error_codes {
    ($($variant:ident = $name:literal, $status:ident, $description:literal;)+) => {
        /// Stable code of an error, for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $description] $variant,)+
        }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the code that clients see, in capitals.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the HTTP status of responses with this code.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// Returns the description, one sentence.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)+ }
            }
        }
    };
}

error_codes! {
    ValidationError = "VALIDATION_ERROR", BAD_REQUEST,
        "The request is invalid; the details name each field.";
    MalformedJson = "MALFORMED_JSON", BAD_REQUEST, "The body is not JSON, or names a field twice.";
    BadRequest = "BAD_REQUEST", BAD_REQUEST, "The request cannot be served as it is.";
    Unauthorized = "UNAUTHORIZED", UNAUTHORIZED,
        "The request needs a live session or the right password.";
    Forbidden = "FORBIDDEN", FORBIDDEN, "The caller may not do this.";
    RegistrationClosed = "REGISTRATION_CLOSED", FORBIDDEN, "Only admins add users.";
    InvitationRequired = "INVITATION_REQUIRED", FORBIDDEN, "Registration takes an invitation.";
    InvitationInvalid = "INVITATION_INVALID", FORBIDDEN,
        "The invitation is unknown, used up or expired.";
    EmailDomainNotAllowed = "EMAIL_DOMAIN_NOT_ALLOWED", FORBIDDEN,
        "Email addresses of this domain need an invitation.";
    NotFound = "NOT_FOUND", NOT_FOUND,
        "What the request names is not there, or not for the caller to see.";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED,
        "The path does not serve this method.";
    RequestTimeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT, "The body did not arrive in time.";
    Duplicate = "DUPLICATE", CONFLICT, "Something with this id or name already exists.";
    Conflict = "CONFLICT", CONFLICT, "The request is at odds with how things stand now.";
    QuotaExceeded = "QUOTA_EXCEEDED", CONFLICT,
        "The user has as many as a user may have; the details name the quota and its limit.";
    InsufficientFunds = "INSUFFICIENT_FUNDS", CONFLICT, "The account holds too little.";
    InsufficientShares = "INSUFFICIENT_SHARES", CONFLICT, "The trader holds too few shares.";
    AccountClosed = "ACCOUNT_CLOSED", CONFLICT, "The account takes no part in payments.";
    CirculationLimit = "CIRCULATION_LIMIT", CONFLICT,
        "The money in circulation would exceed its limit.";
    NotReversible = "NOT_REVERSIBLE", CONFLICT,
        "The transfer was already reversed, or can never be.";
    BatchAborted = "BATCH_ABORTED", CONFLICT,
        "Another transfer of the same atomic batch was refused.";
    MarketClosed = "MARKET_CLOSED", CONFLICT, "The market takes no trades.";
    QuestionFrozen = "QUESTION_FROZEN", CONFLICT, "Users have bet on the question, so it can only be clarified.";
    ProposalPending = "PROPOSAL_PENDING", CONFLICT,
        "A resolution of the market is proposed already.";
    MaxPriceRequired = "MAX_PRICE_REQUIRED", CONFLICT,
        "A bet on an option whose price is 1.0 must state its maximum price.";
    Slippage = "SLIPPAGE", CONFLICT, "The order's own limit was not met.";
    TradeTooSmall = "TRADE_TOO_SMALL", CONFLICT, "The trade comes to nothing once rounded.";
    TradeTooLarge = "TRADE_TOO_LARGE", CONFLICT,
        "The trade leaves the range in which prices are exact.";
    PreconditionFailed = "PRECONDITION_FAILED", PRECONDITION_FAILED,
        "The version that the request is about is no longer the latest.";
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE,
        "The body is larger than the server accepts.";
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE,
        "The body must be plain application/json.";
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH", UNPROCESSABLE_ENTITY,
        "The idempotency key was used for another request.";
    RateLimited = "RATE_LIMITED", TOO_MANY_REQUESTS, "Too many requests in too short a time.";
    InternalError = "INTERNAL_ERROR", INTERNAL_SERVER_ERROR,
        "An internal error, which has been logged.";
    UnreadableRecord = "UNREADABLE_RECORD", INTERNAL_SERVER_ERROR,
        "What is stored of the thing cannot be read; the operator must repair it.";
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE,
        "The server cannot do this now; the same request may succeed later.";
}

impl ErrorCode {
    /// Returns the code for a response with a status only.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::PRECONDITION_FAILED => Self::PreconditionFailed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::InternalError,
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl From<Code> for ErrorCode {
    fn from(code: Code) -> Self {
        match code {
            Code::ValidationError => Self::ValidationError,
            Code::Forbidden => Self::Forbidden,
            Code::RegistrationClosed => Self::RegistrationClosed,
            Code::InvitationRequired => Self::InvitationRequired,
            Code::InvitationInvalid => Self::InvitationInvalid,
            Code::EmailDomainNotAllowed => Self::EmailDomainNotAllowed,
            Code::NotFound => Self::NotFound,
            Code::Duplicate => Self::Duplicate,
            Code::Conflict => Self::Conflict,
            Code::QuotaExceeded => Self::QuotaExceeded,
            Code::InsufficientFunds => Self::InsufficientFunds,
            Code::InsufficientShares => Self::InsufficientShares,
            Code::AccountClosed => Self::AccountClosed,
            Code::CirculationLimit => Self::CirculationLimit,
            Code::NotReversible => Self::NotReversible,
            Code::BatchAborted => Self::BatchAborted,
            Code::MarketClosed => Self::MarketClosed,
            Code::QuestionFrozen => Self::QuestionFrozen,
            Code::ProposalPending => Self::ProposalPending,
            Code::MaxPriceRequired => Self::MaxPriceRequired,
            Code::Slippage => Self::Slippage,
            Code::TradeTooSmall => Self::TradeTooSmall,
            Code::TradeTooLarge => Self::TradeTooLarge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_domain_keep_their_names() {
        for code in Code::ALL {
            assert_eq!(ErrorCode::from(code).as_str(), code.as_str());
        }
    }

    #[test]
    fn documented_catalogue_matches_code_table() {
        let catalogue = include_str!("../../../../docs/errors.md");
        let listed: Vec<_> = catalogue.lines().filter(|line| line.starts_with("| `")).collect();
        let row = |code: &ErrorCode| {
            format!("| `{}` | {} | {} |", code.as_str(), code.status().as_u16(), code.description())
        };
        assert_eq!(listed, ErrorCode::ALL.iter().map(row).collect::<Vec<_>>());
    }

    #[test]
    fn status_without_code_gets_matching_code() {
        for code in ErrorCode::ALL {
            let status = code.status();
            assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
            let code = ErrorCode::of_status(status);
            assert!(code.status() == status || code == ErrorCode::BadRequest, "{status}");
        }
    }
}
