//! Query plans of both databases for large accounts: a list reads no rows of other users, whatever share of a table is
//! theirs. Checked in the plans, after statistics were gathered, with every planner option on.

use std::path::Path;

#[expect(clippy::disallowed_types, reason = "the database itself creates this many rows")]
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::{
    access::caller::Caller,
    base::{
        clock::Moment,
        ids::{GroupId, PropertyId, UserId},
        settings::Synchronous,
    },
    db::{Db, On, PATIENCE, RAN, Server, Statement, Tx, impl_from_row},
    hotel::{
        groups,
        members::Member,
        properties::{self, Property},
        rate_plans::RatePlan,
        room_types::RoomType,
    },
    record::{
        activity::Kind,
        entries::{self, Filter},
    },
    resource::{blocks::Blocks, collection::Resource, list::Orderable, query::Query, store as resource_store},
};

/// Users other than the one whose lists are read.
const OTHERS: usize = 1_000;

/// Properties of the one user; the others together have as many.
const PROPERTIES: usize = 4_000;
const ROOM_TYPES: usize = 50 * PROPERTIES;
const RATE_PLANS: usize = 10 * PROPERTIES;
const ENTRIES: usize = PROPERTIES;

/// Of these tables no plan may read more rows than are the caller's, and none may be scanned sequentially.
const TABLES: [&str; 7] =
    ["properties", "room_types", "rate_plans", "property_users", "group_properties", "group_users", "activity"];

/// On SQLite, or on the PostgreSQL that `LATCHKEY_TEST_DATABASE` names.
#[actix_web::test]
async fn lists_of_a_large_account_read_no_rows_of_others() {
    let Ok(server) = std::env::var("LATCHKEY_TEST_DATABASE") else {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("latchkey.db");
        let db = Db::sqlite(&file, Synchronous::Normal, PATIENCE).await.unwrap();
        db.migrate(&folder.path().join("lock")).await.unwrap();
        check_plans(&db).await;
        db.close().await;
        return;
    };
    let admin = sqlx::PgPool::connect(&server).await.unwrap();
    let name = format!("plans_{}", Uuid::now_v7().simple());
    sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&admin).await.unwrap();
    let mut url = url::Url::parse(&server).unwrap();
    url.set_path(&name);
    let db = Db::postgres(&Server::new(url.as_str(), false).unwrap(), 2);
    db.migrate(Path::new("")).await.unwrap();
    check_plans(&db).await;
    db.close().await;
    sqlx::query(AssertSqlSafe(format!("drop database {name} with (force)"))).execute(&admin).await.unwrap();
}

async fn check_plans(db: &Db) {
    fill(db).await;
    RAN.take();
    let caller = Caller::person(UserId(Uuid::from_u128(1)));
    let mut tx = db.read().await.unwrap();
    for query in [
        "",
        "pagination[page]=30",
        "pagination[page]=350",
        "filter[title]=Item 78",
        "order[id]=desc&pagination[limit]=100",
    ] {
        let query = Query::read(query).unwrap();
        assert!(!properties::list_index::page(&mut tx, &caller, &query).await.unwrap().0.is_empty());
        assert!(!resource_store::page::<RoomType>(&mut tx, &caller, &query).await.unwrap().0.is_empty());
        assert!(!resource_store::page::<RatePlan>(&mut tx, &caller, &query).await.unwrap().0.is_empty());
    }
    let of_one = format!("filter[property_id]={}&order[id]=desc", Uuid::from_u128(1));
    for query in [of_one.as_str(), "filter[id]=00000000-0000-0000-0000-000000000001"] {
        let query = Query::read(query).unwrap();
        resource_store::page::<RoomType>(&mut tx, &caller, &query).await.unwrap();
        resource_store::page::<RatePlan>(&mut tx, &caller, &query).await.unwrap();
        Blocks::<Member<PropertyId>>::new(caller, query).next(&mut tx).await.unwrap();
    }
    let ids = ids::<Property>(&mut tx, "", 1_500).await;
    assert_eq!(ids.len(), PROPERTIES);
    assert_eq!(resource_store::choices::<Property>(&mut tx, &caller, &ids[..1_000]).await.unwrap().len(), 1_000);
    let ids = self::ids::<RoomType>(&mut tx, "", 150_000).await;
    assert_eq!(ids.len(), ROOM_TYPES);
    assert_eq!(resource_store::choices::<RoomType>(&mut tx, &caller, &ids[..1_000]).await.unwrap().len(), 1_000);
    assert_eq!(resource_store::by_ids::<RoomType>(&mut tx, &caller, &ids[..10]).await.unwrap().len(), 10);
    let ids = self::ids::<RatePlan>(&mut tx, "", 30_000).await;
    assert_eq!(ids.len(), RATE_PLANS);
    assert_eq!(resource_store::choices::<RatePlan>(&mut tx, &caller, &ids[..1_000]).await.unwrap().len(), 1_000);
    assert_eq!(resource_store::by_ids::<RatePlan>(&mut tx, &caller, &ids[..10]).await.unwrap().len(), 10);
    let ids = self::ids::<Member<PropertyId>>(&mut tx, "", 1_500).await;
    assert_eq!(ids.len(), PROPERTIES / 2);
    let members = resource_store::by_ids::<Member<PropertyId>>(&mut tx, &caller, &ids[..100]).await.unwrap();
    assert_eq!(members.len(), 100);
    let group = GroupId(Uuid::from_u128(2_000));
    assert!(groups::store::few_contents(&mut tx, &caller, &[group], 1_000).await.unwrap().is_none());
    let mut content = groups::store::content(&mut tx, &caller, group, None, 1_000).await.unwrap();
    let content = groups::store::content(&mut tx, &caller, group, content.pop(), 1_000).await.unwrap();
    assert_eq!(content.len(), 1_000);
    let ran = RAN.take();
    assert!(ran.len() >= 28, "{}", ran.len());
    for select in ran {
        explain(&mut tx, select).await;
    }
    check_activity(&mut tx).await;
    check_blocks(&mut tx).await;
}

