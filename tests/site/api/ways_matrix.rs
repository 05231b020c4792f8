//! What a person does with a property: by each way to it, with each kind of key, while the way is there and after it has
//! ended (docs/contract/README.md, section 3 and section 15, 17 to 22 and 104).

use serde_json::json;

use crate::access::{GROUP_USERS, PROPERTY_USERS, part};
use crate::client::Client;
use crate::property::at;
use crate::response::Response;
use crate::site::Site;

/// A way to a property.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Owner, or user, of the home.
    Home(&'static str),
    Direct(&'static str),
    /// Of another group that holds the property.
    Group(&'static str),
    Stranger,
    Former,
}
use Way::{Direct, Former, Group, Home, Stranger};

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Withdrawn,
    /// An owner becomes a user.
    Demoted,
    /// The property leaves the group.
    TakenOut,
}
use End::{Demoted, TakenOut, Withdrawn};

const CASES: [(Way, End); 13] = [
    (Home("owner"), Withdrawn),
    (Home("owner"), Demoted),
    (Home("owner"), TakenOut),
    (Home("user"), Withdrawn),
    (Direct("owner"), Withdrawn),
    (Direct("owner"), Demoted),
    (Direct("user"), Withdrawn),
    (Group("owner"), Withdrawn),
    (Group("owner"), Demoted),
    (Group("owner"), TakenOut),
    (Group("user"), TakenOut),
    (Stranger, Withdrawn),
    (Former, Withdrawn),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Key {
    Full,
    ReadOnly,
    Limited,
    Session,
}

const KEYS: [Key; 4] = [Key::Full, Key::ReadOnly, Key::Limited, Key::Session];

/// What somebody is to a property.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Owner,
    User,
    /// A user who also sees the group, so that it is the role that forbids.
    UserInGroup,
    Nobody,
}
use Is::{Nobody, Owner, UserInGroup};

impl Way {
    fn is(self) -> Is {
        match self {
            Home("owner") | Direct("owner") | Group("owner") => Owner,
            Group(_) => UserInGroup,
            Home(_) | Direct(_) => Is::User,
            Stranger | Former => Nobody,
        }
    }

    /// What is left when it has ended so.
    fn after(self, end: End) -> Is {
        match (end, self) {
            (Demoted, Group(_)) => UserInGroup,
            (Demoted, _) => Is::User,
            _ => Nobody,
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Read,
    Write,
    Invite,
    Promote,
    Demote,
    Associate,
    TakeOut,
    Remove,
    Delete,
}

const ALL_BUT_DELETE: [Act; 8] =
    [Act::Read, Act::Write, Act::Invite, Act::Promote, Act::Demote, Act::Associate, Act::TakeOut, Act::Remove];

/// The status that is right, and the words that go with a refusal of the key.
fn right(act: Act, key: Key, is: Is) -> (u16, Option<&'static str>) {
    let reads = act == Act::Read;
    let inside = matches!(act, Act::Read | Act::Write | Act::Delete);
    match key {
        Key::ReadOnly if !reads => return (403, Some("the API key is read-only")),
        Key::Limited if !inside => return (403, Some("the API key is limited to chosen properties")),
        _ => {}
    }
    let status = match (act, is) {
        (Act::Invite, Owner) => 201,
        (Act::Invite, _) => 403,
        (Act::Read | Act::Write, Nobody) => 404,
        (Act::Read | Act::Write, _) | (_, Owner) => 200,
        // A group in which they are not does not exist for users.
        (Act::TakeOut, UserInGroup) => 403,
        (Act::TakeOut, _) | (_, Nobody) => 404,
        _ => 403,
    };
    (status, None)
}

/// A hotelier, and somebody with each kind of key.
struct Matrix {
    site: Site<1>,
    /// Night's clients, by `KEYS`, and the key that is limited.
    clients: [Client; 4],
    limited: String,
    own: String,
}

impl Matrix {
    async fn new() -> Self {
        let site = Site::shared_with(["night@farol.example"]).await;
        let (server, [night]) = (&site.server, &site.others);
        let mut keys = Vec::new();
        for (title, column) in [("Reads", "read_only"), ("Limited", "all_properties")] {
            let key = night.browser.create_key(title).await;
            let id = server.literal(&night.browser.key_id(&key).await);
            assert_eq!(
                server
                    .sql(&format!("update api_keys set {column} = not {column}, manage_users = false where id = {id}"))
                    .await,
                1
            );
            keys.push((server.with_key(&key), id));
        }
        let limited = keys[1].1.clone();
        let session = (*server.signed_in(&night.user).await).clone();
        let clients = [night.api.clone(), keys[0].0.clone(), keys[1].0.clone(), session];
        let own = night.group().await;
        Self { site, clients, limited, own }
    }
}

/// A property of hers, the way to it, and who else is there.
struct Scene {
    farol: String,
    home: String,
    group: String,
    /// The link that is the way, where there is one.
    entry: Option<String>,
    guest: String,
    guest_entry: String,
}

impl Matrix {
    async fn scene(&self, way: Way, key: Key, number: usize) -> Scene {
        let alice = &self.site.alice;
        let (home, group) = (alice.has_group("Home").await, alice.has_group("Group").await);
        let farol = alice.has(json!({ "group_id": home })).await;
        alice.adds(&group, &farol).await.is(200);
        let guest = format!("guest-{number}@farol.example");
        let guest_entry = alice.invites(&PROPERTY_USERS, &farol, &guest, "user").await.is(201).id();
        let mut scene = Scene { farol, home, group, entry: None, guest, guest_entry };
        let role = if way == Former { Direct("owner") } else { way };
        scene.entry = self.begin(&scene, role).await;
        if way == Former {
            self.end(&mut scene, role, Withdrawn).await;
        }
        if key == Key::Limited {
            let property = self.site.server.literal(&scene.farol);
            let choose =
                format!("insert into api_key_properties (key_id, property_id) values ({}, {property})", self.limited);
            assert_eq!(self.site.server.sql(&choose).await, 1);
        }
        scene
    }

    async fn begin(&self, scene: &Scene, way: Way) -> Option<String> {
        let (users, id, role) = match way {
            Home(role) => (&GROUP_USERS, &scene.home, role),
            Group(role) => (&GROUP_USERS, &scene.group, role),
            Direct(role) => (&PROPERTY_USERS, &scene.farol, role),
            Stranger | Former => return None,
        };
        Some(self.site.alice.gives(users, id, &self.site.others[0], role).await)
    }

    async fn end(&self, scene: &mut Scene, way: Way, end: End) {
        let alice = &self.site.alice;
        let users = if matches!(way, Direct(_)) { &PROPERTY_USERS } else { &GROUP_USERS };
        let Some(entry) = &scene.entry else { return };
        match end {
            Withdrawn => drop(alice.api.delete(&users.at(entry)).await.is(200)),
            Demoted => drop(alice.changes(users, entry, json!({ "role": "user" })).await.is(200)),
            TakenOut if matches!(way, Home(_)) => drop(alice.takes_out(&scene.home, &scene.farol).await.is(200)),
            TakenOut => drop(alice.takes_out(&scene.group, &scene.farol).await.is(200)),
        }
        if end == Withdrawn {
            scene.entry = None;
        }
    }

    async fn act(&self, act: Act, client: &Client, scene: &Scene, is: Is) -> Response {
        let Scene { farol, group, guest_entry, .. } = scene;
        let entry = PROPERTY_USERS.at(guest_entry);
        let role = |role: &str| PROPERTY_USERS.change(json!({ "role": role }));
        match act {
            Act::Read => client.get(&at(farol)).await,
            Act::Write => client.put(&at(farol), &json!({ "property": { "city": "Faro" } })).await,
            Act::Invite => {
                let other = format!("more-{}", scene.guest);
                client.post(PROPERTY_USERS.path, &PROPERTY_USERS.invitation(farol, &other, "user")).await
            }
            Act::Promote => client.put(&entry, &role("owner")).await,
            Act::Demote => client.put(&entry, &role("user")).await,
            Act::Associate => client.post(&part(&self.own, farol), &json!({})).await,
            // Owners take out what they have put there.
            Act::TakeOut if is == Owner => client.delete(&part(&self.own, farol)).await,
            Act::TakeOut => client.delete(&part(group, farol)).await,
            Act::Remove => client.delete(&entry).await,
            Act::Delete => client.delete(&at(farol)).await,
        }
    }

    async fn judge(&self, act: Act, key: Key, scene: &Scene, is: Is, told: &str) {
        let client = &self.clients[KEYS.iter().position(|one| *one == key).expect("a key")];
        let answer = self.act(act, client, scene, is).await;
        let (status, details) = right(act, key, is);
        assert_eq!(answer.status, status, "{told}, {act:?}: {answer}");
        if let Some(details) = details {
            answer.error_with("forbidden", json!([details]));
        }
    }

    /// One way with one key, in a scene of its own.
    async fn case(&self, way: Way, end: End, key: Key, number: usize) {
        let alice = &self.site.alice;
        let mut scene = self.scene(way, key, number).await;
        let told = format!("{way:?} with {key:?}");
        for act in ALL_BUT_DELETE {
            self.judge(act, key, &scene, way.is(), &told).await;
        }
        if way.is() != Owner || key == Key::ReadOnly {
            self.judge(Act::Delete, key, &scene, way.is(), &told).await;
        }
        // Somebody to be changed and removed again.
        let Scene { farol, guest, .. } = &scene;
        if !alice.roles(&PROPERTY_USERS, farol).await.iter().any(|(email, _)| email == guest) {
            scene.guest_entry = alice.invites(&PROPERTY_USERS, farol, guest, "user").await.is(201).id();
        }
        if way.is() != Nobody {
            self.end(&mut scene, way, end).await;
            let told = format!("{told}, {end:?}");
            for act in [&ALL_BUT_DELETE[..], &[Act::Delete]].concat() {
                self.judge(act, key, &scene, way.after(end), &told).await;
            }
        }
        // Nothing that was refused was done.
        let invited = alice.roles(&PROPERTY_USERS, &scene.farol).await;
        let more = format!("more-{}", scene.guest);
        let may = way.is() == Owner && matches!(key, Key::Full | Key::Session);
        assert_eq!(invited.iter().any(|(email, _)| *email == more), may, "{told}");
        assert!(!alice.groups_of(&scene.farol).await.contains(&self.own), "{told}");
        if way.is() == Owner && key != Key::ReadOnly {
            let scene = self.scene(way, key, number + 1_000).await;
            self.judge(Act::Delete, key, &scene, Owner, &told).await;
            alice.api.get(&at(&scene.farol)).await.error("not_found");
        }
    }
}

#[actix_web::test]
async fn each_way_with_each_key_does_what_its_role_may_and_nothing_once_it_has_ended() {
    let matrix = Matrix::new().await;
    for (number, (way, end)) in CASES.into_iter().enumerate() {
        matrix.site.server.another_day().await;
        // At once, as most of a case is waiting.
        let case = |place: usize| matrix.case(way, end, KEYS[place], number * KEYS.len() + place);
        tokio::join!(case(0), case(1), case(2), case(3));
    }
}
