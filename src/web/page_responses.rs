//! Middleware of pages: admission, CSRF, security headers, and errors as pages.

use actix_web::{
    HttpMessage, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use askama::Template;

use crate::{
    base::error::Error,
    web::{
        admission::{self, Admission},
        api_responses::log_fault,
        cookies::NewCookie,
        csrf,
        errors::durable,
        https, methods,
        page::{self, CurrentUserName, LONGEST_ADDRESS, Layout, counted},
        request_log::{self, RequestId},
        state::AppState,
    },
};

/// No content from other sites, nothing inline, no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
    frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same for a page that a page of this site shows in a frame.
pub const FRAMED_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// Where two-factor authentication is set up.
const ENROLMENT: &str = "/user_profile/second_factor/new";

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    title: String,
    message: String,
    request_id: String,
}

pub async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let state = request.app_data::<Data<AppState>>().cloned();
    let limits = request.app_data::<Data<Admission>>().cloned();
    let Some((state, limits)) = state.zip(limits) else { return Err(Error::Internal("no state".to_owned()).into()) };
    let id = request.extensions().get::<RequestId>().copied();
    let permit = match admission::page(&state, &limits, &request) {
        Ok(permit) => permit,
        Err(error) => {
            request_log::set_reason(request.request(), &error);
            let page = error_page(&state, &error, id, None);
            return Ok(with_headers(request.into_response(page), &state));
        }
    };
    let checked = match request.uri().path_and_query().is_some_and(|path| path.as_str().len() > LONGEST_ADDRESS) {
        true => Err(Error::AddressTooLong),
        false => csrf::check(request.request(), &state.base_url),
    };
    if let Err(error) = checked {
        request_log::set_reason(request.request(), &error);
        let page = error_page(&state, &error, id, None);
        return Ok(with_headers(request.into_response(page), &state));
    }
    let (is_write, failed) = (methods::is_write(request.method()), state.db.failed_commits());
    let answered = next.call(request).await;
    drop(permit);
    match answered {
        Ok(answer) => {
            let mut answer = answer.map_into_boxed_body();
            if is_write {
                answer = durable(&state.db, failed, answer).await;
            }
            let answer = if is_bare_error(&answer) { as_page(answer, &state, id) } else { answer };
            Ok(with_headers(answer, &state))
        }
        // The session store failed: there is no request left to answer from.
        Err(error) => {
            log::error!("could not read or save a session: {error}");
            let mut page = error_page(&state, &Error::Unavailable, id, None);
            add_headers(page.headers_mut(), &state);
            Err(InternalError::from_response(error, page).into())
        }
    }
}

/// True for an error that is not rendered yet.
fn is_bare_error(answer: &ServiceResponse) -> bool {
    answer.response().error().is_some()
}

fn as_page(answer: ServiceResponse, state: &AppState, id: Option<RequestId>) -> ServiceResponse {
    let (request, response) = answer.into_parts();
    let user_name = request.extensions().get::<CurrentUserName>().cloned();
    let mut page = match response.error().and_then(|error| error.as_error::<Error>()) {
        Some(Error::SignIn { return_to, has_input }) => page::see_other(&page::sign_in_address(return_to, *has_input)),
        Some(Error::Enrol) => page::see_other(ENROLMENT),
        Some(Error::Confirm { return_to }) => page::see_other(&page::confirm_address(return_to)),
        Some(error) => {
            request_log::set_reason(&request, error);
            error_page(state, error, id, user_name)
        }
        None => error_page(state, &Error::bad_request("The request could not be understood."), id, user_name),
    };
    if let Some(NewCookie(cookie)) = request.extensions_mut().remove()
        && let Err(error) = page.add_cookie(&cookie)
    {
        log::error!("could not write a cookie: {error}");
    }
    ServiceResponse::new(request, page)
}

fn error_page(
    state: &AppState,
    error: &Error,
    id: Option<RequestId>,
    user_name: Option<CurrentUserName>,
) -> HttpResponse {
    log_fault(error, id);
    let (title, message) = message(error);
    let page = ErrorPage {
        layout: Layout { person: user_name.map(|person| person.0), ..Layout::new(state, None) },
        title: title.to_owned(),
        message,
        request_id: id.map_or(String::new(), |id| id.0.to_string()),
    };
    let mut answer = error.error_response();
    match page.render() {
        Ok(body) => {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            answer.headers_mut().insert(header::CONTENT_TYPE, html);
            answer.set_body(BoxBody::new(body))
        }
        Err(error) => {
            log::error!("a template failed: {error}");
            answer
        }
    }
}

/// The title and the message: what happened, and what to do.
fn message(error: &Error) -> (&'static str, String) {
    let text = str::to_owned;
    match error {
        Error::NotFound => ("Page not found", text("This page does not exist, or you do not have access to it.")),
        Error::MethodNotAllowed(_) => ("Method not allowed", text("This page does not support that kind of request.")),
        Error::Full(reason) => ("Limit reached", format!("Request not processed: {reason}.")),
        Error::CrossSite => {
            ("Request blocked", text("The request came from another site. Go back to the page and try again."))
        }
        Error::Forbidden(_) | Error::NotAllowedFrom(_) | Error::Confirm { .. } | Error::Enrol => {
            ("Not allowed", text("You are not allowed to do this."))
        }
        Error::BadRequest(details) => ("Invalid request", details.join(" ")),
        Error::Insecure(why) => ("Use https", format!("Request blocked: {why}. Open the https address of this site.")),
        Error::OtherName { sent, ours } => (
            "Request blocked",
            format!(
                "The request came from another address: you opened the page at {sent}, but this site's address is \
                 {ours}. Open {ours} and try again. If {sent} is the right address, whoever runs this site must \
                 set LATCHKEY_BASE_URL to it."
            ),
        ),
        Error::AddressTooLong => {
            ("Address too long", text("The address is too long. Open the page without the query after its path."))
        }
        Error::TooLarge => ("Too large", text("The form is too large. Shorten it and submit it again.")),
        Error::Encoded => ("Invalid request", text("The form was sent compressed. Send it uncompressed.")),
        Error::Unauthorized(_) | Error::SignIn { .. } => ("Sign in", text("Sign in to see this page.")),
        Error::Invalid(_) => ("Invalid request", text("One or more fields of the form are invalid.")),
        Error::TooMany(_, refusal) => (
            "Too many requests",
            format!(
                "Too many requests from your network. Try again in {}.",
                counted(i64::try_from(refusal.seconds).unwrap_or(i64::MAX), "second", "seconds")
            ),
        ),
        error if error.status_code() == StatusCode::SERVICE_UNAVAILABLE => (
            "Back in a moment",
            text("The site is temporarily unavailable. Your request was not processed; try again in a few seconds."),
        ),
        _ => (
            "Something went wrong",
            text("Something went wrong on our side. Try again. If it keeps happening, contact support."),
        ),
    }
}

fn with_headers(mut answer: ServiceResponse, state: &AppState) -> ServiceResponse {
    add_headers(answer.headers_mut(), state);
    answer
}

fn add_headers(headers: &mut HeaderMap, state: &AppState) {
    let mut add = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    add(header::CONTENT_SECURITY_POLICY, POLICY);
    add(header::CACHE_CONTROL, "no-store");
    // `no-referrer` would make Chromium send `Origin: null` with our own forms.
    add(header::REFERRER_POLICY, "same-origin");
    add(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    add(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if let Some(hsts) = https::hsts(state) {
        add(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
}
