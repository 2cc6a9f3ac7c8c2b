//! The live hosts keep the contract: one expression per operation. Which of the two serves an
//! operation is the operation table's business.

use super::{HostContext, shared};
use crate::discovery::Document;
use crate::discovery::oauth_metadata;
use crate::gate::{self, Live};
use crate::identity::{apps, bootstrap, oauth, scopes, tokens};
use crate::problem::Problem;
use argus_openapi::api::{Answer, ArgusApi};
use argus_openapi::http::{Body, Checked, DocumentReply, Reply};
use argus_openapi::types::apps::{
    App, AppCreate, AppCreated, AppGovernance, AppList, AppPath, AppSecret, GovernanceUpdate,
};
use argus_openapi::types::common::PageQuery;
use argus_openapi::types::discovery::DataSchemaPath;
use argus_openapi::types::internal::{Health, OauthMetadata, Readiness, TenantBootstrap, TenantBootstrapped};
use argus_openapi::types::keys::JwkSet;
use argus_openapi::types::scopes::ScopeList;
use argus_openapi::types::tokens::{
    SandboxToken, SandboxTokenCreate, ServiceToken, ServiceTokenCreate, TokenRequest, TokenResponse,
};
use dropshot::{Path, Query, RequestContext};
use http::HeaderValue;

/// The auth and api hosts.
pub(super) enum LiveHost {}

type Rqctx = RequestContext<HostContext>;

/// The OpenMetrics text format.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

impl ArgusApi for LiveHost {
    type Context = HostContext;

    async fn scope_list(rqctx: Rqctx) -> Answer<Reply<ScopeList, 200>> {
        gate::live(rqctx, |_| async { Ok(scopes::list()) }).await
    }

    async fn app_create(rqctx: Rqctx, body: Body<AppCreate>) -> Answer<Reply<AppCreated, 201>> {
        gate::live(rqctx, |call| async move {
            let request = call.body(body).await?;
            apps::create(call.identity(), &call.caller, &request).await
        })
        .await
    }

    async fn app_list(rqctx: Rqctx, query: Checked<Query<PageQuery>>) -> Answer<Reply<AppList, 200>> {
        gate::live(rqctx, |call| async move {
            let page = call.query(query)?;
            apps::list(call.identity(), &call.caller, &page).await
        })
        .await
    }

    async fn app_view(rqctx: Rqctx, path: Checked<Path<AppPath>>) -> Answer<Reply<App, 200>> {
        gate::live(rqctx, |call| async move {
            let path = call.path(path)?;
            apps::view(call.identity(), &call.caller, path.client_id.as_str()).await
        })
        .await
    }

    async fn app_governance_update(
        rqctx: Rqctx,
        path: Checked<Path<AppPath>>,
        body: Body<GovernanceUpdate>,
    ) -> Answer<Reply<AppGovernance, 200>> {
        gate::live(rqctx, |call| async move {
            let (path, update) = (call.path(path)?, call.body(body).await?);
            apps::governance_update(call.identity(), &call.caller, path.client_id.as_str(), &update).await
        })
        .await
    }

    async fn app_secret_rotate(rqctx: Rqctx, path: Checked<Path<AppPath>>) -> Answer<Reply<AppSecret, 200>> {
        gate::live(rqctx, |call| async move {
            let path = call.path(path)?;
            apps::secret_rotate(call.identity(), &call.caller, path.client_id.as_str()).await
        })
        .await
    }

    async fn app_service_token_create(
        rqctx: Rqctx,
        path: Checked<Path<AppPath>>,
        body: Body<ServiceTokenCreate>,
    ) -> Answer<Reply<ServiceToken, 200>> {
        gate::live(rqctx, |call| async move {
            let (path, request) = (call.path(path)?, call.body(body).await?);
            tokens::service_token_create(call.identity(), &call.caller, path.client_id.as_str(), &request)
                .await
        })
        .await
    }

    async fn app_sandbox_token_create(
        rqctx: Rqctx,
        path: Checked<Path<AppPath>>,
        body: Body<SandboxTokenCreate>,
    ) -> Answer<Reply<SandboxToken, 200>> {
        gate::live(rqctx, |call| async move {
            let (path, request) = (call.path(path)?, call.optional_body(body).await?);
            let app = &call.context().app;
            tokens::sandbox_token_create(
                call.identity(),
                &call.caller,
                path.client_id.as_str(),
                &request,
                &app.base_urls().sandbox,
                |ids| app.pinned(ids),
            )
            .await
        })
        .await
    }

    async fn oauth_token(rqctx: Rqctx, body: Body<TokenRequest>) -> Answer<Reply<TokenResponse, 200>> {
        gate::oauth(rqctx, |call| async move {
            let request = call.form(body).await?;
            let authorization = call.single_header("Authorization")?;
            oauth::token_create(call.identity(), authorization, &request).await
        })
        .await
    }

    async fn jwks_view(rqctx: Rqctx) -> Answer<Reply<JwkSet, 200>> {
        gate::published(rqctx, |call| async move { Ok(call.identity().keys().jwks()) }).await
    }

    async fn jwks_view_versioned(rqctx: Rqctx) -> Answer<Reply<JwkSet, 200>> {
        Self::jwks_view(rqctx).await
    }

    async fn openapi_json(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.openapi_json).await
    }

    async fn openapi_json_head(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.openapi_json).await
    }

    async fn openapi_yaml(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.openapi_yaml).await
    }

    async fn openapi_yaml_head(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.openapi_yaml).await
    }

    async fn api_catalog(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.api_catalog).await
    }

    async fn api_catalog_head(rqctx: Rqctx) -> Answer<DocumentReply> {
        shared::published(rqctx, |library| &library.api_catalog).await
    }

    async fn data_schema_view(rqctx: Rqctx, path: Checked<Path<DataSchemaPath>>) -> Answer<DocumentReply> {
        shared::data_schema(rqctx, path).await
    }

    async fn data_schema_head(rqctx: Rqctx, path: Checked<Path<DataSchemaPath>>) -> Answer<DocumentReply> {
        shared::data_schema(rqctx, path).await
    }

    async fn oauth_metadata_view(rqctx: Rqctx) -> Answer<Reply<OauthMetadata, 200>> {
        gate::published(rqctx, |call| async move {
            Ok(oauth_metadata(call.identity(), &call.context().app.base_urls().auth))
        })
        .await
    }

    async fn health_view(rqctx: Rqctx) -> Answer<Reply<Health, 200>> {
        shared::health(rqctx).await
    }

    async fn readiness_view(rqctx: Rqctx) -> Answer<Reply<Readiness, 200>> {
        shared::readiness(rqctx).await
    }

    async fn metrics_view(rqctx: Rqctx) -> Answer<DocumentReply> {
        gate::document::<Live>(rqctx, |call, _| {
            let text = call.context().app.metrics.render().map_err(Problem::internal)?;
            Ok(Document::private(OPEN_METRICS, text.into()))
        })
        .await
    }

    async fn tenant_bootstrap(
        rqctx: Rqctx,
        body: Body<TenantBootstrap>,
    ) -> Answer<Reply<TenantBootstrapped, 201>> {
        gate::live(rqctx, |call| async move {
            let request = call.body(body).await?;
            bootstrap::tenant_bootstrap(call.identity(), &request.name).await
        })
        .await
    }
}
