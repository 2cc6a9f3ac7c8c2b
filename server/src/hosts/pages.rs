//! What the pages of the auth host do: sign in and out, sessions, invitations. Who may, was found at the gate; what the
//! pages look like does not live here.

use crate::gate::{Call, Outcome, Page, Problem, Submission, Visitor};
use crate::pages;
use argus_core::users::{Password, SignedIn};
use argus_openapi::types::pages::{
    ButtonForm, GrantPath, InvitationForm, InvitationPath, SessionPath, SignInForm, SignInQuery,
};
use argus_openapi::types::secret::SecretText;
use argus_partner::account;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Where the authorization code flow begins.
const AUTHORIZE: &str = "/v1/oauth/authorize";
const ACCOUNT: &str = "/account";
const SIGN_IN: &str = "/sign-in";

/// The way to the page to sign in, from which the authorization request with this query string goes on.
pub(super) fn sign_in_for(query: &str) -> String {
    format!("{SIGN_IN}?continue={}", utf8_percent_encode(query, NON_ALPHANUMERIC))
}

/// Where somebody goes who has signed in: on with an authorization request, or to the account. There is no way to
/// anywhere else, whatever the query says.
struct Destination(Option<String>);

impl Destination {
    /// Errors: `invalid_request` where it is no query string (RFC 3986, section 3.4).
    fn of(query: SignInQuery) -> Outcome<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
        match query.continuation {
            Some(query) if !query.bytes().all(is_plain) => {
                Err(Problem::invalid("`continue`: this is not a query string"))
            }
            other => Ok(Self(other)),
        }
    }

    /// Where the form goes that leads there.
    fn action(&self) -> String {
        self.0.as_deref().map_or_else(|| SIGN_IN.to_owned(), sign_in_for)
    }

    fn location(&self) -> String {
        self.0.as_deref().map_or_else(|| ACCOUNT.to_owned(), |query| format!("{AUTHORIZE}?{query}"))
    }
}

fn sign_in_page(visitor: &Visitor, destination: &Destination, email: Option<&str>) -> Page {
    let markup = pages::sign_in(visitor.language, &destination.action(), &visitor.form_token, email);
    let page = Page::html(visitor, if email.is_some() { 400 } else { 200 }, markup);
    // Who has let the app act for them before is led there at once.
    if destination.0.is_some() { page.leading_out() } else { page }
}

/// The page to sign in.
pub(super) fn sign_in_view<B>(call: &Call<'_, Visitor, B>, query: SignInQuery) -> Outcome<Page> {
    Ok(sign_in_page(&call.caller, &Destination::of(query)?, None))
}

/// Signs somebody in. The session has a new token, and the one that the browser had before is ended.
pub(super) async fn sign_in_create<B>(
    call: &Call<'_, Submission<SignInForm>, B>,
    query: SignInQuery,
) -> Outcome<Page> {
    let (Submission { visitor, form }, users) = (&call.caller, &call.app().users);
    let destination = Destination::of(query)?;
    call.check_sign_in(&form.email)?;
    let user = users.authenticate(&form.email, &form.password).await?;
    let opened = match &user {
        Some(user) => users.open_session(&call.context_of(user), user, &call.device()).await?,
        None => None,
    };
    let Some(token) = opened else {
        call.charge_sign_in(&form.email).await?;
        return Ok(sign_in_page(visitor, &destination, Some(&form.email)));
    };
    if let Some(former) = &visitor.session {
        end(call, former).await?;
    }
    Page::see_other(visitor, &destination.location())?.signing_in(call.app(), &token)
}

/// Signs somebody out.
pub(super) async fn sign_out<B>(call: &Call<'_, Submission<ButtonForm>, B>) -> Outcome<Page> {
    let visitor = &call.caller.visitor;
    if let Some(signed_in) = &visitor.session {
        end(call, signed_in).await?;
    }
    Ok(Page::see_other(visitor, SIGN_IN)?.signing_out(call.app()))
}

