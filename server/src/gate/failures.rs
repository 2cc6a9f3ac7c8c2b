//! Failures to authenticate, which are limited. Credentials are looked at first and only a failure is charged, so that
//! nobody who shows the right ones is ever refused for what others have tried, from the same address or in the name of
//! the same client. Where that is done at all, the operation's row says. Passwords of people are the exception to both:
//! see [`check_sign_in`].

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

/// Whether somebody at the caller's address may try a password for this account now. This is asked before the password
/// is looked at: it is a person's, so that one guess more may be the right one, and whoever has used his tries up must
/// learn nothing of the next.
pub(super) fn check_sign_in(entry: &Entry<'_>, email: &str) -> Outcome<()> {
    let email = account(email);
    let limits = &entry.app().limits;
    limits.check(&sign_in_charges(entry, &email)).map_err(|refused| limited(entry, refused))
}

/// Charges for a wrong password, and says when there were too many.
pub(super) async fn charge_sign_in(entry: &Entry<'_>, email: &str) -> Outcome<()> {
    let email = account(email);
    take(entry, &sign_in_charges(entry, &email)).await
}

/// An address in any case names one account, whether it is there or not.
fn account(email: &str) -> String {
    email.trim().to_lowercase()
}

fn sign_in_charges<'e>(entry: &Entry<'_>, email: &'e str) -> [(Limit, Subject<'e>); 2] {
    let address = entry.address();
    [
        (Limit::SignInAddressFailures, Subject::Address(address)),
        (Limit::SignInFailures, Subject::ClientAt(email, address)),
    ]
}

async fn charge(entry: &Entry<'_>, charges: &[(Limit, Subject<'_>)]) -> Outcome<()> {
    if !entry.row.limits_failures_on(entry.host()) {
        return Ok(());
    }
    take(entry, charges).await
}

async fn take(entry: &Entry<'_>, charges: &[(Limit, Subject<'_>)]) -> Outcome<()> {
    entry.app().limits.charge(charges).await.map_err(|refused| limited(entry, refused))
}

fn limited(entry: &Entry<'_>, Refused { limit, retry_after }: Refused) -> Problem {
    entry.app().metrics.count_limited(limit);
    Problem::limited("authentication has failed too often", retry_after)
}
