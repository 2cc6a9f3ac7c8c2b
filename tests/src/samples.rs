//! The samples of a contract on a running service: what only it knows, such as the id of a job, is made on
//! the host that is asked, anew for each request. What only a signed URL opens comes with one, and is there.

use crate::{Reach, TestServer, audience, claims};
use argus_core::objects::{Collection, ObjectKey};
use argus_openapi::contract::Contract;
use argus_openapi::row::{Access, MadeBy, OperationRow, RequestBody};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use argus_openapi::types::scopes::Scope;
use argus_openapi::{Host, Operation};
use argus_samples::{Given, Sample, Source, given};
use serde_json::Value;
use std::time::Duration;

impl Reach {
    /// The request of a sample to a host, still without a token.
    pub fn sample(&self, host: Host, sample: &Sample) -> reqwest::RequestBuilder {
        let mut request = self.request(host, sample.method.clone(), &sample.target());
        for (name, value) in &sample.headers {
            request = request.header(name, value);
        }
        match &sample.body {
            Some((media_type, body)) => request.header("content-type", *media_type).body(body.clone()),
            None => request,
        }
    }
}

/// The samples of a contract, as requests of one tenant.
pub struct Samples {
    source: Source,
    /// The caller's tenant.
    pub tenant_id: String,
    /// The caller's organisation.
    pub organization_id: String,
}

/// Scopes that the sample of an operation needs on a host beside the operation's own: those of what it reaches.
pub fn scopes_beside(row: &OperationRow, host: Host) -> &'static [Scope] {
    let reaches_profile = host == Host::Api && row.id == Operation::GraphqlExecute.id();
    if reaches_profile { &[Scope::ProfilesRead] } else { &[] }
}

impl Samples {
    /// The samples of a contract for a tenant.
    pub fn new(contract: &'static Contract, tenant_id: &str, organization_id: &str) -> Self {
        Self {
            source: Source::new(contract),
            tenant_id: tenant_id.to_owned(),
            organization_id: organization_id.to_owned(),
        }
    }

    /// The sample of an operation for a host. Where the host serves what makes the sample's resources,
    /// they are made there first.
    pub async fn of(&self, server: &TestServer, row: &'static OperationRow, host: Host) -> Sample {
        let mut given = Given::new();
        for made_by in row.made_by {
            if self.source.row(made_by.operation).served_by(host) {
                // What makes it may need a resource itself.
                given.extend(Box::pin(self.make(server, made_by, host)).await);
            }
        }
        let mut cookie = None;
        if row.access == Access::Browser && row.served_by(host) {
            let (header, of_a_person) = Box::pin(self.of_a_person(server, row, &given)).await;
            given.extend(of_a_person);
            cookie = Some(("cookie".to_owned(), header));
        }
        let mut sample = self.source.sample(row, &self.tenant_id, &given);
        sample.headers.extend(cookie);
        if row.access == Access::SignedUrl && row.served_by(host) {
            match host {
                Host::Sandbox => self.sign_synthetic(server, &mut sample).await,
                Host::Auth | Host::Api => self.sign(server, &mut sample).await,
            }
        }
        // Only `dev` has one, for its own pages.
        if host == Host::Api && sample.row.id == Operation::DemoTokenView.id() {
            let _ = server.state().demo_token.set("token".to_owned().into());
            sample.headers.push(("sec-fetch-site".to_owned(), "same-origin".to_owned()));
        }
        // The app of tests was not registered, so that it has no callback secret yet.
        if host == Host::Api && sample.row.id == Operation::JobCreate.id() {
            server.put_callback_secret(&self.tenant_id).await;
        }
        // Nor was any bundle approved for it.
        if host == Host::Api && sample.row.id == Operation::GraphqlExecute.id() {
            server.put_app(&self.tenant_id).await;
        }
        // No operation makes a profile: a job imports it.
        if host == Host::Api && sample.template.starts_with("/v1/profiles/") {
            let (_, id) = &sample.path_parameters[0];
            let (kind, secrecy_level) = (ProfileKind::Wallet, SecrecyLevel::Standard);
            server.put_profile(&self.tenant_id, id, kind, secrecy_level).await;
        }
        sample
    }

    /// Puts an object where the sample leads, and the signature for its method into its query.
    async fn sign(&self, server: &TestServer, sample: &mut Sample) {
        const MINUTE: Duration = Duration::from_secs(60);
        let objects = &server.state().jobs.objects;
        let (tenant_id, name) = (self.tenant_id.parse().unwrap(), "example.json");
        let key = ObjectKey::new(Collection::Uploads, &tenant_id, name).unwrap();
        let mut writer = objects.put(&key);
        writer.write("{}".into()).await.unwrap();
        writer.finish().await.unwrap();
        let url = match sample.row.body {
            RequestBody::None => objects.signed_url(&key, None, MINUTE).await.unwrap(),
            _ => objects.upload_url(&key, 1024, MINUTE).unwrap(),
        };
        sample.query = url.url.expose().split_once('?').unwrap().1.to_owned();
        for (parameter, value) in &mut sample.path_parameters {
            if parameter == "tenant_id" {
                value.clone_from(&self.tenant_id);
            }
        }
    }

    /// Turns the sample into the URL of a result or an upload, as the sandbox gives it out.
    async fn sign_synthetic(&self, server: &TestServer, sample: &mut Sample) {
        let (id, member) = match sample.row.body {
            RequestBody::None => ("job_result", "signed_url"),
            _ => ("upload_create", "upload_url"),
        };
        let giver = Box::pin(self.of(server, self.source.row(id), Host::Sandbox)).await;
        let reply = self.succeed(server, &giver, Host::Sandbox).await;
        sample.lead_to(reply[member].as_str().unwrap());
    }

    /// Makes a resource on a host.
    async fn make(&self, server: &TestServer, made_by: &MadeBy, host: Host) -> Given {
        let mut maker = self.of(server, self.source.row(made_by.operation), host).await;
        // A key would give the resource of an earlier sample again.
        maker.headers.clear();
        let given = given(made_by, &maker, &self.succeed(server, &maker, host).await);
        for id in made_by.then {
            let sample = self.source.sample(self.source.row(id), &self.tenant_id, &given);
            self.succeed(server, &sample, host).await;
        }
        given
    }

    /// Sends a sample with the token that it needs, and reads the reply.
    async fn succeed(&self, server: &TestServer, sample: &Sample, host: Host) -> Value {
        let mut request = server.sample(host, sample);
        if let Access::Scope(scope) = sample.row.access {
            let mut claims = claims(audience(host), &self.tenant_id, &[scope]);
            claims.organization_id.clone_from(&self.organization_id);
            request = request.bearer_auth(server.sign(&claims));
        }
        let answer = server.send(request).await;
        assert!(answer.status.is_success(), "{} on {}\n{answer:?}", sample.row.id, host.name());
        answer.json()
    }
}