/// The record of a user is read by its index, whatever the filter is.
async fn check_activity(tx: &mut Tx) {
    RAN.take();
    let user = Some(UserId(Uuid::from_u128(1)));
    let all = Filter { user, ..Filter::default() };
    let of_kind = Filter { kind: Some(Kind::SignIn), ..all };
    let since = Filter { from: Some(Moment::UNIX_EPOCH), before: Some(Moment::UNIX_EPOCH), ..of_kind };
    for filter in [all, of_kind, since] {
        entries::count(tx, &filter, 10_001).await.unwrap();
        for (after, offset) in [(None, 0), (None, 1_000), (Some(Uuid::from_u128(3_000)), 0)] {
            entries::read(tx, &filter, after, 25, offset).await.unwrap();
        }
    }
    for select in RAN.take() {
        let how = if tx.is_postgres() { "explain" } else { "explain query plan" };
        let plan: Vec<String> = match tx.is_postgres() {
            true => select.explained(how).fetch_all::<Line>(tx).await.unwrap().into_iter().map(|line| line.0).collect(),
            false => {
                select.explained(how).fetch_all::<Step>(tx).await.unwrap().into_iter().map(|step| step.0).collect()
            }
        };
        assert!(plan.iter().any(|line| line.contains("activity_by_user")), "{plan:#?}\n{select:?}");
        explain(tx, select).await;
    }
}

/// The ids of a whole list of the one user, found in blocks of so many.
async fn ids<R: Resource>(tx: &mut Tx, query: &str, rows: usize) -> Vec<Uuid> {
    let caller = Caller::person(UserId(Uuid::from_u128(1)));
    let mut blocks = Blocks::<R>::new(caller, Query::read(query).unwrap()).of(rows);
    let mut ids = Vec::new();
    while !blocks.is_over() {
        ids.extend(blocks.next(tx).await.unwrap().iter().map(|hit| hit.id));
    }
    ids
}

/// A list in blocks has the rows of a list in one, in the same order, whatever the order is.
async fn check_blocks(tx: &mut Tx) {
    for Orderable { name, .. } in resource_store::listing::<Property>().orders.iter() {
        for query in ["=asc", "=desc", "=desc&order[city]=asc&order[latitude]=desc", "=asc&order[latitude]=asc"] {
            let query = format!("order[{name}]{query}&filter[currency]=EUR");
            let all = ids::<Property>(tx, &query, PROPERTIES + 1).await;
            assert_eq!(all.len(), PROPERTIES);
            assert!(ids::<Property>(tx, &query, 700).await == all, "{query}");
        }
    }
    let all = ids::<Member<PropertyId>>(tx, "order[role]=desc", PROPERTIES).await;
    assert_eq!(ids::<Member<PropertyId>>(tx, "order[role]=desc", 300).await, all);
}

/// SQL that the databases spell differently.
struct Dialect {
    on_sqlite: bool,
}

impl Dialect {
    /// A UUID of a number.
    fn id(&self, number: &str) -> String {
        match self.on_sqlite {
            true => format!("unhex(printf('%032x', {number}))"),
            false => format!("cast(lpad(to_hex({number}), 32, '0') as uuid)"),
        }
    }

