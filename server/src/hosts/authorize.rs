//! The authorization endpoint and the page of consent: from a browser's request to the app's redirect URI, by way of the
//! page to sign in and the page of consent where they are needed. Every step looks at the whole request anew, which
//! travels in the query string, so that nothing is kept for browsers that never come back. What of a request is refused
//! does not live here.

use super::pages::sign_in_for;
use crate::gate::{Call, Outcome, Page, Submission, Visitor, cookies};
use crate::pages;
use argus_core::Context;
use argus_core::context::Live;
use argus_core::users::SignedIn;
use argus_openapi::types::oauth::AuthorizationRequest;
use argus_openapi::types::pages::{ConsentForm, Decision};
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_partner::oauth::authorize::{self, App, Refusal, Request};
use http::Method;

const CONSENT: &str = "/consent";

/// How far a request has come.
enum Step {
    /// Somebody who is signed in may decide.
    Decision(Box<Pending>),
    /// The browser is sent on, or told why not.
    Reply(Page),
}

/// A request that somebody may decide on.
struct Pending {
    signed_in: SignedIn,
    context: Context<Live>,
    app: App,
    request: Request,
    /// What the user can give of what is asked for.
    scopes: Vec<Scope>,
    /// The cookie that says that the request was opened here, if it was pushed.
    opened: Option<(String, SecretText)>,
}

/// Sends a browser on: to the app with a code where the user has allowed it before, to the page of consent, to the page
/// to sign in, or to the app with a refusal.
pub(super) async fn authorize<B>(
    call: &Call<'_, Visitor, B>,
    request: AuthorizationRequest,
) -> Outcome<Page> {
    let visitor = &call.caller;
    let pending = match step(call, visitor, &request).await? {
        Step::Decision(pending) => pending,
        Step::Reply(page) => return Ok(page),
    };
    let Pending { signed_in, context, app, scopes, .. } = &*pending;
    let user_id = &signed_in.user.id;
    if authorize::is_allowed(call.identity(), context, user_id, app, scopes).await? {
        return allow(call, visitor, &pending).await;
    }
    let consent = format!("{CONSENT}?{}", call.query_text());
    Ok(leads_to(call, visitor, &consent)?.marking(call.app(), pending.opened))
}

/// The page of consent.
pub(super) async fn consent_view<B>(
    call: &Call<'_, Visitor, B>,
    request: AuthorizationRequest,
) -> Outcome<Page> {
    let visitor = &call.caller;
    match step(call, visitor, &request).await? {
        Step::Reply(page) => Ok(page),
        Step::Decision(pending) => {
            let action = format!("{CONSENT}?{}", call.query_text());
            let Pending { signed_in, app, scopes, .. } = &*pending;
            let markup =
                pages::consent(visitor.language, signed_in, app, scopes, &action, &visitor.form_token);
            Ok(Page::html(visitor, 200, markup).leading_out())
        }
    }
}

/// What the user has decided.
pub(super) async fn consent_create<B>(
    call: &Call<'_, Submission<ConsentForm>, B>,
    request: AuthorizationRequest,
) -> Outcome<Page> {
    let Submission { visitor, form } = &call.caller;
    let pending = match step(call, visitor, &request).await? {
        Step::Decision(pending) => pending,
        Step::Reply(page) => return Ok(page),
    };
    if form.decision == Decision::Allow {
        return allow(call, visitor, &pending).await;
    }
    authorize::refuse(call.identity(), &pending.context, &pending.request).await?;
    refused(call, visitor, &pending.request.denied("the user has not allowed it"))
}

/// How far a request has come, and with whom.
async fn step<C, B>(
    call: &Call<'_, C, B>,
    visitor: &Visitor,
    request: &AuthorizationRequest,
) -> Outcome<Step> {
    let identity = call.identity();
    let client_id = request.client_id.as_deref().unwrap_or_default();
    let Some((of_app, app)) = authorize::find(identity, client_id).await? else {
        return Ok(Step::Reply(stays_here(visitor)));
    };
    // A request that was pushed can be opened for longer where it was opened before.
    let opened = request.request_uri.as_deref().map(|request_uri| call.opened(request_uri));
    let was_opened_here = opened
        .as_ref()
        .is_some_and(|(name, mark)| cookies::token(call.headers(), name).as_ref() == Some(mark));
    let Some((request, pushed)) =
        authorize::resolve(identity, &of_app, &app, request, was_opened_here).await?
    else {
        return Ok(Step::Reply(stays_here(visitor)));
    };
    let request = match authorize::judge(&app, &request) {
        Ok(request) => request.pushed(pushed),
        Err(refusal) => return Ok(Step::Reply(refused(call, visitor, &refusal)?)),
    };
    let Some(signed_in) = visitor.session.clone() else {
        let sign_in = sign_in_for(call.query_text());
        return Ok(Step::Reply(leads_to(call, visitor, &sign_in)?.marking(call.app(), opened)));
    };
    let scopes = request.possible(&signed_in.user);
    let is_of_tenant = signed_in.user.tenant_id == *of_app.tenant_id();
    if !is_of_tenant || scopes.is_empty() {
        let refusal = request.denied("the user may not give this app what it asks for");
        return Ok(Step::Reply(refused(call, visitor, &refusal)?));
    }
    let context = call.context_of(&signed_in.user);
    Ok(Step::Decision(Box::new(Pending { signed_in, context, app, request, scopes, opened })))
}

/// Sends the browser to the app with a code.
async fn allow<C, B>(call: &Call<'_, C, B>, visitor: &Visitor, pending: &Pending) -> Outcome<Page> {
    let Pending { signed_in, context, app, request, scopes, .. } = pending;
    match authorize::allow(call.identity(), context, signed_in, app, request, scopes).await? {
        Some(location) => leads_to(call, visitor, &location),
        None => Ok(stays_here(visitor)),
    }
}

/// Sends the browser to the app with a refusal, or says so here where it is not proven that this is the app's URI.
fn refused<C, B>(call: &Call<'_, C, B>, visitor: &Visitor, refusal: &Refusal) -> Outcome<Page> {
    match authorize::location(call.identity().issuer(), refusal) {
        Some(location) => leads_to(call, visitor, &location),
        None => Ok(stays_here(visitor)),
    }
}

/// Leads the browser on; from a form so that no other server gets what it says (RFC 9700, section 4.12).
fn leads_to<C, B>(call: &Call<'_, C, B>, visitor: &Visitor, location: &str) -> Outcome<Page> {
    let status = if call.method() == Method::POST { 303 } else { 302 };
    Page::redirect(visitor, status, location)
}

fn stays_here(visitor: &Visitor) -> Page {
    Page::html(visitor, 400, pages::unusable_request(visitor.language))
}
