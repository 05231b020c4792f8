//! Changing the email address, and taking it back.

use crate::mails::{MailServer, outbox};
use crate::page::{problem, seen};
use crate::people::{Person, User};
use crate::server::Server;

const OLD: &str = "rita@farol.example";
const NEW: &str = "rita.ferreira@farol.example";
const CONFIRM: &str = "Confirm your new email address";
const CHANGED: &str = "Your email address was changed";

async fn begin() -> (MailServer, Server, Person) {
    let mail = MailServer::start();
    let server = mail.serve().await;
    let me = server.person(OLD).await;
    (mail, server, me)
}

/// Asks for a change and opens the link in the mail.
async fn change(mail: &MailServer, server: &Server, me: &Person, new: &str) {
    me.browser.post_form("/user_profile/email", &[("email", new)]).await.is(303);
    let path = mail.link(server, new, CONFIRM).await;
    server.browser().post_form(&path, &[]).await.is(303);
}

#[actix_web::test]
async fn a_new_address_is_confirmed_by_its_reader_and_the_old_one_is_told() {
    let (mail, server, me) = begin().await;
    let asked = me.browser.post_form("/user_profile/email", &[("email", NEW)]).await.is(303);
    let page = me.browser.get(asked.header("location").expect("a page")).await.is(200);
    assert!(seen(page.text()).contains(&format!("A link is on its way to {NEW}.")), "{page}");
    let path = mail.link(&server, NEW, CONFIRM).await;
    assert!(path.starts_with("/email/"), "{path}");
    let anywhere = server.browser();
    for _ in 0..5 {
        let page = anywhere.get(&path).await.is(200);
        assert!(page.text().contains("Confirm") && page.text().contains(NEW) && page.text().contains(OLD), "{page}");
        anywhere.head(&path).await.is(200);
    }
    server.browser().sign_in(NEW, &me.user.password).await.is(422);
    let done = anywhere.post_form(&path, &[]).await.is(303);
    assert_eq!(done.header("location"), Some("/sign_in?notice=email_changed"));
    anywhere.post_form(&path, &[]).await.is(404);
    server.browser().sign_in(NEW, &me.user.password).await.is(303);
    server.browser().sign_in(OLD, &me.user.password).await.is(422);
    // Sessions and keys go on.
    assert!(me.browser.get("/user_profile").await.is(200).text().contains(NEW));
    let told = mail.mail(OLD, CHANGED).await;
    assert!(told.text().contains(NEW) && told.text().contains("/email/undo/"), "{}", told.text());
    mail.link(&server, OLD, CHANGED).await;
    let entries = seen(me.browser.get("/user_profile/activity").await.is(200).text());
    assert!(entries.contains(&format!("Changed the email address from {OLD} to {NEW}")), "{entries}");
}

#[actix_web::test]
async fn whoever_reads_the_old_address_takes_the_change_back_and_everybody_is_signed_out() {
    let (mail, server, me) = begin().await;
    change(&mail, &server, &me, NEW).await;
    let undo = mail.link(&server, OLD, CHANGED).await;
    // Whoever changed it changes it once more, to get rid of the address that can take it back.
    change(&mail, &server, &me, "rita@elsewhere.example").await;
    let second = mail.link(&server, NEW, CHANGED).await;
    let owner = server.browser();
    for _ in 0..3 {
        assert!(owner.get(&undo).await.is(200).text().contains("This was not me"));
    }
    let undone = owner.post_form(&undo, &[]).await.is(303);
    assert_eq!(undone.header("location"), Some("/sign_in?notice=email_undone"));
    me.browser.get("/user_profile").await.is(303);
    // The second change was undone with it, and cannot be taken back.
    owner.get(&second).await.is(404);
    owner.post_form(&second, &[]).await.is(404);
    owner.post_form(&undo, &[]).await.is(404);
    let reset = mail.link(&server, OLD, "Set a new password").await;
    let password = server.new_password();
    owner.post_form(&reset, &[("password", &password)]).await.is(303);
    owner.sign_in(OLD, &password).await.is(303);
    server.browser().sign_in("rita@elsewhere.example", &password).await.is(422);
}

#[actix_web::test]
async fn an_old_address_is_nobody_else_s_for_a_while_and_its_user_can_go_back() {
    let (mail, server, me) = begin().await;
    change(&mail, &server, &me, NEW).await;
    let refused = server.run_with(&["user", "add", OLD], &server.new_password()).refused(1);
    assert!(refused.contains("already exists"), "{refused}");
    let other: User = server.add_user("other@farol.example");
    let theirs = server.signed_in(&other).await;
    theirs.post_form("/user_profile/email", &[("email", OLD)]).await.is(303);
    outbox(&server, "email_change", "given_up_at", 1).await;
    // By its own user, at any time.
    mail.link(&server, OLD, CHANGED).await;
    change(&mail, &server, &me, OLD).await;
    server.browser().sign_in(OLD, &me.user.password).await.is(303);
    mail.link(&server, NEW, CHANGED).await;
}

