// What both peers on Node.js share: the tables, the list of properties, and how they are started.
//
// Built as the documentation of Fastify and of better-sqlite3 says: statements prepared once, the caller found in an
// onRequest hook, a schema of the answer from which fast-json-stringify makes the function that writes it.

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import Fastify from "fastify";

const PATH = "/api/v1/properties";

// Scalar fields are columns, what is nested is JSON text.
const TABLES = (users) => `
  create table subscriptions (user_id text primary key references ${users} (id), state text not null);
  create table properties (
    id text primary key, title text not null, is_active integer not null, email text, phone text,
    currency text not null, country text, state text, city text, address text, zip_code text, latitude text,
    longitude text, timezone text, property_type text not null, content text not null, logo_url text,
    acc_channels_count integer not null, settings text not null, relationships text not null
  );
  create table property_users (
    user_id text not null references ${users} (id), property_id text not null references properties (id),
    primary key (user_id, property_id)
  );`;

const text = { type: "string" };
const maybe = { type: "string", nullable: true };
const integer = { type: "integer" };
const boolean = { type: "boolean" };
const object = (properties) => ({ type: "object", properties });
const array = (items) => ({ type: "array", items });

const photo = object({
  author: maybe, description: maybe, id: text, kind: text, position: integer, property_id: text, room_type_id: maybe,
  url: text,
});
const settings = object({
  allow_availability_autoupdate_on_confirmation: boolean, allow_availability_autoupdate_on_modification: boolean,
  allow_availability_autoupdate_on_cancellation: boolean, min_stay_type: text, min_price: maybe, max_price: maybe,
  state_length: integer,
});
const attributes = object({
  id: text, title: text, is_active: boolean, email: maybe, phone: maybe, currency: text, country: maybe, state: maybe,
  city: maybe, address: maybe, zip_code: maybe, latitude: maybe, longitude: maybe, timezone: maybe,
  property_type: text,
  content: object({ description: maybe, photos: array(photo), important_information: maybe }),
  logo_url: maybe, acc_channels_count: integer, settings,
});
const named = object({ data: array(object({ type: text, id: text, attributes: object({ id: text, title: text }) })) });
const relationships = object({ groups: named, facilities: named });
const answer = object({
  data: array(object({ type: text, id: text, attributes, relationships })),
  meta: object({ page: integer, limit: integer, total: integer }),
});
const querystring = object({
  "pagination[page]": { type: "integer", minimum: 1, default: 1 },
  "pagination[limit]": { type: "integer", minimum: 1, maximum: 100, default: 10 },
});

export function readArgs() {
  const string = { type: "string" };
  return parseArgs({ options: { port: string, data: string, properties: string } }).values;
}

export function openDatabase(folder, name) {
  mkdirSync(folder, { recursive: true });
  const db = new Database(join(folder, name));
  db.pragma("journal_mode = WAL"); // as its documentation asks for; `synchronous` is its default for WAL, NORMAL
  return db;
}

// Gives a user of the table `users` a subscription and the properties of a list.
export function seed(db, users, user, file) {
  db.exec(TABLES(users));
  db.prepare("insert into subscriptions values (?, 'active')").run(user);
  const link = db.prepare("insert into property_users values (?, ?)");
  for (const { attributes, relationships } of JSON.parse(readFileSync(file, "utf8")).data) {
    const row = { ...attributes, relationships, is_active: Number(attributes.is_active) };
    for (const nested of ["content", "settings", "relationships"]) row[nested] = JSON.stringify(row[nested]);
    const names = Object.keys(row);
    db.prepare(`insert into properties (${names}) values (${names.map((name) => `@${name}`)})`).run(row);
    link.run(user, row.id);
  }
}

// Serves the list. `callerOf` finds the user that a key stands for, or nothing; it may be asynchronous.
export async function serve(db, port, key, callerOf) {
  const count = db.prepare("select count(*) from property_users where user_id = ?").pluck();
  const page = db.prepare(`
    select p.* from properties p join property_users pu on pu.property_id = p.id
    where pu.user_id = ? order by p.title, p.id limit ? offset ?`);
  const app = Fastify(); // without a logger, its default
  app.decorateRequest("caller", null);
  app.addHook("onRequest", async (request, reply) => {
    const sent = request.headers["user-api-key"];
    request.caller = sent && (await callerOf(sent));
    if (!request.caller) return reply.code(401).send({ errors: { code: "unauthorized", title: "Unauthorized" } });
  });
  app.get(PATH, { schema: { querystring, response: { 200: answer } } }, (request, reply) => {
    const { "pagination[page]": number, "pagination[limit]": limit } = request.query;
    const user = request.caller.id;
    const data = page.all(user, limit, (number - 1) * limit).map(({ content, settings, relationships, ...row }) => ({
      type: "property",
      id: row.id,
      attributes: {
        ...row, is_active: row.is_active === 1, content: JSON.parse(content), settings: JSON.parse(settings),
      },
      relationships: JSON.parse(relationships),
    }));
    reply.send({ data, meta: { page: number, limit, total: count.get(user) } });
  });
  process.on("SIGTERM", async () => {
    await app.close();
    db.close();
    process.exit(0);
  });
  await app.listen({ host: "127.0.0.1", port: Number(port) });
  console.log(`ready ${key}`);
}
