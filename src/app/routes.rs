//! Every URL.

use actix_web::{
    HttpResponse,
    http::header::ContentType,
    middleware::from_fn,
    web::{Data, ServiceConfig},
};

use crate::{
    access::signed_in::OptionalUser,
    base::{
        error::{Error, Result},
        ids::{GroupId, PropertyId},
    },
    host::{activity, docs, leaked_key, profile, sign_up},
    hotel::{
        facilities, groups, members,
        photos::Photo,
        policies::HotelPolicy,
        properties::{self, Property},
        rate_plans::{self, RatePlan},
        room_types::{self, RoomType},
        taxes::{Tax, TaxSet},
    },
    keys,
    people::users::{email_change, invitation, reset},
    resource::handlers::{self, READ},
    web::{
        assets,
        methods::{Routes, resource},
        page_responses,
        state::AppState,
    },
};

/// Under `/api/v1`, for callers (docs/contract/README.md, section 14).
pub fn api() -> Routes {
    use facilities::api as facilities;
    use groups::api as groups;
    use properties::api as properties;
    use rate_plans::api as rate_plans;

    Routes::default()
        .add(resource("/me").get(keys::api::me))
        .add(resource("/properties").get(properties::list).post(properties::create))
        .add(resource("/properties/options").get(handlers::options::<Property>))
        .add(
            resource("/properties/{id}")
                .get(properties::read)
                .put(properties::update)
                .delete(properties::delete)
                .not_found(READ),
        )
        .add(resource("/groups").get(groups::list).post(groups::create))
        .add(resource("/groups/{id}").get(groups::read).put(groups::update).delete(groups::delete).not_found(READ))
        .add(resource("/groups/{group_id}/properties/{property_id}").post(groups::add).delete(groups::remove))
        .members::<PropertyId>()
        .members::<GroupId>()
        .collection_deleted_by::<RoomType, _, _>(room_types::delete)
        .collection::<Tax>()
        .collection::<TaxSet>()
        // As the original prints it (docs/contract/taxes.md, quirk 1).
        .unlisted(resource("/tax_set/{id}").put(handlers::update::<TaxSet>))
        .collection::<HotelPolicy>()
        .collection::<Photo>()
        .add(resource("/rate_plans").get(handlers::list::<RatePlan>).post(rate_plans::create))
        .add(resource("/rate_plans/options").get(handlers::options::<RatePlan>))
        .add(
            resource("/rate_plans/{id}")
                .get(handlers::read::<RatePlan>)
                .put(rate_plans::update)
                .delete(rate_plans::delete)
                .not_found(READ),
        )
        .add(resource("/openapi.json").get(docs::document::read))
        .add(resource("/property_facilities").get(facilities::of_properties))
        .add(resource("/property_facilities/options").get(facilities::options_of_properties))
        .add(resource("/room_facilities").get(facilities::of_rooms))
        .add(resource("/room_facilities/options").get(facilities::options_of_rooms))
}

/// Pages, for people. Every form posts to the address that shows it.
pub fn pages(pages: &mut ServiceConfig) {
    use crate::people::sessions::{pages as sessions, second_step};
    use docs::pages as docs;
    use members::{pages as people, your_access};
    use profile::details as users;

    pages
        .configure(profile_pages)
        .service(resource("/").get(users::home).done())
        .service(resource("/sign_in").get(sessions::show).post(sessions::sign_in).done())
        .service(resource("/sign_in/second_factor").get(second_step::show).post(second_step::sign_in).done())
        .service(resource("/sign_out").get(sessions::sign_out_typed).post(sessions::sign_out).done())
        .service(resource("/reset_password").get(reset::show).post(reset::ask).done())
        .service(resource("/reset_password/{token}").get(reset::open).post(reset::set).done())
        .service(resource("/welcome/{token}").get(invitation::show).post(invitation::set).done())
        .service(resource("/email/{token}").get(email_change::show_change).post(email_change::confirm).done())
        .service(resource("/email/undo/{token}").get(email_change::show_undo).post(email_change::undo).done())
        .service(resource("/sign_up").get(sign_up::show).post(sign_up::ask).done())
        .service(resource("/sign_up/{token}").get(sign_up::open).post(sign_up::create).done())
        .service(resource("/properties").get(properties::pages::list).done())
        .service(resource("/properties/{id}/people").get(people::list).done())
        .service(resource("/properties/{id}/people/leave").get(people::confirm_leaving).post(people::leave).done())
        .service(
            resource("/properties/{id}/people/{link}/remove").get(people::confirm_removal).post(people::remove).done(),
        )
        .service(
            resource("/properties/{id}/people/groups/{group}/take_out")
                .get(people::confirm_take_out)
                .post(people::take_out)
                .done(),
        )
        .service(resource("/your_access").get(your_access::show).done())
        .service(
            resource("/your_access/groups/{id}/leave")
                .get(your_access::confirm_group)
                .post(your_access::leave_group)
                .done(),
        )
        .service(
            resource("/your_access/from/{id}/leave").get(your_access::confirm_all).post(your_access::leave_all).done(),
        )
        .service(
            resource("/your_access/refused/{id}/allow")
                .get(your_access::confirm_allowing)
                .post(your_access::allow)
                .done(),
        )
        .service(resource("/docs").get(docs::overview).done())
        .service(resource("/docs/api_key_access").get(docs::api_key_access).done())
        .service(resource("/docs/conventions").get(docs::conventions).done())
        .service(resource("/docs/reference").get(docs::operations).done())
        .service(resource("/docs/reference/{tag}").get(docs::tag).done());
}

