//! Who has access to what: groups, the users of properties and groups, and the people whom somebody invites.

use serde_json::{Value, json};

use crate::client::Client;
use crate::host::Host;
use crate::people::{Person, User};
use crate::property::{GROUPS, UNKNOWN_ID, group_at};
use crate::response::Response;
use crate::server::Server;

/// One of the two collections of users, which are twins.
pub struct Users {
    pub path: &'static str,
    /// The `type` of an entry, and the top key of an update.
    pub entry: &'static str,
    /// What they are users of.
    pub of: &'static str,
    /// The attribute that names it.
    pub of_id: &'static str,
}

pub const PROPERTY_USERS: Users =
    Users { path: "/api/v1/property_users", entry: "property_user", of: "property", of_id: "property_id" };

pub const GROUP_USERS: Users =
    Users { path: "/api/v1/group_users", entry: "group_user", of: "group", of_id: "group_id" };

/// Both, for what holds for either.
pub const TWINS: [&Users; 2] = [&PROPERTY_USERS, &GROUP_USERS];

/// The whole body of an action that succeeded.
pub fn success() -> Value {
    json!({ "meta": { "message": "Success" } })
}

/// Where a property is part of a group.
pub fn part(group: &str, property: &str) -> String {
    format!("{GROUPS}/{group}/properties/{property}")
}

impl Users {
    /// Where one of them is.
    pub fn at(&self, id: &str) -> String {
        format!("{}/{id}", self.path)
    }

    /// Those of one property or group.
    pub fn of(&self, id: &str) -> String {
        format!("{}?filter[{}]={id}", self.path, self.of_id)
    }

    /// The body of an update.
    pub fn change(&self, fields: Value) -> Value {
        json!({ self.entry: fields })
    }

    /// The body of an invitation.
    pub fn invitation(&self, id: &str, email: &str, role: &str) -> Value {
        json!({ "invite": { self.of_id: id, "user_email": email, "role": role } })
    }

    /// Something of this person's that has users: a property or a group.
    pub async fn thing(&self, person: &Person) -> String {
        match self.of {
            "property" => person.has(json!({})).await,
            _ => person.has_group("Algarve houses").await,
        }
    }

    /// Reads what these are users of.
    pub async fn look(&self, client: &Client, id: &str) -> Response {
        match self.of {
            "property" => client.get(&crate::property::at(id)).await,
            _ => client.get(&group_at(id)).await,
        }
    }
}

impl Person {
    /// Makes a group; its id.
    pub async fn has_group(&self, title: &str) -> String {
        let body = json!({ "group": { "title": title } });
        self.api.post(GROUPS, &body).await.is(201).id()
    }

    /// Sends an invitation.
    pub async fn invites(&self, users: &Users, id: &str, email: &str, role: &str) -> Response {
        self.api.post(users.path, &users.invitation(id, email, role)).await
    }

    /// Gives somebody a role; the id of the entry.
    pub async fn gives(&self, users: &Users, id: &str, to: &Person, role: &str) -> String {
        self.invites(users, id, &to.user.email, role).await.is(201).id()
    }

    /// The id of somebody's entry among the users of something.
    pub async fn entry(&self, users: &Users, id: &str, email: &str) -> String {
        let entries = self.api.get(&users.of(id)).await.is(200).data();
        let mut found = entries.as_array().expect("a list").iter();
        match found.find(|entry| entry["relationships"]["user"]["data"]["email"] == email) {
            Some(entry) => entry["id"].as_str().expect("an id").to_owned(),
            None => panic!("no {email} in {entries}"),
        }
    }

    /// Changes an entry.
    pub async fn changes(&self, users: &Users, entry: &str, fields: Value) -> Response {
        self.api.put(&users.at(entry), &users.change(fields)).await
    }

    /// Address and role of everyone among the users of something, in the list's order.
    pub async fn roles(&self, users: &Users, id: &str) -> Vec<(String, String)> {
        let answer = self.api.get(&users.of(id)).await.is(200);
        let entries = answer.data();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let entries = entries.as_array().expect("a list").iter();
        entries
            .map(|entry| (text(&entry["relationships"]["user"]["data"]["email"]), text(&entry["attributes"]["role"])))
            .collect()
    }

    /// Puts a property into a group.
    pub async fn adds(&self, group: &str, property: &str) -> Response {
        self.api.post(&part(group, property), &json!({})).await
    }

    /// Takes a property out of a group.
    pub async fn takes_out(&self, group: &str, property: &str) -> Response {
        self.api.delete(&part(group, property)).await
    }

    /// The ids of the groups of a property, as this person sees them.
    pub async fn groups_of(&self, property: &str) -> Vec<String> {
        let answer = self.api.get(&crate::property::at(property)).await.is(200);
        let groups = answer.data()["relationships"]["groups"]["data"].clone();
        ids(&groups)
    }

    /// The ids of the properties of a group, as this person sees them.
    pub async fn properties_of(&self, group: &str) -> Vec<String> {
        let answer = self.api.get(&group_at(group)).await.is(200);
        let properties = answer.data()["relationships"]["properties"]["data"].clone();
        ids(&properties)
    }
}

fn ids(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|entry| entry["id"].as_str().expect("an id").to_owned()).collect()
}

impl Host {
    /// Forgets which ways were given today: one person gives another only so many of them a day.
    pub async fn another_day(&self) {
        self.sql("delete from ways_given").await;
    }

    /// The path of a new one-use link of this user, as the host hands it over.
    pub fn welcome_link(&self, email: &str) -> String {
        let printed = self.run(&["user", "link", email, "--base-url", "https://pms.example"]).ok();
        let path = crate::command::first_line(&printed).strip_prefix("https://pms.example").expect("a link").to_owned();
        self.secrets.register("one-use link", path.trim_start_matches("/welcome/"));
        path
    }
}

impl Server {
    /// Somebody who was invited sets name and password, subscribes and signs in.
    pub async fn arrives(&self, email: &str, name: &str) -> Person {
        let (path, password) = (self.welcome_link(email), self.new_password());
        let form = [("name", name), ("password", &*password)];
        self.browser().post_form(&path, &form).await.is(303);
        self.subscribe(email);
        self.equipped(User { email: email.to_owned(), password }).await
    }
}

/// Ids that name nothing: unknown, malformed, odd.
pub const NO_IDS: [&str; 4] = [UNKNOWN_ID, "x", "%20", "%00"];
