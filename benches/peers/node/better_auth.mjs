// The list of properties on Fastify and better-sqlite3, behind Better Auth's API keys, with the settings of its
// documentation. Only its rate limit is off, by the plugin's own option: it would refuse the load, since by default
// a key may be used 10 times a day.
//
// What `verifyApiKey` does for each request: it hashes the key (SHA-256), finds its row by an index, and then writes
// that row twice, each time in a transaction of its own: `lastRequest`, then `updatedAt`. With SQLite's `synchronous`
// at NORMAL only checkpoints wait for the disk. An unknown key costs no write, but an error in the log.
//
// The plugin's newest version, 1.7.5, asks for versions of other packages that later ones of Better Auth no longer
// take: hence Better Auth and its core at 1.7.5.
//
//     node better_auth.mjs --port PORT --data FOLDER --properties FILE

import { randomBytes } from "node:crypto";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { openDatabase, readArgs, seed, serve } from "./properties.mjs";

const { port, data, properties } = readArgs();
const db = openDatabase(data, "better_auth.db");
const auth = betterAuth({
  database: db,
  baseURL: `http://127.0.0.1:${port}`,
  secret: randomBytes(32).toString("base64"),
  emailAndPassword: { enabled: true },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();

const person = { name: "Desk", email: "desk@load.example", password: randomBytes(16).toString("hex") };
const { user } = await auth.api.signUpEmail({ body: person });
const { key } = await auth.api.createApiKey({ body: { name: "Load", userId: user.id } });
seed(db, "user", user.id, properties);

const caller = db.prepare(`
  select u.id from user u join subscriptions s on s.user_id = u.id where u.id = ? and s.state = 'active'`);

await serve(db, port, key, async (sent) => {
  const { valid, key } = await auth.api.verifyApiKey({ body: { key: sent } });
  return valid && caller.get(key.referenceId);
});
