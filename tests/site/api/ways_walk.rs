//! A walk of many steps over everything that gives and takes rights, against a model of the rights written from the
//! contract alone (docs/contract/README.md, section 15, 17 to 22, 104 and 108).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::access::{GROUP_USERS, PROPERTY_USERS, Users, part};
use crate::client::Call;
use crate::people::Person;
use crate::property::{GROUPS, PROPERTIES, group_at};
use crate::server::Server;

const PEOPLE: usize = 4;
const STEPS: usize = 300;

/// The roles of people, who are numbers; true is an owner.
type Roles = BTreeMap<usize, bool>;

/// A property in a group.
#[derive(Clone)]
struct Place {
    group: String,
    maker: usize,
    is_home: bool,
}

#[derive(Clone, Default)]
struct Model {
    groups: BTreeMap<String, Roles>,
    /// The own users of each property, and its places, the oldest first.
    properties: BTreeMap<String, (Roles, Vec<Place>)>,
}

impl Model {
    fn role(&self, person: usize, property: &str) -> Option<bool> {
        let (own, places) = &self.properties[property];
        let through = places.iter().filter_map(|place| self.groups[&place.group].get(&person));
        own.get(&person).into_iter().chain(through).max().copied()
    }

    fn has_owner(&self, property: &str) -> bool {
        (0..PEOPLE).any(|person| self.role(person, property) == Some(true))
    }

    fn owns_group(&self, person: usize, group: &str) -> bool {
        self.groups[group].get(&person) == Some(&true)
    }

    /// Whether a place rests on something, asked backwards from the place: some owner of the group, or its maker, must
    /// own the property directly, or through a place that the maker did not make and that itself rests on something
    /// other than those asked for already.
    fn rests(&self, property: &str, index: usize, asked: &[usize]) -> bool {
        let (own, places) = &self.properties[property];
        let place = &places[index];
        if place.is_home {
            return true;
        }
        let asked = [asked, &[index]].concat();
        let on = |person: usize| person == place.maker || self.owns_group(person, &place.group);
        (0..PEOPLE).filter(|person| on(*person)).any(|person| {
            own.get(&person) == Some(&true)
                || (0..places.len()).any(|way| {
                    !asked.contains(&way)
                        && (places[way].is_home || places[way].maker != place.maker)
                        && self.owns_group(person, &places[way].group)
                        && self.rests(property, way, &asked)
                })
        })
    }

    /// Ends what rests on nothing.
    fn end(&mut self, property: &str) {
        let count = self.properties[property].1.len();
        let rests: Vec<bool> = (0..count).map(|index| self.rests(property, index, &[])).collect();
        let mut rests = rests.into_iter();
        self.properties.get_mut(property).expect("it").1.retain(|_| rests.next() == Some(true));
    }

    fn end_all(&mut self) {
        self.properties.keys().cloned().collect::<Vec<_>>().iter().for_each(|property| self.end(property));
    }

    /// What a person sees: each property with its groups.
    fn seen(&self, person: usize) -> BTreeMap<String, BTreeSet<String>> {
        let mut seen = BTreeMap::new();
        for (id, (_, places)) in &self.properties {
            let Some(owns) = self.role(person, id) else { continue };
            let groups = places.iter().map(|place| place.group.clone());
            let groups = groups.filter(|group| owns || self.groups[group].contains_key(&person)).collect();
            seen.insert(id.clone(), groups);
        }
        seen
    }

    fn roles_of(&mut self, of: &Thing) -> &mut Roles {
        match of {
            Thing::Property(id) => &mut self.properties.get_mut(id).expect("it").0,
            Thing::Group(id) => self.groups.get_mut(id).expect("it"),
        }
    }

    fn role_on(&self, person: usize, thing: &Thing) -> Option<bool> {
        match thing {
            Thing::Property(id) => self.role(person, id),
            Thing::Group(id) => self.groups[id].get(&person).copied(),
        }
    }

    /// What the step should answer; when that is success, it is done.
    fn take(&mut self, by: usize, step: &Step) -> u16 {
        let before = self.clone();
        let status = self.attempt(by, step);
        if status >= 400 {
            *self = before;
        }
        status
    }