/// Ends a session; one that has ended meanwhile has ended.
async fn end<C, B>(call: &Call<'_, C, B>, signed_in: &SignedIn) -> Outcome<()> {
    let SignedIn { user, session } = signed_in;
    match account::end_session(call.store(), &call.context_of(user), user, &session.id).await {
        Err(argus_partner::Error::Core(argus_core::Error::NotFound(_))) => Ok(()),
        other => Ok(other?),
    }
}

/// The page of somebody who is signed in.
pub(super) async fn account_view<B>(call: &Call<'_, Visitor, B>) -> Outcome<Page> {
    let visitor = &call.caller;
    let Some(signed_in) = &visitor.session else { return Page::see_other(visitor, SIGN_IN) };
    let user = &signed_in.user;
    let context = call.context_of(user);
    let sessions = call.app().users.sessions(&context, user).await?;
    let granted = account::granted(call.store(), &context, &user.id).await?;
    let granted = pages::granted(visitor.language, &granted, &visitor.form_token);
    let markup =
        pages::account(visitor.language, signed_in, &sessions, granted.as_ref(), &visitor.form_token);
    Ok(Page::html(visitor, 200, markup))
}

/// Ends a session of somebody who is signed in.
pub(super) async fn session_end<B>(
    call: &Call<'_, Submission<ButtonForm>, B>,
    path: SessionPath,
) -> Outcome<Page> {
    let visitor = &call.caller.visitor;
    let Some(signed_in) = &visitor.session else { return Page::see_other(visitor, SIGN_IN) };
    let user = &signed_in.user;
    account::end_session(call.store(), &call.context_of(user), user, path.session_id.as_str()).await?;
    Page::see_other(visitor, ACCOUNT)
}

/// Withdraws what somebody who is signed in has allowed an app.
pub(super) async fn grant_end<B>(
    call: &Call<'_, Submission<ButtonForm>, B>,
    path: GrantPath,
) -> Outcome<Page> {
    let visitor = &call.caller.visitor;
    let Some(signed_in) = &visitor.session else { return Page::see_other(visitor, SIGN_IN) };
    let user = &signed_in.user;
    let client_id = path.client_id.as_str().parse().map_err(|_| Problem::not_found("grant"))?;
    account::withdraw(call.store(), &call.context_of(user), &user.id, &client_id).await?;
    Page::see_other(visitor, ACCOUNT)
}

/// The page to choose a password.
pub(super) async fn invitation_view<B>(call: &Call<'_, Visitor, B>, path: InvitationPath) -> Outcome<Page> {
    let (visitor, users) = (&call.caller, &call.app().users);
    let user = users.invited(&path.token).await?.ok_or_else(|| Problem::not_found("invitation"))?;
    let markup = pages::invitation(visitor.language, &user, &visitor.form_token, None);
    Ok(Page::html(visitor, 200, markup))
}

/// Gives somebody the password that they chose.
pub(super) async fn invitation_accept<B>(
    call: &Call<'_, Submission<InvitationForm>, B>,
    path: InvitationPath,
) -> Outcome<Page> {
    let (Submission { visitor, form }, users) = (&call.caller, &call.app().users);
    let gone = || Problem::not_found("invitation");
    let user = users.invited(&path.token).await?.ok_or_else(gone)?;
    let texts = visitor.language.texts();
    let password = match chosen(&form.password, &form.repeated) {
        Ok(password) => password,
        Err(fault) => {
            let problem = match fault {
                Unfit::Length => texts.password_length,
                Unfit::Different => texts.passwords_differ,
            };
            let markup = pages::invitation(visitor.language, &user, &visitor.form_token, Some(problem));
            return Ok(Page::html(visitor, 400, markup));
        }
    };
    if !users.accept_invitation(&call.context_of(&user), &user, &path.token, &password).await? {
        return Err(gone());
    }
    Page::see_other(visitor, SIGN_IN)
}

/// Why a password cannot be chosen.
enum Unfit {
    Length,
    Different,
}

fn chosen(password: &SecretText, repeated: &SecretText) -> Result<Password, Unfit> {
    let chosen = password.expose().parse().map_err(|_| Unfit::Length)?;
    if password == repeated { Ok(chosen) } else { Err(Unfit::Different) }
}
