//! What every page has: language, title, one heading, one style, and the summary of what was wrong.

use super::texts::Language;
use argus_openapi::types::secret::SecretText;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The style of every page. Contrasts are those of WCAG 2.2 AAA, in either colour scheme.
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#14181f;--paper:#fff;--line:#4a5361;--act:#0b3d91;--on-act:#fff;--bad:#8a1010}\
@media(prefers-color-scheme:dark){:root{--ink:#f2f4f7;--paper:#12161c;--line:#aab4c3;--act:#a9c7ff;--on-act:#0a1526;--bad:#ffb4ab}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\
main{max-width:40rem;margin:0 auto;padding:2rem 1rem}\
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem}\
label{display:block;font-weight:600;margin-top:1rem}\
input{width:100%;padding:.6rem;font:inherit;color:inherit;background:transparent;border:2px solid var(--line);border-radius:.25rem}\
button{margin-top:1rem;padding:.6rem 1.2rem;font:inherit;font-weight:600;color:var(--on-act);background:var(--act);border:2px solid var(--act);border-radius:.25rem}\
a{color:var(--act)}:focus-visible{outline:3px solid var(--act);outline-offset:2px}\
.hint{margin:0}.problem{border-left:.4rem solid var(--bad);padding:.2rem 1rem}.problem p{color:var(--bad);font-weight:600}\
ul{padding:0;list-style:none}li{border-top:1px solid var(--line);padding:1rem 0}li p{margin:.2rem 0}";

/// The style as a source of a content security policy (CSP level 3, section 2.3.1).
pub fn style_source() -> &'static str {
    static SOURCE: LazyLock<String> =
        LazyLock::new(|| format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE))));
    &SOURCE
}

/// A page with this heading, which is its title, too, and with what was wrong with the form that was sent.
pub fn page(language: Language, heading: &str, problem: Option<&str>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title {
                    @if problem.is_some() { (language.texts().error_title) }
                    (heading) " – Argus"
                }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (heading) }
                    @if let Some(problem) = problem {
                        div #problem .problem role="alert" { p { (problem) } }
                    }
                    (content)
                }
            }
        }
    }
}

/// The hidden member of every form.
pub(super) fn hidden(form_token: &SecretText) -> Markup {
    html! { input type="hidden" name="form_token" value=(form_token.expose()); }
}

/// A form that is a button. What it is about is said to those who do not see what stands beside it.
pub fn button_form(action: &str, form_token: &SecretText, text: &str, about: Option<&str>) -> Markup {
    let name = about.map(|about| format!("{text}: {about}"));
    html! {
        form method="post" action=(action) {
            (hidden(form_token))
            button type="submit" aria-label=[name] { (text) }
        }
    }
}
