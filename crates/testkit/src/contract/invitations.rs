//! Invitations: found by their codes, used under a lock, listed and deleted.

use foretell_domain::money::Amount;
use foretell_domain::registration::{Invitation, MAX_INVITATION_USES};
use foretell_domain::user::Role;
use foretell_ports::page::{PageRequest, PageStart};
use foretell_ports::secret::TokenHash;
use foretell_ports::unit::Tx;

use super::Harness;
use super::fixture::{Fixture, after};
use super::overlap::{Meeting, overlap};

fn code(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

async fn store(fixture: &Fixture, invitation: Invitation, number: u8) -> Invitation {
    fixture.commit(move |tx| tx.insert_invitation(&invitation, code(number))).await;
    invitation
}

async fn find(fixture: &Fixture, number: u8) -> Option<Invitation> {
    fixture.ports.users.find_invitation(&code(number)).await.unwrap()
}

/// The invitation of a code has every field; unknown codes have none.
pub async fn invitations_are_returned_as_written(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let admin = fixture.user().await.id;
    let plain = store(&fixture, fixture.make.invitation(admin), 1).await;
    let rich = Invitation {
        role: Role::Moderator,
        grant: Amount::new(i64::MAX).ok(),
        max_uses: MAX_INVITATION_USES,
        uses: 3,
        expires_at: after(-1),
        ..fixture.make.invitation(admin)
    };
    let rich = store(&fixture, rich, 2).await;
    assert_eq!(find(&fixture, 1).await, Some(plain));
    assert_eq!(find(&fixture, 2).await, Some(rich));
    assert_eq!(find(&fixture, 3).await, None);
}

/// Two invitations never have the same code.
pub async fn existing_code_is_rejected(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let admin = fixture.user().await.id;
    let first = store(&fixture, fixture.make.invitation(admin), 1).await;
    let second = fixture.make.invitation(admin);
    fixture.check_rejected(move |tx| tx.insert_invitation(&second, code(1))).await;
    assert_eq!(find(&fixture, 1).await, Some(first));
}

/// A saved invitation keeps the new number of uses, and everything else as it was.
pub async fn saved_invitation_keeps_its_uses(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let admin = fixture.user().await.id;
    let invitation = store(&fixture, fixture.make.invitation(admin), 1).await;
    let id = invitation.id;
    fixture
        .commit(move |tx| {
            let mut locked = tx.lock_invitation(id)?.expect("the invitation is stored");
            *locked = Invitation { uses: 1, role: Role::Admin, expires_at: after(9), ..*locked };
            tx.save_invitation(&locked)
        })
        .await;
    assert_eq!(find(&fixture, 1).await, Some(Invitation { uses: 1, ..invitation }));
}

/// Of two units that use an invitation at the same time, the second one sees the use of the first.
pub async fn concurrent_uses_of_invitation_are_counted(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let admin = fixture.user().await.id;
    let invitation = store(&fixture, fixture.make.invitation(admin), 1).await;
    let id = invitation.id;
    let redeem = move |tx: &mut dyn Tx, meeting: &Meeting| {
        let mut locked = tx.lock_invitation(id)?.expect("the invitation is stored");
        meeting.arrive();
        let before = locked.uses;
        locked.uses += 1;
        tx.save_invitation(&locked)?;
        Ok(before)
    };
    let mut seen =
        overlap(&fixture, redeem, redeem).await.map(|unit| unit.expect("both are committed"));
    seen.sort_unstable();
    assert_eq!(seen, [0, 1]);
    assert_eq!(find(&fixture, 1).await, Some(Invitation { uses: 2, ..invitation }));
}

/// Invitations are listed newest first, in pages, and a deleted one is gone with its code.
pub async fn invitations_are_listed_and_deleted(harness: &dyn Harness) {
    let fixture = Fixture::open(harness).await;
    let admin = fixture.user().await.id;
    let mut all = Vec::new();
    for number in 1..=3 {
        all.insert(0, store(&fixture, fixture.make.invitation(admin), number).await);
    }
    let list = async |start, limit| {
        fixture.ports.users.list_invitations(PageRequest { start, limit }).await.unwrap()
    };
    assert_eq!(list(PageStart::First, 10).await, all);
    assert_eq!(list(PageStart::Offset(1), 1).await, all[1..2]);
    assert_eq!(list(PageStart::After(all[1].id), 10).await, all[2..]);
    let id = all[1].id;
    for existed in [true, false] {
        assert_eq!(fixture.commit(move |tx| tx.delete_invitation(id)).await, existed);
    }
    assert_eq!(fixture.ports.users.count_invitations().await.unwrap(), 2);
    assert_eq!(find(&fixture, 2).await, None);
    let locked = fixture.commit(move |tx| Ok(tx.lock_invitation(id)?.is_some())).await;
    assert!(!locked, "a deleted invitation is not locked");
}
