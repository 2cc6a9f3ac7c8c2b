//! The sandbox host mocks the contract: one expression per operation. What a mock says is decided
//! in the sandbox crate, which knows nothing of HTTP.

use super::{HostContext, objects, shared};
use crate::gate::{SandboxToken, SandboxUrl, answer, answer_body};
use argus_openapi::api::{Answer, ArgusApi};
use argus_openapi::headers::{IDEMPOTENCY_KEY, TENANT_ID};
use argus_openapi::http::{
    Body, Checked, DocumentReply, Documented, EmptyReply, Reply, Upload as UploadedBytes,
};
use argus_openapi::types::common::PageQuery;
use argus_openapi::types::discovery::{
    DataSchemaList, DataSchemaPath, DataSchemaQuery, HostDocumentPath, ProtectedResource,
};
use argus_openapi::types::graphql::{GraphqlHeaders, GraphqlRequest, GraphqlResponse};
use argus_openapi::types::internal::{Health, ObjectPath, ObjectStored, Readiness};
use argus_openapi::types::jobs::{
    Job, JobCreate, JobCreateHeaders, JobCreated, JobList, JobPath, JobQuery, JobResult,
};
use argus_openapi::types::profiles::{Profile, ProfileEnrich, ProfileEnrichment, ProfilePath};
use argus_openapi::types::sandbox::ScenarioList;
use argus_openapi::types::traces::{Trace, TracePath};
use argus_openapi::types::uploads::Upload;
use argus_openapi::types::webhooks::{
    Webhook, WebhookCreate, WebhookDeliveryList, WebhookDeliveryPath, WebhookDeliveryQueued, WebhookIssued,
    WebhookList, WebhookPath, WebhookReplay, WebhookReplayQueued, WebhookUpdate,
};
use argus_sandbox::partner;
use dropshot::{Header, Path, Query, RequestContext};

/// The sandbox host.
pub(super) enum SandboxHost {}

type Rqctx = RequestContext<HostContext>;

impl ArgusApi for SandboxHost {
    type Context = HostContext;

    async fn webhook_create(rqctx: Rqctx, body: Body<WebhookCreate>) -> Answer<Reply<WebhookIssued, 201>> {
        answer_body(rqctx, SandboxToken, body, async |call| {
            let body = call.body().await?;
            call.mock(&partner::WebhookCreate { body: &body })
        })
        .await
    }

