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
        changes::Changes,
        groups::placements::Giver,
        members::{Member, MemberOf, ParentId, inviters, store},
    },
    record::activity::Kind,
    resource::collection::Stored,
};

/// Adds a member. The caller has locked the user and the property or group, and checked permissions. Quotas do not
/// apply to the host (no user in `giver`).
///
/// # Errors
/// `Refused` if the user is a member already; `Full` at a quota (docs/contract/README.md, section 11); `Forbidden` if
/// the user does not accept invitations from the giver.
pub async fn add<P: ParentId>(
    tx: &mut Tx,
    changes: &mut Changes<'_>,
    member: &Stored<Member<P>>,
    giver: Giver,
    now: Moment,
) -> Result<()> {
    let Member { parent, user_id, .. } = &member.resource;
    let parent = parent.clone().into();
    if store::of_user(tx, P::OF, parent, *user_id).await?.is_some() {
        return Err(Error::Refused("User already invited"));
    }
    if let Some(inviter) = giver.user {
        match P::OF {
            MemberOf::Property => quotas::user_of_property(tx, PropertyId(parent)).await?,
            MemberOf::Group => quotas::user_of_group(tx, GroupId(parent)).await?,
        }
        inviters::count_way(tx, inviter, *user_id, now).await?;
    }
    store::insert(tx, &mut changes.totals, member, giver, now).await?;
    Ok(changes.member(tx, Kind::MemberAdded, P::OF.with(parent), *user_id, None).await?)
}
