//! Failures to authenticate, which are limited. Credentials are looked at first and only a failure is charged, so that
//! nobody who shows the right ones is ever refused for what others have tried, from the same address or in the name of
//! the same client. Where that is done at all, the operation's row says.

use super::entry::Entry;
use super::problem::{Outcome, Problem};
use argus_core::limits::{Limit, Refused, Subject};
use argus_openapi::types::error::ErrorCode;

/// Charges for a client that could not be authenticated, and says when there were too many.
pub(super) async fn charge_client(entry: &Entry<'_>, claimed: Option<String>) -> Outcome<()> {
    let address = entry.address();
    let of_address = (Limit::AddressFailures, Subject::Address(address));
    match claimed {
        Some(client) => {
            let of_client = (Limit::ClientFailures, Subject::ClientAt(&client, address));
            // The address first: whoever makes up clients does not get a bucket for each.
            charge(entry, &[of_address, of_client]).await
        }
        None => charge(entry, &[of_address]).await,
    }
}

/// Charges for a token that is not good. Who has sent none has not tried any, and one of the other environment is
/// good.
pub(super) async fn charge_bearer(entry: &Entry<'_>, problem: &Problem) -> Outcome<()> {
    match problem.code() {
        Some(ErrorCode::InvalidToken) => {
            charge(entry, &[(Limit::BearerFailures, Subject::Address(entry.address()))]).await
        }
        _ => Ok(()),
    }
}

async fn charge(entry: &Entry<'_>, charges: &[(Limit, Subject<'_>)]) -> Outcome<()> {
    if !entry.row.limits_failures_on(entry.host()) {
        return Ok(());
    }
    entry.app().limits.charge(charges).await.map_err(|Refused { limit, retry_after }| {
        entry.app().metrics.count_limited(limit);
        Problem::limited("authentication has failed too often", retry_after)
    })
}