    fn attempt(&mut self, by: usize, step: &Step) -> u16 {
        match step {
            Step::Invite(thing, who, owner) => match self.role_on(by, thing) {
                Some(true) if self.roles_of(thing).contains_key(who) => 400,
                Some(true) => {
                    self.roles_of(thing).insert(*who, *owner);
                    201
                }
                _ => 403,
            },
            Step::Change(thing, who, owner) => match self.role_on(by, thing) {
                None => 404,
                Some(false) => 403,
                Some(true) => {
                    self.roles_of(thing).insert(*who, *owner);
                    self.after_loss(thing)
                }
            },
            Step::Withdraw(thing, who) => match self.role_on(by, thing) {
                None => 404,
                Some(false) => 403,
                Some(true) if by == *who => 400,
                Some(true) => {
                    self.roles_of(thing).remove(who);
                    self.after_loss(thing)
                }
            },
            Step::Add(group, property) => {
                let (Some(of_group), Some(of_property)) = (self.groups[group].get(&by), self.role(by, property)) else {
                    return 404;
                };
                if !of_group || !of_property {
                    return 403;
                }
                if self.place(group, property).is_some() {
                    return 422;
                }
                let place = Place { group: group.clone(), maker: by, is_home: false };
                let places = &mut self.properties.get_mut(property).expect("it").1;
                places.push(place);
                let last = places.len() - 1;
                // One that would end at once.
                if self.rests(property, last, &[]) { 200 } else { 403 }
            }
            Step::TakeOut(group, property) => self.take_out(by, group, property),
            Step::Make => 201,
            Step::Delete(group) => match self.groups[group].get(&by) {
                None => 404,
                Some(false) => 403,
                Some(true) if self.properties.keys().any(|property| self.place(group, property).is_some()) => 400,
                Some(true) if self.groups.values().filter(|roles| roles.get(&by) == Some(&true)).count() < 2 => 400,
                Some(true) => {
                    self.groups.remove(group);
                    200
                }
            },
        }
    }

    fn place(&self, group: &str, property: &str) -> Option<usize> {
        self.properties[property].1.iter().position(|place| place.group == group)
    }

    fn after_loss(&mut self, thing: &Thing) -> u16 {
        self.end_all();
        let owned = match thing {
            Thing::Group(id) => self.groups[id].values().any(|owner| *owner),
            Thing::Property(_) => true,
        };
        if owned && self.properties.keys().all(|property| self.has_owner(property)) { 200 } else { 400 }
    }

    fn take_out(&mut self, by: usize, group: &str, property: &str) -> u16 {
        let Some(owns) = self.role(by, property) else { return 404 };
        let in_group = self.groups[group].get(&by);
        if !owns && in_group.is_none() {
            return 404;
        }
        let Some(index) = self.place(group, property) else { return 404 };
        if !owns {
            return 403;
        }
        if self.properties[property].1[index].is_home {
            if in_group != Some(&true) {
                return 403;
            }
            let places = &self.properties[property].1;
            let next = places.iter().position(|place| !place.is_home && self.owns_group(by, &place.group));
            let Some(next) = next else { return 400 };
            self.properties.get_mut(property).expect("it").1[next].is_home = true;
        }
        self.properties.get_mut(property).expect("it").1.remove(index);
        self.end(property);
        if self.has_owner(property) { 200 } else { 400 }
    }
}

/// What people have roles on.
#[derive(Clone, Debug)]
enum Thing {
    Property(String),
    Group(String),
}

