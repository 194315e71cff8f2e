//! The table `text_vectors`, and the ids of all texts.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Text};
use foretell_domain::id::{MarketId, PostId};
use foretell_domain::time::Timestamp;
use foretell_ports::error::StoreError;
use foretell_ports::vector::{
    Embedding, StoredVector, TextId, VectorCursor, VectorQueries, VectorTx,
};

use crate::connection::{Connection, on};
use crate::error::Failure;
use crate::id::{DbId, Id};
use crate::prepared::prepared;
use crate::schema::{markets, posts};
use crate::store::Store;
use crate::tx::UnitTx;

// Selected from the subject, so that nothing is inserted for a deleted one. The condition at the
// end keeps an older version from replacing a newer one.
macro_rules! save {
    ($id:literal, $things:literal) => {
        concat!(
            "INSERT INTO text_vectors (id, ",
            $id,
            ", model, version, direction, written_at_us)
            SELECT id, id, ?, ?, ?, ? FROM ",
            $things,
            " WHERE id = ?
            ON CONFLICT (id) DO UPDATE SET model = excluded.model, version = excluded.version,
                direction = excluded.direction, written_at_us = excluded.written_at_us
            WHERE text_vectors.model <> excluded.model OR text_vectors.version <= excluded.version"
        )
    };
}
const SAVE_OF_MARKET: &str = save!("market_id", "markets");
const SAVE_OF_POST: &str = save!("post_id", "posts");

// `model` first, as in the index `text_vectors_by_time`: a node continues where it last stopped.
const LIST: &str = "SELECT id, market_id IS NOT NULL AS is_of_market, version, direction,
        written_at_us
    FROM text_vectors WHERE model = ? AND (written_at_us, id) > (?, ?)
    ORDER BY written_at_us, id LIMIT ?";

#[derive(QueryableByName)]
struct VectorRow {
    #[diesel(sql_type = Id)]
    id: DbId,
    #[diesel(sql_type = Bool)]
    is_of_market: bool,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Binary)]
    direction: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    written_at_us: i64,
}

impl From<VectorRow> for StoredVector {
    fn from(row: VectorRow) -> Self {
        let text = if row.is_of_market {
            TextId::Market(row.id.into())
        } else {
            TextId::Post(row.id.into())
        };
        let numbers = row.direction.into_iter().map(u8::cast_signed).collect();
        Self {
            text,
            version: row.version,
            embedding: Embedding::from_numbers(numbers),
            written_at: Timestamp::from_micros(row.written_at_us),
        }
    }
}

/// Saves embeddings of a model, except those of deleted subjects, or of an older version.
pub(crate) fn save(
    connection: &mut Connection<'_>,
    model: &str,
    vectors: &[StoredVector],
) -> Result<(), Failure> {
    for vector in vectors {
        let (text, id) = match vector.text {
            TextId::Market(id) => (SAVE_OF_MARKET, DbId::from(id)),
            TextId::Post(id) => (SAVE_OF_POST, DbId::from(id)),
        };
        let numbers = vector.embedding.as_ref().map_or(&[][..], Embedding::numbers);
        let bytes: Vec<u8> = numbers.iter().map(|number| number.cast_unsigned()).collect();
        let statement = prepared(text)
            .bind::<Text, _>(model)
            .bind::<BigInt, _>(vector.version)
            .bind::<Binary, _>(bytes)
            .bind::<BigInt, _>(vector.written_at.micros())
            .bind::<Id, _>(id);
        on!(connection, |c| statement.execute(c))?;
    }
    Ok(())
}

/// Returns embeddings of a model after a cursor, in order.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    model: &str,
    after: VectorCursor,
    limit: u32,
) -> Result<Vec<StoredVector>, Failure> {
    let statement = prepared(LIST)
        .bind::<Text, _>(model)
        .bind::<BigInt, _>(after.written_at.micros())
        .bind::<Id, _>(DbId::from(MarketId::from_u128(after.id)))
        .bind::<BigInt, _>(i64::from(limit));
    let rows: Vec<VectorRow> = on!(connection, |c| statement.load(c))?;
    Ok(rows.into_iter().map(StoredVector::from).collect())
}

macro_rules! list_ids {
    ($name:ident, $table:ident, $id:ty) => {
        /// Returns ids after this one, in ascending order.
        pub(crate) fn $name(
            connection: &mut Connection<'_>,
            after: Option<$id>,
            limit: u32,
        ) -> Result<Vec<$id>, Failure> {
            let after = DbId::from(after.unwrap_or(<$id>::from_u128(0)));
            let query = $table::table
                .filter($table::id.gt(after))
                .order($table::id)
                .limit(i64::from(limit))
                .select($table::id);
            let ids: Vec<DbId> = on!(connection, |c| query.load(c))?;
            Ok(ids.into_iter().map(<$id>::from).collect())
        }
    };
}
list_ids!(list_market_ids, markets, MarketId);
list_ids!(list_post_ids, posts, PostId);

impl VectorTx for UnitTx<'_, '_> {
    fn save_vectors(&mut self, model: &str, vectors: &[StoredVector]) -> Result<(), StoreError> {
        self.step(|c| save(c, model, vectors))
    }
}

#[async_trait]
impl VectorQueries for Store {
    async fn list_vectors(
        &self,
        model: &str,
        after: VectorCursor,
        limit: u32,
    ) -> Result<Vec<StoredVector>, StoreError> {
        let model = model.to_owned();
        self.read("list_vectors", move |c| list(c, &model, after, limit)).await
    }

    async fn list_market_ids(
        &self,
        after: Option<MarketId>,
        limit: u32,
    ) -> Result<Vec<MarketId>, StoreError> {
        self.read("list_market_ids", move |c| list_market_ids(c, after, limit)).await
    }

    async fn list_post_ids(
        &self,
        after: Option<PostId>,
        limit: u32,
    ) -> Result<Vec<PostId>, StoreError> {
        self.read("list_post_ids", move |c| list_post_ids(c, after, limit)).await
    }
}
