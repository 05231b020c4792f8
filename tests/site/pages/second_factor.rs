//! Two-factor authentication: setting it up, signing in with it, turning it off.

use actix_web::rt::spawn;

use crate::browser::Browser;
use crate::html;
use crate::page::{problem, seen, typed};
use crate::people::{Person, User};
use crate::property::PROPERTIES;
use crate::response::Response;
use crate::second_factor::{
    Factor, SECOND_STEP, SET_UP, code, recovery_codes, secret_of, sign_in, where_needed, wrong_code,
};
use crate::server::Server;

const PROFILE: &str = "/user_profile";
const OVERVIEW: &str = "/user_profile/second_factor";
const REMOVE: &str = "/user_profile/second_factor/remove";
const NEW_CODES: &str = "/user_profile/recovery_codes/new";

async fn person() -> (Server, Person) {
    let server = where_needed(Server::options()).start().await;
    let me = server.person("desk@farol.example").await;
    (server, me)
}

async fn enrolled() -> (Server, Person, Factor) {
    let (server, me) = person().await;
    let factor = server.enrol(&me.browser).await;
    (server, me, factor)
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get(PROFILE).await.status == 200
}

fn leads_to(answer: &Response, to: &str) {
    let location = answer.header("location").unwrap_or_else(|| panic!("no redirect: {answer}"));
    assert!(location.starts_with(to), "{answer}");
}

/// The dark modules of the QR code in a page, and its width.
fn modules(page: &Response) -> (usize, Vec<(usize, usize)>) {
    let (_, svg) = page.text().split_once("viewBox=\"0 0 ").expect("a picture");
    let size = svg.split(' ').next().and_then(|size| size.parse().ok()).expect("a size");
    let path = svg.split_once(" d=\"").expect("a path").1.split('"').next().expect("an end");
    let dark = path.split('M').skip(1).map(|module| {
        let (x, y) = module.split_once('h').expect("a square").0.split_once(',').expect("a place");
        (x.parse().expect("a number"), y.parse().expect("a number"))
    });
    (size, dark.collect())
}

/// What a camera reads from the QR code in a page.
fn scanned(page: &Response) -> String {
    const SCALE: usize = 4;
    let (size, dark) = modules(page);
    let is_dark = |x: usize, y: usize| dark.contains(&(x / SCALE, y / SCALE));
    let mut image = rqrr::PreparedImage::prepare_from_bitmap(size * SCALE, size * SCALE, is_dark);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one QR code");
    grids[0].decode().expect("a readable QR code").1
}

#[actix_web::test]
async fn it_is_on_after_the_first_right_code_and_not_before() {
    let (server, me) = person().await;
    let overview = me.browser.get(OVERVIEW).await.is(200);
    assert!(seen(overview.text()).contains("Two-factor authentication is off"), "{overview}");
    let page = me.browser.get(SET_UP).await.is(200);
    let secret = secret_of(&page);
    server.secrets.register("secret of an authenticator app", &secret);
    assert_eq!(secret.len(), 32, "160 bits");
    assert_eq!(secret_of(&me.browser.get(SET_UP).await), secret, "reloading shows the same");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let uri = scanned(&page);
    let issuer = "otpauth://totp/Latchkey:desk%40farol.example?";
    assert_eq!(uri, format!("{issuer}secret={secret}&issuer=Latchkey&algorithm=SHA1&digits=6&period=30"));
    // A wrong code changes nothing.
    let wrong = me.browser.post_form(SET_UP, &[("code", &wrong_code(&secret))]).await.is(422);
    assert!(problem(&wrong, "code").is_some_and(|told| told.contains("wrong") && told.contains("UTC")), "{wrong}");
    assert_eq!(secret_of(&wrong), secret, "the same QR code stays");
    server.signed_in(&me.user).await;
    assert!(seen(me.browser.get(OVERVIEW).await.text()).contains("is off"));
    // The right one turns it on, and its answer shows the recovery codes.
    let on = me.browser.post_form(SET_UP, &[("code", &code(&secret, 0))]).await.is(200);
    let codes = recovery_codes(&on);
    assert_eq!(codes.len(), 10, "{on}");
    assert!(codes.iter().all(|code| code.len() == 27 && code.matches('-').count() == 3), "{codes:?}");
    assert!(seen(on.text()).contains("I have stored them"), "{on}");
    let overview = me.browser.get(OVERVIEW).await.is(200);
    assert!(seen(overview.text()).contains("Two-factor authentication is on since"), "{overview}");
    assert!(seen(overview.text()).contains("10 recovery codes left"), "{overview}");
    assert!(!overview.text().contains(&codes[0]), "they are shown once");
    leads_to(&me.browser.get(SET_UP).await.is(303), OVERVIEW);
    leads_to(&me.browser.post_form(SET_UP, &[("code", &code(&secret, 1))]).await.is(303), OVERVIEW);
    leads_to(&server.browser().sign_in(&me.user.email, &me.user.password).await.is(303), SECOND_STEP);
    let recorded = "select kind from activity where kind like 'second_factor%' order by id";
    assert_eq!(server.texts(recorded).await, ["second_factor_on"]);
    me.api.get(PROPERTIES).await.is(200);
}

