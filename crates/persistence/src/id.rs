//! Ids in storage: a native `uuid` on Postgres, 16 bytes on `SQLite`, one SQL type for both.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write as _;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Binary, SqlType};
use diesel::sqlite::Sqlite;
use foretell_domain::id::{
    AccountId, ApiKeyId, BetId, ClientId, CommentId, InvitationId, JobId, MarketId, OptionId,
    PostId, SessionId, TransferId, UserId, WebhookId,
};

/// SQL type of every id. Both databases sort it like a number. It is public only for the macro that
/// declares tables; code outside the crate cannot name it.
#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
#[allow(unreachable_pub, reason = "tables are declared with public columns")]
pub struct Id;

/// Any id of the domain, as 16 bytes in network order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Id)]
pub(crate) struct DbId([u8; 16]);

impl DbId {
    /// Lower than all ids.
    pub(crate) const NIL: Self = Self([0; 16]);
}

impl fmt::Display for DbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        MarketId::from_bytes(self.0).fmt(f)
    }
}

impl fmt::Debug for DbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the bytes in hexadecimal, without hyphens.
impl fmt::LowerHex for DbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl ToSql<Id, Pg> for DbId {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.0)?;
        Ok(IsNull::No)
    }
}

impl ToSql<Id, Sqlite> for DbId {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<Id, Pg> for DbId {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(value.as_bytes().try_into()?))
    }
}

// A value of another length is an error and not truncated; a CHECK of the schema prevents it.
impl FromSql<Id, Sqlite> for DbId {
    fn from_sql(
        value: <Sqlite as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self(bytes.as_slice().try_into()?))
    }
}

macro_rules! ids {
    ($($name:ident),+) => {$(
        impl From<$name> for DbId {
            fn from(id: $name) -> Self {
                Self(id.to_bytes())
            }
        }

        impl From<DbId> for $name {
            fn from(id: DbId) -> Self {
                Self::from_bytes(id.0)
            }
        }
    )+};
}

ids!(
    AccountId,
    ApiKeyId,
    BetId,
    ClientId,
    CommentId,
    InvitationId,
    JobId,
    MarketId,
    OptionId,
    PostId,
    SessionId,
    TransferId,
    UserId,
    WebhookId
);

/// Converts an id of any kind to its number.
impl From<DbId> for u128 {
    fn from(id: DbId) -> Self {
        Self::from_be_bytes(id.0)
    }
}

impl From<u128> for DbId {
    fn from(number: u128) -> Self {
        Self(number.to_be_bytes())
    }
}

/// Converts ids of the domain for statements: ascending, each once.
pub(crate) fn db_ids<I: Copy + Into<DbId>>(ids: impl IntoIterator<Item = I>) -> Vec<DbId> {
    let ids: BTreeSet<DbId> = ids.into_iter().map(Into::into).collect();
    ids.into_iter().collect()
}
