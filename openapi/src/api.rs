//! The contract: every operation of the Argus External API, once.
//!
//! Doc comments are the published text: the first line is the summary, the rest the description.
//! Host, access, audience and extra statuses stand in [`crate::operations`]. A host overrides what
//! it serves; the rest answers 404 before a handler is reached.

use crate::http::{
    Body, Checked, DocumentReply, Documented, EmptyReply, PageReply, RedirectReply, Reply, Upload,
};
use crate::types::{
    apps, common, discovery, error, graphql, internal, jobs, keys, oauth, pages, profiles, sandbox, scopes,
    tokens, traces, uploads, webhooks,
};
use dropshot::{EndpointTagPolicy, Header, Path, Query, RequestContext};

/// Outcome of an operation. Errors that a partner can cause are replies, too: only a reply carries
/// the standard headers.
pub type Answer<R> = Result<R, error::Error>;

/// The answer of an operation that a host does not override. The pre-routing check answers first,
/// so that this is met only when the operation table and a host's trait impl disagree.
fn unserved<R>() -> Answer<R> {
    Err(error::Error {
        error_code: error::ErrorCode::NotFound,
        message: "this host does not serve this operation".to_owned(),
    })
}

/// The Argus External API. A host overrides what it serves.
#[dropshot::api_description {
    tag_config = {
        tags = {
            "identity" = { description = "Register an integration, inspect approved scopes and govern an external app." },
            "tokens" = { description = "Machine-to-machine and sandbox tokens." },
            "keys" = { description = "Public keys that verify tokens." },
            "webhooks" = { description = "Create, test and observe outbound webhook deliveries." },
            "graphql" = { description = "The shared GraphQL transport; its schema and operations are not published." },
            "observability" = { description = "W3C Trace Context and trace lookup." },
            "jobs" = { description = "Enqueue long-running work, follow it, fetch its result, cancel it." },
            "profiles" = { description = "Read and enrich profiles." },
            "sandbox" = { description = "The deterministic environment for partner tests." },
            "discovery" = { description = "Standards-aligned discovery of the contract." },
            "internal" = { description = "Never published." },
        },
        policy = EndpointTagPolicy::ExactlyOne,
    },
}]
pub trait ArgusApi {
    /// State of the host that keeps the contract.
    type Context;

    /// List available scopes
    ///
    /// Returns the scope catalog that external apps can request during registration and token
    /// issuance. Use it to build consent or admin approval workflows around approved scopes. Do not
    /// assume that unpublished scopes exist or are available to your tenant.
    #[endpoint { method = GET, path = "/v1/platform/scopes", tags = ["identity"] }]
    async fn scope_list(rqctx: RequestContext<Self::Context>) -> Answer<Reply<scopes::ScopeList, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Register a platform app
    ///
    /// Creates an external integration app for the tenant. Register a named app before attempting
    /// an OAuth authorization code or client credentials flow. The response includes client
    /// metadata, approved grants and tenancy context, and the client secret, which is shown this
    /// once and stored only as a hash. A scope beyond the tenant's allowance (the platform scopes, unless the operator
    /// has said otherwise) is pending, and granted to no token, until an administrator approves it with
    /// `app_governance_update`.
    #[endpoint { method = POST, path = "/v1/platform/apps", tags = ["identity"] }]
    async fn app_create(
        rqctx: RequestContext<Self::Context>,
        body: Body<apps::AppCreate>,
    ) -> Answer<Reply<apps::AppCreated, 201>> {
        drop((rqctx, body));
        unserved()
    }

    /// List platform apps
    ///
    /// Enumerates the apps already registered for the tenant, newest first, in cursor pages.
    #[endpoint { method = GET, path = "/v1/platform/apps", tags = ["identity"] }]
    async fn app_list(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<common::PageQuery>>,
    ) -> Answer<Reply<apps::AppList, 200>> {
        drop((rqctx, query));
        unserved()
    }

