//! The page of consent: which app asks for what, and in whose name.

use super::layout::{hidden, page};
use super::texts::Language;
use argus_core::users::SignedIn;
use argus_openapi::types::pages::Decision;
use argus_openapi::types::scopes::Scope;
use argus_openapi::types::secret::SecretText;
use argus_partner::oauth::authorize::App;
use maud::{Markup, html};

/// The page, whose form goes to `action`.
pub fn consent(
    language: Language,
    signed_in: &SignedIn,
    app: &App,
    scopes: &[Scope],
    action: &str,
    form_token: &SecretText,
) -> Markup {
    let texts = language.texts();
    let content = html! {
        p { strong { (app.name) } " " (texts.app_asks) }
        (scope_list(language, scopes))
        p { (texts.signed_in_as) " " strong { (signed_in.user.name) } " (" (signed_in.user.email) ")" }
        form method="post" action=(action) {
            (hidden(form_token))
            button type="submit" name="decision" value=(Decision::Allow) { (texts.allow) }
            " "
            button type="submit" name="decision" value=(Decision::Refuse) { (texts.refuse) }
        }
    };
    page(language, texts.consent_heading, None, &content)
}

/// What scopes permit.
pub(super) fn scope_list(language: Language, scopes: &[Scope]) -> Markup {
    html! {
        ul { @for scope in scopes { li { (language.scope(*scope)) " (" code { (scope) } ")" } } }
    }
}
