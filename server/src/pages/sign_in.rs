//! The page to sign in.

use super::layout::{hidden, page};
use super::texts::Language;
use argus_openapi::types::secret::SecretText;
use maud::{Markup, html};

/// The page, whose form goes to `action`. `email` is what was typed before; then it was wrong, or the password was.
pub fn sign_in(language: Language, action: &str, form_token: &SecretText, email: Option<&str>) -> Markup {
    let texts = language.texts();
    let problem = email.map(|_| texts.wrong_password);
    let described = email.map(|_| "problem");
    let invalid = email.map(|_| "true");
    let content = html! {
        form method="post" action=(action) {
            (hidden(form_token))
            label for="email" { (texts.email) }
            input #email type="email" name="email" autocomplete="username" required maxlength="254"
                value=(email.unwrap_or_default()) aria-describedby=[described] aria-invalid=[invalid];
            label for="password" { (texts.password) }
            input #password type="password" name="password" autocomplete="current-password" required
                maxlength="256" aria-describedby=[described] aria-invalid=[invalid];
            button type="submit" { (texts.sign_in) }
        }
    };
    page(language, texts.sign_in_heading, problem, &content)
}
