//! `/your_access`: the groups of a user, who gave them access, and whose invitations they do not accept. Here they can
//! leave (docs/contract/README.md, section 15, 107).

use actix_session::Session;
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use askama::Template;
use serde::Deserialize;

use crate::{
    access::signed_in::SignedIn,
    base::{
        clock,
        error::{Error, Result},
        ids::{GroupId, UserId},
    },
    hotel::{
        changes::Changes,
        members::{
            MemberOf, ending, inviters,
            own::{self, OwnGroup},
        },
    },
    people::sessions::notice::{self, Notice},
    record::{by::By, origin::Origin},
    web::{
        form::Arguments,
        page::{self, Layout, Pager, When, counted},
        state::AppState,
    },
};

/// Groups per page.
const LIMIT: i64 = 25;

/// Maximum number of titles that a dialog names.
const NAMED: usize = 10;

#[derive(Template)]
#[template(path = "members/your_access.html")]
struct YourAccessPage {
    layout: Layout,
    notice: Notice,
    groups: Vec<GroupRow>,
    pager: Pager,
    givers: Vec<GiverRow>,
    refused: Vec<RefusedRow>,
    dialog: Dialog,
    problem: Option<Problem>,
}

struct GroupRow {
    id: GroupId,
    title: String,
    role: String,
    since: When,
    /// The email address; `None` for the host.
    given_by: Option<String>,
    is_own: bool,
    properties: String,
}

struct GiverRow {
    id: UserId,
    name: Option<String>,
    email: String,
    /// `2 groups and 1 property`.
    given: String,
}

struct RefusedRow {
    id: UserId,
    name: Option<String>,
    email: String,
    since: When,
}

/// The open dialog.
enum Dialog {
    None,
    LeaveGroup { row: GroupRow },
    LeaveAll { row: GiverRow, staying: Vec<String>, more: usize },
    Allow { row: RefusedRow },
}

/// Why the last action failed, shown beside its row.
struct Problem {
    id: uuid::Uuid,
    text: &'static str,
}

#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    page: String,
}

impl GroupRow {
    fn new(group: OwnGroup, person: &SignedIn) -> Self {
        GroupRow {
            id: group.id,
            title: group.title,
            role: group.role,
            since: When::new(group.since, person.user.zone()),
            is_own: group.given_by.as_deref() == Some(&*person.user.email),
            given_by: group.given_by,
            properties: counted(group.properties, "property", "properties"),
        }
    }
}

impl GiverRow {
    fn new(giver: own::Given) -> Self {
        let groups = counted(giver.groups, "group", "groups");
        let properties = counted(giver.properties, "property", "properties");
        let given = match (giver.groups, giver.properties) {
            (0, _) => properties,
            (_, 0) => groups,
            _ => format!("{groups} and {properties}"),
        };
        GiverRow { id: giver.id, name: giver.name, email: giver.email, given }
    }
}

impl YourAccessPage {
    async fn new(state: &AppState, person: &SignedIn, page: i64) -> Result<Self> {
        let user = person.user.id;
        let mut tx = state.db.read().await?;
        let pages = page::pages_of(own::count_groups(&mut tx, user).await?, LIMIT);
        let page = page.clamp(1, pages);
        let groups = own::groups(&mut tx, user, LIMIT, (page - 1) * LIMIT).await?;
        let refused = inviters::refused_by(&mut tx, user).await?;
        Ok(YourAccessPage {
            layout: Layout::new(state, Some(person.user.display_name())),
            notice: Notice::default(),
            groups: groups.into_iter().map(|group| GroupRow::new(group, person)).collect(),
            pager: Pager::new(page, pages, |page| format!("/your_access?page={page}")),
            givers: own::givers(&mut tx, user).await?.into_iter().map(GiverRow::new).collect(),
            refused: refused
                .into_iter()
                .map(|inviter| RefusedRow {
                    id: inviter.id,
                    name: inviter.name,
                    email: inviter.email,
                    since: When::new(inviter.since, person.user.zone()),
                })
                .collect(),
            dialog: Dialog::None,
            problem: None,
        })
    }

    /// The page of the list with this group.
    async fn with_group(state: &AppState, person: &SignedIn, group: GroupId) -> Result<Self> {
        let mut tx = state.db.read().await?;
        let place = own::place_of_group(&mut tx, person.user.id, group).await?;
        drop(tx);
        Self::new(state, person, place / LIMIT + 1).await
    }

    fn problem_of(&self, id: &uuid::Uuid) -> Option<&str> {
        self.problem.as_ref().filter(|problem| problem.id == *id).map(|problem| problem.text)
    }

    /// Shows the page with the reason if a rule forbids an action; other errors are returned.
    fn refused(mut self, id: uuid::Uuid, error: Error) -> Result<HttpResponse> {
        let Error::Refused(rule) = error else { return Err(error) };
        let text = match super::page_message(rule) {
            "Nobody else owns this property. Make somebody else an owner first." => {
                "Nobody else would own a property in it. Make somebody else an owner first."
            }
            text => text,
        };
        self.problem = Some(Problem { id, text });
        page::html(StatusCode::UNPROCESSABLE_ENTITY, &self)
    }
}

