//! Settings of rate limits, event streams and quotas.

use std::time::Duration;

use foretell_application::{RequestLimits, StreamLimits};
use foretell_domain::money::{Amount, Currency, MoneyError};
use foretell_domain::quota::Quotas;
use foretell_ports::rate_limit::Budget;

use super::reader::Reader;

pub(super) fn read_limits(reader: &mut Reader) -> Option<RequestLimits> {
    let [read, write, log_in, invalid_tokens] =
        ["limits.read", "limits.write", "limits.login", "limits.invalid_tokens"]
            .map(|key| reader.number::<u32>(key, 0..=1_000_000));
    let window_s = reader.number("limits.window_s", 1..=86_400);
    let window = Duration::from_secs(window_s?);
    let budget = |quota| (quota > 0).then_some(Budget { quota, window });
    Some(RequestLimits {
        read: budget(read?),
        write: budget(write?),
        log_in: budget(log_in?),
        invalid_tokens: budget(invalid_tokens?),
    })
}

pub(super) fn read_streams(reader: &mut Reader) -> Option<StreamLimits> {
    let [per_user, per_address, total] =
        ["limits.streams_per_user", "limits.streams_per_address", "limits.streams"]
            .map(|key| reader.number::<u32>(key, 0..=1_000_000));
    let limit = |count: u32| (count > 0).then_some(count);
    Some(StreamLimits {
        per_user: limit(per_user?),
        per_address: limit(per_address?),
        total: limit(total?),
    })
}

pub(super) fn read_quotas(reader: &mut Reader, currency: Option<&Currency>) -> Option<Quotas> {
    let [published_posts, drafts, comments, open_markets] =
        ["quotas.published_posts", "quotas.drafts", "quotas.comments", "quotas.open_markets"]
            .map(|key| reader.number(key, 1..=1_000_000));
    let [api_keys, sessions] =
        ["quotas.api_keys", "quotas.sessions"].map(|key| reader.number(key, 1..=1_000));
    let min_subsidy =
        reader.parsed("quotas.min_subsidy", |text| parse_optional_amount(currency, text));
    Some(Quotas {
        published_posts: published_posts?,
        drafts: drafts?,
        comments: comments?,
        open_markets: open_markets?,
        api_keys: api_keys?,
        sessions: sessions?,
        min_subsidy: min_subsidy?,
    })
}

/// Parses an amount; `None` for zero and for an empty text. Without a currency it cannot be
/// checked.
pub(super) fn parse_optional_amount(
    currency: Option<&Currency>,
    text: &str,
) -> Result<Option<Amount>, String> {
    match currency.filter(|_| !text.is_empty()).map(|currency| currency.parse_amount(text)) {
        None | Some(Err(MoneyError::NotPositive)) => Ok(None),
        Some(amount) => amount.map(Some).map_err(|error| error.to_string()),
    }
}