    /// Inspect an integration app
    ///
    /// Fetches the current metadata and governance state of a registered app. Use it to audit
    /// redirect URIs, grants and scope posture before rotating secrets or enabling new workflows.
    #[endpoint { method = GET, path = "/v1/platform/apps/{client_id}", tags = ["identity"] }]
    async fn app_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<apps::AppPath>>,
    ) -> Answer<Reply<apps::App, 200>> {
        drop((rqctx, path));
        unserved()
    }

    /// Update app governance
    ///
    /// Adjusts governance flags of the app in the path, without exposing tenant-wide administrative
    /// controls, approves pending scopes, and replaces the public keys of an app with `private_key_jwt`. What is absent
    /// stays as it is.
    #[endpoint { method = PATCH, path = "/v1/platform/apps/{client_id}/governance", tags = ["identity"] }]
    async fn app_governance_update(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<apps::AppPath>>,
        body: Body<apps::GovernanceUpdate>,
    ) -> Answer<Reply<apps::AppGovernance, 200>> {
        drop((rqctx, path, body));
        unserved()
    }

    /// Rotate an app secret
    ///
    /// Replaces the client secret of an app that has one. The former secret stops working at once, or authenticates
    /// beside the new one for `overlap_seconds`, so that a fleet can be changed over without a failed request. Two
    /// secrets count at most: a further rotation in that time ends the former one and lets the present one take its
    /// place, or ends both without `overlap_seconds`. Rotate without it when a secret has leaked. Tokens that a secret
    /// minted live until they expire. Treat the new secret as write-once material and replace it in your secret store
    /// immediately.
    #[endpoint { method = POST, path = "/v1/platform/apps/{client_id}/rotate-secret", tags = ["identity"] }]
    async fn app_secret_rotate(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<apps::AppPath>>,
        body: Body<apps::AppSecretRotate>,
    ) -> Answer<Reply<apps::AppSecret, 200>> {
        drop((rqctx, path, body));
        unserved()
    }

    /// Rotate an app's callback secret
    ///
    /// Replaces the secret that signs the completion callbacks of the app's jobs. For a day the former secret signs
    /// beside the new one, so that a receiver can be changed over in between; a further rotation in that time ends it.
    #[endpoint { method = POST, path = "/v1/platform/apps/{client_id}/rotate-callback-secret", tags = ["identity"] }]
    async fn app_callback_secret_rotate(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<apps::AppPath>>,
    ) -> Answer<Reply<apps::AppCallbackSecret, 200>> {
        drop((rqctx, path));
        unserved()
    }

    /// Exchange or mint access tokens
    ///
    /// Issues access tokens for client credentials (RFC 6749, section 4.4), for the code that a user's consent has led to
    /// (section 4.1.3) and for the refresh token that came with it (section 6). Only scopes that the app is approved for
    /// are granted. A code is good once, for a minute: a second use ends what the first one got.
    ///
    /// Here and at the other operations of clients, authenticate with HTTP Basic or with `client_id` and `client_secret` in
    /// the form, not both; a public client sends `client_id` alone. An app with `private_key_jwt` sends `client_assertion`
    /// instead, a JWT of at most 8192 bytes that it has signed for this one request (RFC 7523, section 3): in its header
    /// `alg` and the `kid` of one of the app's keys; `iss` and `sub` are both the client identifier; `aud` is one text, the
    /// issuer of the metadata or the URL of the token endpoint or of the operation itself; `exp` lies at most an hour
    /// ahead; `jti` is a text of 1 to 128 bytes that no other assertion of the app has until then. Prefer the issuer: a
    /// client that has keys at several authorization servers could be led by one of them to sign for the URL of another.
    #[endpoint { method = POST, path = "/v1/oauth/token", tags = ["tokens"], content_type = "application/x-www-form-urlencoded" }]
    async fn oauth_token(
        rqctx: RequestContext<Self::Context>,
        body: Body<tokens::TokenRequest>,
    ) -> Answer<Reply<tokens::TokenResponse, 200>> {
        drop((rqctx, body));
        unserved()
    }

    /// Ask a user for access
    ///
    /// Where an app sends its user's browser to ask for access on their behalf (RFC 6749, section 4.1.1). The user signs in
    /// and allows or refuses what is asked for; then the browser is sent to the redirect URI with `code`, `state` and `iss`
    /// (RFC 9207), or with `error`, `state` and `iss`. Exchange the code at `oauth_token` within a minute. PKCE with `S256`
    /// is required of public clients and wherever the app's governance says so, which it does unless it was changed. Not
    /// for programs: answers are pages for people until the browser is sent back. Nobody is sent to a redirect URI that the
    /// app has not registered.
    #[endpoint { method = GET, path = "/v1/oauth/authorize", tags = ["tokens"] }]
    async fn oauth_authorize(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<oauth::AuthorizationRequest>>,
    ) -> Answer<RedirectReply> {
        drop((rqctx, query));
        unserved()
    }

    /// Push an authorization request
    ///
    /// Takes the parameters of an authorization request ahead of the browser (RFC 9126), so that they are authenticated and
    /// cannot be altered on their way. Send the browser to `oauth_authorize` with `client_id` and the `request_uri` of the
    /// answer, within 90 seconds; whoever has opened it there has half an hour to sign in and decide. It leads to one code.
    #[endpoint { method = POST, path = "/v1/oauth/par", tags = ["tokens"], content_type = "application/x-www-form-urlencoded" }]
    async fn oauth_par(
        rqctx: RequestContext<Self::Context>,
        body: Body<oauth::PushedAuthorizationRequest>,
    ) -> Answer<Reply<oauth::PushedAuthorization, 201>> {
        drop((rqctx, body));
        unserved()
    }

    /// Revoke a token
    ///
    /// Ends an access or refresh token of the app before its time (RFC 7009). A refresh token takes all with it that the
    /// same consent has led to, access tokens included; hosts refuse those within five seconds. The answer is the same for
    /// a token that is unknown, has ended, or is another app's.
    #[endpoint { method = POST, path = "/v1/oauth/revoke", tags = ["tokens"], content_type = "application/x-www-form-urlencoded" }]
    async fn oauth_revoke(
        rqctx: RequestContext<Self::Context>,
        body: Body<oauth::TokenReference>,
    ) -> Answer<Reply<oauth::TokenRevoked, 200>> {
        drop((rqctx, body));
        unserved()
    }

    /// Introspect a token
    ///
    /// Tells what an access or refresh token of the app is worth now (RFC 7662). Of any other token, and of one that has
    /// ended, nothing is told but that it is not active.
    #[endpoint { method = POST, path = "/v1/oauth/introspect", tags = ["tokens"], content_type = "application/x-www-form-urlencoded" }]
    async fn oauth_introspect(
        rqctx: RequestContext<Self::Context>,
        body: Body<oauth::TokenReference>,
    ) -> Answer<Reply<oauth::TokenIntrospection, 200>> {
        drop((rqctx, body));
        unserved()
    }

    /// Mint a service token
    ///
    /// Issues a service token for automation that should not depend on an end-user session: webhook
    /// management, scheduled exports and other machine-to-machine workflows. The app's governance
    /// must allow service tokens, and each scope must be approved for the app.
    #[endpoint { method = POST, path = "/v1/platform/apps/{client_id}/service-token", tags = ["tokens"] }]
    async fn app_service_token_create(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<apps::AppPath>>,
        body: Body<tokens::ServiceTokenCreate>,
    ) -> Answer<Reply<tokens::ServiceToken, 200>> {
        drop((rqctx, path, body));
        unserved()
    }

    /// Issue a sandbox token
    ///
    /// Mints a short-lived sandbox token (`aud=sandbox`) for the app. It works on the sandbox host
    /// alone; live hosts refuse it with 403, and it cannot mint further tokens. `scenarios` pins it
    /// to canned data, so that the same client sees the same data on every replay. It carries the
    /// issuing tenant's `tenant_id` and `organization_id`.
    #[endpoint { method = POST, path = "/v1/platform/apps/{client_id}/sandbox-token", tags = ["tokens"] }]
    async fn app_sandbox_token_create(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<apps::AppPath>>,
        body: Body<tokens::SandboxTokenCreate>,
    ) -> Answer<Reply<tokens::SandboxToken, 200>> {
        drop((rqctx, path, body));
        unserved()
    }

    /// OpenID-compatible JWKS discovery
    ///
    /// Publishes the public signing keys at the well-known path for standards-based token
    /// validation. Select the key by the `kid` of the JWT header; cache the set, and refresh it on
    /// an unknown `kid`.
    #[endpoint { method = GET, path = "/.well-known/jwks.json", tags = ["keys"] }]
    async fn jwks_view(rqctx: RequestContext<Self::Context>) -> Answer<Reply<keys::JwkSet, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Versioned JWKS endpoint
    ///
    /// Provides the same public signing keys under the versioned namespace, for clients that
    /// standardise on versioned endpoints.
    #[endpoint { method = GET, path = "/v1/auth/jwks.json", tags = ["keys"] }]
    async fn jwks_view_versioned(rqctx: RequestContext<Self::Context>) -> Answer<Reply<keys::JwkSet, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Create a webhook
    ///
    /// Subscribes a receiver to events. Create subscriptions only for events that your integration
    /// has been approved to receive, and store and rotate the secret like any other credential.
    ///
    /// Each event is delivered at least once, in any order: an attempt that fails is repeated with growing pauses for
    /// about a day, and `Retry-After` of the receiver is obeyed within bounds. The `webhook-id` header is the same in
    /// every attempt, so that repeats can be dropped. A receiver that answers 410, or fails for five days, is disabled.
    ///
    /// On the sandbox host a secret that is made for the request is the public one of its deliveries.
    #[endpoint { method = POST, path = "/v1/webhooks", tags = ["webhooks"] }]
    async fn webhook_create(
        rqctx: RequestContext<Self::Context>,
        body: Body<webhooks::WebhookCreate>,
    ) -> Answer<Reply<webhooks::WebhookIssued, 201>> {
        drop((rqctx, body));
        unserved()
    }

    /// List webhooks
    ///
    /// Lists the tenant's webhook subscriptions, newest first, in cursor pages. Secrets are never
    /// shown.
    #[endpoint { method = GET, path = "/v1/webhooks", tags = ["webhooks"] }]
    async fn webhook_list(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<common::PageQuery>>,
    ) -> Answer<Reply<webhooks::WebhookList, 200>> {
        drop((rqctx, query));
        unserved()
    }

    /// Inspect a webhook
    ///
    /// Returns one webhook subscription. Its secret is never shown.
    ///
    /// On the sandbox host nothing is remembered but what the id says: the subscription has the events
    /// that it was created with, and an example URL.
    #[endpoint { method = GET, path = "/v1/webhooks/{webhook_id}", tags = ["webhooks"] }]
    async fn webhook_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<webhooks::WebhookPath>>,
    ) -> Answer<Reply<webhooks::Webhook, 200>> {
        drop((rqctx, path));
        unserved()
    }

    /// Update a webhook
    ///
    /// Rotates the secret, moves the receiver, adjusts the event selection, or disables and enables without
    /// recreating the subscription. Fields that are absent stay as they are. A replaced secret signs beside the new
    /// one for a while, so that the receiver can be changed over in between.
    ///
    /// On the sandbox host nothing is remembered: the reply shows the changes, a later view does not,
    /// and a URL that is absent is shown as an example URL.
    #[endpoint { method = PUT, path = "/v1/webhooks/{webhook_id}", tags = ["webhooks"] }]
    async fn webhook_update(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<webhooks::WebhookPath>>,
        body: Body<webhooks::WebhookUpdate>,
    ) -> Answer<Reply<webhooks::WebhookIssued, 200>> {
        drop((rqctx, path, body));
        unserved()
    }

    /// Delete a webhook
    ///
    /// Ends the subscription. Deliveries that are already queued are dropped.
    ///
    /// On the sandbox host nothing is remembered: the subscription can still be viewed afterwards.
    #[endpoint { method = DELETE, path = "/v1/webhooks/{webhook_id}", tags = ["webhooks"] }]
    async fn webhook_delete(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<webhooks::WebhookPath>>,
    ) -> Answer<EmptyReply> {
        drop((rqctx, path));
        unserved()
    }

    /// Review delivery attempts
    ///
    /// Returns the deliveries of a webhook, newest first, each with its attempts and with the headers and body that
    /// were sent, so that integrators can debug retries and signature checks. Use it instead of
    /// internal logs to diagnose receiver behavior. Deliveries are kept for 30 days.
    ///
    /// On the sandbox host the deliveries are those that a live host would have sent, signed with the
    /// public secret `whsec_YXJndXMtc2FuZGJveC1wdWJsaWMtdGVzdC1zZWNyZXQ=`, so that a receiver's check can
    /// be tested. It protects nothing: accept it in tests only. Their clock is the sandbox's: a verifier of
    /// Standard Webhooks, which compares `webhook-timestamp` with the time of day, takes them for replays,
    /// unless its time is set to the delivery's `attempted_at`.
    #[endpoint { method = GET, path = "/v1/webhooks/{webhook_id}/deliveries", tags = ["webhooks"] }]
    async fn webhook_delivery_list(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<webhooks::WebhookPath>>,
        query: Checked<Query<common::PageQuery>>,
    ) -> Answer<Reply<webhooks::WebhookDeliveryList, 200>> {
        drop((rqctx, path, query));
        unserved()
    }

    /// Send a test webhook
    ///
    /// Queues a synthetic delivery that validates the receiver before production traffic is
    /// enabled. Use it when you rotate a secret or bring up a new endpoint.
    #[endpoint { method = POST, path = "/v1/webhooks/{webhook_id}/test", tags = ["webhooks"] }]
    async fn webhook_test(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<webhooks::WebhookPath>>,
    ) -> Answer<Reply<webhooks::WebhookDeliveryQueued, 202>> {
        drop((rqctx, path));
        unserved()
    }

    /// Retry a delivery
    ///
    /// Queues one delivery again, whatever its state, with its identifier and body. Its attempts so far stay in the
    /// list.
    ///
    /// On the sandbox host nothing is remembered: the delivery is listed as before.
    #[endpoint {
        method = POST,
        path = "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/retry",
        tags = ["webhooks"],
    }]
    async fn webhook_delivery_retry(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<webhooks::WebhookDeliveryPath>>,
    ) -> Answer<Reply<webhooks::WebhookDeliveryQueued, 202>> {
        drop((rqctx, path));
        unserved()
    }

    /// Replay deliveries
    ///
    /// Queues the deliveries of a time range again, with their identifiers and bodies: those that failed or were
    /// skipped while the subscription was disabled, or those in the states that are named.
    ///
    /// On the sandbox host nothing is remembered: the deliveries are listed as before.
    #[endpoint { method = POST, path = "/v1/webhooks/{webhook_id}/replay", tags = ["webhooks"] }]
    async fn webhook_replay(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<webhooks::WebhookPath>>,
        body: Body<webhooks::WebhookReplay>,
    ) -> Answer<Reply<webhooks::WebhookReplayQueued, 202>> {
        drop((rqctx, path, body));
        unserved()
    }

    /// Use the shared GraphQL transport
    ///
    /// Runs a document of the caller's approved operation bundles, with bearer token and tenant
    /// scoping. Any other document is refused with 403 `operation_not_approved`; there is no
    /// introspection, schema dump or playground. White space, commas and comments do not make another
    /// document, nor does `__typename` in its selections, which the result then has; `extensions` are
    /// ignored. A refusal has GraphQL's `errors` beside its own members.
    ///
    /// On the live host an app runs the documents of the bundles that its governance approves
    /// (`approved_bundles`), from the next request after a change on; the sandbox runs those of every
    /// bundle that ships. What a document reaches needs the scope that it needs elsewhere, too, for
    /// example `argus:profiles:read` for a profile. A document is answered whole or refused; variables
    /// that ask for too much are refused with 400 `document_too_complex`.
    ///
    /// Requests are sent with `POST` alone: urql, which prefers `GET` for short queries, needs
    /// `preferGetMethod: false`; Apollo Client needs nothing.
    #[endpoint { method = POST, path = "/graphql", tags = ["graphql"] }]
    async fn graphql_execute(
        rqctx: RequestContext<Self::Context>,
        headers: Documented<Header<graphql::GraphqlHeaders>>,
        body: Body<graphql::GraphqlRequest>,
    ) -> Answer<Reply<graphql::GraphqlResponse, 200>> {
        drop((rqctx, headers, body));
        unserved()
    }

    /// Look up a recorded trace
    ///
    /// Returns the tenant's span tree for a W3C trace id. Every response carries `X-Argus-Trace-ID`
    /// and `X-Argus-Span-ID`; send `traceparent` to anchor the trace in your own observability
    /// backend.
    #[endpoint { method = GET, path = "/v1/observability/traces/{trace_id}", tags = ["observability"] }]
    async fn trace_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<traces::TracePath>>,
    ) -> Answer<Reply<traces::Trace, 200>> {
        drop((rqctx, path));
        unserved()
    }

    /// Enqueue an async job
    ///
    /// Creates an async job of one of the supported kinds and returns an `id` for polling. What
    /// `payload` holds depends on `kind`; a payload that does not fit its kind is refused with 400,
    /// which names the member and its place, before anything is queued. A member that stands twice is
    /// refused at every depth. An `Idempotency-Key` (UUID v4 recommended) opens a 24 hour replay window per tenant: a replay
    /// returns 200 with the body of the original 201, even if the payload changed. A `callback_url`
    /// asks for a signed delivery on completion.
    ///
    /// On the sandbox host nothing is remembered: the same request always has the same reply, with or
    /// without an `Idempotency-Key`, and no callback is sent.
    #[endpoint { method = POST, path = "/v1/jobs", tags = ["jobs"] }]
    async fn job_create(
        rqctx: RequestContext<Self::Context>,
        headers: Documented<Header<jobs::JobCreateHeaders>>,
        body: Body<jobs::JobCreate>,
    ) -> Answer<Reply<jobs::JobCreated, 201>> {
        drop((rqctx, headers, body));
        unserved()
    }

    /// Make room for an upload
    ///
    /// Returns a signed URL of this service for the input of a job that is too large for its request.
    /// Send the bytes with one PUT to `upload_url`, at most 1 GiB; then name `upload_ref` in an
    /// `import.bulk` job. No URL of a partner is ever fetched.
    ///
    /// On the sandbox host what is sent there is counted and thrown away, and a job takes any `upload_ref`.
    #[endpoint { method = POST, path = "/v1/uploads", tags = ["jobs"] }]
    async fn upload_create(rqctx: RequestContext<Self::Context>) -> Answer<Reply<uploads::Upload, 201>> {
        drop(rqctx);
        unserved()
    }

    /// List jobs
    ///
    /// Lists the tenant's jobs, newest first, with optional `kind` and `status` filters and cursor
    /// pages.
    #[endpoint { method = GET, path = "/v1/jobs", tags = ["jobs"] }]
    async fn job_list(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<jobs::JobQuery>>,
    ) -> Answer<Reply<jobs::JobList, 200>> {
        drop((rqctx, query));
        unserved()
    }

    /// Get job status
    ///
    /// Returns the current state of a job: kind, status, progress, timestamps, error and trace id.
    /// Another tenant's job is 404, never 403, so that its existence is not revealed.
    #[endpoint { method = GET, path = "/v1/jobs/{id}", tags = ["jobs"] }]
    async fn job_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<jobs::JobPath>>,
    ) -> Answer<Reply<jobs::Job, 200>> {
        drop((rqctx, path));
        unserved()
    }

    /// Cancel a job
    ///
    /// Cancels a queued or running job (204). Repeating it on a cancelled job returns 200; a job
    /// that has succeeded or failed returns 409.
    #[endpoint { method = DELETE, path = "/v1/jobs/{id}", tags = ["jobs"] }]
    async fn job_cancel(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<jobs::JobPath>>,
    ) -> Answer<EmptyReply> {
        drop((rqctx, path));
        unserved()
    }

    /// Get job result
    ///
    /// Returns the result reference and a short-lived signed URL once the job has succeeded; treat
    /// the URL as a credential. While the job is queued or running, returns 202 with its progress.
    /// Results are kept for 30 days.
    ///
    /// On the sandbox host the result is made up, in the shape and form of a live one, and the same for the
    /// same job for ever; its URL is no secret and does not end.
    #[endpoint { method = GET, path = "/v1/jobs/{id}/result", tags = ["jobs"] }]
    async fn job_result(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<jobs::JobPath>>,
    ) -> Answer<Reply<jobs::JobResult, 200>> {
        drop((rqctx, path));
        unserved()
    }

    /// Get a profile
    ///
    /// Returns a profile with its overall risk and the codes of its known findings. A profile of
    /// another tenant, or above the clearance of the token, is 404.
    #[endpoint { method = GET, path = "/v1/profiles/{id}", tags = ["profiles"] }]
    async fn profile_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<profiles::ProfilePath>>,
    ) -> Answer<Reply<profiles::Profile, 200>> {
        drop((rqctx, path));
        unserved()
    }

    /// Enrich a profile
    ///
    /// Asks the chosen sources about a profile, all of them by default, and returns what they
    /// found. `outcomes` says of each source how that ended: a source that cannot answer costs the
    /// others nothing, and one that this installation has no connector to says so. What a source
    /// finds takes the place of what it found before and counts for the profile's risk. The answer
    /// comes within some 10 seconds, whatever the sources do.
    #[endpoint { method = POST, path = "/v1/profiles/{id}/enrich", tags = ["profiles"] }]
    async fn profile_enrich(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<profiles::ProfilePath>>,
        body: Body<profiles::ProfileEnrich>,
    ) -> Answer<Reply<profiles::ProfileEnrichment, 200>> {
        drop((rqctx, path, body));
        unserved()
    }

    /// List sandbox scenarios
    ///
    /// Returns the deterministic scenario catalogue. The ids are the canonical values of
    /// `scenarios` when a sandbox token is minted. Needs a sandbox token; a live token returns 403,
    /// and the path is 404 on the live hosts.
    #[endpoint { method = GET, path = "/v1/sandbox/scenarios", tags = ["sandbox"] }]
    async fn sandbox_scenario_list(
        rqctx: RequestContext<Self::Context>,
    ) -> Answer<Reply<sandbox::ScenarioList, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Fetch the OpenAPI descriptor (JSON)
    ///
    /// Returns the curated public OpenAPI 3.1 contract at its RFC 8615 well-known path. The `ETag`
    /// comes from the content hash. The descriptor is filtered by the public denylist: internal and
    /// platform-only routes are never present. `openapi.yaml` has the same content.
    #[endpoint { method = GET, path = "/.well-known/openapi.json", tags = ["discovery"] }]
    async fn openapi_json(rqctx: RequestContext<Self::Context>) -> Answer<DocumentReply> {
        drop(rqctx);
        unserved()
    }

    /// Fetch the OpenAPI descriptor (YAML)
    ///
    /// Returns the curated public OpenAPI 3.1 contract as YAML. The content is that of
    /// `openapi.json`; only the serialisation differs.
    #[endpoint { method = GET, path = "/.well-known/openapi.yaml", tags = ["discovery"] }]
    async fn openapi_yaml(rqctx: RequestContext<Self::Context>) -> Answer<DocumentReply> {
        drop(rqctx);
        unserved()
    }

    /// Fetch the descriptor of one host
    ///
    /// Returns the part of the contract that one host serves, as JSON or YAML. Its one server serves
    /// every operation in it, and it has the schemas and tags that these need and no others: give it
    /// to code generators, which know one base URL. Every host has the descriptors of all of them.
    #[endpoint { method = GET, path = "/.well-known/openapi/{document}", tags = ["discovery"] }]
    async fn openapi_host_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<discovery::HostDocumentPath>>,
    ) -> Answer<DocumentReply> {
        drop((rqctx, path));
        unserved()
    }

    /// Fetch the API catalog
    ///
    /// Returns the RFC 9727 link set that points at the OpenAPI descriptors and the documentation
    /// site. Partner-only service metadata is intentionally excluded.
    #[endpoint { method = GET, path = "/.well-known/api-catalog", tags = ["discovery"] }]
    async fn api_catalog(rqctx: RequestContext<Self::Context>) -> Answer<DocumentReply> {
        drop(rqctx);
        unserved()
    }

    /// List visible data schemas
    ///
    /// Lists the JSON Schemas that the caller's tenant, organisation and clearance can reach right
    /// now. `include_federated` adds the sources that approved Communities of Interest share;
    /// `secrecy_max` lowers the clearance for this call. Each entry gives the `schema_url` for
    /// offline contract pinning.
    #[endpoint { method = GET, path = "/v1/discovery/data-schemas", tags = ["discovery"] }]
    async fn data_schema_list(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<discovery::DataSchemaQuery>>,
    ) -> Answer<Reply<discovery::DataSchemaList, 200>> {
        drop((rqctx, query));
        unserved()
    }

    /// Fetch a data schema
    ///
    /// Returns one published schema as a self-contained JSON Schema 2020-12 document. The `ETag`
    /// comes from the content hash.
    #[endpoint { method = GET, path = "/.well-known/schemas/{file}", tags = ["discovery"] }]
    async fn data_schema_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<discovery::DataSchemaPath>>,
    ) -> Answer<DocumentReply> {
        drop((rqctx, path));
        unserved()
    }

    /// Fetch the authorization server's metadata
    ///
    /// Returns the endpoints, grants, scopes and client authentication methods of the authorization
    /// server (RFC 8414). Compare its `issuer` with the one that you configured before you use the rest.
    /// The path of an issuer that has one follows this path.
    #[endpoint { method = GET, path = "/.well-known/oauth-authorization-server", tags = ["discovery"] }]
    async fn oauth_metadata_view(
        rqctx: RequestContext<Self::Context>,
    ) -> Answer<Reply<discovery::OauthMetadata, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Protected resource metadata
    ///
    /// Says who issues tokens for this host, and for which scopes (RFC 9728), so that a client that knows the host alone
    /// finds the authorization server. Tokens for the sandbox host are minted with `app_sandbox_token_create`.
    #[endpoint { method = GET, path = "/.well-known/oauth-protected-resource", tags = ["discovery"] }]
    async fn protected_resource_view(
        rqctx: RequestContext<Self::Context>,
    ) -> Answer<Reply<discovery::ProtectedResource, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Whether the process is up
    #[endpoint { method = GET, path = "/healthz", tags = ["internal"] }]
    async fn health_view(rqctx: RequestContext<Self::Context>) -> Answer<Reply<internal::Health, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Whether the process can serve
    ///
    /// 503 while it cannot.
    #[endpoint { method = GET, path = "/readyz", tags = ["internal"] }]
    async fn readiness_view(rqctx: RequestContext<Self::Context>) -> Answer<Reply<internal::Readiness, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Counters in the OpenMetrics text format
    #[endpoint { method = GET, path = "/metrics", tags = ["internal"] }]
    async fn metrics_view(rqctx: RequestContext<Self::Context>) -> Answer<DocumentReply> {
        drop(rqctx);
        unserved()
    }

    /// Page: the reference in English
    #[endpoint { method = GET, path = "/en/docs/api-reference", tags = ["internal"] }]
    async fn reference_english_view(rqctx: RequestContext<Self::Context>) -> Answer<DocumentReply> {
        drop(rqctx);
        unserved()
    }

    /// Page: the reference in French
    #[endpoint { method = GET, path = "/fr/docs/api-reference", tags = ["internal"] }]
    async fn reference_french_view(rqctx: RequestContext<Self::Context>) -> Answer<DocumentReply> {
        drop(rqctx);
        unserved()
    }

    /// The reference as Markdown, in the language that `Accept-Language` prefers
    #[endpoint { method = GET, path = "/api/docs", tags = ["internal"] }]
    async fn reference_text_view(rqctx: RequestContext<Self::Context>) -> Answer<DocumentReply> {
        drop(rqctx);
        unserved()
    }

    /// What leads machines to the reference (llmstxt.org)
    #[endpoint { method = GET, path = "/llms.txt", tags = ["internal"] }]
    async fn reference_outline_view(rqctx: RequestContext<Self::Context>) -> Answer<DocumentReply> {
        drop(rqctx);
        unserved()
    }

    /// The sandbox token for the reader of the reference, of a service under development
    #[endpoint { method = GET, path = "/docs/demo-token.json", tags = ["internal"] }]
    async fn demo_token_view(
        rqctx: RequestContext<Self::Context>,
    ) -> Answer<Reply<internal::DemoToken, 200>> {
        drop(rqctx);
        unserved()
    }

    /// Fetch an object by its signed URL
    ///
    /// A range of it can be asked for.
    #[endpoint { method = GET, path = "/objects/{collection}/{tenant_id}/{name}", tags = ["internal"] }]
    async fn object_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<internal::ObjectPath>>,
    ) -> Answer<DocumentReply> {
        drop((rqctx, path));
        unserved()
    }

    /// Put an object where its signed URL says
    ///
    /// The URL says how long it may be. The same URL can be used again until it expires.
    #[endpoint { method = PUT, path = "/objects/{collection}/{tenant_id}/{name}", tags = ["internal"] }]
    async fn object_create(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<internal::ObjectPath>>,
        body: Upload,
    ) -> Answer<Reply<internal::ObjectStored, 201>> {
        drop((rqctx, path, body));
        unserved()
    }

    /// Create a tenant with its first administrator token
    #[endpoint { method = POST, path = "/internal/tenants", tags = ["internal"] }]
    async fn tenant_bootstrap(
        rqctx: RequestContext<Self::Context>,
        body: Body<internal::TenantBootstrap>,
    ) -> Answer<Reply<internal::TenantBootstrapped, 201>> {
        drop((rqctx, body));
        unserved()
    }

    /// Page: sign in
    #[endpoint { method = GET, path = "/sign-in", tags = ["internal"] }]
    async fn sign_in_view(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<pages::SignInQuery>>,
    ) -> Answer<PageReply> {
        drop((rqctx, query));
        unserved()
    }

    /// Sign in
    #[endpoint { method = POST, path = "/sign-in", tags = ["internal"], content_type = "application/x-www-form-urlencoded" }]
    async fn sign_in_create(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<pages::SignInQuery>>,
        body: Body<pages::SignInForm>,
    ) -> Answer<PageReply> {
        drop((rqctx, query, body));
        unserved()
    }

    /// Sign out
    #[endpoint { method = POST, path = "/sign-out", tags = ["internal"], content_type = "application/x-www-form-urlencoded" }]
    async fn sign_out(
        rqctx: RequestContext<Self::Context>,
        body: Body<pages::ButtonForm>,
    ) -> Answer<PageReply> {
        drop((rqctx, body));
        unserved()
    }

    /// Page: signed-in devices and granted apps
    #[endpoint { method = GET, path = "/account", tags = ["internal"] }]
    async fn account_view(rqctx: RequestContext<Self::Context>) -> Answer<PageReply> {
        drop(rqctx);
        unserved()
    }

    /// End a session
    #[endpoint { method = POST, path = "/account/sessions/{session_id}/end", tags = ["internal"], content_type = "application/x-www-form-urlencoded" }]
    async fn session_end(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<pages::SessionPath>>,
        body: Body<pages::ButtonForm>,
    ) -> Answer<PageReply> {
        drop((rqctx, path, body));
        unserved()
    }

    /// Page: consent
    #[endpoint { method = GET, path = "/consent", tags = ["internal"] }]
    async fn consent_view(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<oauth::AuthorizationRequest>>,
    ) -> Answer<PageReply> {
        drop((rqctx, query));
        unserved()
    }

    /// Allow or refuse
    #[endpoint { method = POST, path = "/consent", tags = ["internal"], content_type = "application/x-www-form-urlencoded" }]
    async fn consent_create(
        rqctx: RequestContext<Self::Context>,
        query: Checked<Query<oauth::AuthorizationRequest>>,
        body: Body<pages::ConsentForm>,
    ) -> Answer<PageReply> {
        drop((rqctx, query, body));
        unserved()
    }

    /// Withdraw what an app was allowed
    #[endpoint { method = POST, path = "/account/apps/{client_id}/end", tags = ["internal"], content_type = "application/x-www-form-urlencoded" }]
    async fn grant_end(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<pages::GrantPath>>,
        body: Body<pages::ButtonForm>,
    ) -> Answer<PageReply> {
        drop((rqctx, path, body));
        unserved()
    }

    /// Page: choose a password
    #[endpoint { method = GET, path = "/invitation/{token}", tags = ["internal"] }]
    async fn invitation_view(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<pages::InvitationPath>>,
    ) -> Answer<PageReply> {
        drop((rqctx, path));
        unserved()
    }

    /// Choose a password
    #[endpoint { method = POST, path = "/invitation/{token}", tags = ["internal"], content_type = "application/x-www-form-urlencoded" }]
    async fn invitation_accept(
        rqctx: RequestContext<Self::Context>,
        path: Checked<Path<pages::InvitationPath>>,
        body: Body<pages::InvitationForm>,
    ) -> Answer<PageReply> {
        drop((rqctx, path, body));
        unserved()
    }
}
