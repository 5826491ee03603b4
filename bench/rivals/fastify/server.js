// The same list from Node: RIVAL_SPLICE=1 puts the stored messages into the text, else they are parsed and written again.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.RIVAL_MODULES, "node_modules", "x.js"));
const Fastify = require("fastify");
const Database = require("better-sqlite3");

const database = new Database(process.env.RIVAL_DATABASE, { readonly: true });
const findKey = database.prepare(
  "SELECT account_id, environment, scopes, revoked_at, expires_at FROM accounts_apikey WHERE digest = ?",
);
const findPage = database.prepare(`
  SELECT _id, lead_id, account_id, agent_config_id, channel, lead_phone, status, current_stage_index, messages,
         message_count, created_at, updated_at, campaign_id, lead_email, current_stage_name, summary, qualified,
         qualification_reason
  FROM conversations_conversation WHERE account_id = ? AND environment = ?
  ORDER BY updated_at DESC, _id DESC LIMIT ?`);

const moment = (text) => `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.length > 19 ? text.slice(20, 23) : "000"}Z`;

function header(row) {
  return {
    _id: row._id,
    leadId: row.lead_id,
    accountId: row.account_id,
    agentConfigId: row.agent_config_id,
    channel: row.channel,
    leadPhone: row.lead_phone,
    status: row.status,
    currentStageIndex: row.current_stage_index,
  };
}

function footer(row) {
  const shown = {
    messageCount: row.message_count,
    createdAt: moment(row.created_at),
    updatedAt: moment(row.updated_at),
  };
  if (row.campaign_id) shown.campaignId = row.campaign_id;
  if (row.lead_email) shown.leadEmail = row.lead_email;
  if (row.current_stage_name) shown.currentStageName = row.current_stage_name;
  if (row.summary) shown.summary = row.summary;
  if (row.qualified !== null)
    shown.qualificationResult = { qualified: Boolean(row.qualified), reason: row.qualification_reason };
  return shown;
}

const written = (rows) =>
  JSON.stringify(rows.map((row) => ({ ...header(row), messages: JSON.parse(row.messages), ...footer(row) })));

const spliced = (rows) =>
  `[${rows
    .map((row) => `${JSON.stringify(header(row)).slice(0, -1)},"messages":${row.messages},${JSON.stringify(footer(row)).slice(1)}`)
    .join(",")}]`;

const write = process.env.RIVAL_SPLICE ? spliced : written;

const app = Fastify();
app.get("/api/conversations", (request, reply) => {
  const digest = createHash("sha256").update(request.headers["x-api-key"] ?? "").digest("hex");
  const key = findKey.get(digest);
  if (!key || key.revoked_at || (key.expires_at && key.expires_at <= new Date().toISOString()))
    return reply.code(401).send({ error: "Invalid or expired API key" });
  if (!JSON.parse(key.scopes).includes("conversations:view")) return reply.code(403).send({ error: "Forbidden" });
  const rows = findPage.all(key.account_id, key.environment, Math.min(Number(request.query.limit ?? 50), 1000));
  return reply.type("application/json").send(write(rows));
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