    /// The sort key of the title of row `n`.
    fn sort_title(&self) -> &'static str {
        if self.on_sqlite { "cast('item ' || n as blob)" } else { "convert_to('item ' || n, 'UTF8')" }
    }

    fn created_at(&self) -> &'static str {
        if self.on_sqlite { "'2026-01-01 00:00:00+00:00'" } else { "timestamptz '2026-01-01 00:00:00+00:00'" }
    }

    /// Rows `n` from 0 on.
    fn rows(&self, count: usize) -> String {
        match self.on_sqlite {
            true => format!("with recursive ns(n) as (select 0 union all select n + 1 from ns where n + 1 < {count})"),
            false => format!("with ns as (select n from generate_series(0, {count} - 1) n)"),
        }
    }
}

/// A table, how many rows to insert, its columns, and the values of row `n`.
type Fill = (&'static str, usize, &'static str, String);

/// Half of the properties of either side have property users, the others are in a group. Rows of the one user and of
/// the others alternate.
async fn fill(db: &Db) {
    let mut tx = db.write().await.unwrap();
    let sql = Dialect { on_sqlite: !tx.is_postgres() };
    for (table, count, columns, values) in [account_rows(&sql), property_rows(&sql), room_and_rate_rows(&sql)].concat()
    {
        let rows = sql.rows(count);
        execute(&mut tx, format!("{rows} insert into {table} ({columns}) select {values} from ns")).await;
    }
    tx.commit().await.unwrap();
    // As both databases do by themselves, PostgreSQL by autovacuum.
    for _ in 0..100 {
        if is_analyzed(db).await {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Users, each the owner of a group.
fn account_rows(sql: &Dialect) -> Vec<Fill> {
    let (user, group) = (sql.id("1 + n"), sql.id("2000 + n"));
    let (title, at) = (sql.sort_title(), sql.created_at());
    vec![
        (
            "users",
            1 + OTHERS,
            "id, email, email_key, time_zone, created_at",
            format!("{user}, 'u' || n, 'u' || n, 'UTC', {at}"),
        ),
        ("groups", 1 + OTHERS, "id, title, sort_title, created_at", format!("{group}, 'Group', {title}, {at}")),
        (
            "group_users",
            1 + OTHERS,
            "id, group_id, user_id, role, created_at",
            format!("{group}, {group}, {user}, 'owner', {at}"),
        ),
        (
            "activity",
            2 * ENTRIES,
            "id, at, user_id, actor, kind, count",
            format!(
                "{}, {at}, {}, 'person', case when n % 3 = 0 then 'sign_in' else 'sign_out' end, 1",
                sql.id("100 + n"),
                // The one user has every other entry.
                sql.id(&format!("1 + n % 2 * (1 + n / 2 % {OTHERS})"))
            ),
        ),
        (
            "property_totals",
            1 + OTHERS,
            "user_id, total",
            format!("{user}, case when n = 0 then {PROPERTIES} else {PROPERTIES} / {OTHERS} end"),
        ),
    ]
}

fn property_rows(sql: &Dialect) -> Vec<Fill> {
    // The one user has every other row, and a thousand share the rest.
    let owner = |first: usize| sql.id(&format!("{first} + n % 2 * (1 + n / 2 % {OTHERS})"));
    let (title, at) = (sql.sort_title(), sql.created_at());
    vec![
        (
            "properties",
            2 * PROPERTIES,
            "id, title, sort_title, is_active, currency, property_type, autoupdate_on_confirmation,
            autoupdate_on_modification, autoupdate_on_cancellation, min_stay_type, state_length, created_at, city,
            latitude",
            format!(
                "{}, 'Item ' || n, {title}, true, 'EUR', 'hotel', true, true, true, 'both', 500, {at},
                case when n % 7 < 2 then null else 'City ' || n % 5 end,
                case when n % 11 < 3 then null else n % 17 || '.0625' end",
                sql.id("100 + n")
            ),
        ),
        (
            "property_users",
            PROPERTIES,
            "id, property_id, user_id, role, sort_title, created_at",
            format!("{0}, {0}, {1}, 'owner', {title}, {at}", sql.id("100 + n"), owner(1)),
        ),
        (
            "group_properties",
            PROPERTIES,
            "group_id, property_id, sort_title, is_home, created_at",
            format!("{}, {}, {title}, true, {at}", owner(2_000), sql.id(&format!("100 + {PROPERTIES} + n"))),
        ),
    ]
}

fn room_and_rate_rows(sql: &Dialect) -> Vec<Fill> {
    let (id, property) = (sql.id("100 + n"), sql.id(&format!("100 + n % {}", 2 * PROPERTIES)));
    let (title, at) = (sql.sort_title(), sql.created_at());
    vec![
        (
            "room_types",
            2 * ROOM_TYPES,
            "id, property_id, title, sort_title, count_of_rooms, occ_adults, occ_children, occ_infants,
            default_occupancy, facilities, room_kind, created_at",
            format!("{id}, {property}, 'Item ' || n, {title}, 1, 2, 0, 0, 2, '', 'room', {at}"),
        ),
        (
            "rate_plans",
            2 * RATE_PLANS,
            "id, property_id, room_type_id, title, sort_title, currency, sell_mode, rate_mode, meal_type, options,
            primary_occupancy, children_fee, infant_fee, inherit_rate, inherit_closed_to_arrival,
            inherit_closed_to_departure, inherit_stop_sell, inherit_min_stay_arrival, inherit_min_stay_through,
            inherit_max_stay, inherit_max_sell, inherit_max_availability, inherit_availability_offset, created_at",
            format!(
                "{id}, {property}, {id}, 'Item ' || n, {title}, 'EUR', 'per_room', 'manual', 'none', '[]', 2, 0, 0,
                false, false, false, false, false, false, false, false, false, false, {at}"
            ),
        ),
    ]
}

/// Runs a statement without the timeout of a request.
async fn execute(tx: &mut Tx, sql: String) {
    match &mut tx.on {
        On::Reader(_) => panic!("a reader cannot insert"),
        On::Sqlite(write) => write.execute(&sql, &[], false).map(drop),
        On::Postgres(turn) => sqlx::query(AssertSqlSafe(sql)).execute(turn.connection()).await.map(drop),
    }
    .unwrap();
}

/// How many rows of a table are the caller's.
fn own(table: &str) -> usize {
    match table {
        "room_types" => ROOM_TYPES,
        "rate_plans" => RATE_PLANS,
        "activity" => ENTRIES,
        _ => PROPERTIES,
    }
}

/// Gathers statistics. On PostgreSQL plans also depend on the pages that are known to be visible to all, which snapshots of
/// tests beside this one may delay.
async fn is_analyzed(db: &Db) -> bool {
    const SQL: &str = "
        select not exists (select 1 from pg_class where relname = 'group_properties' and relallvisible < relpages)";
    db.analyze().await.unwrap();
    let mut tx = db.read().await.unwrap();
    !tx.is_postgres() || Statement::new(SQL, Vec::new()).fetch_value(&mut tx).await.unwrap()
}

async fn explain(tx: &mut Tx, select: Statement) {
    if !tx.is_postgres() {
        let steps: Vec<Step> = select.explained("explain query plan").fetch_all(tx).await.unwrap();
        for step in &steps {
            let scanned = step.0.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            let allowed = matches!(
                scanned,
                None | Some("me" | "mine" | "reached" | "counted" | "(subquery" | "CONSTANT" | "json_each")
            );
            assert!(allowed, "{}\n{steps:#?}\n{select:?}", step.0);
        }
        return;
    }
    let lines: Vec<Line> = select.explained("explain (analyze, timing off)").fetch_all(tx).await.unwrap();
    let text: Vec<&str> = lines.iter().map(|line| line.0.as_str()).collect();
    let plan = text.join("\n");
    for (place, line) in text.iter().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(on) = words.windows(2).find(|pair| pair[0] == "on" && TABLES.contains(&pair[1])) else { continue };
        assert!(!line.contains("Seq Scan"), "{line}\n{plan}\n{select:?}");
        let Some(actual) = line.split("(actual ").nth(1) else { continue };
        let number = |name: &str| -> usize {
            actual.split(name).nth(1).unwrap().split([' ', ')']).next().unwrap().parse().unwrap()
        };
        let (rows, loops) = (number("rows="), number("loops="));
        // Rows that a filter of this step removed are on the lines below it, until the next step.
        let below = text[place + 1..].iter().take_while(|line| !line.contains("->"));
        let removed = below
            .filter_map(|line| line.trim().strip_prefix("Rows Removed by "))
            .map(|rest| rest.rsplit(' ').next().and_then(|count| count.parse::<usize>().ok()).unwrap_or(0));
        let read = (rows + removed.sum::<usize>()) * loops;
        assert!(read <= own(on[1]), "{line}: {read} rows\n{plan}\n{select:?}");
    }
}

/// A step of SQLite's plan.
#[derive(Debug)]
struct Step(String);

/// A line of PostgreSQL's plan.
struct Line(String);

impl_from_row!(Step, row => Step(row.try_get("detail")?));
impl_from_row!(Line, row => Line(row.at(0)?));
