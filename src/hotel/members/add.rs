//! Giving somebody access to a property or a group.

use crate::{
    access::quotas,
    base::{
        clock::Moment,
        error::{Error, Result},
        ids::{GroupId, PropertyId},
    },
    db::Tx,
    hotel::{
        groups::placements::Giver,
        members::{Member, MemberOf, inviters, store},
    },
};

/// Adds a member. The caller has locked the user and the property or group, and checked permissions. Quotas do not
/// apply to the host (no user in `giver`).
///
/// # Errors
/// `Refused` if the user is a member already; `Full` at a quota (docs/contract/README.md, section 11); `Forbidden` if
/// the user does not accept invitations from the giver.
pub async fn add(tx: &mut Tx, of: MemberOf, member: &Member, giver: Giver, now: Moment) -> Result<()> {
    if store::is_member(tx, of, member.parent, member.user_id).await? {
        return Err(Error::Refused("User already invited"));
    }
    if let Some(inviter) = giver.user {
        match of {
            MemberOf::Property => quotas::user_of_property(tx, PropertyId(member.parent)).await?,
            MemberOf::Group => quotas::user_of_group(tx, GroupId(member.parent)).await?,
        }
        inviters::count_way(tx, inviter, member.user_id, now).await?;
    }
    Ok(store::insert(tx, of, member, giver, now).await?)
}
