// What a partner does first, through openapi-fetch and the types that openapi-typescript makes.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths as AuthPaths } from "./auth.js";
import { type components, EnrichJobKind, ExportFormat, ExportJobKind, JobKind, JobProgressStatus, JobResultStatus, JobStatus, type paths } from "./sandbox.js";

const bearer = (name: string) => ({ Authorization: `Bearer ${process.env[name]}` });
const sandbox = createClient<paths>({ baseUrl: process.env.ARGUS_SANDBOX_URL!, headers: bearer("ARGUS_SANDBOX_TOKEN") });
const early = { Prefer: "argus-clock=10" };

const created = await sandbox.POST("/v1/jobs", {
  body: { kind: EnrichJobKind.IntelligenceEnrichBulk, payload: { profile_ids: ["p1", "p2"] } },
});
assert.equal(created.response.status, 201);
const job: components["schemas"]["JobCreated"] = created.data!;
assert.equal(job.kind, JobKind.IntelligenceEnrichBulk);
assert.equal(job.status, JobStatus.Queued);
const params = { path: { id: job.id } };

const payload = { format: ExportFormat.Csv, updated_after: new Date(Date.UTC(2026, 4)).toISOString() };
const exported = await sandbox.POST("/v1/jobs", { body: { kind: ExportJobKind.ExportBulk, payload } });
assert.equal(exported.data!.kind, JobKind.ExportBulk);

const running = await sandbox.GET("/v1/jobs/{id}", { params, headers: early });
assert.equal(running.data!.status, JobStatus.Running);
assert.equal(running.data!.completed_at, null);
const ended = await sandbox.GET("/v1/jobs/{id}", { params });
assert.equal(ended.data!.id, job.id);
assert.equal(ended.data!.status, JobStatus.Succeeded);

// One look at `status` tells the two bodies apart, for people and for the compiler.
function reference(body: components["schemas"]["JobResult"] | components["schemas"]["JobProgress"]): string | number {
  return body.status === JobResultStatus.Succeeded ? body.signed_url : body.progress_pct;
}
const progress = await sandbox.GET("/v1/jobs/{id}/result", { params, headers: early });
assert.equal(progress.response.status, 202);
assert.equal(progress.data!.status, JobProgressStatus.Running);
assert.equal(typeof reference(progress.data!), "number");
const result = await sandbox.GET("/v1/jobs/{id}/result", { params });
assert.equal(result.response.status, 200);
assert.match(String(reference(result.data!)), /^https?:.*signature=/);

let pages = 0;
const seen = new Set<string>();
let cursor: string | null | undefined;
do {
  const page = await sandbox.GET("/v1/jobs", { params: { query: cursor ? { cursor, limit: 3 } : { limit: 3 } } });
  pages += 1;
  cursor = page.data!.next_cursor;
  for (const item of page.data!.jobs) seen.add(item.id);
} while (cursor !== null);
assert.equal(pages, 40);
assert.equal(seen.size, 120);

const missing = await sandbox.GET("/v1/jobs/{id}", { params: { path: { id: "no-such-job" } } });
assert.equal(missing.response.status, 404);
const error: components["schemas"]["ApiError"] = missing.error!;
assert.equal(error.error_code, "not_found");

const auth = createClient<AuthPaths>({ baseUrl: process.env.ARGUS_AUTH_URL!, headers: bearer("ARGUS_ADMIN_TOKEN") });
const scopes = await auth.GET("/v1/platform/scopes");
assert.ok(scopes.data!.scopes.some((entry) => entry.name === "argus:jobs:read"));
