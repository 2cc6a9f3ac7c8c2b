// What a partner does first, through the clients that openapi-generator makes for typescript-fetch.

import assert from "node:assert/strict";
import { Configuration as AuthConfiguration, IdentityApi, Scope } from "./auth/index.js";
import {
  ApiErrorFromJSON,
  Configuration,
  EnrichJobKindEnum,
  type Job,
  JobKind,
  JobResultStatus,
  JobsApi,
  JobStatus,
  ResponseError,
  WebhooksApi,
} from "./sandbox/index.js";

const sandbox = { basePath: process.env.ARGUS_SANDBOX_URL!, accessToken: process.env.ARGUS_SANDBOX_TOKEN! };
const jobs = new JobsApi(new Configuration(sandbox));
const early = new JobsApi(new Configuration({ ...sandbox, headers: { Prefer: "argus-clock=10" } }));

const created = await jobs.jobCreateRaw({
  jobCreate: { kind: EnrichJobKindEnum.IntelligenceEnrichBulk, payload: { profileIds: ["p1", "p2"] } },
});
assert.equal(created.raw.status, 201);
const job = await created.value();
assert.equal(job.kind, JobKind.IntelligenceEnrichBulk);
assert.equal(job.status, JobStatus.Queued);
assert.ok(job.createdAt instanceof Date);

const running: Job = await early.jobView({ id: job.id });
assert.equal(running.status, JobStatus.Running);
assert.equal(running.completedAt, null);
const ended = await jobs.jobView({ id: job.id });
assert.equal(ended.status, JobStatus.Succeeded);
assert.ok(ended.completedAt instanceof Date);

// The client has one type for both: without its status, a 202 would look like a result without a URL.
const progress = await early.jobResultRaw({ id: job.id });
assert.equal(progress.raw.status, 202);
assert.notEqual((await progress.value()).status, JobResultStatus.Succeeded);
const result = await jobs.jobResultRaw({ id: job.id });
assert.equal(result.raw.status, 200);
const { signedUrl, status } = await result.value();
assert.equal(status, JobResultStatus.Succeeded);
assert.match(signedUrl, /^https?:.*signature=/);

let pages = 0;
const seen = new Set<string>();
let cursor: string | null = null;
do {
  const page = await jobs.jobList(cursor === null ? { limit: 3 } : { cursor, limit: 3 });
  pages += 1;
  cursor = page.nextCursor;
  for (const item of page.jobs) seen.add(item.id);
} while (cursor !== null);
assert.equal(pages, 40);
assert.equal(seen.size, 120);

const missing: unknown = await jobs.jobView({ id: "no-such-job" }).catch((error: unknown) => error);
assert.ok(missing instanceof ResponseError);
assert.equal(missing.response.status, 404);
assert.equal(ApiErrorFromJSON(await missing.response.json()).errorCode, "not_found");

const webhooks = new WebhooksApi(new Configuration(sandbox));
const [subscription] = (await webhooks.webhookList({ limit: 1 })).webhooks;
assert.deepEqual(await webhooks.webhookView({ webhookId: subscription!.id }), subscription);

const auth = new IdentityApi(
  new AuthConfiguration({ basePath: process.env.ARGUS_AUTH_URL!, accessToken: process.env.ARGUS_ADMIN_TOKEN! }),
);
assert.ok((await auth.scopeList()).scopes.some((entry) => entry.name === Scope.JobsRead));