/// GET /your_access
pub async fn show(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    query: Arguments<Query>,
) -> Result<HttpResponse> {
    let Arguments(query) = query;
    let mut page = YourAccessPage::new(&state, &person, query.page.parse().unwrap_or(1)).await?;
    page.notice = notice::take(&session);
    page::html(StatusCode::OK, &page)
}

/// GET /your_access/groups/{id}/leave: asks for confirmation.
pub async fn confirm_group(state: Data<AppState>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let mut page = YourAccessPage::with_group(&state, &person, id).await?;
    let Some(place) = page.groups.iter().position(|row| row.id == id) else {
        return Ok(page::see_other("/your_access"));
    };
    // The row moves into the dialog, which covers the list; the list is read again when it closes.
    page.dialog = Dialog::LeaveGroup { row: page.groups.remove(place) };
    page::html(StatusCode::OK, &page)
}

/// POST /your_access/groups/{id}/leave
pub async fn leave_group(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    id: Path<String>,
) -> Result<HttpResponse> {
    let id: GroupId = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.write().await?;
    let (user, now) = (person.user.id, clock::now());
    let mut changes = Changes::new(By::person(user, &origin), now);
    match ending::leave_for_good(&mut tx, &mut changes, MemberOf::Group, id.0, user, now).await {
        Ok(()) => changes.commit(tx).await?,
        // Sent twice: they have left already.
        Err(Error::NotFound) => {}
        Err(error) => {
            drop(tx);
            return YourAccessPage::with_group(&state, &person, id).await?.refused(id.0, error);
        }
    }
    notice::see_other(&session, "/your_access", "You have left the group.")
}

/// GET /your_access/from/{user}/leave: asks whether to leave everything that somebody gave.
pub async fn confirm_all(state: Data<AppState>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    let id: UserId = id.parse().map_err(|_| Error::NotFound)?;
    let mut page = YourAccessPage::new(&state, &person, 1).await?;
    let Some(place) = page.givers.iter().position(|row| row.id == id) else {
        return Ok(page::see_other("/your_access"));
    };
    let mut tx = state.db.read().await?;
    let mut staying = own::staying(&mut tx, id, person.user.id).await?;
    let more = staying.len().saturating_sub(NAMED);
    staying.truncate(NAMED);
    page.dialog = Dialog::LeaveAll { row: page.givers.remove(place), staying, more };
    page::html(StatusCode::OK, &page)
}

/// POST /your_access/from/{user}/leave
pub async fn leave_all(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    id: Path<String>,
) -> Result<HttpResponse> {
    let id: UserId = id.parse().map_err(|_| Error::NotFound)?;
    let page = YourAccessPage::new(&state, &person, 1).await?;
    if page.givers.iter().all(|row| row.id != id) {
        return Ok(page::see_other("/your_access"));
    }
    let mut tx = state.db.write().await?;
    let now = clock::now();
    let mut changes = Changes::new(By::person(person.user.id, &origin), now);
    let left = match ending::leave_all_from(&mut tx, &mut changes, id, person.user.id).await {
        Ok(left) => left,
        Err(error) => return page.refused(id.0, error),
    };
    inviters::refuse(&mut tx, person.user.id, id, now).await?;
    changes.commit(tx).await?;
    let text = match i64::try_from(left.stayed).unwrap_or(i64::MAX) {
        0 => "You have left everything that this person gave you.".to_owned(),
        stayed => {
            let stays = counted(stayed, "of it stays", "of them stay");
            format!("You have left what this person gave you; {stays}, because nobody else owns it.")
        }
    };
    notice::see_other(&session, "/your_access", text)
}

/// GET /your_access/refused/{user}/allow: asks for confirmation.
pub async fn confirm_allowing(state: Data<AppState>, person: SignedIn, id: Path<String>) -> Result<HttpResponse> {
    let id: UserId = id.parse().map_err(|_| Error::NotFound)?;
    let mut page = YourAccessPage::new(&state, &person, 1).await?;
    let Some(place) = page.refused.iter().position(|row| row.id == id) else {
        return Ok(page::see_other("/your_access"));
    };
    page.dialog = Dialog::Allow { row: page.refused.remove(place) };
    page::html(StatusCode::OK, &page)
}

/// POST /your_access/refused/{user}/allow
pub async fn allow(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    id: Path<String>,
) -> Result<HttpResponse> {
    let id: UserId = id.parse().map_err(|_| Error::NotFound)?;
    let mut tx = state.db.write().await?;
    inviters::allow(&mut tx, person.user.id, id).await?;
    tx.commit().await?;
    notice::see_other(&session, "/your_access", "This person can invite you again.")
}
