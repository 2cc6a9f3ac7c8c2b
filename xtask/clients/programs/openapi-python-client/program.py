"""What a partner does first, through the clients that openapi-python-client makes."""

import os
from datetime import UTC, datetime
from http import HTTPStatus

from argus_auth import AuthenticatedClient as AuthClient
from argus_auth.api.identity import scope_list
from argus_auth.models import Scope
from argus_sandbox import AuthenticatedClient
from argus_sandbox.api.jobs import job_create, job_list, job_result, job_view
from argus_sandbox.models import (
    ApiError,
    EnrichJob,
    EnrichJobKind,
    EnrichPayload,
    ExportFormat,
    ExportJob,
    ExportJobKind,
    ExportPayload,
    JobKind,
    JobProgress,
    JobProgressStatus,
    JobResult,
    JobResultStatus,
    JobStatus,
)
from argus_sandbox.types import UNSET

sandbox = AuthenticatedClient(base_url=os.environ["ARGUS_SANDBOX_URL"], token=os.environ["ARGUS_SANDBOX_TOKEN"])
early = sandbox.with_headers({"Prefer": "argus-clock=10"})

payload = EnrichPayload(profile_ids=["p1", "p2"])
body = EnrichJob(kind=EnrichJobKind.INTELLIGENCE_ENRICH_BULK, payload=payload)
created = job_create.sync_detailed(client=sandbox, body=body)
assert created.status_code == HTTPStatus.CREATED, created
job = created.parsed
assert job.kind is JobKind.INTELLIGENCE_ENRICH_BULK and job.status is JobStatus.QUEUED, job
assert isinstance(job.created_at, datetime), job

payload = ExportPayload(format_=ExportFormat.CSV, updated_after=datetime(2026, 5, 1, tzinfo=UTC))
export = job_create.sync(client=sandbox, body=ExportJob(kind=ExportJobKind.EXPORT_BULK, payload=payload))
assert export.kind is JobKind.EXPORT_BULK, export

running = job_view.sync(job.id, client=early)
assert running.id == job.id and running.status is JobStatus.RUNNING and running.completed_at is None, running
ended = job_view.sync(job.id, client=sandbox)
assert ended.status is JobStatus.SUCCEEDED and isinstance(ended.completed_at, datetime), ended

progress = job_result.sync_detailed(job.id, client=early)
assert progress.status_code == HTTPStatus.ACCEPTED and isinstance(progress.parsed, JobProgress), progress
assert progress.parsed.status is JobProgressStatus.RUNNING, progress
result = job_result.sync_detailed(job.id, client=sandbox)
assert result.status_code == HTTPStatus.OK and isinstance(result.parsed, JobResult), result
assert result.parsed.status is JobResultStatus.SUCCEEDED and result.parsed.id == job.id, result

pages, seen, cursor = 0, set(), UNSET
while cursor is not None:
    page = job_list.sync(client=sandbox, cursor=cursor, limit=3)
    pages, cursor = pages + 1, page.next_cursor
    seen.update(item.id for item in page.jobs)
assert pages == 40 and len(seen) == page.total_count == 120, (pages, len(seen))

missing = job_view.sync_detailed("no-such-job", client=sandbox)
assert missing.status_code == HTTPStatus.NOT_FOUND and isinstance(missing.parsed, ApiError), missing
assert missing.parsed.error_code == "not_found", missing

auth = AuthClient(base_url=os.environ["ARGUS_AUTH_URL"], token=os.environ["ARGUS_ADMIN_TOKEN"])
names = [entry.name for entry in scope_list.sync(client=auth).scopes]
assert any(name is Scope.JOBS_READ for name in names), names
