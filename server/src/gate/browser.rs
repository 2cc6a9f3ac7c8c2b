//! Browsers: who is signed in in one, and whether a form comes from a page that this very browser was given.
//!
//! Each browser has a token of its own in a cookie, signed in or not. The token in its forms is a keyed hash of that
//! one, so that no other site can make a form, and nothing is kept for it. A new one is given out at sign-in, so that
//! forms that were made before count no more.

use super::cookies;
use super::credentials::Credentials;
use super::entry::Entry;
use super::problem::{Outcome, Problem};
use crate::pages::Language;
use argus_core::ids;
use argus_core::pepper::Pepper;
use argus_core::users::SignedIn;
use argus_openapi::Access;
use argus_openapi::http::Body;
use argus_openapi::read::{self, Readable};
use argus_openapi::types::pages::PageForm;
use argus_openapi::types::secret::SecretText;
use argus_wire::hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use validator::Validate;

/// How the page that asks for something is related to it, as browsers that are up to date say.
pub const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A browser that asks for a page.
pub struct Browser;

/// A browser that sends a form.
pub struct BrowserForm;

/// Whoever looks at a page.
pub struct Visitor {
    /// Who is signed in, if anybody is.
    pub session: Option<SignedIn>,
    /// What they read.
    pub language: Language,
    /// What goes into the page's forms.
    pub form_token: SecretText,
    /// The cookies that the reply sets.
    pub(super) cookies: Vec<HeaderValue>,
}

/// A form that was sent from a page of this browser.
pub struct Submission<T> {
    /// Who has sent it.
    pub visitor: Visitor,
    /// What it says.
    pub form: T,
}

impl<B: Send> Credentials<B> for Browser {
    type Caller = Visitor;

    fn satisfy(access: Access) -> bool {
        access == Access::Browser
    }

    async fn admit(self, entry: &Entry<'_>, _: &mut B) -> Outcome<Visitor> {
        Visitor::of(entry, cookies::token(entry.request().headers(), &entry.app().cookies.browser)).await
    }
}

impl<T> Credentials<Body<T>> for BrowserForm
where
    T: PageForm + Readable + JsonSchema + Validate + Send + Sync + 'static,
{
    type Caller = Submission<T>;

    fn satisfy(access: Access) -> bool {
        access == Access::Browser
    }

    async fn admit(self, entry: &Entry<'_>, body: &mut Body<T>) -> Outcome<Submission<T>> {
        let headers = entry.request().headers();
        if is_foreign(headers) {
            return Err(Problem::foreign_form());
        }
        let browser = cookies::token(headers, &entry.app().cookies.browser);
        let browser = browser.ok_or_else(Problem::foreign_form)?;
        let form = body.read(entry.rqctx, entry.app().body_limit).await?;
        // In a time that tells nothing of the right one.
        if *form.form_token() != form_token(entry.app().identity.pepper(), &browser) {
            return Err(Problem::foreign_form());
        }
        let form = read::within_bounds(form)?;
        Ok(Submission { visitor: Visitor::of(entry, Some(browser)).await?, form })
    }
}

impl Visitor {
    /// The visitor with this browser, or with a new one.
    async fn of(entry: &Entry<'_>, browser: Option<SecretText>) -> Outcome<Self> {
        let (app, headers) = (entry.app(), entry.request().headers());
        let session = match cookies::token(headers, &app.cookies.session) {
            Some(token) => app.users.find_session(&token).await?,
            None => None,
        };
        let (pepper, mut cookies) = (app.identity.pepper(), Vec::new());
        let form_token = match browser {
            Some(browser) => form_token(pepper, &browser),
            None => {
                let browser = fresh()?;
                cookies.extend(app.cookies.set(&app.cookies.browser, &browser));
                form_token(pepper, &browser)
            }
        };
        Ok(Self { session, language: language(headers), form_token, cookies })
    }
}

pub(super) fn language(headers: &HeaderMap) -> Language {
    Language::of_request(headers)
}

/// A fresh token of 256 random bits.
pub(super) fn fresh() -> Outcome<SecretText> {
    let bytes = ids::random::<32>().map_err(Problem::defect)?;
    Ok(SecretText::from(URL_SAFE_NO_PAD.encode(bytes)))
}

/// The token in the forms of a browser.
fn form_token(pepper: &Pepper, browser: &SecretText) -> SecretText {
    SecretText::from(hex::encode(&pepper.seal("form_token", &[browser.expose()])))
}

/// Whether a form comes from a page of another site, as far as the browser says. Those that are up to date say it in
/// `Sec-Fetch-Site`; `Origin` is `null` for pages that send no referrer, as ours do.
fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    if let Some(site) = site {
        return !matches!(site, b"same-origin" | b"none");
    }
    match headers.get(ORIGIN).map(HeaderValue::as_bytes) {
        None | Some(b"null") => false,
        Some(origin) => {
            let authority = origin.strip_prefix(b"https://").or_else(|| origin.strip_prefix(b"http://"));
            authority.is_none() || authority != headers.get(HOST).map(HeaderValue::as_bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_site_is_told_from_one_of_ours() {
        let foreign = |pairs: &[(&str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in [&("host", "auth.example:8080")].into_iter().chain(pairs) {
                let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
                headers.insert(name, HeaderValue::from_str(value).expect("a value"));
            }
            is_foreign(&headers)
        };
        assert!(!foreign(&[]));
        assert!(!foreign(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!foreign(&[("origin", "http://auth.example:8080")]));
        assert!(!foreign(&[("origin", "null")]));
        assert!(foreign(&[("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[("sec-fetch-site", "same-site"), ("origin", "http://auth.example:8080")]));
        assert!(foreign(&[("origin", "http://auth.example")]));
        assert!(foreign(&[("origin", "https://evil.example")]));
        assert!(foreign(&[("origin", "auth.example:8080")]));
    }
}
