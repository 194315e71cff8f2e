//! Validation of a request: the errors of all its parts are reported together.

use std::sync::Arc;

use foretell_application::{Application, ApplicationSettings};
use foretell_domain::money::Currency;
use foretell_domain::time::Timestamp;
use garde::i18n::with_i18n;
use garde::{Unvalidated, Valid, Validate};
use serde::de::DeserializeOwned;

use crate::WebState;
use crate::cursor::{CursorKey, CursorSigner};
use crate::error::ApiError;
use crate::validation::{FieldError, Messages, limited};

/// Context in which garde validates a request.
pub(crate) struct RequestContext {
    application: Arc<Application>,
    /// Current time.
    pub(crate) now: Timestamp,
    pub(super) cursor_key: CursorKey,
    pub(super) signer: Option<CursorSigner>,
}

impl RequestContext {
    /// Returns the settings of the operator.
    pub(crate) fn settings(&self) -> &ApplicationSettings {
        self.application.settings()
    }

    /// Returns the signer of the cursors of the requested list; `None` without cursors.
    pub(crate) const fn signer(&self) -> Option<&CursorSigner> {
        self.signer.as_ref()
    }

    /// Returns the ledger's currency.
    pub(crate) fn currency(&self) -> &Currency {
        &self.settings().currency
    }
}

/// A request type: deserialized by serde, validated by garde, and converted to the input of a use
/// case.
pub(crate) trait RequestDto: DeserializeOwned + Validate<Context = RequestContext> {
    /// Input of the use case.
    type Input;

    /// Converts the validated request.
    fn into_input(valid: Valid<Self>, context: &RequestContext) -> Self::Input;
}

/// A part of a request whose validation errors are reported together with those of the other parts.
pub(crate) trait RequestPart {
    /// Value of the part.
    type Value;

    /// Returns the value, or adds errors to the validation and returns `None`.
    ///
    /// # Errors
    /// The error that prevents the validation of the request.
    fn extract(self, validation: &mut Validation) -> Result<Option<Self::Value>, ApiError>;
}

macro_rules! tuples {
    ($(($($part:ident),+))+) => {$(
        impl<$($part: RequestPart),+> RequestPart for ($($part,)+) {
            type Value = ($($part::Value,)+);

            #[allow(non_snake_case, reason = "one name serves as type and value")]
            fn extract(self, validation: &mut Validation) -> Result<Option<Self::Value>, ApiError> {
                let ($($part,)+) = self;
                $(let $part = $part.extract(validation)?;)+
                // All parts have been validated before the first missing one ends it.
                Ok((|| Some(($($part?,)+)))())
            }
        }
    )+};
}

tuples! { (A, B) (A, B, C) }

/// Validation of a request: its context, and the errors found so far.
pub(crate) struct Validation {
    pub(super) context: RequestContext,
    pub(super) errors: Vec<FieldError>,
}

impl Validation {
    /// Validates a request type and converts it, or adds its errors.
    pub(super) fn input_of<T: RequestDto>(&mut self, dto: T) -> Option<T::Input> {
        match with_i18n(Messages, || Unvalidated::new(dto).validate_with(&self.context)) {
            Ok(valid) => Some(T::into_input(valid, &self.context)),
            Err(report) => {
                self.errors.extend(FieldError::all_of(&report));
                None
            }
        }
    }

    /// Returns the value of a field outside of a request type, or adds its error.
    pub(super) fn value_of<T>(
        &mut self,
        field: &str,
        parsed: Result<T, garde::Error>,
    ) -> Option<T> {
        parsed.map_err(|error| self.errors.push(FieldError::new(field, &error))).ok()
    }
}

impl WebState {
    /// Returns the values of all parts, or all their validation errors.
    pub(crate) fn validate<P: RequestPart>(&self, parts: P) -> Result<P::Value, ApiError> {
        let application = Arc::clone(&self.application);
        let now = application.now();
        let context =
            RequestContext { application, now, cursor_key: self.cursor_key, signer: None };
        let mut validation = Validation { context, errors: Vec::new() };
        match parts.extract(&mut validation)? {
            Some(value) if validation.errors.is_empty() => Ok(value),
            _ => Err(ApiError::validation(limited(validation.errors))),
        }
    }
}
