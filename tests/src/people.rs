//! People who sign in to a server of tests.

use crate::{Samples, Tab, TestServer};
use argus_core::store::Tx;
use argus_core::users::{Device, NewUser, User};
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::scopes::Scope;
use argus_openapi::{Operation, OperationRow};
use argus_partner::store::authorizations::grants;
use argus_samples::Given;

/// The password of everybody here.
pub const PASSWORD: &str = "correct horse battery";

impl TestServer {
    /// Somebody in this tenant who signs in with this address and [`PASSWORD`]; who is there is left as they are.
    pub async fn person(&self, tenant_id: &str, email: &str) -> User {
        let users = &self.state().users;
        let email = email.parse().unwrap();
        if let Ok(user) = users.named(&email).await {
            return user;
        }
        let (store, tenant_id) = (&self.state().database.requests, tenant_id.parse().unwrap());
        let tenant = argus_core::tenants::view(store, &tenant_id).await.unwrap();
        let operator = tenant.operator(&self.state().clock);
        let (name, secrecy_level) = ("Ada Lovelace".parse().unwrap(), SecrecyLevel::default());
        let new = NewUser { email, name, secrecy_level, scopes: None };
        users.add(&operator, new, Some(&PASSWORD.parse().unwrap())).await.unwrap()
    }
}

impl TestServer {
    /// Notes that somebody has allowed an app these scopes.
    async fn put_grant(&self, user: &User, client_id: &str, scopes: &[Scope]) {
        let context = argus_core::Context::in_background(user.principal(), self.state().clock.clone());
        let (user_id, client_id) = (user.id.clone(), client_id.parse().unwrap());
        let scopes = serde_json::to_string(scopes).unwrap();
        let put = move |tx: &mut Tx<'_>| {
            Ok::<_, argus_partner::Error>(grants::set(tx, &user_id, &client_id, &scopes)?)
        };
        self.state().database.requests.write(&context, put).await.unwrap();
    }
}

impl Samples {
    /// What the sample of a page needs: a browser in which somebody is signed in, the token of its forms, a session to
    /// end and an invitation.
    pub(crate) async fn of_a_person(
        &self,
        server: &TestServer,
        row: &OperationRow,
        given_before: &Given,
    ) -> (String, Given) {
        let users = &server.state().users;
        let email = format!("{}@example.com", self.tenant_id);
        let user = server.person(&self.tenant_id, &email).await;
        let context = argus_core::Context::in_background(user.principal(), server.state().clock.clone());
        let mut tab = Tab::new(server);
        tab.get("/sign-in").await.expect(200);
        let mut given = Given::from([("form_token", tab.form_token.clone()), ("email", email)]);
        if row.id.starts_with("invitation") {
            let token = users.invite(&context, &user).await.unwrap();
            given.insert("token", token.expose().to_owned());
            return (tab.cookie_header(), given);
        }
        let device = Device::new("a browser of tests", None);
        let token = users.open_session(&context, &user, &device).await.unwrap().unwrap();
        tab.cookies.insert(server.state().cookies.session.clone(), token.expose().to_owned());
        if row.id == Operation::GrantEnd.id() {
            let scopes = [Scope::WebhooksWrite];
            server.put_grant(&user, &given_before["client_id"], &scopes).await;
        }
        given.insert("session_id", users.sessions(&context, &user).await.unwrap()[0].id.clone());
        (tab.cookie_header(), given)
    }
}
