//! What browsers send to the pages of the auth host. The pages themselves do not live here.

use super::common::Identifier;
use super::secret::SecretText;
use super::wire_enum::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A form of a page. Browsers send back the token that the page gave to them, so that a form of somebody else's page
/// is none.
pub trait PageForm {
    /// The token, as it was sent.
    fn form_token(&self) -> &SecretText;
}

macro_rules! page_form {
    ($form:ident) => {
        impl PageForm for $form {
            fn form_token(&self) -> &SecretText {
                &self.form_token
            }
        }
    };
}

/// Where somebody who signs in wants to go.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SignInQuery {
    /// The query string of an authorization request, which goes on afterwards; 1 to 8000 characters.
    #[serde(rename = "continue", default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 8000))]
    pub continuation: Option<String>,
}

/// Somebody who signs in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SignInForm {
    /// E-mail address, at most 254 characters.
    #[validate(length(max = 254))]
    pub email: String,
    /// Password, at most 1024 characters.
    #[validate(length(max = 1024))]
    pub password: SecretText,
    /// The form's token.
    pub form_token: SecretText,
}

/// A form with a button alone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ButtonForm {
    /// The form's token.
    pub form_token: SecretText,
}

wire_enum! {
    /// What somebody has decided.
    pub enum Decision {
        /// The app may do what it asks for.
        Allow = "allow",
        /// It may not.
        Refuse = "refuse",
    }
}

/// Somebody who decides what an app may do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ConsentForm {
    /// The button that was pressed.
    pub decision: Decision,
    /// The form's token.
    pub form_token: SecretText,
}

/// Somebody who chooses a password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct InvitationForm {
    /// The password, at most 1024 characters are read.
    #[validate(length(max = 1024))]
    pub password: SecretText,
    /// The same again.
    #[validate(length(max = 1024))]
    pub repeated: SecretText,
    /// The form's token.
    pub form_token: SecretText,
}

page_form!(SignInForm);
page_form!(ButtonForm);
page_form!(ConsentForm);
page_form!(InvitationForm);

/// A browser in which somebody is signed in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SessionPath {
    /// The session.
    pub session_id: Identifier,
}

/// A link to choose a password.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct InvitationPath {
    /// Its secret.
    pub token: SecretText,
}

/// An app that acts for somebody.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GrantPath {
    /// The app.
    pub client_id: Identifier,
}
