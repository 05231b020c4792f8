// The list of properties on Fastify and better-sqlite3, with keys looked up by hand: one query by the key's SHA-256.
//
//     node fastify.mjs --port PORT --data FOLDER --properties FILE

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { openDatabase, readArgs, seed, serve } from "./properties.mjs";

const { port, data, properties } = readArgs();
const db = openDatabase(data, "fastify.db");
db.exec(`
  create table users (id text primary key, email text not null unique, is_active integer not null);
  create table api_keys (
    digest blob primary key, user_id text not null references users (id), is_withdrawn integer not null
  );`);

const digest = (key) => createHash("sha256").update(key).digest();
const key = `lk_${randomBytes(32).toString("base64url")}`;
const user = randomUUID();
db.prepare("insert into users values (?, 'desk@load.example', 1)").run(user);
db.prepare("insert into api_keys values (?, ?, 0)").run(digest(key), user);
seed(db, "users", user, properties);

const caller = db.prepare(`
  select u.id from api_keys k join users u on u.id = k.user_id join subscriptions s on s.user_id = u.id
  where k.digest = ? and k.is_withdrawn = 0 and u.is_active = 1 and s.state = 'active'`);

await serve(db, port, key, (sent) => caller.get(digest(sent)));
