//! Property users and group users: links between a user and a property or a group, with a role
//! (docs/contract/property-users.md, docs/contract/group-users.md).

pub mod add; // giving access
pub mod api;
pub mod ending; // leaving, and what ends with a way
pub mod inviters; // whose invitations a user does not accept
mod overrides;
pub mod own; // what a user was given
pub mod pages; // handlers of "People with access"
pub mod people; // the page "People with access"
pub mod removal; // by the host
pub mod store;
pub mod ways; // every way to a property
pub mod your_access; // the page "Your access"

use std::fmt::Debug;

use uuid::Uuid;

use crate::{
    access::{self, Role, caller::Caller},
    base::{
        error::Result,
        ids::{GroupId, PropertyId, UserId},
    },
    db::Tx,
    hotel::{changes::AccessTo, members::overrides::Overrides},
    resource::{
        attribute::{Attribute, FieldType, field},
        collection::{Name, Pages, Parent, Related, Relationship, Resource, Stored},
        fields::Need,
        json::User,
        value::{EmailAddress, Unstored},
    },
};

/// What users are linked to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum MemberOf {
    Property,
    Group,
}

impl MemberOf {
    /// The table of the links.
    const fn table(self) -> &'static str {
        match self {
            MemberOf::Property => "property_users",
            MemberOf::Group => "group_users",
        }
    }

    /// Its type.
    const fn name(self) -> &'static str {
        match self {
            MemberOf::Property => "property",
            MemberOf::Group => "group",
        }
    }

    /// The field, and the column, with its id.
    const fn field(self) -> &'static str {
        match self {
            MemberOf::Property => "property_id",
            MemberOf::Group => "group_id",
        }
    }

    fn owner_rule(self) -> &'static str {
        match self {
            MemberOf::Property => "Property must have at least one owner",
            MemberOf::Group => "Group must have at least one owner",
        }
    }

    /// The property or group with this id.
    fn with(self, parent: Uuid) -> AccessTo {
        match self {
            MemberOf::Property => AccessTo::Property(PropertyId(parent)),
            MemberOf::Group => AccessTo::Group(GroupId(parent)),
        }
    }

    /// The caller's role there; `None` if the caller cannot see it.
    async fn role(self, tx: &mut Tx, caller: &Caller, parent: Uuid) -> sqlx::Result<Option<Role>> {
        match self {
            MemberOf::Property => access::property_role(tx, caller, PropertyId(parent)).await,
            MemberOf::Group => access::group_role(tx, caller, GroupId(parent)).await,
        }
    }

    /// As `role`, and locks the property or group until the transaction ends.
    async fn lock(self, tx: &mut Tx, caller: &Caller, parent: Uuid) -> sqlx::Result<Option<Role>> {
        match self {
            MemberOf::Property => access::lock_visible_property(tx, caller, PropertyId(parent)).await,
            MemberOf::Group => access::lock_visible_group(tx, caller, GroupId(parent)).await,
        }
    }
}

/// The id of what users are linked to.
pub trait ParentId: FieldType + Clone + Debug + Default + Into<Uuid> + Send + 'static {
    const OF: MemberOf;
    const NAME: Name;
    const PARENT: Parent;
    const TAG: &'static str;
}

impl ParentId for PropertyId {
    const OF: MemberOf = MemberOf::Property;
    const NAME: Name = Name { one: "property_user", many: MemberOf::Property.table() };
    const PARENT: Parent = Parent::Property(MemberOf::Property.field());
    const TAG: &'static str = "Property users";
}

impl ParentId for GroupId {
    const OF: MemberOf = MemberOf::Group;
    const NAME: Name = Name { one: "group_user", many: MemberOf::Group.table() };
    const PARENT: Parent = Parent::Group(MemberOf::Group.field());
    const TAG: &'static str = "Group users";
}

/// A link between a user and a property (`Member<PropertyId>`) or a group (`Member<GroupId>`).
#[derive(Clone, Debug, Default)]
pub struct Member<P> {
    pub parent: P,
    pub user_id: UserId,
    pub role: Role,
    pub overrides: Overrides,
    pub user_email: Unstored<EmailAddress>,
    /// Of the user.
    pub name: Option<String>,
}

impl<P: ParentId> Resource for Member<P> {
    const NAME: Name = P::NAME;
    const INVITED: bool = true;
    const PARENT: Parent = P::PARENT;
    /// It shows the user's email address and name, which change without it.
    const VERSIONS: bool = false;
    const FIELDS: &'static [Attribute<Self>] = &[
        field!(overrides).about("Stored and returned unchanged, at most 16,384 bytes of JSON; has no effect."),
        field!(parent as P::OF.field()).column(P::OF.field()).need(Need::RequiredOnCreate).filter().about(
            match P::OF {
                MemberOf::Property => "The property.",
                MemberOf::Group => "The group.",
            },
        ),
        field!(role).required().filter().about("An `owner` can also invite and withdraw users, and delete."),
        field!(user_email).need(Need::RequiredOnCreate).hidden().about(
            "Invitee's email; an account is created if none exists. No mail is sent: the host gives a new user a link \
             to set a password.",
        ),
        field!(user_id).need(Need::ReadOnly).filter().about("The user."),
    ];
    const RELATIONSHIPS: &'static [Relationship<Self>] = &[
        Relationship {
            name: P::OF.name(),
            of: P::OF.name(),
            data: Related::One(|member| member.parent.clone().into()),
        },
        Relationship {
            name: "user",
            of: "user",
            data: Related::User(|member| User::new(member.user_id, &member.user_email.0, member.name.as_deref())),
        },
    ];
    const PAGES: Pages = Pages::WhenAsked;
    const ORDER: &'static str = "inserted_at";
    const TAG: &'static str = P::TAG;
    const DELETED: &'static str =
        "Ends the access; what the user created stays. Owners only; nobody can withdraw their own access.";

    fn property(&self) -> Option<PropertyId> {
        match P::OF {
            MemberOf::Property => Some(PropertyId(self.parent.clone().into())),
            MemberOf::Group => None,
        }
    }

    async fn complete(tx: &mut Tx, members: &mut [Stored<Self>]) -> Result<()> {
        let ids = members.iter().map(|member| member.resource.user_id);
        let mut people = store::people(tx, ids).await?;
        for Stored { resource, .. } in members {
            let Some(person) = people.get_mut(&resource.user_id) else { continue };
            resource.user_email.0.0.clone_from(&person.email);
            resource.name.clone_from(&person.name);
        }
        Ok(())
    }
}

/// The message of a page for a rule of the contract.
fn page_message(rule: &'static str) -> &'static str {
    match rule {
        "Property must have at least one owner" => "Nobody else owns this property. Make somebody else an owner first.",
        "Group must have at least one owner" => "Nobody else owns this group. Make somebody else an owner first.",
        "Property must belong to at least one group" => {
            "This group is the property's home. Put the property into another group that you own first."
        }
        rule => rule,
    }
}
