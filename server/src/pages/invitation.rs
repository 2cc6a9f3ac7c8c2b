//! The page on which somebody who is invited chooses a password.

use super::layout::{hidden, page};
use super::texts::Language;
use argus_core::users::{PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH, User};
use argus_openapi::types::secret::SecretText;
use maud::{Markup, html};

/// The page for this user, with what was wrong with the password that was sent.
pub fn invitation(language: Language, user: &User, form_token: &SecretText, problem: Option<&str>) -> Markup {
    let texts = language.texts();
    let described = if problem.is_some() { "problem hint" } else { "hint" };
    let invalid = problem.map(|_| "true");
    let field = |name: &str, label: &str| {
        html! {
            label for=(name) { (label) }
            input id=(name) type="password" name=(name) autocomplete="new-password" required
                minlength=(PASSWORD_MIN_LENGTH) maxlength=(PASSWORD_MAX_LENGTH)
                aria-describedby=(described) aria-invalid=[invalid];
        }
    };
    let content = html! {
        p { (texts.invitation_for) " " strong { (user.email) } }
        // A relative address leads back to where the page came from, whose last segment is a secret.
        form method="post" {
            (hidden(form_token))
            // For password managers.
            input type="text" name="username" autocomplete="username" value=(user.email) hidden;
            (field("password", texts.new_password))
            (field("repeated", texts.repeat_password))
            p #hint .hint { (texts.password_hint) }
            button type="submit" { (texts.save_password) }
        }
    };
    page(language, texts.invitation_heading, problem, &content)
}
