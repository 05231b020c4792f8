//! Leaving, and what else ends when a user loses a way to a property or a group (docs/contract/README.md, section 15,
//! 104 and 107).

use uuid::Uuid;

use crate::{
    access,
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::{GroupId, MemberId, PropertyId, UserId},
    },
    db::Tx,
    hotel::{
        changes::Changes,
        groups::placements,
        members::{MemberOf, inviters, store},
    },
    people::users,
    record::activity::Kind,
};

/// Called after a user lost a way or its ownership: ends the placements that depended on it.
///
/// # Errors
/// `Refused` if nobody would own the property or the group any more.
pub async fn after_loss(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    of: MemberOf,
    parent: Uuid,
    user: UserId,
) -> Result<()> {
    let properties = match of {
        MemberOf::Property => {
            placements::end_unsupported(tx, changes, PropertyId(parent)).await?;
            vec![PropertyId(parent)]
        }
        MemberOf::Group => {
            let affected = placements::affected(tx, GroupId(parent), user).await?;
            for property in &affected {
                access::lock_property(tx, *property).await?;
                placements::end_unsupported(tx, changes, *property).await?;
            }
            must_have_owner(tx, MemberOf::Group, parent).await?;
            affected
        }
    };
    for property in properties {
        must_have_owner(tx, MemberOf::Property, property.0).await?;
    }
    Ok(())
}

async fn must_have_owner(tx: &mut Tx, of: MemberOf, parent: Uuid) -> Result<()> {
    if store::has_owner(tx, of, parent).await? { Ok(()) } else { Err(Error::Refused(of.owner_rule())) }
}

/// Ends a user's link to a property or a group, and what depends on it.
///
/// # Errors
/// As [`after_loss`].
pub async fn end(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    of: MemberOf,
    link: MemberId,
    parent: Uuid,
    user: UserId,
) -> Result<()> {
    remove(tx, changes, of, link, parent, user).await?;
    after_loss(tx, changes, of, parent, user).await
}

/// Removes a user's link to a property or a group. The caller has locked both.
pub async fn remove(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    of: MemberOf,
    link: MemberId,
    parent: Uuid,
    user: UserId,
) -> sqlx::Result<()> {
    changes.member(tx, Kind::MemberRemoved, of.with(parent), user, None).await?;
    store::delete(tx, &mut changes.totals, of, link, parent, user).await
}

/// Lets a user leave a property or a group, and refuses future invitations from whoever gave it to them
/// (docs/contract/README.md, section 15, 107).
///
/// # Errors
/// As [`leave`].
pub async fn leave_for_good(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    of: MemberOf,
    parent: Uuid,
    user: UserId,
    now: Moment,
) -> Result<()> {
    lock(tx, of, parent, user).await?;
    let giver = store::giver(tx, of, parent, user).await?;
    leave(tx, changes, of, parent, user).await?;
    match giver {
        Some(giver) if giver != user => Ok(inviters::refuse(tx, user, giver, now).await?),
        _ => Ok(()),
    }
}

/// Lets a user leave a property or a group.
///
/// # Errors
/// `NotFound` if the user has no link there; `Refused` if nobody would own it any more.
pub async fn leave(tx: &mut Tx, changes: &mut Changes<'_>, of: MemberOf, parent: Uuid, user: UserId) -> Result<()> {
    lock(tx, of, parent, user).await?;
    let link = store::of_user(tx, of, parent, user).await?.ok_or(Error::NotFound)?;
    end(tx, changes, of, link.id, parent, user).await
}

/// Locks a user, then the property or group: always in this order, so that there is no deadlock.
pub async fn lock(tx: &mut Tx, of: MemberOf, parent: Uuid, user: UserId) -> sqlx::Result<()> {
    users::store::lock_user(tx, user).await?;
    match of {
        MemberOf::Property => access::lock_property(tx, PropertyId(parent)).await,
        MemberOf::Group => access::lock_group(tx, GroupId(parent)).await,
    }
}

/// The result of leaving everything from one inviter.
#[derive(Default)]
pub struct Left {
    pub ended: usize,
    /// Links that stay, because nobody else owns the property or group.
    pub stayed: usize,
}

/// Lets a user leave everything that an inviter gave them, except what nobody else would own.
pub async fn leave_all_from(tx: &mut Tx, changes: &mut Changes<'_>, inviter: UserId, user: UserId) -> Result<Left> {
    users::store::lock_user(tx, user).await?;
    let mut left = Left::default();
    // Groups are locked before properties.
    for of in [MemberOf::Group, MemberOf::Property] {
        for parent in store::given_by(tx, of, inviter, user).await? {
            if store::is_last_owner(tx, of, parent, user).await? {
                left.stayed += 1;
                continue;
            }
            leave(tx, changes, of, parent, user).await?;
            left.ended += 1;
        }
    }
    Ok(left)
}
