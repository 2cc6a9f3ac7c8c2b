//! The apps that act for somebody, on their account's page.

use super::consent::scope_list;
use super::layout::button_form;
use super::texts::Language;
use argus_openapi::types::secret::SecretText;
use argus_partner::account::Granted;
use maud::{Markup, html};

/// The list, if there is any.
pub fn granted(language: Language, granted: &[Granted], form_token: &SecretText) -> Option<Markup> {
    let texts = language.texts();
    let list = html! {
        ul {
            @for Granted { client_id, name, scopes, .. } in granted {
                li {
                    p { strong { (name) } }
                    (scope_list(language, scopes))
                    (button_form(&format!("/account/apps/{client_id}/end"), form_token, texts.withdraw, Some(name)))
                }
            }
        }
    };
    (!granted.is_empty()).then_some(list)
}
