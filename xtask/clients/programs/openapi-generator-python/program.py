"""What a partner does first, through the clients that openapi-generator makes for Python."""

import os
from datetime import datetime

import argus_auth
import argus_sandbox
from argus_sandbox import ApiError, EnrichJob, EnrichPayload, JobCreate, JobKind, JobStatus

settings = argus_sandbox.Configuration(
    host=os.environ["ARGUS_SANDBOX_URL"], access_token=os.environ["ARGUS_SANDBOX_TOKEN"]
)
jobs = argus_sandbox.JobsApi(argus_sandbox.ApiClient(settings))
webhooks = argus_sandbox.WebhooksApi(argus_sandbox.ApiClient(settings))
early = {"Prefer": "argus-clock=10"}

body = EnrichJob(kind="intelligence.enrich.bulk", payload=EnrichPayload(profile_ids=["p1", "p2"]))
created = jobs.job_create_with_http_info(JobCreate(body))
assert created.status_code == 201, created
job = created.data
assert job.kind is JobKind.IntelligenceEnrichBulk and job.status is JobStatus.Queued, job
assert isinstance(job.created_at, datetime), job

running = jobs.job_view(job.id, _headers=early)
assert running.id == job.id and running.status is JobStatus.Running and running.completed_at is None, running
ended = jobs.job_view(job.id)
assert ended.status is JobStatus.Succeeded and isinstance(ended.completed_at, datetime), ended

progress = jobs.job_result_with_http_info(job.id, _headers=early)
assert progress.status_code == 202 and isinstance(progress.data, argus_sandbox.JobProgress), progress
assert progress.data.status is argus_sandbox.JobProgressStatus.Running, progress
result = jobs.job_result_with_http_info(job.id)
assert result.status_code == 200 and isinstance(result.data, argus_sandbox.JobResult), result
assert result.data.status is argus_sandbox.JobResultStatus.Succeeded and result.data.id == job.id, result

pages, seen, cursor = 0, set(), None
while pages == 0 or cursor is not None:
    page = jobs.job_list(cursor=cursor, limit=3)
    pages, cursor = pages + 1, page.next_cursor
    seen.update(item.id for item in page.jobs)
assert pages == 40 and len(seen) == page.total_count == 120, (pages, len(seen))

try:
    jobs.job_view("no-such-job")
except argus_sandbox.exceptions.NotFoundException as error:
    assert isinstance(error.data, ApiError) and error.data.error_code == "not_found", error
else:
    raise AssertionError("a job that does not exist was found")

subscriptions = webhooks.webhook_list(limit=1)
assert webhooks.webhook_view(subscriptions.webhooks[0].id) == subscriptions.webhooks[0], subscriptions

settings = argus_auth.Configuration(
    host=os.environ["ARGUS_AUTH_URL"], access_token=os.environ["ARGUS_ADMIN_TOKEN"]
)
names = [entry.name for entry in argus_auth.IdentityApi(argus_auth.ApiClient(settings)).scope_list().scopes]
assert any(name is argus_auth.Scope.JobsRead for name in names), names
