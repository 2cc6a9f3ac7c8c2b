//! The live hosts keep the contract: one expression per operation. Which of the two serves an
//! operation is the operation table's business.

use super::{HostContext, authorize, objects, pages, shared};
use crate::discovery::oauth_metadata;
use crate::gate::{
    Browser, BrowserForm, ClientForm, Empty, LiveToken, Nobody, Problem, SignedUrl, Success, answer,
    answer_body,
};
use crate::observability::open_connections;
use argus_core::ids::{ClientId, JobId, WebhookId};
use argus_openapi::api::{Answer, ArgusApi};
use argus_openapi::headers::{Document, IDEMPOTENCY_KEY, TENANT_ID};
use argus_openapi::http::{
    Body, Checked, DocumentReply, Documented, EmptyReply, PageReply, RedirectReply, Reply, Upload,
};
use argus_openapi::types::apps::{
    App, AppCallbackSecret, AppCreate, AppCreated, AppGovernance, AppList, AppPath, AppSecret,
    AppSecretRotate, GovernanceUpdate,
};
use argus_openapi::types::common::{Identifier, PageQuery};
use argus_openapi::types::discovery::{DataSchemaPath, HostDocumentPath, OauthMetadata, ProtectedResource};
use argus_openapi::types::graphql::{GraphqlHeaders, GraphqlRequest, GraphqlResponse};
use argus_openapi::types::internal::{
    Health, ObjectPath, ObjectStored, Readiness, TenantBootstrap, TenantBootstrapped,
};
use argus_openapi::types::jobs::{
    Job, JobCreate, JobCreateHeaders, JobCreated, JobList, JobPath, JobQuery, JobResult,
};
use argus_openapi::types::keys::JwkSet;
use argus_openapi::types::oauth::{
    AuthorizationRequest, PushedAuthorization, PushedAuthorizationRequest, TokenIntrospection,
    TokenReference, TokenRevoked,
};
use argus_openapi::types::pages::{
    ButtonForm, ConsentForm, GrantPath, InvitationForm, InvitationPath, SessionPath, SignInForm, SignInQuery,
};
use argus_openapi::types::profiles::{Profile, ProfileEnrich, ProfileEnrichment, ProfilePath};
use argus_openapi::types::scopes::ScopeList;
use argus_openapi::types::tokens::{
    SandboxToken, SandboxTokenCreate, ServiceToken, ServiceTokenCreate, TokenRequest, TokenResponse,
};
use argus_openapi::types::uploads::Upload as OfferedUpload;
use argus_openapi::types::webhooks::{
    Webhook, WebhookCreate, WebhookDeliveryList, WebhookDeliveryPath, WebhookDeliveryQueued, WebhookIssued,
    WebhookList, WebhookPath, WebhookReplay, WebhookReplayQueued, WebhookUpdate,
};
use argus_partner::jobs::Jobs;
use argus_partner::{apps, bootstrap, graphql, jobs, oauth, profiles, scopes, tokens, uploads, webhooks};
use dropshot::{Header, Path, Query, RequestContext};
use http::HeaderValue;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The auth and api hosts.
pub(super) enum LiveHost {}

type Rqctx = RequestContext<HostContext>;

/// The OpenMetrics text format.
/// How long a look at the database may take that only the metrics are for.
const LOOK_TIME: Duration = Duration::from_secs(1);

const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

impl ArgusApi for LiveHost {
    type Context = HostContext;

    async fn scope_list(rqctx: Rqctx) -> Answer<Reply<ScopeList, 200>> {
        answer(rqctx, LiveToken, async |_| Ok(scopes::list())).await
    }

