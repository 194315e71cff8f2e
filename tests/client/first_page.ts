// What the README's first page does, by a client whose types are generated from docs/openapi.json.
// Its argument is where the server is; it prints the balances in the end.

import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const origin = process.argv[2];
if (origin === undefined) throw new Error("where is the server?");
const client = createClient<paths>({ baseUrl: origin });

type Market = components["schemas"]["MarketView"];
type Failure = components["schemas"]["Failure"];

/** The data of a success; a failure is thrown with its code. */
function told<T>(result: { data?: { success: true; data: T }; error?: unknown }): T {
  if (result.data !== undefined) return result.data.data;
  const { code, error } = result.error as Failure;
  throw new Error(`${code}: ${error}`);
}

/** The headers of a caller who commands something new. */
const by = (token: string) => ({ Authorization: `Bearer ${token}` });
const once = () => ({ "Idempotency-Key": randomUUID() });

async function signedIn(name: string): Promise<string> {
  const [email, password] = [`${name}@example.org`, `correct horse ${name}`];
  told(await client.POST("/api/v1/users", { body: { email, password, name } }));
  return told(await client.POST("/api/v1/sessions", { body: { email, password } })).token;
}

async function opened(token: string): Promise<Market> {
  const body = {
    name: "Will it rain at noon tomorrow?",
    description: "Yes if any rain falls on the roof between 12:00 and 12:05 UTC.",
    category: "entertainment",
    endDate: "2099-01-01T12:00:00Z",
    subsidy: "100.00",
    options: [{ name: "Yes" }, { name: "No" }],
  };
  return told(await client.POST("/api/v1/markets", { params: { header: once() }, headers: by(token), body }));
}

async function bet(token: string, market: Market, optionId: string, amount: string, maxPrice?: number) {
  const path = { id: market.id };
  const body = maxPrice === undefined ? { optionId, amount } : { optionId, amount, maxPrice };
  const params = { header: once(), path };
  return told(await client.POST("/api/v1/markets/{id}/bets", { params, headers: by(token), body }));
}

const [ada, ben, cleo] = [await signedIn("ada"), await signedIn("ben"), await signedIn("cleo")];
const market = await opened(ada);
const [yes, no] = market.options.map((option) => option.id);
if (yes === undefined || no === undefined) throw new Error("the market has two options");
const path = { id: market.id };

const order = { optionId: yes, side: "buy", amount: "50.00" } as const;
const quote = told(await client.POST("/api/v1/markets/{id}/quotes", { params: { path }, body: order }));
const first = await bet(ben, market, yes, "50.00");
if (first.shares !== quote.shares) throw new Error(`${quote.shares} were quoted, not ${first.shares}`);
await bet(cleo, market, no, "20.00");
await bet(ben, market, yes, "25.50", 0.9);

const sale = { optionId: no, shares: "all" };
const sold = { params: { header: once(), path }, headers: by(cleo), body: sale };
told(await client.POST("/api/v1/markets/{id}/sales", sold));
const decision = { params: { header: once(), path }, headers: by(ada), body: { optionId: yes } };
const decided = await client.POST("/api/v1/markets/{id}/resolution", decision);
if (decided.data === undefined) throw new Error(JSON.stringify(decided.error));
const made = decided.data.data;
if (made.status !== "resolved") throw new Error(`the market is ${made.status}`);
const settlement = told(await client.GET("/api/v1/markets/{id}/resolution", { params: { path } }));
if (!settlement.completed) throw new Error("not everybody has been paid");

// Every bet is found by a walk through version 2, two at a time.
let cursor: string | null | undefined;
let found = 0;
do {
  const query = cursor ? { cursor, limit: 2 } : { limit: 2 };
  const { data, error } = await client.GET("/api/v2/markets/{id}/bets", { params: { path, query } });
  if (data === undefined) throw new Error(error.code);
  found += data.data.length;
  cursor = data.meta.page.next;
} while (cursor);
if (found !== 4) throw new Error(`${found} bets were found`);

for (const token of [ada, ben, cleo]) {
  const me = told(await client.GET("/api/v1/me", { headers: by(token) }));
  console.log(me.accounts[0]?.balance);
}
