//! Property users and group users: links between a user and a property or a group, with a role
//! (docs/contract/property-users.md, docs/contract/group-users.md).

pub mod add; // giving access
pub mod api;
pub mod ending; // leaving, and what ends with a way
pub mod inviters; // whose invitations a user does not accept
pub mod own; // what a user was given
pub mod pages; // handlers of "People with access"
pub mod people; // the page "People with access"
pub mod removal; // by the host
pub mod store;
pub mod ways; // every way to a property
pub mod your_access; // the page "Your access"

use serde_json::Value;
use uuid::Uuid;

use crate::{
    access::{self, Role, caller::Caller},
    base::ids::{GroupId, MemberId, PropertyId, UserId},
    db::Tx,
    resource::{
        document::schema::{Keyword, Schema, Type},
        fields::{Field, Kind, MOST_JSON, Shape, optional, read_only, required},
    },
};

/// What users are linked to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum MemberOf {
    Property,
    Group,
}

const ROLE: Kind = Kind::OneOf(&["owner", "user"]);
const ABOUT_ROLE: &str = "An `owner` can also invite and withdraw users, and delete.";
const ABOUT_EMAIL: &str = "Invitee's email; an account is created if none exists. No mail is sent: the host gives a new user \
    a link to set a password.";
const ABOUT_OVERRIDES: &str = "Stored and returned unchanged, at most 16,384 bytes of JSON; has no effect.";

/// Any JSON object.
pub const OBJECT: Shape = Shape {
    fits: Value::is_object,
    most_bytes: Some(MOST_JSON),
    schema: || Schema::new(Type::Object).with(Keyword::OtherFields(true)),
};

/// The fields of an invitation to a property.
pub const PROPERTY_INVITE: &[Field] = &[
    required("property_id", Kind::Id("property"), "The property to invite to."),
    required("user_email", Kind::Email, ABOUT_EMAIL),
    required("role", ROLE, ABOUT_ROLE),
    optional("overrides", Kind::Json(&OBJECT), ABOUT_OVERRIDES),
];

/// The fields of an invitation to a group.
pub const GROUP_INVITE: &[Field] = &[
    required("group_id", Kind::Id("group"), "The group to invite to."),
    required("user_email", Kind::Email, ABOUT_EMAIL),
    required("role", ROLE, ABOUT_ROLE),
    optional("overrides", Kind::Json(&OBJECT), ABOUT_OVERRIDES),
];

/// The fields of a property user.
pub const PROPERTY_USER: &[Field] = &[
    read_only("id", Kind::Id("property user"), "ID of this user's access."),
    optional("overrides", Kind::Json(&OBJECT), ABOUT_OVERRIDES),
    read_only("property_id", Kind::Id("property"), "The property."),
    required("role", ROLE, ABOUT_ROLE),
    read_only("user_id", Kind::Id("user"), "The user."),
];

/// The fields of a group user.
pub const GROUP_USER: &[Field] = &[
    read_only("id", Kind::Id("group user"), "ID of this user's access."),
    optional("overrides", Kind::Json(&OBJECT), ABOUT_OVERRIDES),
    read_only("group_id", Kind::Id("group"), "The group."),
    required("role", ROLE, ABOUT_ROLE),
    read_only("user_id", Kind::Id("user"), "The user."),
];

/// A link between a user and a property or a group.
pub struct Member {
    pub id: MemberId,
    /// The id of the property or the group.
    pub parent: Uuid,
    pub user_id: UserId,
    /// `owner` or `user`.
    pub role: String,
    /// A JSON object.
    pub overrides: Option<String>,
    pub email: String,
    pub name: Option<String>,
}

impl MemberOf {
    /// The type of the link, and the top-level member of its update.
    pub fn name(self) -> &'static str {
        match self {
            MemberOf::Property => "property_user",
            MemberOf::Group => "group_user",
        }
    }

    /// The type of what users are linked to.
    pub fn parent_name(self) -> &'static str {
        match self {
            MemberOf::Property => "property",
            MemberOf::Group => "group",
        }
    }

    /// The field with its id.
    pub fn parent_field(self) -> &'static str {
        match self {
            MemberOf::Property => "property_id",
            MemberOf::Group => "group_id",
        }
    }

    /// The fields of an invitation.
    pub fn invite(self) -> &'static [Field] {
        match self {
            MemberOf::Property => PROPERTY_INVITE,
            MemberOf::Group => GROUP_INVITE,
        }
    }

    /// The fields of the link.
    pub fn fields(self) -> &'static [Field] {
        match self {
            MemberOf::Property => PROPERTY_USER,
            MemberOf::Group => GROUP_USER,
        }
    }

    fn owner_rule(self) -> &'static str {
        match self {
            MemberOf::Property => "Property must have at least one owner",
            MemberOf::Group => "Group must have at least one owner",
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