#[actix_web::test]
async fn a_sign_in_takes_the_password_and_a_code_and_keys_go_on_untouched() {
    let (server, me, factor) = enrolled().await;
    let browser = server.browser();
    let asked = browser
        .post_form(
            "/sign_in",
            &[("email", &*me.user.email), ("password", &*me.user.password), ("return_to", "/properties")],
        )
        .await
        .is(303);
    leads_to(&asked, SECOND_STEP);
    let cookie = asked.header("set-cookie").expect("a cookie").to_ascii_lowercase();
    assert!(cookie.starts_with("latchkey-pending-"), "{cookie}");
    for attribute in ["httponly", "samesite=lax", "max-age=600", "path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!is_signed_in(&browser).await);
    browser.get(PROPERTIES).await.is(401);
    let page = browser.get(asked.header("location").expect("where it leads")).await.is(200);
    assert_eq!(typed(&page, "return_to").as_deref(), Some("/properties"));
    assert!(page.text().contains("autocomplete=\"one-time-code\"") && page.text().contains("recovery=1"), "{page}");
    let wrong = browser.post_form(SECOND_STEP, &[("code", "12345"), ("return_to", "/properties")]).await.is(422);
    assert!(problem(&wrong, "code").is_some_and(|told| told.contains("UTC")), "{wrong}");
    assert_eq!(typed(&wrong, "return_to").as_deref(), Some("/properties"));
    assert!(!is_signed_in(&browser).await);
    let right = factor.code(0);
    let done = browser.post_form(SECOND_STEP, &[("code", &right), ("return_to", "/properties")]).await.is(303);
    assert_eq!(done.header("location"), Some("/properties"));
    assert!(is_signed_in(&browser).await);
    // The sign-in that waited is over, with its cookie.
    assert!(browser.cookies().is_some_and(|cookies| !cookies.contains("latchkey-pending")));
    assert_eq!(server.count("pending_sign_ins").await, 0);
    assert!(is_signed_in(&me.browser).await, "other sessions stay");
    me.api.get(PROPERTIES).await.is(200);
    // The address leads nowhere without a sign-in that waits.
    leads_to(&browser.get(SECOND_STEP).await.is(303), "/sign_in?");
    leads_to(&server.browser().post_form(SECOND_STEP, &[("code", &right)]).await.is(303), "/sign_in?");
}

#[actix_web::test]
async fn a_code_works_once_also_for_two_at_the_same_time() {
    let (server, me, factor) = enrolled().await;
    let server = std::rc::Rc::new(server);
    for code in [factor.code(1), factor.recovery[0].clone()] {
        let attempts: Vec<_> = (0..4)
            .map(|_| {
                let (server, user, code) = (server.clone(), me.user.clone(), code.clone());
                spawn(async move { sign_in(&server.browser(), &user, &code).await.status })
            })
            .collect();
        let mut statuses = Vec::new();
        for attempt in attempts {
            statuses.push(attempt.await.expect("an answer"));
        }
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        server.sql("delete from attempts").await;
    }
    // One before the last is refused, too, although it is within the drift.
    let again = sign_in(&server.browser(), &me.user, &factor.code(0)).await.is(422);
    assert!(problem(&again, "code").is_some_and(|told| told.contains("used before")), "{again}");
    server.let_codes_be_used_again().await;
    sign_in(&server.browser(), &me.user, &factor.code(0)).await.is(303);
}

#[actix_web::test]
async fn codes_may_be_a_step_off_and_no_further_as_the_host_sets_it() {
    for (drift, is_right) in [("0", false), ("1", true)] {
        let options = where_needed(Server::options()).env("LATCHKEY_TOTP_DRIFT_STEPS", drift);
        let server = options.start().await;
        let me = server.person("desk@farol.example").await;
        let secret = secret_of(&me.browser.get(SET_UP).await.is(200));
        server.secrets.register("secret of an authenticator app", &secret);
        // The code of the last step. Between its making and its check one more may end: then once more.
        let last_step = async |send: &dyn Fn(String) -> std::pin::Pin<Box<dyn Future<Output = u16>>>| {
            let mut status = 0;
            for _ in 0..3 {
                server.sql("delete from attempts").await;
                status = send(code(&secret, -1)).await;
                if status != 422 {
                    break;
                }
            }
            status
        };
        // Setting up accepts what signing in accepts.
        let browser = std::rc::Rc::new(me.browser);
        let set_up = |code: String| -> std::pin::Pin<Box<dyn Future<Output = u16>>> {
            let browser = browser.clone();
            Box::pin(async move { browser.post_form(SET_UP, &[("code", &*code)]).await.status })
        };
        assert_eq!(last_step(&set_up).await, if is_right { 200 } else { 422 }, "drift {drift}");
        if !is_right {
            server.sql("delete from attempts").await;
            browser.post_form(SET_UP, &[("code", &code(&secret, 0))]).await.is(200);
        }
        server.let_codes_be_used_again().await;
        let (base, user) = (std::rc::Rc::new(server.browser()), me.user.clone());
        let signs_in = |code: String| -> std::pin::Pin<Box<dyn Future<Output = u16>>> {
            let (browser, user) = (base.clone(), user.clone());
            Box::pin(async move { sign_in(&browser, &user, &code).await.status })
        };
        assert_eq!(last_step(&signs_in).await, if is_right { 303 } else { 422 }, "drift {drift}");
        server.let_codes_be_used_again().await;
        for far in [5, -5] {
            server.sql("delete from attempts").await;
            sign_in(&server.browser(), &user, &code(&secret, far)).await.is(422);
        }
    }
}

#[actix_web::test]
async fn each_recovery_code_signs_in_once_however_it_is_written() {
    let (server, me, factor) = enrolled().await;
    let lower = factor.recovery[1].to_lowercase();
    let blanks = factor.recovery[2].replace('-', " ");
    for written in [&*factor.recovery[0], &lower, &blanks] {
        sign_in(&server.browser(), &me.user, written).await.is(303);
        sign_in(&server.browser(), &me.user, written).await.is(422);
    }
    assert!(seen(me.browser.get(OVERVIEW).await.text()).contains("7 recovery codes left"));
    for used in &factor.recovery[3..6] {
        sign_in(&server.browser(), &me.user, used).await.is(303);
    }
    // Few are left: the page after the sign-in says so.
    let browser = server.browser();
    sign_in(&browser, &me.user, &factor.recovery[6]).await.is(303);
    let page = browser.get(PROFILE).await.is(200);
    assert!(seen(page.text()).contains("3 recovery codes left"), "{page}");
    // Codes of another user are worth nothing.
    let other = server.person("other@farol.example").await;
    let others = server.enrol(&other.browser).await;
    sign_in(&server.browser(), &me.user, &others.recovery[0]).await.is(422);
    let left = "select kind || ' ' || details from activity where kind = 'recovery_code_used' order by id";
    assert_eq!(server.texts(left).await.len(), 7);
}

#[actix_web::test]
async fn new_recovery_codes_take_a_code_and_void_the_old_ones() {
    let (server, me, factor) = enrolled().await;
    me.browser.get(NEW_CODES).await.is(200);
    me.browser.post_form(NEW_CODES, &[]).await.is(422);
    let page = me.browser.post_form(NEW_CODES, &[("code", &factor.code(0))]).await.is(200);
    let new = recovery_codes(&page);
    for code in &new {
        server.secrets.register("recovery code", code);
    }
    assert_eq!(new.len(), 10);
    assert!(new.iter().all(|code| !factor.recovery.contains(code)));
    sign_in(&server.browser(), &me.user, &factor.recovery[0]).await.is(422);
    sign_in(&server.browser(), &me.user, &new[0]).await.is(303);
}

#[actix_web::test]
async fn turning_it_off_takes_a_code_and_a_recovery_code_is_one() {
    let (server, me, factor) = enrolled().await;
    me.browser.get(REMOVE).await.is(200);
    for wrong in ["", "123", &wrong_code_of(&factor)] {
        server.sql("delete from attempts").await;
        me.browser.post_form(REMOVE, &[("code", wrong)]).await.is(422);
    }
    leads_to(&server.browser().sign_in(&me.user.email, &me.user.password).await.is(303), SECOND_STEP);
    let off = me.browser.post_form(REMOVE, &[("code", &factor.recovery[0])]).await.is(303);
    assert_eq!(off.header("location"), Some(OVERVIEW));
    assert!(seen(me.browser.get(OVERVIEW).await.text()).contains("Two-factor authentication is off"));
    assert_eq!((server.count("totp").await, server.count("recovery_codes").await), (0, 0));
    server.signed_in(&me.user).await;
    for path in [REMOVE, NEW_CODES] {
        leads_to(&me.browser.get(path).await.is(303), OVERVIEW);
        leads_to(&me.browser.post_form(path, &[("code", "123456")]).await.is(303), OVERVIEW);
    }
    // Set up once more, it has another secret.
    let again = server.enrol(&me.browser).await;
    assert_ne!(again.code(0), factor.code(0));
}

fn wrong_code_of(factor: &Factor) -> String {
    let right: Vec<String> = (-3..=3).map(|steps| factor.code(steps)).collect();
    (0..).map(|number| format!("{number:06}")).find(|code| !right.contains(code)).expect("another code")
}

#[actix_web::test]
async fn a_confirmation_asks_for_a_code_instead_of_the_password() {
    let (server, me, factor) = enrolled().await;
    server.set_moment("sessions", "confirmed_at", -601).await;
    let page = me.browser.get("/confirm?return_to=/properties").await.is(200);
    assert!(page.text().contains("name=\"code\"") && !page.text().contains("name=\"password\""), "{page}");
    let by_password = [("password", &*me.user.password), ("return_to", "/properties")];
    let refused = me.browser.post_form("/confirm", &by_password).await.is(422);
    assert!(problem(&refused, "code").is_some(), "{refused}");
    me.browser.post_form("/user_profile/sessions/sign_out_others", &[]).await.is(303);
    let done =
        me.browser.post_form("/confirm", &[("code", &*factor.code(0)), ("return_to", "/properties")]).await.is(303);
    assert_eq!(done.header("location"), Some("/properties"));
    let made = me.browser.post_form(crate::browser::NEW_KEY, &[("title", "Night")]).await.is(200);
    assert!(!html::keys(me.browser.register(made).text()).is_empty());
}

#[actix_web::test]
async fn whatever_changes_while_a_sign_in_waits_is_seen() {
    let (server, me, factor) = enrolled().await;
    let waiting = async || {
        let browser = server.browser();
        leads_to(&browser.sign_in(&me.user.email, &me.user.password).await.is(303), SECOND_STEP);
        server.let_codes_be_used_again().await;
        browser
    };
    let ends = async |browser: &Browser| {
        let answer = browser.post_form(SECOND_STEP, &[("code", &factor.code(0))]).await.is(303);
        leads_to(&answer, "/sign_in?");
        assert!(answer.header("location").is_some_and(|to| to.contains("start_again")), "{answer}");
        assert!(!is_signed_in(browser).await);
    };
    // Ten minutes are over.
    let browser = waiting().await;
    server.set_moment("pending_sign_ins", "expires_at", -1).await;
    ends(&browser).await;
    // The account is deactivated.
    let browser = waiting().await;
    server.run(&["user", "deactivate", &me.user.email]).ok();
    ends(&browser).await;
    server.run(&["user", "activate", &me.user.email]).ok();
    // The password is changed.
    let browser = waiting().await;
    let new = User { password: server.new_password(), ..me.user.clone() };
    server.run_with(&["user", "password", &me.user.email], &new.password).ok();
    ends(&browser).await;
    // The factor is removed.
    let browser = server.browser();
    leads_to(&browser.sign_in(&new.email, &new.password).await.is(303), SECOND_STEP);
    let said = server.run(&["user", "reset-second-factor", &me.user.email]).ok();
    assert!(said.contains("Turned off"), "{said}");
    ends(&browser).await;
    browser.sign_in(&new.email, &new.password).await.is(303);
    assert!(is_signed_in(&browser).await);
    server.run(&["user", "reset-second-factor", &me.user.email]).refused(1);
}

#[actix_web::test]
async fn the_host_s_way_out_ends_all_sessions_and_leaves_keys() {
    let (server, me, _factor) = enrolled().await;
    server.run(&["user", "reset-second-factor", &me.user.email]).ok();
    assert!(!is_signed_in(&me.browser).await);
    me.api.get(PROPERTIES).await.is(200);
    server.signed_in(&me.user).await;
    let recorded = "select actor from activity where kind = 'second_factor_off'";
    assert_eq!(server.texts(recorded).await, ["command"]);
}

#[actix_web::test]
async fn a_sign_in_that_is_left_half_way_is_recorded_once() {
    let (mut server, me, _factor) = enrolled().await;
    let other = server.person("other@farol.example").await;
    server.enrol(&other.browser).await;
    let leave = async |server: &Server, user: &User| {
        leads_to(&server.browser().sign_in(&user.email, &user.password).await.is(303), SECOND_STEP);
    };
    leave(&server, &me.user).await;
    for round in 1..=3 {
        // One that is found in this round shows that the server has looked.
        leave(&server, &other.user).await;
        server.set_moment("pending_sign_ins", "created_at", -301).await;
        // It is looked for when a server starts, and every minute.
        server.terminate();
        server.restart();
        let recorded = async |email: &str| {
            let entries =
                "select u.email from activity a join users u on u.id = a.user_id where a.kind = 'sign_in_half'";
            server.texts(entries).await.iter().filter(|found| *found == email).count()
        };
        crate::page::until("the server looks for it", async || {
            let found = (recorded(&me.user.email).await, recorded(&other.user.email).await);
            (found.0 > 0 && found.1 == round).then_some(())
        })
        .await;
        assert_eq!(recorded(&me.user.email).await, 1);
    }
}

#[actix_web::test]
async fn the_password_alone_changes_nothing_that_a_code_protects() {
    let (server, me, factor) = enrolled().await;
    server.set_moment("sessions", "confirmed_at", -601).await;
    let new = server.new_password();
    let change = [("old_password", &*me.user.password), ("new_password", &*new)];
    let asked = me.browser.post_form("/user_profile/password", &change).await.is(303);
    leads_to(&asked, "/confirm?return_to=%2Fuser_profile%2Fpassword");
    me.browser.post_form(crate::browser::NEW_KEY, &[("title", "Night")]).await.is(303);
    me.browser.post_form("/confirm", &[("code", &*factor.code(0))]).await.is(303);
    me.browser.post_form("/user_profile/password", &change).await.is(303);
    // Neither does a link for a new password: the code is asked for.
    let link = server.run(&["user", "link", &me.user.email]).ok();
    let path = link.lines().next().and_then(|url| url.split_once("/welcome/")).expect("a link").1.to_owned();
    server.secrets.register("link", &path);
    let user = User { password: server.new_password(), ..me.user.clone() };
    let browser = server.browser();
    browser.post_form(&format!("/welcome/{path}"), &[("password", &*user.password)]).await.is(303);
    assert!(!is_signed_in(&browser).await);
    server.let_codes_be_used_again().await;
    sign_in(&browser, &user, &factor.code(0)).await.is(303);
}

#[actix_web::test]
async fn a_code_works_once_whichever_process_gets_it_on_postgresql() {
    let host = crate::host::Host::new().await;
    if host.database_url().is_none() {
        return;
    }
    let user = host.add_user("desk@farol.example");
    let [first, second] = [(); 2].map(|()| where_needed(Server::options()).start_on(&host).serving());
    let factor = first.enrol(&first.signed_in(&user).await).await;
    let servers = [std::rc::Rc::new(first), std::rc::Rc::new(second)];
    for code in [factor.code(0), factor.recovery[0].clone()] {
        let attempts: Vec<_> = (0..4)
            .map(|number| {
                let (server, user, code) = (servers[number % 2].clone(), user.clone(), code.clone());
                spawn(async move { sign_in(&server.browser(), &user, &code).await.status })
            })
            .collect();
        let mut right = 0;
        for attempt in attempts {
            right += usize::from(attempt.await.expect("an answer") == 303);
        }
        assert_eq!(right, 1);
    }
}
