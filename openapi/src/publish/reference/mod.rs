//! The reference page of a contract, made from its descriptor alone, for each language as a page and as Markdown, and
//! the `llms.txt` that leads to the latter. Nothing here names a product: what is said of one stands in the texts that its
//! contract names, and so do its addresses.
//!
//! - [`model`]: what the descriptor says of operations, events and types, as readers want it
//! - [`shape`]: a schema as the rows of a table
//! - [`request`]: a request as a line for `curl`
//! - [`texts`]: what a contract says of itself beside its descriptor
//! - [`frame`]: what every reference says, in each language
//! - [`html`], [`markdown`]: the two forms; [`prose`]: the Markdown of descriptions as HTML

mod frame;
mod html;
mod markdown;
mod model;
mod prose;
mod request;
mod shape;
mod texts;

use super::PublishError;
use crate::Contract;
use frame::Frame;
use model::Model;
use serde_json::Value;
use std::collections::BTreeMap;
use texts::Texts;

/// The language of the descriptor.
const CANONICAL: &str = "en";

/// What one reference is made of.
struct Reference<'r> {
    contract: &'r Contract,
    /// Tag of its language (BCP 47).
    language: &'static str,
    texts: &'r Texts,
    frame: &'r Frame,
    model: &'r Model<'r>,
}

impl Reference<'_> {
    /// The language of what the descriptor says, where it is not the page's.
    fn foreign(&self) -> Option<&'static str> {
        (self.language != CANONICAL).then_some(CANONICAL)
    }

    /// What the descriptor says of the contract as a whole, or its translation.
    fn guide(&self) -> &str {
        self.texts.guide.as_deref().unwrap_or(self.model.description)
    }
}

/// The files of a contract's reference, by their path below the workspace.
pub(super) fn files(
    contract: &Contract,
    descriptor: &Value,
) -> Result<BTreeMap<String, String>, PublishError> {
    let publication = &contract.publication;
    let directory = publication.files.reference;
    let mut files = BTreeMap::new();
    for page in publication.reference.pages {
        let texts = Texts::committed(page.texts)?;
        let model = Model::of(contract, descriptor, &texts)?;
        let reference = Reference {
            contract,
            language: page.language,
            texts: &texts,
            frame: Frame::of(page.language)?,
            model: &model,
        };
        let markdown = markdown::render(&reference);
        if page.language == CANONICAL {
            files.insert(format!("{directory}/llms.txt"), markdown::outline(&reference));
        }
        files.insert(format!("{directory}/{}.md", page.language), markdown);
        files.insert(format!("{directory}/{}.html", page.language), html::render(&reference)?);
    }
    Ok(files)
}

fn shape_error(reason: impl Into<String>) -> PublishError {
    PublishError::Shape(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::ARGUS;

    fn rendered(contract: &Contract, descriptor: &str, file: &str) -> String {
        let descriptor = serde_json::from_str(descriptor).expect("a descriptor");
        let mut files = files(contract, &descriptor).expect("a reference");
        files.remove(&format!("openapi/reference/{file}")).expect("the file")
    }

    #[test]
    fn what_will_go_is_listed_and_marked_and_that_nothing_will_is_said() {
        let committed = ARGUS.documents.json;
        assert!(rendered(&ARGUS, committed, "en.html").contains("<p>Nothing is deprecated.</p>"));
        let matrix = r#""x-argus-deprecations": [{"operation": "job_view", "deprecated_at": "2026-01-02T00:00:00Z",
            "successor": "job_list", "link": "https://a.example/why", "note": "List them."}, {"operation": "job_list",
            "part": "query.limit", "deprecated_at": "2026-01-02T00:00:00Z", "sunset_at": "2027-01-02T00:00:00Z",
            "link": "https://a.example/limit", "note": "Leave it out."}]"#;
        let deprecated = committed.replacen("\"x-argus-deprecations\": []", matrix, 1).replacen(
            "\"operationId\": \"job_view\",",
            "\"operationId\": \"job_view\", \"deprecated\": true,",
            1,
        );
        let page = rendered(&ARGUS, &deprecated, "en.html");
        let section = page.split("aria-labelledby=\"deprecations\"").nth(1).expect("the section");
        let section = section.split("</section>").next().unwrap_or_default();
        for part in [
            "href=\"#job_view\"",
            "2026-01-02",
            "href=\"#job_list\"",
            "query.limit",
            "2027-01-02",
            "List them.",
        ] {
            assert!(section.contains(part), "{section}");
        }
        assert!(!page.contains("Nothing is deprecated."));
        let markdown = rendered(&ARGUS, &deprecated, "fr.md");
        assert!(markdown.contains(
            "`GET /v1/jobs/{id}` – Déprécié depuis: 2026-01-02T00:00:00Z; À utiliser à la place: `job_list`. List them. \
             <https://a.example/why>"
        ), "{markdown}");
        assert!(markdown.contains("`GET /v1/jobs/{id}` (`job_view`) – **déprécié**"));
    }

    #[test]
    fn a_contract_of_another_name_has_a_reference_by_the_same_way() {
        let other = Contract { name: "other", title: "Another API", ..ARGUS };
        let descriptor = ARGUS.documents.json.replace("x-argus-", "x-other-");
        let page = rendered(&other, &descriptor, "en.html");
        assert!(page.contains("<article id=\"job_create\"") && page.contains("Another API"));
    }

    #[test]
    fn a_tag_without_a_section_is_named() {
        let descriptor = ARGUS.documents.json.replace("\"jobs\"\n", "\"work\"\n");
        let descriptor = serde_json::from_str(&descriptor).expect("a descriptor");
        let error = files(&ARGUS, &descriptor).expect_err("no section for it").to_string();
        assert!(error.contains("`jobs`") || error.contains("`work`"), "{error}");
    }
}
