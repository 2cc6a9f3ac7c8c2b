//! A call that was let through: what a handler may know of its request.

use super::entry::Entry;
use super::failures;
use super::problem::Outcome;
use crate::hosts::App;
use argus_core::context::Live;
use argus_core::users::{Device, User};
use argus_core::{Context, Store};
use argus_openapi::headers::RequestHeader;
use argus_openapi::http::{Body, Checked, Documented, Upload};
use argus_openapi::read;
use argus_openapi::types::secret::SecretText;
use argus_partner::Identity;
use argus_partner::graphql::Graphql;
use argus_partner::jobs::Jobs;
use argus_partner::webhooks::Webhooks;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use dropshot::{Header, Path, Query, RequestInfo};
use http::header::USER_AGENT;
use http::{HeaderMap, Method};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use validator::Validate;

/// A request whose caller was admitted as a `C`, and whose body is a `B`.
pub struct Call<'r, C, B> {
    pub(super) entry: &'r Entry<'r>,
    /// Who calls.
    pub caller: C,
    pub(super) body: &'r mut B,
}

impl<B> Call<'_, Context<Live>, B> {
    /// What goes down to the domain.
    pub fn context(&self) -> &Context<Live> {
        &self.caller
    }
}

impl<C, B> Call<'_, C, B> {
    /// Somebody who is signed in, or about to be, as the one who calls: what goes down to the domain.
    pub fn context_of(&self, user: &User) -> Context<Live> {
        self.entry.context(Arc::new(user.principal()), Live)
    }

    /// Whether a password may be tried for this account now.
    pub fn check_sign_in(&self, email: &str) -> Outcome<()> {
        failures::check_sign_in(self.entry, email)
    }

    /// Notes that a wrong one was tried.
    pub async fn charge_sign_in(&self, email: &str) -> Outcome<()> {
        failures::charge_sign_in(self.entry, email).await
    }

    /// The browser that calls, as its user gets to see it in a list.
    pub fn device(&self) -> Device {
        let user_agent = self.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        Device::new(user_agent.unwrap_or_default(), Some(self.entry.address()))
    }

    /// What the hosts share.
    pub fn app(&self) -> &App {
        self.entry.app()
    }

    /// Apps, keys and tokens.
    pub fn identity(&self) -> &Identity {
        &self.app().identity
    }

    /// The store, for requests.
    pub fn store(&self) -> &Store {
        &self.app().database.requests
    }

    /// Subscriptions and their deliveries.
    pub fn webhooks(&self) -> &Webhooks {
        &self.app().webhooks
    }

    /// Approved documents and what runs them.
    pub fn graphql(&self) -> &Graphql {
        &self.app().graphql
    }

    /// Jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.app().jobs
    }

    pub(super) fn request(&self) -> &RequestInfo {
        self.entry.request()
    }

    /// The method of the request.
    pub fn method(&self) -> &Method {
        self.request().method()
    }

    /// The headers of the request.
    pub fn headers(&self) -> &HeaderMap {
        self.request().headers()
    }

    /// The cookie that says that a pushed request was opened in this browser: its name, and the value that only this
    /// service gives out.
    pub fn opened(&self, request_uri: &str) -> (String, SecretText) {
        let mark = self.identity().pepper().seal("opened_request", &[request_uri]);
        (self.app().cookies.of_request(request_uri), SecretText::from(URL_SAFE_NO_PAD.encode(mark)))
    }

    /// The query string as it came.
    pub fn query_text(&self) -> &str {
        self.request().uri().query().unwrap_or_default()
    }

    /// The path parameters.
    pub fn path<T>(&self, path: Checked<Path<T>>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Send + Sync,
    {
        Ok(path.into_result()?.into_inner())
    }

    /// The query parameters, within their bounds.
    pub fn query<T>(&self, query: Checked<Query<T>>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Validate + Send + Sync,
    {
        match query.into_result() {
            Ok(query) => Ok(read::within_bounds(query.into_inner())?),
            // dropshot's message does not always name the parameter.
            Err(_) => Ok(read::query(self.request().uri().query().unwrap_or_default())?),
        }
    }

    /// The one request header that the operation documents, within its bounds.
    pub fn documented_header<T>(&self, header: &RequestHeader, _: Documented<Header<T>>) -> Outcome<T>
    where
        T: DeserializeOwned + JsonSchema + Validate + Send + Sync,
    {
        Ok(read::header(header.shown, header.single(self.request().headers())?)?)
    }
}

impl<C, T> Call<'_, C, Body<T>>
where
    T: read::Readable + JsonSchema + Validate + Send + Sync + 'static,
{
    /// The request body, within its bounds.
    pub async fn body(&mut self) -> Outcome<T> {
        let body = self.body.read(self.entry.rqctx, self.app().body_limit).await?;
        Ok(read::within_bounds(body)?)
    }

    /// The request body, or its default where none was sent.
    pub async fn optional_body(&mut self) -> Outcome<T>
    where
        T: Default,
    {
        if self.body.is_empty() { Ok(T::default()) } else { self.body().await }
    }
}

impl<C> Call<'_, C, Upload> {
    /// How many bytes are sent at least, as far as the sender has said.
    pub fn upload_least(&self) -> u64 {
        self.body.least()
    }

    /// The next bytes of those that are sent, or none at their end.
    pub async fn upload_next(&mut self) -> Outcome<Option<Bytes>> {
        let limit = self.app().body_limit;
        Ok(self.body.next(limit).await?)
    }
}