#[actix_web::test]
async fn an_address_of_another_account_looks_like_any_other_and_its_owner_is_told() {
    let (mail, server, me) = begin().await;
    let other = server.add_user("other@farol.example");
    let taken = me.browser.post_form("/user_profile/email", &[("email", "OTHER@farol.example")]).await.is(303);
    let free = me.browser.post_form("/user_profile/email", &[("email", NEW)]).await.is(303);
    assert_eq!(taken.header("location"), free.header("location"));
    let told = mail.mail(&other.email, "You have an account at Latchkey").await;
    assert!(!told.text().contains("/email/"), "{}", told.text());
    assert!(told.text().contains(&other.email));
    // It becomes another account's while the link is on its way.
    let path = mail.link(&server, NEW, CONFIRM).await;
    server.add_user(NEW);
    let lost = server.browser().post_form(&path, &[]).await.is(409);
    assert!(seen(lost.text()).contains("now belongs to another account"), "{lost}");
    server.browser().sign_in(OLD, &me.user.password).await.is(303);
}

#[actix_web::test]
async fn it_asks_who_it_is_and_says_what_is_wrong() {
    let (_mail, server, me) = begin().await;
    for (email, words) in [("", "not an email address"), ("rita", "not an email address"), (OLD, "already")] {
        let refused = me.browser.post_form("/user_profile/email", &[("email", email)]).await.is(422);
        assert!(problem(&refused, "email").is_some_and(|told| told.contains(words)), "{refused}");
        assert!(refused.text().contains(&format!("value=\"{email}\"")), "{refused}");
    }
    server.set_moment("sessions", "confirmed_at", -601).await;
    let asked = me.browser.post_form("/user_profile/email", &[("email", NEW)]).await.is(303);
    assert!(asked.header("location").is_some_and(|to| to.starts_with("/confirm")), "{asked}");
    assert_eq!(server.texts("select kind from outbox where kind = 'email_change'").await, [""; 0]);
    // Confirmed, it comes back to the form with what was entered.
    let to = asked.header("location").expect("a page").to_owned();
    let return_to = url::form_urlencoded::parse(to.split_once('?').expect("a query").1.as_bytes())
        .find(|(name, _)| name == "return_to")
        .map(|(_, value)| value.into_owned())
        .expect("where it leads");
    me.browser.post_form("/confirm", &[("password", &me.user.password), ("return_to", &return_to)]).await.is(303);
    let page = me.browser.get(&return_to).await.is(200);
    assert!(page.text().contains(&format!("value=\"{NEW}\"")), "{page}");
    for _ in 0..3 {
        me.browser.post_form("/user_profile/email", &[("email", NEW)]).await.is(303);
    }
    let many = me.browser.post_form("/user_profile/email", &[("email", NEW)]).await.is(422);
    assert!(problem(&many, "email").is_some_and(|told| told.contains("Try again in an hour")), "{many}");
}

#[actix_web::test]
async fn of_two_changes_to_one_address_at_once_one_wins() {
    let (mail, server, me) = begin().await;
    let other = server.person("other@farol.example").await;
    let mut paths = Vec::new();
    for (number, person) in [&me, &other].into_iter().enumerate() {
        person.browser.post_form("/user_profile/email", &[("email", NEW)]).await.is(303);
        let mails = mail_count(&mail, number + 1).await;
        let path = mails.path(&server.base_url);
        server.secrets.register("link", path.rsplit('/').next().expect("a token"));
        paths.push(path);
    }
    let client = server.browser();
    let calls = paths.iter().map(|path| client.post_form(path, &[]));
    let mut statuses: Vec<u16> = crate::client::at_once(calls).await.iter().map(|response| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    assert_eq!(server.texts(&format!("select email from users where email = '{NEW}'")).await.len(), 1);
}

/// The mail to the new address that came as this number.
async fn mail_count(mail: &MailServer, number: usize) -> crate::mails::Mail {
    crate::page::until("a mail to the new address", async || {
        let mails: Vec<_> = mail.accepted().into_iter().filter(|mail| mail.to() == NEW).collect();
        (mails.len() == number).then(|| mails.last().cloned()).flatten()
    })
    .await
}
