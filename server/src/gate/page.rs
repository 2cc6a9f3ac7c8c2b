//! Replies to browsers: a page, or the way to another one, with the headers that every page has. What is on a page does
//! not live here; that is [`crate::pages`].

use super::browser::{self, Visitor};
use super::entry::Entry;
use super::problem::{Outcome, Problem};
use super::render::{Render, Rendered, response};
use crate::hosts::App;
use crate::pages;
use argus_openapi::http::{PageReply, RedirectReply};
use argus_openapi::types::secret::SecretText;
use http::header::{
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response};
use maud::Markup;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");

/// A reply to a browser.
pub struct Page {
    status: u16,
    content: Content,
    /// Whether its forms may lead away from this host in the end.
    leads_out: bool,
    cookies: Vec<HeaderValue>,
}

enum Content {
    Html(Markup),
    Elsewhere(HeaderValue),
}

impl Page {
    /// A page for this visitor.
    pub fn html(visitor: &Visitor, status: u16, markup: Markup) -> Self {
        Self::new(visitor, status, Content::Html(markup))
    }

    /// The way to another page, which the browser asks for with GET (RFC 9110, section 15.4.4).
    ///
    /// Errors: a defect where the location is no header value.
    pub fn see_other(visitor: &Visitor, location: &str) -> Outcome<Self> {
        Self::redirect(visitor, 303, location)
    }

    /// The way to somewhere else, with this status.
    ///
    /// Errors: as [`Self::see_other`].
    pub fn redirect(visitor: &Visitor, status: u16, location: &str) -> Outcome<Self> {
        let location = HeaderValue::try_from(location).map_err(Problem::defect)?;
        Ok(Self::new(visitor, status, Content::Elsewhere(location)))
    }

    fn new(visitor: &Visitor, status: u16, content: Content) -> Self {
        Self { status, content, leads_out: false, cookies: visitor.cookies.clone() }
    }

    /// The page whose forms may lead to an app in the end. Its policy says nothing of forms: Chromium holds `form-action`
    /// against every redirect behind a form, also against those that the app makes, of which nobody knows here.
    #[must_use]
    pub fn leading_out(mut self) -> Self {
        self.leads_out = true;
        self
    }

    /// The page with the cookies of somebody who has just signed in. The browser gets a new token, too, so that forms
    /// that were made before count no more.
    pub fn signing_in(mut self, app: &App, session: &SecretText) -> Outcome<Self> {
        let names = &app.cookies;
        self.cookies.clear();
        self.cookies.extend(names.set(&names.session, session));
        self.cookies.extend(names.set(&names.browser, &browser::fresh()?));
        Ok(self)
    }

    /// The page that notes in this cookie, if there is one, that something was opened here.
    #[must_use]
    pub fn marking(mut self, app: &App, mark: Option<(String, SecretText)>) -> Self {
        self.cookies.extend(mark.and_then(|(name, value)| app.cookies.set(&name, &value)));
        self
    }

    /// The page that takes the cookies of somebody away who has just signed out.
    #[must_use]
    pub fn signing_out(mut self, app: &App) -> Self {
        let names = &app.cookies;
        self.cookies.clear();
        self.cookies
            .extend([&names.session, &names.browser].into_iter().filter_map(|name| names.clear(name)));
        self
    }

    fn into_response(self) -> Response<dropshot::Body> {
        let policy = content_security_policy(self.leads_out);
        let mut response = match self.content {
            Content::Html(markup) => response(self.status, Some(HTML), Some(markup.into_string().into())),
            Content::Elsewhere(location) => {
                let mut response = response(self.status, None, None);
                response.headers_mut().insert(LOCATION, location);
                // Said here, since of a reply to HEAD the transport cannot know it.
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
                response
            }
        };
        let headers = response.headers_mut();
        headers.extend(policy.map(|policy| (CONTENT_SECURITY_POLICY, policy)));
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFFING);
        headers.insert(REFERRER_POLICY, NO_REFERRER);
        for cookie in self.cookies {
            headers.append(SET_COOKIE, cookie);
        }
        response
    }
}

impl Render<PageReply> for Page {
    fn render(self, _: &Entry<'_>) -> Rendered {
        Rendered::of(self.into_response())
    }
}

impl Render<RedirectReply> for Page {
    fn render(self, _: &Entry<'_>) -> Rendered {
        Rendered::of(self.into_response())
    }
}

/// The page of a refusal.
pub(super) fn refused(entry: &Entry<'_>, status: u16) -> Response<dropshot::Body> {
    let markup = pages::refusal(browser::language(entry.request().headers()), status);
    Page { status, content: Content::Html(markup), leads_out: false, cookies: Vec::new() }.into_response()
}

/// Nothing but the page itself and its one style, in no frame.
fn content_security_policy(leads_out: bool) -> Option<HeaderValue> {
    let style = pages::style_source();
    let forms = if leads_out { "" } else { "form-action 'self'; " };
    let policy =
        format!("default-src 'none'; style-src '{style}'; {forms}frame-ancestors 'none'; base-uri 'none'");
    HeaderValue::try_from(policy).ok()
}
