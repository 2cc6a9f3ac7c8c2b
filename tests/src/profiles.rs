//! Profiles that are there when a test begins, put past the jobs that import them.

use crate::TestServer;
use argus_core::context::Context;
use argus_openapi::types::common::SecrecyLevel;
use argus_openapi::types::profiles::ProfileKind;
use argus_partner::profiles;
use argus_partner::store::profiles::ImportedRow;

impl TestServer {
    /// Puts a profile into a tenant.
    pub async fn put_profile(
        &self,
        tenant_id: &str,
        id: &str,
        kind: ProfileKind,
        secrecy_level: SecrecyLevel,
    ) {
        let row = ImportedRow {
            id: id.to_owned(),
            kind,
            display_name: format!("Profile {id}"),
            secrecy_level,
            risk_score: 10,
            relations: "[]".to_owned(),
            incident: None,
        };
        let app = self.state();
        let organization_id = "org_of_a_test".parse().unwrap();
        let context = Context::of_operator(tenant_id.parse().unwrap(), organization_id, app.clock.clone());
        let kept =
            app.database.requests.write(&context, move |tx| profiles::import(tx, std::slice::from_ref(&row)));
        assert_eq!(kept.await.unwrap(), [true], "{id} was not put");
    }
}
