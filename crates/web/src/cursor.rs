//! Cursors: the position in a list after which the next page starts, signed by this installation.
//!
//! A cursor is the 24 bytes of the position and 16 bytes of an HMAC-SHA-256 over them, in
//! base64url. The HMAC key is derived for each list, from its path and filters: a cursor of another
//! list is as invalid as an altered one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use foretell_application::RankKey;
use foretell_domain::id::{
    AccountId, ApiKeyId, BetId, CommentId, InvitationId, JobId, MarketId, PostId, SessionId,
    TransferId, UserId, WebhookId,
};
use foretell_domain::time::Timestamp;
use foretell_ports::market::{MarketKey, PositionKey, ProposalKey};
use foretell_ports::portfolio::{BetKey, HeldKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Key with which the nodes of an installation sign cursors.
pub(crate) type CursorKey = [u8; 32];

const POSITION_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// Position in a sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CursorPosition {
    /// Sort value, unless the list is sorted by id.
    pub(crate) rank: i64,
    /// Id that distinguishes rows with equal sort values.
    pub(crate) id: u128,
}

/// Signs the positions of one list.
#[derive(Debug, Clone)]
pub(crate) struct CursorSigner(CursorKey);

impl CursorSigner {
    /// Creates the signer of the list with this identity.
    pub(crate) fn new(key: &CursorKey, identity: &str) -> Self {
        Self(authenticate(key, identity.as_bytes()))
    }

