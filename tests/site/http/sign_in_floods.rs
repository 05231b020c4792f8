//! Floods of sign-ins: whoever signs in from elsewhere is answered beside them.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::rt::spawn;

use crate::browser::Browser;
use crate::people::User;
use crate::response::Response;
use crate::server::Server;

async fn sign_in_from(browser: &Browser, address: &str, user: &User) -> Response {
    let form = [("email", &*user.email), ("password", &*user.password)];
    browser.post_form("/sign_in", &form).header("x-forwarded-for", address).await
}

#[actix_web::test]
async fn a_flood_of_sign_ins_from_a_few_addresses_leaves_those_of_others_working() {
    let options = Server::options().env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1");
    let server = Rc::new(options.start().await);
    let me = server.person("desk@farol.example").await;
    // Browsers that are known: their attempts are not limited, but their hashes take time.
    let mut browsers = Vec::new();
    for number in 0..60 {
        let email = format!("flood{}@evil.example", number % 3);
        let user = match number < 3 {
            true => server.add_user(&email),
            false => browsers.get(number - 3).map(|(_, user): &(Browser, User)| user.clone()).expect("a user"),
        };
        let browser = server.browser();
        sign_in_from(&browser, &format!("127.0.0.{}", 2 + number % 3), &user).await.is(303);
        browsers.push((browser, user));
    }
    let (is_over, refused) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    let flood: Vec<_> = browsers
        .into_iter()
        .enumerate()
        .map(|(number, (browser, user))| {
            let (is_over, refused) = (is_over.clone(), refused.clone());
            spawn(async move {
                let address = format!("127.0.0.{}", 2 + number % 3);
                while !is_over.get() {
                    match sign_in_from(&browser, &address, &user).await.status {
                        503 => refused.set(refused.get() + 1),
                        status => assert_eq!(status, 303),
                    }
                }
            })
        })
        .collect();
    while refused.get() < 50 {
        actix_web::rt::task::yield_now().await;
    }
    let mut answers = Vec::new();
    for number in 0..10 {
        let browser = server.browser();
        answers.push(sign_in_from(&browser, &format!("203.0.113.{number}"), &me.user).await.status);
    }
    // Who is signed in changes the password beside the flood, too.
    let fields = [("old_password", &*me.user.password), ("new_password", "seven boats at noon 7")];
    server.secrets.register("password", fields[1].1);
    let change = me.browser.post_form("/user_profile/password", &fields).header("x-forwarded-for", "127.0.0.2").await;
    is_over.set(true);
    for client in flood {
        client.await.expect("it ends well");
    }
    assert_eq!(answers, vec![303; 10]);
    assert_eq!(change.status, 303, "{change}");
}
