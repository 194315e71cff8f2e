//! The table `invitations`.

use diesel::prelude::*;
use foretell_domain::id::InvitationId;
use foretell_domain::money::Amount;
use foretell_domain::registration::Invitation;
use foretell_domain::user::Role;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::secret::TokenHash;

use crate::connection::{Connection, on};
use crate::dialect;
use crate::error::{Failure, StoredRow, expect_saved};
use crate::id::DbId;
use crate::post::post_lists::paginate;
use crate::schema::invitations;
use crate::unreadable_rows::load_page;

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = invitations)]
pub(crate) struct InvitationRow {
    pub(crate) id: DbId,
    role: String,
    grant_minor: Option<i64>,
    max_uses: i64,
    uses: i64,
    created_by: DbId,
    created_at_us: i64,
    expires_at_us: i64,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = Failure;

    fn try_from(row: InvitationRow) -> Result<Self, Failure> {
        let stored = StoredRow { table: "invitations", id: row.id };
        let grant = row.grant_minor.map(Amount::new).transpose();
        Ok(Self {
            id: row.id.into(),
            role: stored.named("role", Role::from_name(&row.role))?,
            grant: stored.convert("grant_minor", grant)?,
            max_uses: stored.convert("max_uses", row.max_uses.try_into())?,
            uses: stored.convert("uses", row.uses.try_into())?,
            created_by: row.created_by.into(),
            created_at: stored.time("created_at_us", row.created_at_us)?,
            expires_at: stored.time("expires_at_us", row.expires_at_us)?,
        })
    }
}

/// Inserts an invitation with the hash of its code.
pub(crate) fn insert(
    connection: &mut Connection<'_>,
    invitation: &Invitation,
    code: TokenHash,
) -> Result<(), Failure> {
    let row = (
        invitations::id.eq(DbId::from(invitation.id)),
        invitations::code_hash.eq(code.0.as_slice()),
        invitations::role.eq(invitation.role.as_str()),
        invitations::grant_minor.eq(invitation.grant.map(Amount::minor)),
        invitations::max_uses.eq(i64::from(invitation.max_uses)),
        invitations::uses.eq(i64::from(invitation.uses)),
        invitations::created_by.eq(DbId::from(invitation.created_by)),
        invitations::created_at_us.eq(invitation.created_at.micros()),
        invitations::expires_at_us.eq(invitation.expires_at.micros()),
    );
    on!(connection, |c| diesel::insert_into(invitations::table).values(row).execute(c))?;
    Ok(())
}

/// Locks the invitation with this id.
pub(crate) fn lock(
    connection: &mut Connection<'_>,
    id: InvitationId,
) -> Result<Option<Invitation>, Failure> {
    dialect::invitations::lock(connection, id.into())?.map(Invitation::try_from).transpose()
}

/// Saves the number of uses of an invitation.
pub(crate) fn save(
    connection: &mut Connection<'_>,
    invitation: &Invitation,
) -> Result<(), Failure> {
    let row = invitations::table.find(DbId::from(invitation.id));
    let update = diesel::update(row).set(invitations::uses.eq(i64::from(invitation.uses)));
    expect_saved("invitations", 1, on!(connection, |c| update.execute(c))?)
}

/// Deletes an invitation. Returns `true` if it existed.
pub(crate) fn delete(connection: &mut Connection<'_>, id: InvitationId) -> Result<bool, Failure> {
    let row = invitations::table.find(DbId::from(id));
    Ok(on!(connection, |c| diesel::delete(row).execute(c))? > 0)
}

/// Returns the invitation with this code.
pub(crate) fn find(
    connection: &mut Connection<'_>,
    code: TokenHash,
) -> Result<Option<Invitation>, Failure> {
    let row: Option<InvitationRow> = on!(connection, |c| {
        invitations::table
            .filter(invitations::code_hash.eq(code.0.as_slice()))
            .select(InvitationRow::as_select())
            .first(c)
            .optional()
    })?;
    row.map(Invitation::try_from).transpose()
}

/// Returns a page of all invitations, newest first.
pub(crate) fn list(
    connection: &mut Connection<'_>,
    page: PageRequest<InvitationId>,
) -> Result<Vec<Invitation>, Failure> {
    let load = |page: &PageRequest<InvitationId>| {
        Ok(on!(connection, |c, Db| {
            let all = invitations::table.select(InvitationRow::as_select()).into_boxed::<Db>();
            paginate!(all, invitations::id, page).load(c)
        })?)
    };
    load_page(page, load, |row: &InvitationRow| row.id.into(), Invitation::try_from)
}

/// Returns the number of invitations.
pub(crate) fn count(connection: &mut Connection<'_>) -> Result<i64, Failure> {
    Ok(on!(connection, |c| invitations::table.count().get_result(c))?)
}
