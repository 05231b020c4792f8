//! `/properties/{id}/people`: who has access to a property. Every form posts to the address that shows it.

use actix_session::Session;
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::Deserialize;

use crate::{
    access::{self, Role, signed_in::SignedIn},
    base::{
        clock,
        error::{Error, Result},
        ids::{GroupId, MemberId, PropertyId},
    },
    hotel::{
        changes::Changes,
        groups::placements,
        members::{
            MemberOf, ParentId, api, ending,
            people::{Beside, Dialog, Ending, PeoplePage, Problem, View},
        },
    },
    people::sessions::notice,
    record::{by::By, origin::Origin},
    web::{form::Arguments, page, state::AppState},
};

#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    page: String,
}

const REMOVED: &str = "Access removed.";
const TAKEN_OUT: &str = "The property is no longer in that group.";
const LEFT: &str = "You have left the property itself. You may still have access to it through a group.";

/// Parses an id of the path.
///
/// # Errors
/// `NotFound` if it is malformed.
fn id<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::NotFound)
}

async fn view(state: &AppState, person: &SignedIn, property: PropertyId) -> Result<View> {
    let mut tx = state.db.read().await?;
    View::read(&mut tx, person, property).await
}

/// GET /properties/{id}/people
pub async fn list(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    property: Path<String>,
    query: Arguments<Query>,
) -> Result<HttpResponse> {
    let property = id(&property)?;
    let view = view(&state, &person, property).await?;
    let mut page = PeoplePage::new(&state, &person, property, &view, query.0.page.parse().unwrap_or(1), None);
    page.notice = notice::take(&session);
    page.answer(StatusCode::OK)
}

async fn with_dialog(
    state: &AppState,
    person: &SignedIn,
    property: PropertyId,
    view: &View,
    dialog: Dialog,
) -> Result<HttpResponse> {
    let mut page = PeoplePage::new(state, person, property, view, 1, None);
    page.dialog = dialog;
    page.answer(StatusCode::OK)
}

/// Shows the list with the reason if a rule forbids an action; other errors are returned.
async fn refused(
    state: &AppState,
    person: &SignedIn,
    property: PropertyId,
    beside: Beside,
    error: Error,
) -> Result<HttpResponse> {
    let text = match error {
        Error::Refused(rule) => super::page_message(rule).to_owned(),
        Error::Forbidden(_) => "You can no longer do this: your own role has just changed.".to_owned(),
        error => return Err(error),
    };
    let view = view(state, person, property).await?;
    let page = PeoplePage::new(state, person, property, &view, 1, Some(Problem { beside, text }));
    page.answer(StatusCode::UNPROCESSABLE_ENTITY)
}

fn back(session: &Session, property: PropertyId, text: &str) -> Result<HttpResponse> {
    notice::see_other(session, &format!("/properties/{property}/people"), text)
}

/// GET /properties/{id}/people/{link}/remove: asks for confirmation.
pub async fn confirm_removal(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    ids: Path<(String, String)>,
) -> Result<HttpResponse> {
    let (property, link): (PropertyId, MemberId) = (id(&ids.0)?, id(&ids.1)?);
    let view = view(&state, &person, property).await?;
    if view.role != Role::Owner {
        return Err(Error::NotFound);
    }
    let Some(way) = view.ways.iter().find(|way| way.link == link) else { return back(&session, property, REMOVED) };
    let row = view.row(property, way, person.user.zone());
    match &row.ending {
        Ending::Remove { .. } => with_dialog(&state, &person, property, &view, Dialog::Remove { row }).await,
        Ending::Leave { address } => Ok(page::see_other(address)),
        Ending::Ask { .. } => Err(Error::NotFound),
    }
}

/// POST /properties/{id}/people/{link}/remove: ends somebody else's link to the property, or to a group of the viewer's
/// that holds it.
pub async fn remove(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    ids: Path<(String, String)>,
) -> Result<HttpResponse> {
    let (property, link): (PropertyId, MemberId) = (id(&ids.0)?, id(&ids.1)?);
    let view = view(&state, &person, property).await?;
    if view.role != Role::Owner {
        return Err(Error::NotFound);
    }
    // Sent twice, or ended by somebody else meanwhile: it is done.
    let Some(way) = view.ways.iter().find(|way| way.link == link) else { return back(&session, property, REMOVED) };
    let ending = view.ending(property, way);
    if !matches!(ending, Ending::Remove { .. }) {
        return Err(Error::NotFound);
    }
    let ended = match way.group {
        Some(_) => end_link::<GroupId>(&state, &person, &origin, link).await,
        None => end_link::<PropertyId>(&state, &person, &origin, link).await,
    };
    match ended {
        Ok(()) | Err(Error::NotFound) => back(&session, property, REMOVED),
        Err(error) => refused(&state, &person, property, Beside::Link(link), error).await,
    }
}