    async fn webhook_list(rqctx: Rqctx, query: Checked<Query<PageQuery>>) -> Answer<Reply<WebhookList, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let page = call.query(query)?;
            call.mock(&partner::WebhookList { page: &page })
        })
        .await
    }

    async fn webhook_view(rqctx: Rqctx, path: Checked<Path<WebhookPath>>) -> Answer<Reply<Webhook, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let id = call.path(path)?.webhook_id;
            call.mock(&partner::WebhookView { id: id.as_str() })
        })
        .await
    }

    async fn webhook_update(
        rqctx: Rqctx,
        path: Checked<Path<WebhookPath>>,
        body: Body<WebhookUpdate>,
    ) -> Answer<Reply<WebhookIssued, 200>> {
        answer_body(rqctx, SandboxToken, body, async |call| {
            let (id, body) = (call.path(path)?.webhook_id, call.body().await?);
            call.mock(&partner::WebhookUpdate { id: id.as_str(), body: &body })
        })
        .await
    }

    async fn webhook_delete(rqctx: Rqctx, path: Checked<Path<WebhookPath>>) -> Answer<EmptyReply> {
        answer(rqctx, SandboxToken, async |call| {
            let id = call.path(path)?.webhook_id;
            call.mock(&partner::WebhookDelete { id: id.as_str() })
        })
        .await
    }

    async fn webhook_delivery_list(
        rqctx: Rqctx,
        path: Checked<Path<WebhookPath>>,
        query: Checked<Query<PageQuery>>,
    ) -> Answer<Reply<WebhookDeliveryList, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let (id, page) = (call.path(path)?.webhook_id, call.query(query)?);
            call.mock(&partner::WebhookDeliveryList { id: id.as_str(), page: &page })
        })
        .await
    }

    async fn webhook_test(
        rqctx: Rqctx,
        path: Checked<Path<WebhookPath>>,
    ) -> Answer<Reply<WebhookDeliveryQueued, 202>> {
        answer(rqctx, SandboxToken, async |call| {
            let id = call.path(path)?.webhook_id;
            call.mock(&partner::WebhookTest { id: id.as_str() })
        })
        .await
    }

    async fn webhook_delivery_retry(
        rqctx: Rqctx,
        path: Checked<Path<WebhookDeliveryPath>>,
    ) -> Answer<Reply<WebhookDeliveryQueued, 202>> {
        answer(rqctx, SandboxToken, async |call| {
            call.mock(&partner::WebhookDeliveryRetry { path: &call.path(path)? })
        })
        .await
    }

    async fn webhook_replay(
        rqctx: Rqctx,
        path: Checked<Path<WebhookPath>>,
        body: Body<WebhookReplay>,
    ) -> Answer<Reply<WebhookReplayQueued, 202>> {
        answer_body(rqctx, SandboxToken, body, async |call| {
            let (id, body) = (call.path(path)?.webhook_id, call.body().await?);
            call.mock(&partner::WebhookReplay { id: id.as_str(), body: &body })
        })
        .await
    }

    async fn graphql_execute(
        rqctx: Rqctx,
        headers: Documented<Header<GraphqlHeaders>>,
        body: Body<GraphqlRequest>,
    ) -> Answer<Reply<GraphqlResponse, 200>> {
        answer_body(rqctx, SandboxToken, body, async |call| {
            let headers = call.documented_header(&TENANT_ID, headers)?;
            let body = call.body().await?;
            call.mock(&partner::GraphqlExecute { tenant_id: headers.x_tenant_id.as_deref(), body: &body })
        })
        .await
    }

    async fn trace_view(rqctx: Rqctx, path: Checked<Path<TracePath>>) -> Answer<Reply<Trace, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let trace_id = call.path(path)?.trace_id;
            call.mock(&partner::TraceView { trace_id: trace_id.as_str() })
        })
        .await
    }

    async fn job_create(
        rqctx: Rqctx,
        headers: Documented<Header<JobCreateHeaders>>,
        body: Body<JobCreate>,
    ) -> Answer<Reply<JobCreated, 201>> {
        answer_body(rqctx, SandboxToken, body, async |call| {
            let headers = call.documented_header(&IDEMPOTENCY_KEY, headers)?;
            let body = call.body().await?;
            call.mock(&partner::JobCreate {
                idempotency_key: headers.idempotency_key.as_deref(),
                body: &body,
            })
        })
        .await
    }

    async fn upload_create(rqctx: Rqctx) -> Answer<Reply<Upload, 201>> {
        answer(rqctx, SandboxToken, async |call| call.mock(&partner::UploadCreate)).await
    }

    async fn job_list(rqctx: Rqctx, query: Checked<Query<JobQuery>>) -> Answer<Reply<JobList, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let query = call.query(query)?;
            call.mock(&partner::JobList { query: &query })
        })
        .await
    }

    async fn job_view(rqctx: Rqctx, path: Checked<Path<JobPath>>) -> Answer<Reply<Job, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let id = call.path(path)?.id;
            call.mock(&partner::JobView { id: id.as_str() })
        })
        .await
    }

    async fn job_cancel(rqctx: Rqctx, path: Checked<Path<JobPath>>) -> Answer<EmptyReply> {
        answer(rqctx, SandboxToken, async |call| {
            let id = call.path(path)?.id;
            call.mock(&partner::JobCancel { id: id.as_str() })
        })
        .await
    }

    async fn job_result(rqctx: Rqctx, path: Checked<Path<JobPath>>) -> Answer<Reply<JobResult, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let id = call.path(path)?.id;
            call.mock(&partner::JobResult { id: id.as_str() })
        })
        .await
    }

    async fn profile_view(rqctx: Rqctx, path: Checked<Path<ProfilePath>>) -> Answer<Reply<Profile, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let id = call.path(path)?.id;
            call.mock(&partner::ProfileView { id: id.as_str() })
        })
        .await
    }

    async fn profile_enrich(
        rqctx: Rqctx,
        path: Checked<Path<ProfilePath>>,
        body: Body<ProfileEnrich>,
    ) -> Answer<Reply<ProfileEnrichment, 200>> {
        answer_body(rqctx, SandboxToken, body, async |call| {
            let (id, body) = (call.path(path)?.id, call.optional_body().await?);
            call.mock(&partner::ProfileEnrich { id: id.as_str(), body: &body })
        })
        .await
    }

    async fn sandbox_scenario_list(rqctx: Rqctx) -> Answer<Reply<ScenarioList, 200>> {
        answer(rqctx, SandboxToken, async |call| call.mock(&partner::SandboxScenarioList)).await
    }

    async fn openapi_json(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.openapi_json).await
    }

    async fn openapi_yaml(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.openapi_yaml).await
    }

    async fn openapi_host_view(rqctx: Rqctx, path: Checked<Path<HostDocumentPath>>) -> Answer<DocumentReply> {
        shared::host_descriptor(rqctx, path).await
    }

    async fn api_catalog(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.api_catalog).await
    }

    async fn data_schema_list(
        rqctx: Rqctx,
        query: Checked<Query<DataSchemaQuery>>,
    ) -> Answer<Reply<DataSchemaList, 200>> {
        answer(rqctx, SandboxToken, async |call| {
            let query = call.query(query)?;
            call.mock(&partner::DataSchemaList { query: &query })
        })
        .await
    }

    async fn protected_resource_view(rqctx: Rqctx) -> Answer<Reply<ProtectedResource, 200>> {
        shared::protected_resource(rqctx).await
    }

    async fn data_schema_view(rqctx: Rqctx, path: Checked<Path<DataSchemaPath>>) -> Answer<DocumentReply> {
        shared::data_schema(rqctx, path).await
    }

    async fn object_view(rqctx: Rqctx, _: Checked<Path<ObjectPath>>) -> Answer<DocumentReply> {
        answer(rqctx, SandboxUrl, async |call| objects::view_synthetic(call)).await
    }

    async fn object_create(
        rqctx: Rqctx,
        _: Checked<Path<ObjectPath>>,
        body: UploadedBytes,
    ) -> Answer<Reply<ObjectStored, 201>> {
        answer_body(rqctx, SandboxUrl, body, objects::discard).await
    }

    async fn health_view(rqctx: Rqctx) -> Answer<Reply<Health, 200>> {
        shared::health(rqctx).await
    }

    async fn readiness_view(rqctx: Rqctx) -> Answer<Reply<Readiness, 200>> {
        shared::readiness(rqctx).await
    }
}
