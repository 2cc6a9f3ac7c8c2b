//! The page of a refusal.

use super::layout::page;
use super::texts::Language;
use maud::{Markup, html};

/// The page of a refusal with this status.
pub fn refusal(language: Language, status: u16) -> Markup {
    let texts = language.texts();
    let (heading, advice) = match status {
        403 => texts.form_expired,
        404 => texts.not_found,
        408 | 500.. => texts.fault,
        429 => texts.too_often,
        _ => texts.bad_request,
    };
    page(language, heading, None, &html! { p { (advice) } p { a href="/sign-in" { (texts.to_sign_in) } } })
}

/// The page of an authorization request that nobody can be sent back from. It leads nowhere: who sent it is not known.
pub fn unusable_request(language: Language) -> Markup {
    let (heading, advice) = language.texts().unusable_request;
    page(language, heading, None, &html! { p { (advice) } })
}
