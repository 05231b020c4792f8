//! Guesses at one-time codes.

use crate::browser::Browser;
use crate::page::problem;
use crate::people::User;
use crate::response::Response;
use crate::second_factor::{Factor, SECOND_STEP, sign_in, where_needed};
use crate::server::Server;

async fn enrolled() -> (Server, User, Browser, Factor) {
    let server = where_needed(Server::options()).start().await;
    let me = server.person("desk@farol.example").await;
    let factor = server.enrol(&me.browser).await;
    server.let_codes_be_used_again().await;
    (server, me.user, me.browser, factor)
}

fn retry_after(refused: &Response) -> i64 {
    refused.header("retry-after").expect("when to try again").parse().expect("seconds")
}

#[actix_web::test]
async fn three_wrong_codes_close_to_the_end_of_the_step_and_many_for_longer() {
    let (server, user, _, factor) = enrolled().await;
    for (before, seconds) in [(2, 30), (9, 300), (19, 3_600)] {
        server.sql("delete from attempts").await;
        sign_in(&server.browser(), &user, "1").await.is(422);
        server
            .sql(&format!("update attempts set failures = {before}, closed_until = null where subject like 'code:%'"))
            .await;
        sign_in(&server.browser(), &user, "1").await.is(422);
        if seconds == 30 {
            // The step may be over at any moment.
            server.set_moment_where("attempts", "closed_until", 30, "subject like 'code:%'").await;
        }
        let refused = sign_in(&server.browser(), &user, &factor.code(0)).await.is(429);
        assert!((seconds - 20..=seconds).contains(&retry_after(&refused)), "{refused}");
        assert!(problem(&refused, "code").is_some_and(|told| told.contains("Too many attempts")), "{refused}");
    }
    // A recovery code is accepted all the same, and opens it.
    sign_in(&server.browser(), &user, &factor.recovery[0]).await.is(303);
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);
}

#[actix_web::test]
async fn a_hundred_wrong_codes_close_until_a_recovery_code_or_the_host() {
    let (server, user, _, factor) = enrolled().await;
    let close = async || {
        server.sql("delete from attempts").await;
        sign_in(&server.browser(), &user, "1").await.is(422);
        server.sql("update attempts set failures = 100, closed_until = null where subject like 'code:%'").await;
        server.set_moment("attempts", "last_at", -100_000).await;
    };
    close().await;
    let refused = sign_in(&server.browser(), &user, &factor.code(0)).await.is(429);
    assert!(problem(&refused, "code").is_some_and(|told| told.contains("Use a recovery code")), "{refused}");
    sign_in(&server.browser(), &user, &factor.recovery[0]).await.is(303);
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);
    close().await;
    server.run(&["user", "unlock", &user.email]).ok();
    server.let_codes_be_used_again().await;
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(303);
    // A link for a new password opens nothing: whoever has it could go on guessing.
    close().await;
    let link = server.run(&["user", "link", &user.email]).ok();
    let path = link.lines().next().and_then(|url| url.split_once("/welcome/")).expect("a link").1.to_owned();
    server.secrets.register("link", &path);
    let new = User { password: server.new_password(), ..user.clone() };
    server.browser().post_form(&format!("/welcome/{path}"), &[("password", &*new.password)]).await.is(303);
    server.let_codes_be_used_again().await;
    sign_in(&server.browser(), &new, &factor.code(0)).await.is(429);
    sign_in(&server.browser(), &new, &factor.recovery[1]).await.is(303);
}

#[actix_web::test]
async fn what_wrong_codes_closed_is_open_when_it_is_set_up_anew() {
    let (server, user, known, _) = enrolled().await;
    known.post_form("/user_profile/second_factor/remove", &[("code", "1")]).await.is(422);
    sign_in(&server.browser(), &user, "1").await.is(422);
    server.sql("update attempts set failures = 100, closed_until = null where subject like 'code:%'").await;
    server.run(&["user", "reset-second-factor", &user.email]).ok();
    let again = server.enrol(&server.signed_in(&user).await).await;
    sign_in(&server.browser(), &user, &again.code(0)).await.is(303);
}

#[actix_web::test]
async fn recovery_codes_are_slowed_down_and_no_more() {
    let (server, user, _, factor) = enrolled().await;
    let wrong = "000000-000000-000000-000000";
    sign_in(&server.browser(), &user, wrong).await.is(422);
    server.sql("update attempts set failures = 500, closed_until = null where subject like 'recovery:%'").await;
    sign_in(&server.browser(), &user, wrong).await.is(422);
    server.set_moment_where("attempts", "closed_until", 20, "subject like 'recovery:%'").await;
    sign_in(&server.browser(), &user, &factor.recovery[0]).await.is(429);
    server.set_moment_where("attempts", "closed_until", -1, "subject like 'recovery:%'").await;
    sign_in(&server.browser(), &user, &factor.recovery[0]).await.is(303);
}

#[actix_web::test]
async fn who_knows_the_password_alone_cannot_lock_the_owner_out() {
    let (server, user, known, factor) = enrolled().await;
    for _ in 0..3 {
        sign_in(&server.browser(), &user, "123").await.is(422);
    }
    let close = async || {
        let strangers = "subject like 'code:%' and subject not like 'code:%:%'";
        assert_eq!(server.set_moment_where("attempts", "closed_until", 30, strangers).await, 1);
    };
    close().await;
    sign_in(&server.browser(), &user, &factor.code(0)).await.is(429);
    // The owner's browser has a counter of its own, and so has the session.
    sign_in(&known, &user, &factor.code(0)).await.is(303);
    server.let_codes_be_used_again().await;
    known.post_form("/confirm", &[("code", &factor.code(0))]).await.is(303);
    close().await;
    sign_in(&server.browser(), &user, "123").await.is(429);
    let wrong = known.post_form(SECOND_STEP, &[("code", "123")]).await.is(303);
    assert!(wrong.header("location").is_some_and(|to| to.starts_with("/sign_in?")), "{wrong}");
    let recorded = "select cast(count as text) from activity where kind = 'second_factor_failed'";
    assert_eq!(server.texts(recorded).await, ["3"]);
}

#[actix_web::test]
async fn whatever_is_entered_as_a_code_is_a_wrong_code_and_no_error() {
    let (server, user, _, factor) = enrolled().await;
    let long = "1".repeat(10_000);
    for odd in
        ["", " ", "\u{0}", "-1", "12345６７", "𝟙𝟚𝟛𝟜𝟝𝟞", "123 456 7", "'; drop table totp; --", &long, "XXXXXX-XXXXXX"]
    {
        server.sql("delete from attempts").await;
        let refused = sign_in(&server.browser(), &user, odd).await.is(422);
        assert!(problem(&refused, "code").is_some(), "{odd}");
    }
    // Full-width digits and blanks are how some keyboards write it.
    let code = factor.code(0);
    let wide: String = code.chars().map(|c| char::from_u32(u32::from(c) - 0x30 + 0xff10).expect("a digit")).collect();
    server.sql("delete from attempts").await;
    sign_in(&server.browser(), &user, &format!(" {} {} ", &wide[..9], &wide[9..])).await.is(303);
}