    /// Returns the cursor of a position.
    pub(crate) fn sign(&self, position: CursorPosition) -> String {
        let mut bytes = Vec::with_capacity(POSITION_BYTES + TAG_BYTES);
        bytes.extend(position.rank.to_be_bytes());
        bytes.extend(position.id.to_be_bytes());
        let tag = authenticate(&self.0, &bytes);
        bytes.extend(&tag[..TAG_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the position of a cursor, if it is a cursor of this list.
    pub(crate) fn verify(&self, cursor: &str) -> Option<CursorPosition> {
        let mut bytes = [0; POSITION_BYTES + TAG_BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(cursor, &mut bytes).ok()?;
        let (body, tag) = bytes.get(..length)?.split_at_checked(POSITION_BYTES)?;
        let mac = mac_of(&self.0).chain_update(body);
        mac.verify_truncated_left(tag).ok().filter(|()| tag.len() == TAG_BYTES)?;
        let (rank, id) = body.split_first_chunk()?;
        Some(CursorPosition {
            rank: i64::from_be_bytes(*rank),
            id: u128::from_be_bytes(id.try_into().ok()?),
        })
    }
}

#[expect(clippy::expect_used, reason = "an HMAC takes keys of any length")]
fn mac_of(key: &CursorKey) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("32 bytes are a key")
}

fn authenticate(key: &CursorKey, message: &[u8]) -> [u8; 32] {
    mac_of(key).chain_update(message).finalize().into_bytes().into()
}

impl From<MarketKey> for CursorPosition {
    fn from(key: MarketKey) -> Self {
        Self { rank: key.rank, id: key.id.as_u128() }
    }
}

impl From<CursorPosition> for MarketKey {
    fn from(position: CursorPosition) -> Self {
        Self { rank: position.rank, id: MarketId::from_u128(position.id) }
    }
}

/// By the time at which they take effect.
impl From<ProposalKey> for CursorPosition {
    fn from(key: ProposalKey) -> Self {
        Self { rank: key.takes_effect_at.micros(), id: key.market_id.as_u128() }
    }
}

impl From<CursorPosition> for ProposalKey {
    fn from(position: CursorPosition) -> Self {
        Self {
            takes_effect_at: Timestamp::from_micros(position.rank),
            market_id: MarketId::from_u128(position.id),
        }
    }
}

/// By holder: the account comes first, then the option.
impl From<PositionKey> for CursorPosition {
    fn from(key: PositionKey) -> Self {
        Self {
            rank: i64::try_from(key.option_index).unwrap_or(i64::MAX),
            id: key.account_id.as_u128(),
        }
    }
}

impl From<CursorPosition> for PositionKey {
    fn from(position: CursorPosition) -> Self {
        let option_index = usize::try_from(position.rank).unwrap_or(usize::MAX);
        Self { account_id: AccountId::from_u128(position.id), option_index }
    }
}

/// By time: the bet distinguishes those of the same time.
impl From<BetKey> for CursorPosition {
    fn from(key: BetKey) -> Self {
        Self { rank: key.created_at.micros(), id: key.id.as_u128() }
    }
}

impl From<CursorPosition> for BetKey {
    fn from(position: CursorPosition) -> Self {
        Self {
            created_at: Timestamp::from_micros(position.rank),
            id: BetId::from_u128(position.id),
        }
    }
}

/// By market: then the option.
impl From<HeldKey> for CursorPosition {
    fn from(key: HeldKey) -> Self {
        Self {
            rank: i64::try_from(key.option_index).unwrap_or(i64::MAX),
            id: key.market_id.as_u128(),
        }
    }
}

impl From<CursorPosition> for HeldKey {
    fn from(position: CursorPosition) -> Self {
        let option_index = usize::try_from(position.rank).unwrap_or(usize::MAX);
        Self { market_id: MarketId::from_u128(position.id), option_index }
    }
}

/// By profit: the trader distinguishes equal profits.
impl From<RankKey> for CursorPosition {
    fn from(key: RankKey) -> Self {
        Self { rank: key.profit_minor, id: key.user_id.as_u128() }
    }
}

impl From<CursorPosition> for RankKey {
    fn from(position: CursorPosition) -> Self {
        Self { profit_minor: position.rank, user_id: UserId::from_u128(position.id) }
    }
}

/// A number of rows.
impl From<i64> for CursorPosition {
    fn from(number: i64) -> Self {
        Self { rank: number, id: 0 }
    }
}

impl From<CursorPosition> for i64 {
    fn from(position: CursorPosition) -> Self {
        position.rank
    }
}

/// Ids that alone are the position of their rows.
macro_rules! ids {
    ($($name:ident),+ $(,)?) => {$(
        impl From<$name> for CursorPosition {
            fn from(id: $name) -> Self {
                Self { rank: 0, id: id.as_u128() }
            }
        }

        impl From<CursorPosition> for $name {
            fn from(position: CursorPosition) -> Self {
                Self::from_u128(position.id)
            }
        }
    )+};
}

ids! { AccountId, ApiKeyId, CommentId, InvitationId, JobId, PostId, SessionId, TransferId, UserId, WebhookId }

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: CursorKey = [7; 32];
    const POSITION: CursorPosition =
        CursorPosition { rank: -5, id: 0x0190_163d_8694_739b_aea5_966c_26f8_ad91 };

    #[test]
    fn cursor_is_valid_for_its_own_list() {
        let signer = CursorSigner::new(&KEY, "/markets?sort=closing");
        let cursor = signer.sign(POSITION);
        assert_eq!(signer.verify(&cursor), Some(POSITION));
        assert_eq!(CursorSigner::new(&KEY, "/markets?sort=volume").verify(&cursor), None);
        assert_eq!(CursorSigner::new(&[8; 32], "/markets?sort=closing").verify(&cursor), None);
    }

    #[test]
    fn altered_cursor_is_rejected() {
        let signer = CursorSigner::new(&KEY, "/markets");
        let cursor = signer.sign(POSITION);
        for at in 0..cursor.len() {
            let other = if cursor.as_bytes()[at] == b'A' { "B" } else { "A" };
            let altered = format!("{}{other}{}", &cursor[..at], &cursor[at + 1..]);
            assert_eq!(signer.verify(&altered), None, "character {at}");
            assert_eq!(signer.verify(&cursor[..at]), None, "cut at {at}");
        }
        for foreign in ["", "=", "0", "\u{0}", &format!("{cursor}A"), &cursor.repeat(9)] {
            assert_eq!(signer.verify(foreign), None, "{foreign}");
        }
    }
}
