//! Pages for people, as markup: pure functions of what they show. They need no script and nothing from elsewhere, read
//! well without their style, and work by keyboard. How a page is sent, and to whom, does not live here.
//!
//! - [`texts`]: what they say, in each language
//! - [`layout`]: what every page has
//! - one file for each page

mod account;
mod consent;
mod granted;
mod invitation;
mod layout;
mod refusal;
mod sign_in;
mod texts;

pub use account::account;
pub use consent::consent;
pub use granted::granted;
pub use invitation::invitation;
pub use layout::{button_form, page, style_source};
pub use refusal::{refusal, unusable_request};
pub use sign_in::sign_in;
pub use texts::{Language, Texts};
