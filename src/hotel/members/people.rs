//! The page "People with access" of a property (docs/contract/README.md, section 15, 106).

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::StatusCode};
use askama::Template;
use chrono_tz::Tz;

use crate::{
    access::{self, Role, signed_in::SignedIn},
    base::{
        error::{Error, Result},
        ids::{GroupId, MemberId, PropertyId, UserId},
    },
    db::{Bind, Statement, Tx},
    hotel::{
        groups::placements::{self, Holding},
        members::ways::{self, Way},
    },
    people::sessions::notice::Notice,
    web::{
        page::{self, Layout, Pager, When, counted},
        state::AppState,
    },
};

/// Rows per page.
const LIMIT: i64 = 25;

/// Maximum number of owners that a row names.
const NAMED: usize = 3;

#[derive(Template)]
#[template(path = "members/people.html")]
pub struct PeoplePage {
    layout: Layout,
    /// The property.
    id: PropertyId,
    title: String,
    pub notice: Notice,
    /// The viewer owns the property.
    is_owner: bool,
    /// `1 person`, `40 people`.
    people: String,
    owners: Vec<Named>,
    rows: Vec<Row>,
    pager: Pager,
    groups: Vec<GroupRow>,
    pub dialog: Dialog,
    /// Why the last action failed, shown beside its row.
    problem: Option<Problem>,
}

/// The name and email address of a person.
pub struct Named {
    pub name: Option<String>,
    pub email: String,
}

/// Who made a link or a placement.
pub struct Maker {
    pub by: MadeBy,
    pub key: Option<String>,
}

pub enum MadeBy {
    /// Nobody is recorded.
    Host,
    /// The user of the link, who created the property or group.
    Themself,
    Person(String),
}

/// A way of one person.
pub struct Row {
    pub link: MemberId,
    pub person: Named,
    pub role: String,
    pub through: Option<Through>,
    pub since: When,
    pub given: Maker,
    pub ending: Ending,
}

pub struct Through {
    pub title: String,
    pub is_home: bool,
}

/// How the viewer can end a way.
pub enum Ending {
    /// It is the viewer's own.
    Leave {
        address: String,
    },
    Remove {
        address: String,
    },
    /// Only owners of its group can: the first of them, and how many more there are.
    Ask {
        owners: Vec<String>,
        more: usize,
    },
}

/// A group that contains the property.
pub struct GroupRow {
    pub id: GroupId,
    pub title: String,
    pub is_home: bool,
    pub since: When,
    pub put: Maker,
    pub people: String,
    /// The viewer may take the property out of it.
    pub can_take_out: bool,
}

/// The open dialog.
pub enum Dialog {
    None,
    Remove { row: Row },
    TakeOut { row: GroupRow },
    Leave { giver: Option<String> },
}

/// The row beside which a problem is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    Link(MemberId),
    Group(GroupId),
}

pub struct Problem {
    pub beside: Beside,
    pub text: String,
}

impl Maker {
    fn new(by: Option<String>, key: Option<String>, own: &str) -> Self {
        let by = match by {
            None => MadeBy::Host,
            Some(by) if by == own => MadeBy::Themself,
            Some(by) => MadeBy::Person(by),
        };
        Maker { by, key }
    }
}

/// What a viewer can see of the people of a property.
pub struct View {
    pub title: String,
    pub role: Role,
    pub me: UserId,
    pub ways: Vec<Way>,
    pub groups: Vec<Holding>,
}

impl View {
    /// # Errors
    /// `NotFound` if the viewer cannot see the property.
    pub async fn read(tx: &mut Tx, person: &SignedIn, property: PropertyId) -> Result<Self> {
        const TITLE: &str = "select title from properties where id = $1";
        let role = access::property_role(tx, &person.caller(), property).await?.ok_or(Error::NotFound)?;
        let titles: Vec<String> = Statement::new(TITLE, vec![Bind::Id(property.0)]).fetch_values(tx).await?;
        Ok(View {
            title: titles.into_iter().next().ok_or(Error::NotFound)?,
            role,
            me: person.user.id,
            ways: ways::to_property(tx, property).await?,
            groups: if role == Role::Owner { placements::holding(tx, property).await? } else { Vec::new() },
        })
    }

    fn owns_group(&self, group: GroupId) -> bool {
        self.ways.iter().any(|way| way.group == Some(group) && way.user == self.me && way.role == "owner")
    }

