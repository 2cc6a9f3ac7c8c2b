//! The reference pages and their Markdown as they are served. Where they have places for what only a running service
//! knows, that is filled in here, once.

use super::Document;
use argus_openapi::Contract;
use argus_openapi::published::{
    DEMO_TOKEN_PLACE, INTEGRATION_REQUEST_PLACE, REFERENCE_SCRIPT, REFERENCE_STYLE, ReferenceDocument,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use maud::html;
use sha2::{Digest, Sha256};

/// What only a running service knows of its reference.
#[derive(Clone, Debug)]
pub struct ReferencePlaces {
    /// Where an integration is requested.
    pub integration_request_url: String,
    /// Path where a service under development gives out its sandbox token.
    pub demo_token_path: Option<&'static str>,
}

/// The reference of a contract.
pub struct Reference {
    languages: Vec<InLanguage>,
    /// What leads machines to it.
    pub outline: Document,
}

/// The reference in one language.
struct InLanguage {
    tag: &'static str,
    page: Document,
    markdown: Document,
}

impl Reference {
    /// Fills in the places and computes the entity tags.
    pub fn new(contract: &Contract, places: &ReferencePlaces) -> Self {
        let reference = contract.documents.reference;
        Self {
            languages: reference.pages.iter().map(|page| in_language(page, places)).collect(),
            outline: text("text/plain; charset=utf-8", reference.outline.to_owned(), "en"),
        }
    }

    /// The page in this language, if there is one.
    pub fn page(&self, tag: &str) -> Option<&Document> {
        self.find(tag).map(|found| &found.page)
    }

    /// The Markdown in this language, if there is any.
    pub fn markdown(&self, tag: &str) -> Option<&Document> {
        self.find(tag).map(|found| &found.markdown)
    }

    fn find(&self, tag: &str) -> Option<&InLanguage> {
        self.languages.iter().find(|language| language.tag == tag)
    }
}

fn in_language(document: &ReferenceDocument, places: &ReferencePlaces) -> InLanguage {
    let ReferencePlaces { integration_request_url, demo_token_path } = places;
    let tag = document.language;
    // In the page it stands in an attribute; in Markdown between brackets, which no URL holds.
    let escaped = html! { (integration_request_url) }.into_string();
    let page = document.page.replace(INTEGRATION_REQUEST_PLACE, &escaped);
    let page = page.replace(DEMO_TOKEN_PLACE, demo_token_path.unwrap_or_default());
    let markdown = document.markdown.replace(INTEGRATION_REQUEST_PLACE, integration_request_url);
    let page = text("text/html; charset=utf-8", page, tag)
        .with_header(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let policy = HeaderValue::try_from(content_security_policy(demo_token_path.is_some()));
    InLanguage {
        tag,
        page: match policy {
            Ok(policy) => page.with_header(CONTENT_SECURITY_POLICY, policy),
            Err(_) => page,
        },
        markdown: text("text/markdown; charset=utf-8", markdown, tag)
            .with_header(VARY, HeaderValue::from_static("Accept-Language")),
    }
}

fn text(media_type: &'static str, text: String, language: &'static str) -> Document {
    Document::public(media_type, text)
        .with_header(CONTENT_LANGUAGE, HeaderValue::from_static(language))
        .with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
}

/// Nothing but the page itself with its one style and its one script, in no frame. Under development it may ask this
/// service for a token.
fn content_security_policy(asks_for_token: bool) -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (style, script) = (digest(REFERENCE_STYLE), digest(REFERENCE_SCRIPT));
    let connections = if asks_for_token { "connect-src 'self'; " } else { "" };
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; {connections}form-action 'none'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use argus_openapi::contract::ARGUS;

    #[test]
    fn a_url_with_letters_of_html_stays_within_its_attribute() {
        let places = ReferencePlaces {
            integration_request_url: "https://example.com/?a=1&b='2'".to_owned(),
            demo_token_path: None,
        };
        for document in ARGUS.documents.reference.pages {
            let served = in_language(document, &places);
            let page = String::from_utf8(served.page.body().to_vec()).expect("text");
            assert!(page.contains("href=\"https://example.com/?a=1&amp;b='2'\""), "{}", document.language);
            let markdown = String::from_utf8(served.markdown.body().to_vec()).expect("text");
            assert!(markdown.contains("(<https://example.com/?a=1&b='2'>)"), "{}", document.language);
            for text in [page, markdown] {
                assert!(!text.contains(INTEGRATION_REQUEST_PLACE) && !text.contains(DEMO_TOKEN_PLACE));
            }
        }
    }
}
