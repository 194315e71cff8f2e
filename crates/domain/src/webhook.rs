//! Webhooks: URLs of other services that receive market events, and their settings.

use std::fmt;

use thiserror::Error;

use crate::id::WebhookId;
use crate::text::parse_web_address;

/// Maximum characters of a URL.
const MAX_URL: u32 = 500;

/// URL that events are sent to: an absolute `http` or `https` URL in its normal form. The sender
/// decides whether it may be called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// Accepts a URL of at most 500 characters in its normal form, without user name, password and
    /// fragment.
    ///
    /// # Errors
    /// [`WebhookUrlError`].
    pub fn new(text: impl AsRef<str>) -> Result<Self, WebhookUrlError> {
        let text = text.as_ref();
        let url = parse_web_address(text).filter(|url| url.fragment().is_none());
        match url.map(String::from) {
            Some(url) if url.len() <= MAX_URL as usize => Ok(Self(url)),
            None if text.chars().count() <= MAX_URL as usize => Err(WebhookUrlError::NotAUrl),
            _ => Err(WebhookUrlError::Length { max: MAX_URL }),
        }
    }

    /// Returns a stored URL without checking it again.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the URL in its normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns `true` if the connection is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0
    }
}

/// Reason why a text is not a valid URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookUrlError {
    /// Too long.
    #[error("must have at most {max} characters")]
    Length {
        /// Maximum characters.
        max: u32,
    },
    /// Not a URL, or one with a user name, a password or a fragment.
    #[error("must be an http or https URL without user name, password and fragment")]
    NotAUrl,
}

/// Kind of event that a webhook can receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WebhookEvent {
    /// A bet or sale.
    #[cfg_attr(feature = "serde", serde(rename = "market.trade"))]
    Trade,
    /// A market has opened, closed, or been resolved or cancelled.
    #[cfg_attr(feature = "serde", serde(rename = "market.status"))]
    Status,
}

impl WebhookEvent {
    /// Every event.
    pub const ALL: [Self; 2] = [Self::Trade, Self::Status];

    /// Returns the type of its messages, which is also its name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trade => "market.trade",
            Self::Status => "market.status",
        }
    }

    /// Returns the event with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

/// A set of at least one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Vec<WebhookEvent>", into = "Vec<WebhookEvent>")
)]
pub struct WebhookEvents {
    trades: bool,
    statuses: bool,
}

impl WebhookEvents {
    /// Every event.
    pub const ALL: Self = Self { trades: true, statuses: true };
    /// [`WebhookEvent::Trade`] alone.
    pub const TRADES: Self = Self { trades: true, statuses: false };
    /// [`WebhookEvent::Status`] alone.
    pub const STATUSES: Self = Self { trades: false, statuses: true };

    /// Returns the set of these events; `None` without any.
    pub fn new(events: impl IntoIterator<Item = WebhookEvent>) -> Option<Self> {
        let mut set = Self { trades: false, statuses: false };
        for event in events {
            match event {
                WebhookEvent::Trade => set.trades = true,
                WebhookEvent::Status => set.statuses = true,
            }
        }
        (set.trades || set.statuses).then_some(set)
    }

    /// Returns the union of two sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { trades: self.trades || other.trades, statuses: self.statuses || other.statuses }
    }

    /// Returns `true` if the set contains this event.
    pub const fn contains(self, event: WebhookEvent) -> bool {
        match event {
            WebhookEvent::Trade => self.trades,
            WebhookEvent::Status => self.statuses,
        }
    }

    /// Iterates over the events in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = WebhookEvent> {
        WebhookEvent::ALL.into_iter().filter(move |event| self.contains(*event))
    }
}

impl From<WebhookEvent> for WebhookEvents {
    fn from(event: WebhookEvent) -> Self {
        match event {
            WebhookEvent::Trade => Self::TRADES,
            WebhookEvent::Status => Self::STATUSES,
        }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Vec<WebhookEvent>> for WebhookEvents {
    type Error = &'static str;

    fn try_from(events: Vec<WebhookEvent>) -> Result<Self, Self::Error> {
        Self::new(events).ok_or("must have at least one event")
    }
}

#[cfg(feature = "serde")]
impl From<WebhookEvents> for Vec<WebhookEvent> {
    fn from(set: WebhookEvents) -> Self {
        set.iter().collect()
    }
}

/// Status of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "lowercase")
)]
pub enum WebhookStatus {
    /// Events are sent.
    Enabled,
    /// Events are not sent: an admin disabled it, it failed for days, or its URL responded 410.
    Disabled,
}

impl WebhookStatus {
    /// Returns the name used in JSON and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }

    /// Returns the status with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled].into_iter().find(|status| status.as_str() == name)
    }
}

/// Reason why an operation on a webhook is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WebhookError {
    /// There is no such webhook.
    #[error("webhook not found: {0}")]
    NotFound(WebhookId),
    /// The address is not allowed.
    #[error("nothing may be sent there: the address is not public, or not encrypted")]
    ForbiddenAddress,
    /// The maximum number of webhooks is reached.
    #[error("there are at most {max} webhooks")]
    TooMany {
        /// Maximum number of webhooks.
        max: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_urls() {
        for text in [
            "https://example.org/",
            "http://example.org:8080/hook?for=us",
            "https://[2001:db8::1]/",
        ] {
            assert_eq!(WebhookUrl::new(text).unwrap().as_str(), text);
        }
        let check = |text, expected| assert_eq!(WebhookUrl::new(text).unwrap().as_str(), expected);
        check("HTTPS://Example.org:443", "https://example.org/");
        check("https://bücher.example/", "https://xn--bcher-kva.example/");
        for text in [
            "",
            "example.org",
            "ftp://example.org",
            "HTTPS//example.org",
            "https://",
            "https:///hook",
            "https://?hook",
            "https://ada:secret@example.org/",
            "https://example.org/#hook",
            "https://exa mple.org/",
            "https://example.org\\@127.0.0.1/",
        ] {
            assert_eq!(WebhookUrl::new(text), Err(WebhookUrlError::NotAUrl), "{text}");
        }
        let long = format!("https://example.org/{}", "x".repeat(481));
        assert_eq!(WebhookUrl::new(long), Err(WebhookUrlError::Length { max: 500 }));
    }

    #[test]
    fn set_contains_each_event_added() {
        assert_eq!(WebhookEvents::new([WebhookEvent::Trade]), Some(WebhookEvents::TRADES));
        assert_eq!(WebhookEvents::new(WebhookEvent::ALL), Some(WebhookEvents::ALL));
        let set = WebhookEvents::new([WebhookEvent::Status]).unwrap();
        assert_eq!(set.iter().collect::<Vec<_>>(), [WebhookEvent::Status]);
        for event in WebhookEvent::ALL {
            assert_eq!(WebhookEvent::from_name(event.as_str()), Some(event));
        }
        assert_eq!(WebhookEvent::from_name("market.open"), None);
        assert_eq!(WebhookStatus::from_name("disabled"), Some(WebhookStatus::Disabled));
    }

    #[test]
    fn set_without_event_is_rejected() {
        assert_eq!(WebhookEvents::new([]), None);
    }
}
