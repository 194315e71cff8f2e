//! Identifiers: a 128-bit newtype for each kind of resource, written as hyphenated lower-case
//! UUIDs.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The text is not a UUID of 32 hexadecimal digits in the groups 8-4-4-4-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an id is a UUID such as 0190163d-8694-739b-aea5-966c26f8ad91")]
pub struct IdError;

fn parse(text: &str) -> Result<u128, IdError> {
    text.parse::<Hyphenated>().map(|id| id.as_uuid().as_u128()).map_err(|_| IdError)
}

fn write(value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(Uuid::from_u128(value).hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// Returns the id with this value; new ids (`UUIDv7`) are created outside the domain.
            pub const fn from_u128(value: u128) -> Self {
                Self(value)
            }

            /// Returns the value as a number.
            pub const fn as_u128(self) -> u128 {
                self.0
            }

            /// Returns the id with these 16 bytes in network order.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }

            /// Returns the 16 bytes in network order, as databases store them.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                write(self.0, f)?;
                f.write_str(")")
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(IdVisitor).map(Self)
            }
        }
    )+};
}

#[cfg(feature = "serde")]
struct IdVisitor;

#[cfg(feature = "serde")]
impl serde::de::Visitor<'_> for IdVisitor {
    type Value = u128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u128, E> {
        parse(text).map_err(E::custom)
    }
}

ids! {
    /// Identifier of a user.
    UserId,
    /// Identifier of an account.
    AccountId,
    /// Identifier of a transfer.
    TransferId,
    /// Identifier of a market, and through [`AccountId::of_market`] of its pot.
    MarketId,
    /// Identifier of one option of a market.
    OptionId,
    /// Identifier of a bet or a sale.
    BetId,
    /// Identifier of a transfer, bet or sale that the owner of the paying or trading account chose.
    /// It is unique for this owner only.
    ClientId,
    /// Identifier of a session, not its secret token.
    SessionId,
    /// Identifier of an API key, not its secret.
    ApiKeyId,
    /// Identifier of an invitation, not its code.
    InvitationId,
    /// Identifier of a post.
    PostId,
    /// Identifier of a comment.
    CommentId,
    /// Identifier of a webhook, not its secret.
    WebhookId,
    /// Identifier of a job.
    JobId,
}

impl AccountId {
    /// The account that issues all money; its balance is minus the money in circulation.
    pub const TREASURY: Self = Self(0x0000_0000_0000_7000_8000_0000_0000_0001);
    /// The account that receives trading fees at settlement.
    pub const FEES: Self = Self(0x0000_0000_0000_7000_8000_0000_0000_0002);

    /// Returns the account of a market's pot: it has the id of the market, so no lookup is needed.
    pub const fn of_market(market: MarketId) -> Self {
        Self(market.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_round_trip() {
        let text = "0190163d-8694-739b-aea5-966c26f8ad91";
        let id: MarketId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(MarketId::from_bytes(id.to_bytes()), id);
        assert_eq!(text.to_uppercase().parse::<MarketId>().unwrap(), id);
    }

    #[test]
    fn malformed_text_is_rejected() {
        for text in [
            "",
            "0190163d8694739baea5966c26f8ad91",
            "0190163d-8694-739b-aea5-966c26f8ad9",
            "0190163d-8694-739b-aea5-966c26f8ad911",
            "0190163d-8694-739b-aea5_966c26f8ad91",
            "+190163d-8694-739b-aea5-966c26f8ad91",
            "é190163d-8694-739b-aea5-966c26f8ad9",
        ] {
            assert_eq!(text.parse::<UserId>(), Err(IdError), "{text}");
        }
    }
}
