//! Webhooks: where another service is told what happens in markets, what it is told, and how often that is tried.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::id::WebhookId;
use crate::text::parse_web_address;

/// The most characters of an address.
const MAX_URL: u32 = 500;

/// Address that messages are sent to: an absolute `http` or `https` URL in its normal form. The sender decides
/// whether it may be called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// Accepts a URL of at most 500 characters in its normal form, without user name, password and fragment.
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

    /// Returns a stored address without checking it again.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The address in its normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is sent there is encrypted.
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

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookUrlError {
    /// Too long.
    #[error("must have at most {max} characters")]
    Length {
        /// The most characters.
        max: u32,
    },
    /// Something else than a URL, or one with a user name, a password or a fragment.
    #[error("must be an http or https URL without user name, password and fragment")]
    NotAUrl,
}

/// What a webhook can be told.
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

    /// The type of its messages, and its name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trade => "market.trade",
            Self::Status => "market.status",
        }
    }

    /// The event of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

/// A set of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct WebhookEvents {
    /// Whether [`WebhookEvent::Trade`] is in it.
    pub trades: bool,
    /// Whether [`WebhookEvent::Status`] is in it.
    pub statuses: bool,
}

impl WebhookEvents {
    /// Whether this one is in the set.
    pub const fn contains(self, event: WebhookEvent) -> bool {
        match event {
            WebhookEvent::Trade => self.trades,
            WebhookEvent::Status => self.statuses,
        }
    }

    /// Those in the set, in the order of their declaration.
    pub fn iter(self) -> impl Iterator<Item = WebhookEvent> {
        WebhookEvent::ALL.into_iter().filter(move |event| self.contains(*event))
    }
}

impl FromIterator<WebhookEvent> for WebhookEvents {
    fn from_iter<I: IntoIterator<Item = WebhookEvent>>(events: I) -> Self {
        let mut set = Self::default();
        for event in events {
            match event {
                WebhookEvent::Trade => set.trades = true,
                WebhookEvent::Status => set.statuses = true,
            }
        }
        set
    }
}

/// Whether a webhook is sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum WebhookStatus {
    /// It is.
    Enabled,
    /// It is not: an admin has said so, it has failed for days, or its address is gone.
    Disabled,
}

impl WebhookStatus {
    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }

    /// The status of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled].into_iter().find(|status| status.as_str() == name)
    }
}

/// How long a secret that was replaced goes on signing beside the new one, so that a receiver has time to change.
pub const ROTATION: Duration = Duration::from_hours(24);

/// Why something about webhooks is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WebhookError {
    /// There is no such webhook.
    #[error("webhook not found: {0}")]
    NotFound(WebhookId),
    /// Nothing may be sent to the address.
    #[error("nothing may be sent there: the address is not public, or not encrypted")]
    ForbiddenAddress,
    /// There are as many as there may be.
    #[error("there are at most {max} webhooks")]
    TooMany {
        /// The most that there may be.
        max: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_urls() {
        for text in ["https://example.org/", "http://example.org:8080/hook?for=us", "https://[2001:db8::1]/"]
        {
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
    fn a_set_holds_what_was_put_in() {
        let set: WebhookEvents = [WebhookEvent::Status].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [WebhookEvent::Status]);
        for event in WebhookEvent::ALL {
            assert_eq!(WebhookEvent::from_name(event.as_str()), Some(event));
        }
        assert_eq!(WebhookEvent::from_name("market.open"), None);
        assert_eq!(WebhookStatus::from_name("disabled"), Some(WebhookStatus::Disabled));
    }
}