async fn end_link<P: ParentId>(state: &AppState, person: &SignedIn, origin: &Origin, link: MemberId) -> Result<()> {
    let mut tx = state.db.write().await?;
    let (member, role) = api::lock::<P>(&mut tx, &person.caller(), &link.to_string()).await?;
    role.must_own()?;
    let (parent, user) = (member.resource.parent.into(), member.resource.user_id);
    let mut changes = Changes::new(By::person(person.user.id, origin), clock::now());
    ending::end(&mut tx, &mut changes, P::OF, link, parent, user).await?;
    Ok(changes.commit(tx).await?)
}

/// GET /properties/{id}/people/groups/{group}/take_out: asks for confirmation.
pub async fn confirm_take_out(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    ids: Path<(String, String)>,
) -> Result<HttpResponse> {
    let (property, group): (PropertyId, GroupId) = (id(&ids.0)?, id(&ids.1)?);
    let view = view(&state, &person, property).await?;
    if view.role != Role::Owner {
        return Err(Error::NotFound);
    }
    let Some(group) = view.groups.iter().find(|holding| holding.id == group) else {
        return back(&session, property, TAKEN_OUT);
    };
    let row = view.group_row(group, person.user.zone());
    if !row.can_take_out {
        return Err(Error::NotFound);
    }
    with_dialog(&state, &person, property, &view, Dialog::TakeOut { row }).await
}

/// POST /properties/{id}/people/groups/{group}/take_out
pub async fn take_out(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    ids: Path<(String, String)>,
) -> Result<HttpResponse> {
    let (property, group): (PropertyId, GroupId) = (id(&ids.0)?, id(&ids.1)?);
    let view = view(&state, &person, property).await?;
    if view.role != Role::Owner {
        return Err(Error::NotFound);
    }
    let mut tx = state.db.write().await?;
    let mut changes = Changes::new(By::person(person.user.id, &origin), clock::now());
    let done = match placements::take_out(&mut tx, &mut changes, &person.caller(), group, property).await {
        Ok(()) => changes.commit(tx).await.map_err(Error::from),
        Err(error) => {
            drop(tx);
            Err(error)
        }
    };
    match done {
        Ok(()) | Err(Error::NotFound) => {
            let mut tx = state.db.read().await?;
            match access::property_role(&mut tx, &person.caller(), property).await? {
                Some(_) => back(&session, property, TAKEN_OUT),
                None => notice::see_other(
                    &session,
                    "/your_access",
                    "The property is no longer in that group, and you no longer have access to it.",
                ),
            }
        }
        Err(error) => refused(&state, &person, property, Beside::Group(group), error).await,
    }
}

/// GET /properties/{id}/people/leave: asks whether to leave the property itself.
pub async fn confirm_leaving(state: Data<AppState>, person: SignedIn, property: Path<String>) -> Result<HttpResponse> {
    let property = id(&property)?;
    let view = view(&state, &person, property).await?;
    let Some(way) = view.ways.iter().find(|way| way.user == view.me && way.group.is_none()) else {
        return Ok(page::see_other(&format!("/properties/{property}/people")));
    };
    let giver = way.given_by.clone().filter(|giver| *giver != way.email);
    with_dialog(&state, &person, property, &view, Dialog::Leave { giver }).await
}

/// POST /properties/{id}/people/leave
pub async fn leave(
    state: Data<AppState>,
    person: SignedIn,
    session: Session,
    origin: Origin,
    property: Path<String>,
) -> Result<HttpResponse> {
    let property: PropertyId = id(&property)?;
    let view = match view(&state, &person, property).await {
        // Sent twice: they have left already.
        Err(Error::NotFound) => return Ok(page::see_other("/your_access")),
        view => view?,
    };
    let Some(link) = view.ways.iter().find(|way| way.user == view.me && way.group.is_none()).map(|way| way.link) else {
        return back(&session, property, LEFT);
    };
    let mut tx = state.db.write().await?;
    let (user, now) = (person.user.id, clock::now());
    let mut changes = Changes::new(By::person(user, &origin), now);
    let left = ending::leave_for_good(&mut tx, &mut changes, MemberOf::Property, property.0, user, now).await;
    if let Err(error) = left {
        drop(tx);
        return refused(&state, &person, property, Beside::Link(link), error).await;
    }
    let rest = access::property_role(&mut tx, &person.caller(), property).await?;
    changes.commit(tx).await?;
    match rest {
        Some(_) => back(&session, property, LEFT),
        None => notice::see_other(&session, "/your_access", "You have left the property."),
    }
}