/// The User Profile page, and what belongs to the account.
fn profile_pages(pages: &mut ServiceConfig) {
    use profile::{confirm, details as users, email, key_edit, key_rotation, keys, second_factor, sessions};

    pages
        .service(resource("/user_profile").get(users::profile).post(users::save).done())
        .service(resource("/user_profile/password").get(users::password_form).post(users::change_password).done())
        .service(resource("/user_profile/email").get(email::show).post(email::ask).done())
        .service(resource("/confirm").get(confirm::show).post(confirm::confirm).done())
        .service(resource("/user_profile/second_factor").get(second_factor::overview).done())
        .service(
            resource("/user_profile/second_factor/new")
                .get(second_factor::set_up_form)
                .post(second_factor::set_up)
                .done(),
        )
        .service(
            resource("/user_profile/second_factor/remove")
                .get(second_factor::remove_form)
                .post(second_factor::remove)
                .done(),
        )
        .service(
            resource("/user_profile/recovery_codes/new")
                .get(second_factor::new_codes_form)
                .post(second_factor::create_codes)
                .done(),
        )
        .service(resource("/user_profile/sessions").get(sessions::list).done())
        .service(
            resource("/user_profile/sessions/sign_out_others")
                .get(sessions::forms)
                .post(sessions::sign_out_others)
                .done(),
        )
        .service(resource("/user_profile/sessions/{id}/sign_out").get(sessions::forms).post(sessions::sign_out).done())
        .service(resource("/user_profile/activity").get(activity::show).done())
        .service(resource("/user_profile/activity.csv").get(activity::download).done())
        .service(resource("/user_profile/api_keys").get(keys::list).done())
        .service(resource("/user_profile/api_keys/new").get(keys::new).post(keys::create).done())
        .service(resource("/user_profile/api_keys/{id}").get(keys::details).done())
        .service(resource("/user_profile/api_keys/{id}/first_use").get(keys::first_use).done())
        .service(resource("/user_profile/api_keys/{id}/withdraw").get(keys::confirm).post(keys::withdraw).done())
        .service(resource("/user_profile/api_keys/{id}/edit").get(key_edit::show).post(key_edit::save).done())
        .service(
            resource("/user_profile/api_keys/{id}/rotate").get(key_rotation::show).post(key_rotation::rotate).done(),
        )
        .service(resource("/user_profile/withdraw_all_keys").get(keys::confirm_all).post(keys::withdraw_all).done());
}

/// Health checks, static files, and the page for everybody that uses no session.
pub fn open(open: &mut ServiceConfig) {
    open.service(resource("/healthz").get(alive).done().wrap(from_fn(page_responses::middleware)))
        .service(
            resource("/leaked_key")
                .get(leaked_key::show)
                .post(leaked_key::report)
                .done()
                .wrap(from_fn(page_responses::middleware)),
        )
        .service(resource("/readyz").get(ready).done().wrap(from_fn(page_responses::middleware)))
        .service(resource(assets::PATTERN).get(assets::file).done().wrap(from_fn(page_responses::middleware)));
}

/// An unknown path of the API.
pub async fn nothing() -> Result<HttpResponse> {
    Err(Error::NotFound)
}

/// An unknown page, whose header names the signed-in user.
pub async fn no_page(_: OptionalUser) -> Result<HttpResponse> {
    Err(Error::NotFound)
}

/// GET /healthz: the process is running.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n")
}

/// GET /readyz: the database answers and has its schema.
async fn ready(state: Data<AppState>) -> Result<HttpResponse> {
    state.db.is_ready().await?;
    Ok(HttpResponse::Ok().content_type(ContentType::plaintext()).body("ready\n"))
}
