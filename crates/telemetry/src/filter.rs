//! Log filters: a level, or levels by target.

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};

use crate::malformed::{TARGETS, admits_debug};

/// Reason why a log filter is rejected.
#[derive(Debug, Error)]
pub enum FilterError {
    /// No directive.
    #[error("a log filter needs a level: off, error, warn, info, debug or trace")]
    Empty,
    /// A word that is not a level. It could be meant as a target, but is more often a level with a
    /// typing error, which would disable logging.
    #[error(
        "`{word}` is no log level (off, error, warn, info, debug, trace); a target needs one: \
         `{word}=debug`"
    )]
    NoLevel {
        /// The word.
        word: String,
    },
    /// Any other syntax error.
    #[error("`{filter}` is no log filter such as `info` or `info,foretell_web=debug`")]
    Malformed {
        /// The whole filter.
        filter: String,
        /// Error of the parser.
        source: ParseError,
    },
}

/// Checks a filter: directives separated by commas, each a level (`info`) or a target and its level
/// (`foretell_web=debug`); those of [`EnvFilter`] with spans and fields (`[web.place_bet]=trace`)
/// too.
///
/// # Errors
/// [`FilterError::Empty`], [`FilterError::NoLevel`], [`FilterError::Malformed`].
pub fn check_filter(filter: &str) -> Result<(), FilterError> {
    parse(filter).map(drop)
}

pub(crate) fn parse(filter: &str) -> Result<EnvFilter, FilterError> {
    let directives: Vec<_> =
        filter.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    if directives.is_empty() {
        return Err(FilterError::Empty);
    }
    let is_typing_error =
        |word: &&&str| !word.contains(['=', '[']) && word.parse::<LevelFilter>().is_err();
    if let Some(word) = directives.iter().find(is_typing_error) {
        return Err(FilterError::NoLevel { word: (*word).to_owned() });
    }
    let hidden = TARGETS.into_iter().filter(|target| !admits_debug(&directives, target));
    let hidden: Vec<_> = hidden.map(|target| format!("{target}=off")).collect();
    let directives = directives.iter().copied().chain(hidden.iter().map(String::as_str));
    EnvFilter::builder()
        .parse(directives.collect::<Vec<_>>().join(","))
        .map_err(|source| FilterError::Malformed { filter: filter.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_targets_with_levels_are_filters() {
        for filter in [
            "info",
            "WARN",
            "off",
            "info,foretell_web=debug",
            " info , actix_web=warn ",
            "info,",
            "foretell_web::handlers=trace",
            "info,[web.place_bet]=trace",
            "info,[web.place_bet]",
            "info,foretell_web[web.place_bet{request_id=7}]=trace",
        ] {
            assert!(check_filter(filter).is_ok(), "{filter:?}: {:?}", check_filter(filter));
        }
    }

    #[test]
    fn bad_filter_is_rejected_with_reason() {
        let check = |filter: &str, expected: &str| {
            let error = check_filter(filter).expect_err(filter).to_string();
            assert!(error.contains(expected), "{filter:?}: {error}");
        };
        check("", "needs a level: off, error, warn");
        check(" , ", "needs a level");
        check("ifno", "`ifno` is no log level (off, error, warn, info, debug, trace)");
        check("info,foretell_web", "`foretell_web=debug`");
        check("foretell_web=loud", "`foretell_web=loud` is no log filter such as `info`");
        check("info,[web", "`info,[web` is no log filter");
    }
}