impl Thing {
    fn users(&self) -> (&'static Users, &str) {
        match self {
            Thing::Property(id) => (&PROPERTY_USERS, id),
            Thing::Group(id) => (&GROUP_USERS, id),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Invite(Thing, usize, bool),
    Change(Thing, usize, bool),
    Withdraw(Thing, usize),
    Add(String, String),
    TakeOut(String, String),
    Make,
    Delete(String),
}

/// The same numbers for the same seed, on every machine.
struct Dice(u64);

impl Dice {
    /// A number below `end`.
    fn roll(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

struct Walk {
    seed: u64,
    server: Server,
    people: Vec<Person>,
    model: Model,
    dice: Dice,
    done: Vec<String>,
    /// The ETag of each person's list, and what it was of.
    tags: Vec<(String, BTreeMap<String, BTreeSet<String>>)>,
}

impl Walk {
    async fn begin(seed: u64) -> Self {
        let server = Server::options().unlimited().start().await;
        let mut people = Vec::new();
        let mut model = Model::default();
        for person in 0..PEOPLE {
            let someone = server.person(&format!("p{person}@farol.example")).await;
            let groups = [someone.group().await, someone.has_group("Second").await, someone.has_group("Third").await];
            model.groups.extend(groups.iter().map(|group| (group.clone(), Roles::from([(person, true)]))));
            if person < 3 {
                let property = someone.has(json!({ "title": format!("Of {person}"), "group_id": groups[0] })).await;
                let home = Place { group: groups[0].clone(), maker: person, is_home: true };
                model.properties.insert(property, (Roles::from([(person, true)]), vec![home]));
            }
            people.push(someone);
        }
        let tags = vec![(String::new(), BTreeMap::new()); PEOPLE];
        Self { seed, server, people, model, dice: Dice(seed), done: Vec::new(), tags }
    }

    /// A step, and who takes it: mostly one that may.
    fn choose(&mut self) -> (usize, Step) {
        let (groups, properties): (Vec<_>, Vec<_>) =
            (self.model.groups.keys().cloned().collect(), self.model.properties.keys().cloned().collect());
        let dice = &mut self.dice;
        let (group, property) = (dice.one(&groups).clone(), dice.one(&properties).clone());
        let thing = if dice.roll(2) == 0 { Thing::Property(property.clone()) } else { Thing::Group(group.clone()) };
        let (who, owner) = (dice.roll(PEOPLE), dice.roll(3) > 0);
        let members: Vec<usize> = self.model.clone().roles_of(&thing).keys().copied().collect();
        let member = if members.is_empty() { None } else { Some(*dice.one(&members)) };
        let held: Vec<String> = self.model.properties[&property].1.iter().map(|place| place.group.clone()).collect();
        let step = match (dice.roll(20), member) {
            (0..=4, _) => Step::Invite(thing, who, owner),
            (5..=6, Some(member)) => Step::Change(thing, member, owner),
            (7..=9, Some(member)) => Step::Withdraw(thing, member),
            (10..=14, _) => Step::Add(group, property),
            (15..=16, _) => Step::TakeOut(dice.one(&held).clone(), property),
            (17, _) => Step::TakeOut(group, property),
            (18, _) if groups.len() < 14 => Step::Make,
            _ => Step::Delete(group),
        };
        let may: Vec<usize> = (0..PEOPLE).filter(|by| self.model.clone().take(*by, &step) < 400).collect();
        let by = if may.is_empty() || self.dice.roll(5) == 0 { self.dice.roll(PEOPLE) } else { *self.dice.one(&may) };
        (by, step)
    }

    /// The request of a step. What it names is looked up by somebody who sees it.
    async fn call(&self, by: usize, step: &Step) -> Call {
        let api = &self.people[by].api;
        let email = |who: &usize| &self.people[*who].user.email;
        let role = |owner: &bool| if *owner { "owner" } else { "user" };
        match step {
            Step::Invite(thing, who, owner) => {
                let (users, id) = thing.users();
                api.post(users.path, &users.invitation(id, email(who), role(owner)))
            }
            Step::Change(thing, who, owner) => {
                let (users, id) = thing.users();
                let entry = self.people[*who].entry(users, id, email(who)).await;
                api.put(&users.at(&entry), &users.change(json!({ "role": role(owner) })))
            }
            Step::Withdraw(thing, who) => {
                let (users, id) = thing.users();
                api.delete(&users.at(&self.people[*who].entry(users, id, email(who)).await))
            }
            Step::Add(group, property) => api.post(&part(group, property), &json!({})),
            Step::TakeOut(group, property) => api.delete(&part(group, property)),
            Step::Make => api.post(GROUPS, &json!({ "group": { "title": "More" } })),
            Step::Delete(group) => api.delete(&group_at(group)),
        }
    }

    async fn step(&mut self) {
        let (by, step) = self.choose();
        self.done.push(format!("p{by}: {step:?}"));
        let expected = self.model.take(by, &step);
        let answer = self.call(by, &step).await.await;
        assert_eq!(answer.status, expected, "{answer}\n{}", self.told());
        if let (Step::Make, 201) = (&step, expected) {
            self.model.groups.insert(answer.id(), Roles::from([(by, true)]));
        }
        for person in 0..PEOPLE {
            self.check_list(person).await;
        }
    }

    /// The list of a person, asked for with the ETag of the one before: it has changed when the rights have.
    async fn check_list(&mut self, person: usize) {
        let expected = self.model.seen(person);
        let (tag, old) = &self.tags[person];
        let mut call = self.people[person].api.get(PROPERTIES);
        if !tag.is_empty() {
            call = call.header("if-none-match", tag);
        }
        let answer = call.await;
        if answer.status == 304 {
            assert_eq!(*old, expected, "p{person} was told that nothing had changed\n{}", self.told());
            return;
        }
        let answer = answer.is(200);
        let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let seen: BTreeMap<String, BTreeSet<String>> = list(&answer.data())
            .iter()
            .map(|entry| (id(entry), list(&entry["relationships"]["groups"]["data"]).iter().map(id).collect()))
            .collect();
        assert_eq!(seen, expected, "what p{person} sees\n{}", self.told());
        self.tags[person] = (answer.header("etag").expect("an ETag").to_owned(), expected);
    }

    /// Whoever reaches a property is told to its owners: in the host's list of ways, and over the API by the property's
    /// own users and the users of the groups that owners see.
    async fn check_ways(&self) {
        for (property, (own, _)) in &self.model.properties {
            let reach: BTreeSet<usize> =
                (0..PEOPLE).filter(|person| self.tags[*person].1.contains_key(property)).collect();
            let ways = self.server.run(&["member", "list", property]).ok();
            let named = (0..PEOPLE).filter(|person| ways.contains(&format!("p{person}@farol.example\t")));
            assert_eq!(named.collect::<BTreeSet<_>>(), reach, "{ways}\n{}", self.told());
            let owner = (0..PEOPLE).find(|person| self.model.role(*person, property) == Some(true)).expect("an owner");
            let mut told: BTreeSet<String> = BTreeSet::new();
            told.extend(self.people[owner].roles(&PROPERTY_USERS, property).await.into_iter().map(|(email, _)| email));
            assert_eq!(told.len(), own.len());
            for group in &self.tags[owner].1[property] {
                let someone = self.model.groups[group].keys().next().expect("a user");
                let users = self.people[*someone].roles(&GROUP_USERS, group).await;
                told.extend(users.into_iter().map(|(email, _)| email));
            }
            let emails = reach.iter().map(|person| self.people[*person].user.email.clone());
            assert_eq!(told, emails.collect(), "{property}\n{}", self.told());
        }
    }

    /// What the tables say twice, they say alike.
    async fn check_tables(&self) {
        for (what, sql) in [
            (
                "counted wrong",
                "properties p where p.group_count <>
                (select count(*) from group_properties gp where gp.property_id = p.id)",
            ),
            (
                "without one home",
                "properties p where 1 <>
                (select count(*) from group_properties gp where gp.property_id = p.id and gp.is_home)",
            ),
            (
                "placed under another title",
                "group_properties gp join properties p on p.id = gp.property_id
                where gp.sort_title <> p.sort_title",
            ),
            (
                "linked under another title",
                "property_users pu join properties p on p.id = pu.property_id where pu.sort_title <> p.sort_title",
            ),
        ] {
            let sql = format!("select cast(count(*) as text) from {sql}");
            assert_eq!(self.server.texts(&sql).await, ["0"], "{what}\n{}", self.told());
        }
    }

    fn told(&self) -> String {
        format!("seed {}, the last of {} steps:\n{}", self.seed, self.done.len(), {
            let from = self.done.len().saturating_sub(40);
            self.done[from..].join("\n")
        })
    }
}

async fn walk(seed: u64) {
    let mut walk = Walk::begin(seed).await;
    for step in 0..STEPS {
        if step % 15 == 0 {
            walk.server.another_day().await;
        }
        walk.step().await;
        if step % 60 == 59 {
            let property = walk.dice.one(&walk.model.properties.keys().cloned().collect::<Vec<_>>()).clone();
            let owner = (0..PEOPLE).find(|person| walk.model.role(*person, &property).is_some()).expect("somebody");
            walk.people[owner].updates(&property, json!({ "title": format!("After {step}") })).await.is(200);
            for person in 0..PEOPLE {
                walk.check_list(person).await;
            }
            walk.check_ways().await;
        }
    }
    walk.check_tables().await;
}

#[actix_web::test]
async fn the_rights_after_every_step_of_a_walk_are_those_of_the_contract() {
    walk(104).await;
}

#[actix_web::test]
async fn the_rights_after_every_step_of_another_walk_are_those_of_the_contract() {
    walk(20_261_128).await;
}