    pub fn ending(&self, property: PropertyId, way: &Way) -> Ending {
        match way.group {
            None if way.user == self.me => Ending::Leave { address: format!("/properties/{property}/people/leave") },
            Some(group) if way.user == self.me => {
                Ending::Leave { address: format!("/your_access/groups/{group}/leave") }
            }
            Some(group) if !self.owns_group(group) => {
                let owners = self.ways.iter().filter(|way| way.group == Some(group) && way.role == "owner");
                let mut owners: Vec<String> = owners.map(|way| way.email.clone()).collect();
                let more = owners.len().saturating_sub(NAMED);
                owners.truncate(NAMED);
                Ending::Ask { owners, more }
            }
            _ => Ending::Remove { address: format!("/properties/{property}/people/{}/remove", way.link) },
        }
    }

    /// A way as a row; only owners see the API key with which it was given.
    pub fn row(&self, property: PropertyId, way: &Way, zone: Tz) -> Row {
        let key = way.given_by_key.clone().filter(|_| self.role == Role::Owner);
        Row {
            link: way.link,
            person: Named { name: way.name.clone(), email: way.email.clone() },
            role: way.role.clone(),
            through: way.group_title.clone().map(|title| Through { title, is_home: way.is_home }),
            since: When::new(way.since, zone),
            given: Maker::new(way.given_by.clone(), key, &way.email),
            ending: self.ending(property, way),
        }
    }

    /// A placement as a row. The property can be taken out of its home only by an owner of both that and another of its
    /// groups.
    pub fn group_row(&self, group: &Holding, zone: Tz) -> GroupRow {
        let owns_other = self.groups.iter().any(|other| other.id != group.id && self.owns_group(other.id));
        GroupRow {
            id: group.id,
            title: group.title.clone(),
            is_home: group.is_home,
            since: When::new(group.since, zone),
            put: Maker::new(group.put_by.clone(), group.put_by_key.clone(), ""),
            people: counted(group.people, "person", "people"),
            can_take_out: !group.is_home || (self.owns_group(group.id) && owns_other),
        }
    }

    /// All owners of the property, each once.
    fn owners(&self) -> Vec<Named> {
        let owners = self.ways.iter().filter(|way| way.role == "owner");
        let by_email: BTreeMap<&str, Option<String>> = owners.map(|way| (&*way.email, way.name.clone())).collect();
        by_email.into_iter().map(|(email, name)| Named { name, email: email.to_owned() }).collect()
    }
}

impl PeoplePage {
    /// This page of the list, or if there is a problem, the page with its row.
    pub fn new(
        state: &AppState,
        person: &SignedIn,
        id: PropertyId,
        view: &View,
        page: i64,
        problem: Option<Problem>,
    ) -> Self {
        let zone = person.user.zone();
        let is_owner = view.role == Role::Owner;
        let shown: Vec<&Way> = view.ways.iter().filter(|way| is_owner || way.user == view.me).collect();
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let pages = page::pages_of(number(shown.len()), LIMIT);
        let beside = problem.as_ref().and_then(|problem| {
            shown.iter().position(|way| Beside::Link(way.link) == problem.beside).map(|index| number(index) / LIMIT + 1)
        });
        let page = beside.unwrap_or(page).clamp(1, pages);
        let pager = Pager::new(page, pages, |page| format!("/properties/{id}/people?page={page}"));
        let first = usize::try_from((page - 1) * LIMIT).unwrap_or_default();
        let rows = shown.iter().skip(first).take(LIMIT as usize);
        let mut emails: Vec<&str> = shown.iter().map(|way| &*way.email).collect();
        emails.dedup();
        PeoplePage {
            layout: Layout::new(state, Some(person.user.display_name())),
            id,
            title: view.title.clone(),
            notice: Notice::default(),
            is_owner,
            people: counted(number(emails.len()), "person", "people"),
            owners: if is_owner { Vec::new() } else { view.owners() },
            rows: rows.map(|way| view.row(id, way, zone)).collect(),
            pager,
            groups: view.groups.iter().map(|group| view.group_row(group, zone)).collect(),
            dialog: Dialog::None,
            problem,
        }
    }

    /// The problem of a row.
    fn problem_of(&self, beside: Beside) -> Option<&str> {
        self.problem.as_ref().filter(|problem| problem.beside == beside).map(|problem| &*problem.text)
    }

    fn link_problem(&self, link: &MemberId) -> Option<&str> {
        self.problem_of(Beside::Link(*link))
    }

    fn group_problem(&self, group: &GroupId) -> Option<&str> {
        self.problem_of(Beside::Group(*group))
    }

    pub fn answer(&self, status: StatusCode) -> Result<HttpResponse> {
        page::html(status, self)
    }
}