    async fn app_create(rqctx: Rqctx, body: Body<AppCreate>) -> Answer<Reply<AppCreated, 201>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let request = call.body().await?;
            Ok(apps::create(call.identity(), call.context(), &request).await?)
        })
        .await
    }

    async fn app_list(rqctx: Rqctx, query: Checked<Query<PageQuery>>) -> Answer<Reply<AppList, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let page = call.query(query)?;
            Ok(apps::list(call.identity(), call.context(), &page).await?)
        })
        .await
    }

    async fn app_view(rqctx: Rqctx, path: Checked<Path<AppPath>>) -> Answer<Reply<App, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let client_id = app_named(&call.path(path)?)?;
            Ok(apps::view(call.identity(), call.context(), &client_id).await?)
        })
        .await
    }

    async fn app_governance_update(
        rqctx: Rqctx,
        path: Checked<Path<AppPath>>,
        body: Body<GovernanceUpdate>,
    ) -> Answer<Reply<AppGovernance, 200>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let (path, update) = (call.path(path)?, call.body().await?);
            call.graphql().check_known(update.approved_bundles.as_deref().unwrap_or_default())?;
            Ok(apps::governance_update(call.identity(), call.context(), &app_named(&path)?, &update).await?)
        })
        .await
    }

    async fn app_secret_rotate(
        rqctx: Rqctx,
        path: Checked<Path<AppPath>>,
        body: Body<AppSecretRotate>,
    ) -> Answer<Reply<AppSecret, 200>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let (path, request) = (call.path(path)?, call.optional_body().await?);
            Ok(apps::secret_rotate(call.identity(), call.context(), &app_named(&path)?, &request).await?)
        })
        .await
    }

    async fn app_service_token_create(
        rqctx: Rqctx,
        path: Checked<Path<AppPath>>,
        body: Body<ServiceTokenCreate>,
    ) -> Answer<Reply<ServiceToken, 200>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let (path, request) = (call.path(path)?, call.body().await?);
            let client_id = app_named(&path)?;
            Ok(tokens::service_token_create(call.identity(), call.context(), &client_id, &request).await?)
        })
        .await
    }

    async fn app_sandbox_token_create(
        rqctx: Rqctx,
        path: Checked<Path<AppPath>>,
        body: Body<SandboxTokenCreate>,
    ) -> Answer<Reply<SandboxToken, 200>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let (path, request) = (call.path(path)?, call.optional_body().await?);
            let (client_id, app) = (app_named(&path)?, call.app());
            Ok(tokens::sandbox_token_create(&app.identity, call.context(), &client_id, &request, app).await?)
        })
        .await
    }

    async fn app_callback_secret_rotate(
        rqctx: Rqctx,
        path: Checked<Path<AppPath>>,
    ) -> Answer<Reply<AppCallbackSecret, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let client_id = app_named(&call.path(path)?)?;
            Ok(apps::callback_secret_rotate(call.identity(), call.context(), &client_id).await?)
        })
        .await
    }

    async fn webhook_create(rqctx: Rqctx, body: Body<WebhookCreate>) -> Answer<Reply<WebhookIssued, 201>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let request = call.body().await?;
            Ok(webhooks::create(call.webhooks(), call.context(), &request).await?)
        })
        .await
    }

    async fn webhook_list(rqctx: Rqctx, query: Checked<Query<PageQuery>>) -> Answer<Reply<WebhookList, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let page = call.query(query)?;
            Ok(webhooks::list(call.webhooks(), call.context(), &page).await?)
        })
        .await
    }

    async fn webhook_view(rqctx: Rqctx, path: Checked<Path<WebhookPath>>) -> Answer<Reply<Webhook, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let id = webhook_named(&call.path(path)?.webhook_id)?;
            Ok(webhooks::view(call.webhooks(), call.context(), &id).await?)
        })
        .await
    }

    async fn webhook_update(
        rqctx: Rqctx,
        path: Checked<Path<WebhookPath>>,
        body: Body<WebhookUpdate>,
    ) -> Answer<Reply<WebhookIssued, 200>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let (path, request) = (call.path(path)?, call.body().await?);
            let id = webhook_named(&path.webhook_id)?;
            Ok(webhooks::update(call.webhooks(), call.context(), &id, &request).await?)
        })
        .await
    }

    async fn webhook_delete(rqctx: Rqctx, path: Checked<Path<WebhookPath>>) -> Answer<EmptyReply> {
        answer(rqctx, LiveToken, async |call| {
            let id = webhook_named(&call.path(path)?.webhook_id)?;
            webhooks::delete(call.webhooks(), call.context(), &id).await?;
            Ok(Empty(204))
        })
        .await
    }

    async fn webhook_delivery_list(
        rqctx: Rqctx,
        path: Checked<Path<WebhookPath>>,
        query: Checked<Query<PageQuery>>,
    ) -> Answer<Reply<WebhookDeliveryList, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let (path, page) = (call.path(path)?, call.query(query)?);
            let id = webhook_named(&path.webhook_id)?;
            Ok(webhooks::delivery_list(call.webhooks(), call.context(), &id, &page).await?)
        })
        .await
    }

    async fn webhook_test(
        rqctx: Rqctx,
        path: Checked<Path<WebhookPath>>,
    ) -> Answer<Reply<WebhookDeliveryQueued, 202>> {
        answer(rqctx, LiveToken, async |call| {
            let id = webhook_named(&call.path(path)?.webhook_id)?;
            Ok(webhooks::test(call.webhooks(), call.context(), &id).await?)
        })
        .await
    }

    async fn webhook_delivery_retry(
        rqctx: Rqctx,
        path: Checked<Path<WebhookDeliveryPath>>,
    ) -> Answer<Reply<WebhookDeliveryQueued, 202>> {
        answer(rqctx, LiveToken, async |call| {
            let WebhookDeliveryPath { webhook_id, delivery_id } = call.path(path)?;
            let delivery_id = delivery_id.as_str().parse().map_err(|_| Problem::not_found("delivery"))?;
            let id = webhook_named(&webhook_id)?;
            Ok(webhooks::delivery_retry(call.webhooks(), call.context(), &id, &delivery_id).await?)
        })
        .await
    }

    async fn webhook_replay(
        rqctx: Rqctx,
        path: Checked<Path<WebhookPath>>,
        body: Body<WebhookReplay>,
    ) -> Answer<Reply<WebhookReplayQueued, 202>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let (path, request) = (call.path(path)?, call.body().await?);
            let id = webhook_named(&path.webhook_id)?;
            Ok(webhooks::replay(call.webhooks(), call.context(), &id, &request).await?)
        })
        .await
    }

    async fn oauth_token(rqctx: Rqctx, body: Body<TokenRequest>) -> Answer<Reply<TokenResponse, 200>> {
        answer_body(rqctx, ClientForm, body, async |call| {
            Ok(oauth::token_create(call.identity(), &call.caller.client, &call.caller.form).await?)
        })
        .await
    }

    async fn oauth_par(
        rqctx: Rqctx,
        body: Body<PushedAuthorizationRequest>,
    ) -> Answer<Reply<PushedAuthorization, 201>> {
        answer_body(rqctx, ClientForm, body, async |call| {
            Ok(oauth::push(call.identity(), &call.caller.client, &call.caller.form).await?)
        })
        .await
    }

    async fn oauth_revoke(rqctx: Rqctx, body: Body<TokenReference>) -> Answer<Reply<TokenRevoked, 200>> {
        answer_body(rqctx, ClientForm, body, async |call| {
            Ok(oauth::revoke(call.identity(), &call.caller.client, &call.caller.form).await?)
        })
        .await
    }

    async fn oauth_introspect(
        rqctx: Rqctx,
        body: Body<TokenReference>,
    ) -> Answer<Reply<TokenIntrospection, 200>> {
        answer_body(rqctx, ClientForm, body, async |call| {
            Ok(oauth::introspect(call.identity(), &call.caller.client, &call.caller.form).await?)
        })
        .await
    }

    async fn graphql_execute(
        rqctx: Rqctx,
        headers: Documented<Header<GraphqlHeaders>>,
        body: Body<GraphqlRequest>,
    ) -> Answer<Reply<GraphqlResponse, 200>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let headers = call.documented_header(&TENANT_ID, headers)?;
            let (request, tenant_id) = (call.body().await?, headers.x_tenant_id.as_deref());
            Ok(graphql::execute(call.graphql(), call.context(), tenant_id, &request).await?)
        })
        .await
    }

    async fn job_create(
        rqctx: Rqctx,
        headers: Documented<Header<JobCreateHeaders>>,
        body: Body<JobCreate>,
    ) -> Answer<Reply<JobCreated, 201>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let headers = call.documented_header(&IDEMPOTENCY_KEY, headers)?;
            let (request, key) = (call.body().await?, headers.idempotency_key.as_deref());
            Ok(match jobs::create(call.jobs(), call.context(), &request, key).await? {
                jobs::Accepted::New(job) => Success::Usual(job),
                jobs::Accepted::Replayed(job) => Success::Other(200, job),
            })
        })
        .await
    }

    async fn upload_create(rqctx: Rqctx) -> Answer<Reply<OfferedUpload, 201>> {
        answer(rqctx, LiveToken, async |call| {
            let Jobs { store, objects, .. } = call.jobs();
            Ok(uploads::create(store, objects, call.context()).await?)
        })
        .await
    }

    async fn job_list(rqctx: Rqctx, query: Checked<Query<JobQuery>>) -> Answer<Reply<JobList, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let query = call.query(query)?;
            Ok(jobs::list(call.jobs(), call.context(), &query).await?)
        })
        .await
    }

    async fn job_view(rqctx: Rqctx, path: Checked<Path<JobPath>>) -> Answer<Reply<Job, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let id = job_named(&call.path(path)?)?;
            Ok(jobs::view(call.jobs(), call.context(), &id).await?)
        })
        .await
    }

    async fn job_cancel(rqctx: Rqctx, path: Checked<Path<JobPath>>) -> Answer<EmptyReply> {
        answer(rqctx, LiveToken, async |call| {
            let id = job_named(&call.path(path)?)?;
            Ok(match jobs::cancel(call.jobs(), call.context(), &id).await? {
                jobs::Cancellation::Now => Empty(204),
                jobs::Cancellation::Before => Empty(200),
            })
        })
        .await
    }

    async fn job_result(rqctx: Rqctx, path: Checked<Path<JobPath>>) -> Answer<Reply<JobResult, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let id = job_named(&call.path(path)?)?;
            Ok(match jobs::result(call.jobs(), call.context(), &id).await? {
                jobs::Outcome::Ready(result) => Success::Usual(result),
                jobs::Outcome::Pending(progress) => Success::Other(202, progress),
            })
        })
        .await
    }

    async fn profile_view(rqctx: Rqctx, path: Checked<Path<ProfilePath>>) -> Answer<Reply<Profile, 200>> {
        answer(rqctx, LiveToken, async |call| {
            let id = call.path(path)?.id;
            Ok(profiles::view(call.store(), call.context(), id.as_str()).await?)
        })
        .await
    }

    async fn profile_enrich(
        rqctx: Rqctx,
        path: Checked<Path<ProfilePath>>,
        body: Body<ProfileEnrich>,
    ) -> Answer<Reply<ProfileEnrichment, 200>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let (id, ProfileEnrich { sources }) = (call.path(path)?.id, call.optional_body().await?);
            let (store, connectors) = (call.store(), &call.app().connectors);
            Ok(profiles::enrich(store, connectors, call.context(), id.as_str(), &sources).await?)
        })
        .await
    }

    async fn jwks_view(rqctx: Rqctx) -> Answer<Reply<JwkSet, 200>> {
        answer(rqctx, Nobody, async |call| Ok(call.identity().keys().jwks())).await
    }

    async fn jwks_view_versioned(rqctx: Rqctx) -> Answer<Reply<JwkSet, 200>> {
        Self::jwks_view(rqctx).await
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

    async fn protected_resource_view(rqctx: Rqctx) -> Answer<Reply<ProtectedResource, 200>> {
        shared::protected_resource(rqctx).await
    }

    async fn data_schema_view(rqctx: Rqctx, path: Checked<Path<DataSchemaPath>>) -> Answer<DocumentReply> {
        shared::data_schema(rqctx, path).await
    }

    async fn oauth_metadata_view(rqctx: Rqctx) -> Answer<Reply<OauthMetadata, 200>> {
        answer(rqctx, Nobody, async |call| Ok(oauth_metadata(call.identity(), &call.app().base_urls.auth)))
            .await
    }

    async fn health_view(rqctx: Rqctx) -> Answer<Reply<Health, 200>> {
        shared::health(rqctx).await
    }

    async fn readiness_view(rqctx: Rqctx) -> Answer<Reply<Readiness, 200>> {
        shared::readiness(rqctx).await
    }

    async fn metrics_view(rqctx: Rqctx) -> Answer<DocumentReply> {
        answer(rqctx, LiveToken, async |call| {
            let (addresses, metrics) = (call.app().addresses, &call.app().metrics);
            let open = spawn_blocking(move || open_connections(&addresses)).await.map_err(Problem::defect)?;
            // While the database is away, the last that was known of it stands.
            let uncleaned = timeout(LOOK_TIME, call.app().database.uncleaned()).await;
            uncleaned.into_iter().flatten().for_each(|uncleaned| metrics.set_uncleaned(uncleaned));
            let text = metrics.render(open).map_err(Problem::defect)?;
            Ok(Document::private(OPEN_METRICS, text.into()))
        })
        .await
    }

    async fn object_view(rqctx: Rqctx, _: Checked<Path<ObjectPath>>) -> Answer<DocumentReply> {
        answer(rqctx, SignedUrl, async |call| objects::view(call).await).await
    }

    async fn object_create(
        rqctx: Rqctx,
        _: Checked<Path<ObjectPath>>,
        body: Upload,
    ) -> Answer<Reply<ObjectStored, 201>> {
        answer_body(rqctx, SignedUrl, body, objects::create).await
    }

    async fn tenant_bootstrap(
        rqctx: Rqctx,
        body: Body<TenantBootstrap>,
    ) -> Answer<Reply<TenantBootstrapped, 201>> {
        answer_body(rqctx, LiveToken, body, async |call| {
            let request = call.body().await?;
            Ok(bootstrap::tenant_bootstrap(call.identity(), &request.name).await?)
        })
        .await
    }

    async fn sign_in_view(rqctx: Rqctx, query: Checked<Query<SignInQuery>>) -> Answer<PageReply> {
        answer(rqctx, Browser, async |call| pages::sign_in_view(call, call.query(query)?)).await
    }

    async fn sign_in_create(
        rqctx: Rqctx,
        query: Checked<Query<SignInQuery>>,
        body: Body<SignInForm>,
    ) -> Answer<PageReply> {
        answer_body(rqctx, BrowserForm, body, async |call| {
            pages::sign_in_create(call, call.query(query)?).await
        })
        .await
    }

    async fn sign_out(rqctx: Rqctx, body: Body<ButtonForm>) -> Answer<PageReply> {
        answer_body(rqctx, BrowserForm, body, async |call| pages::sign_out(call).await).await
    }

    async fn account_view(rqctx: Rqctx) -> Answer<PageReply> {
        answer(rqctx, Browser, async |call| pages::account_view(call).await).await
    }

    async fn session_end(
        rqctx: Rqctx,
        path: Checked<Path<SessionPath>>,
        body: Body<ButtonForm>,
    ) -> Answer<PageReply> {
        answer_body(rqctx, BrowserForm, body, async |call| pages::session_end(call, call.path(path)?).await)
            .await
    }

    async fn oauth_authorize(
        rqctx: Rqctx,
        query: Checked<Query<AuthorizationRequest>>,
    ) -> Answer<RedirectReply> {
        answer(rqctx, Browser, async |call| authorize::authorize(call, call.query(query)?).await).await
    }

    async fn consent_view(rqctx: Rqctx, query: Checked<Query<AuthorizationRequest>>) -> Answer<PageReply> {
        answer(rqctx, Browser, async |call| authorize::consent_view(call, call.query(query)?).await).await
    }

    async fn consent_create(
        rqctx: Rqctx,
        query: Checked<Query<AuthorizationRequest>>,
        body: Body<ConsentForm>,
    ) -> Answer<PageReply> {
        answer_body(rqctx, BrowserForm, body, async |call| {
            authorize::consent_create(call, call.query(query)?).await
        })
        .await
    }

    async fn grant_end(
        rqctx: Rqctx,
        path: Checked<Path<GrantPath>>,
        body: Body<ButtonForm>,
    ) -> Answer<PageReply> {
        answer_body(rqctx, BrowserForm, body, async |call| pages::grant_end(call, call.path(path)?).await)
            .await
    }

    async fn invitation_view(rqctx: Rqctx, path: Checked<Path<InvitationPath>>) -> Answer<PageReply> {
        answer(rqctx, Browser, async |call| pages::invitation_view(call, call.path(path)?).await).await
    }

    async fn invitation_accept(
        rqctx: Rqctx,
        path: Checked<Path<InvitationPath>>,
        body: Body<InvitationForm>,
    ) -> Answer<PageReply> {
        answer_body(rqctx, BrowserForm, body, async |call| {
            pages::invitation_accept(call, call.path(path)?).await
        })
        .await
    }
}

/// The job that a path names. What is no identifier of a job names none.
fn job_named(path: &JobPath) -> Result<JobId, Problem> {
    path.id.as_str().parse().map_err(|_| Problem::not_found("job"))
}

/// The subscription that a path names. What is no identifier of one names none.
fn webhook_named(id: &Identifier) -> Result<WebhookId, Problem> {
    id.as_str().parse().map_err(|_| Problem::not_found("webhook"))
}

/// The app that a path names. What is no client id names none.
fn app_named(path: &AppPath) -> Result<ClientId, Problem> {
    path.client_id.as_str().parse().map_err(|_| Problem::not_found("app"))
}
