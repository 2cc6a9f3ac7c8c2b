//! Who may call what: the status of every operation for every role, as a snapshot.

use super::support::{every_scope, samples};
use argus_openapi::contract::ARGUS;
use argus_openapi::row::OperationRow;
use argus_openapi::types::scopes::Scope;
use argus_openapi::{Access, Host};
use argus_tests::{TestServer, audience, claims, scopes_beside};
use std::fmt::Write;

/// A caller: its column, the audience of its token (that of the host when absent), and its scopes.
struct Role {
    name: String,
    audience: Option<Host>,
    scopes: Option<Vec<Scope>>,
}

fn roles() -> Vec<Role> {
    let all = || Some(Scope::catalogue().collect());
    let anonymous = Role { name: "anonymous".to_owned(), audience: None, scopes: None };
    let single = every_scope().into_iter().map(|scope| {
        let name = scope.as_str().trim_start_matches("argus:").replace("internal:operate", "operator");
        Role { name, audience: None, scopes: Some(vec![scope]) }
    });
    let everything = [
        Role { name: "live, all".to_owned(), audience: Some(Host::Api), scopes: all() },
        Role { name: "sandbox, all".to_owned(), audience: Some(Host::Sandbox), scopes: all() },
    ];
    [anonymous].into_iter().chain(single).chain(everything).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_matrix_of_roles_and_operations_is_the_reviewed_one() {
    let server = TestServer::without_workers();
    let samples = samples(&server).await;
    let roles = roles();
    let mut table = String::new();
    for (number, role) in roles.iter().enumerate() {
        writeln!(table, "{number:>3}  {}", role.name).unwrap();
    }
    let columns: String = (0..roles.len()).map(|number| format!("{number:>4}")).collect();
    write!(table, "\n{:<36}{columns}\n", "operation").unwrap();
    for operation in ARGUS.rows {
        for host in Host::ALL {
            let mut row = format!("{:<28}{:<8}", operation.id, host.name());
            for role in &roles {
                let sample = samples.of(&server, operation, host).await;
                let mut request = server.sample(host, &sample);
                if let Some(scopes) = &role.scopes {
                    let audience = audience(role.audience.unwrap_or(host));
                    let mut claims = claims(audience, &samples.tenant_id, scopes);
                    claims.organization_id.clone_from(&samples.organization_id);
                    request = request.bearer_auth(server.sign(&claims));
                }
                let answer = server.send(request).await;
                let status = answer.status;
                if operation.served_by(host)
                    && may(role, operation.access, host)
                    && reaches(role, operation, host)
                {
                    assert!(
                        answer.is_done(),
                        "{row}: {} may call it, but got {status}; a 404 can be an override that is missing in server/src/hosts",
                        role.name
                    );
                } else {
                    assert!(status.is_client_error(), "{row}: {} may not call it: {status}", role.name);
                }
                write!(row, " {}", status.as_u16()).unwrap();
            }
            writeln!(table, "{row}").unwrap();
        }
    }
    snapshot!("role_matrix", table);
}

/// Whether a role has the scopes of what the operation's sample reaches.
fn reaches(role: &Role, operation: &OperationRow, host: Host) -> bool {
    let has = |scope: &Scope| role.scopes.iter().flatten().any(|held| held.implies(*scope));
    scopes_beside(operation, host).iter().all(has)
}

/// What the operation table says of a role.
fn may(role: &Role, access: Access, host: Host) -> bool {
    let of_this_host = role.audience.is_none_or(|other| audience(other) == audience(host));
    match (access, &role.scopes) {
        // The sample brings the signature or the cookies, and a token beside them means nothing.
        (Access::Public | Access::SignedUrl | Access::Browser, _) => true,
        // The sample brings the client's credentials; a token beside them is refused.
        (Access::Client, scopes) => scopes.is_none(),
        (_, None) => false,
        (Access::AnyToken, Some(_)) => of_this_host,
        (Access::Scope(required), Some(scopes)) => {
            of_this_host && scopes.iter().any(|scope| scope.implies(required))
        }
    }
}
