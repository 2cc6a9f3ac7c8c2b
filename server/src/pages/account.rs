//! The page of somebody who is signed in: their devices, and the apps that act for them.

use super::layout::{button_form, page};
use super::texts::Language;
use argus_core::users::{Session, SignedIn};
use argus_openapi::types::secret::SecretText;
use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

/// The page, with somebody's sessions and the list of the apps that they let act for them, if there is any.
pub fn account(
    language: Language,
    signed_in: &SignedIn,
    sessions: &[Session],
    granted: Option<&Markup>,
    form_token: &SecretText,
) -> Markup {
    let texts = language.texts();
    let content = html! {
        p { (texts.signed_in_as) " " strong { (signed_in.user.name) } " (" (signed_in.user.email) ")" }
        (button_form("/sign-out", form_token, texts.sign_out, None))
        h2 { (texts.devices) }
        ul {
            @for session in sessions {
                li { (device(language, session, session.id == signed_in.session.id, form_token)) }
            }
        }
        h2 { (texts.apps) }
        @match granted {
            Some(granted) => (granted),
            None => p { (texts.no_apps) }
        }
    };
    page(language, texts.account_heading, None, &content)
}

fn device(language: Language, session: &Session, is_this: bool, form_token: &SecretText) -> Markup {
    let texts = language.texts();
    let name = if session.user_agent.is_empty() { texts.unknown_device } else { &session.user_agent };
    let end = format!("/account/sessions/{}/end", session.id);
    html! {
        p { strong { (name) } @if is_this { " – " (texts.this_device) } }
        @if let Some(address) = &session.address { p { (texts.address) " " (address) } }
        p { (texts.opened) " " (time(session.opened_at)) ", " (texts.last_seen) " " (time(session.last_seen_at)) }
        @if !is_this { (button_form(&end, form_token, texts.end_session, Some(name))) }
    }
}

fn time(moment: DateTime<Utc>) -> Markup {
    let machine = moment.to_rfc3339_opts(SecondsFormat::Secs, true);
    html! { time datetime=(machine) { (moment.format("%Y-%m-%d %H:%M UTC")) } }
}
