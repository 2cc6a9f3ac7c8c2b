//! Approved operation bundles: documents that were reviewed, under the id by which governance assigns them to apps. A
//! bundle is a folder of `.graphql` files. Those of `openapi/graphql` ship; an installation may have more.

use super::variables;
use crate::types::error::{Error, ErrorCode};
use crate::types::graphql::{BundleId, GraphqlRequest};
use argus_wire::graphql::{Document, DocumentHash, Limits, NormalForm};
use serde_json::Map;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// What a document may ask for, approved or not: of the shipped ones, the largest asks for a tenth of it.
pub const LIMITS: Limits = Limits { depth: 10, cost: 5_000, aliases: 20, directives: 20 };

/// A file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleFile {
    /// Id of the bundle: the name of the folder.
    pub bundle: String,
    /// Name of the file.
    pub name: String,
    /// The document.
    pub text: String,
}

macro_rules! shipped {
    ($($bundle:literal / $name:literal),+ $(,)?) => {
        [$(($bundle, $name, include_str!(concat!("../../graphql/", $bundle, "/", $name)))),+]
    };
}

/// The files of the shipped bundles: bundle, name and text.
pub const SHIPPED: [(&str, &str, &str); 4] = shipped![
    "due-diligence" / "profile-risk.graphql",
    "due-diligence" / "sanctions-matches.graphql",
    "incident-liaison" / "incident-timeline.graphql",
    "device-fleet" / "device-telemetry.graphql",
];

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleError {
    /// Id of the bundle.
    pub bundle: String,
    /// Name of the file.
    pub file: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.bundle, self.file, self.message)
    }
}

impl std::error::Error for BundleError {}

/// The documents that are approved together.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// By what governance assigns it.
    pub id: BundleId,
    /// The documents, each with the name of its file.
    pub documents: Vec<(String, Arc<Document>)>,
}

/// Every bundle that there is.
#[derive(Clone, Debug, Default)]
pub struct Bundles {
    bundles: Vec<Bundle>,
    /// The bundles that a document is in.
    of_document: HashMap<DocumentHash, Vec<BundleId>>,
    /// The documents by their texts: who sends one letter for letter has it read already.
    by_text: HashMap<String, Arc<Document>>,
}

impl Bundles {
    /// The bundles that ship.
    ///
    /// # Panics
    ///
    /// Never: they are part of the program, and a test loads them.
    pub fn shipped() -> Self {
        Self::with([]).expect("the shipped bundles are valid")
    }

    /// The bundles that ship and, after them, those of an installation. No bundle of an installation has the id of a
    /// shipped one, so that what an id stands for is the same everywhere.
    ///
    /// # Errors
    ///
    /// When a file is no document of one named query, exceeds the limits or asks about the schema; the error names it.
    pub fn with(more: impl IntoIterator<Item = BundleFile>) -> Result<Self, BundleError> {
        let mut all = Self::default();
        for (bundle, name, text) in SHIPPED {
            all.add(&BundleFile { bundle: bundle.to_owned(), name: name.to_owned(), text: text.to_owned() })?;
        }
        for file in more {
            if SHIPPED.iter().any(|(bundle, ..)| *bundle == file.bundle) {
                let message = "a bundle with this id ships with Argus";
                return Err(failed(&file, message));
            }
            all.add(&file)?;
        }
        Ok(all)
    }

    fn add(&mut self, file: &BundleFile) -> Result<(), BundleError> {
        let id: BundleId = file.bundle.parse().map_err(|error| failed(file, error))?;
        let document = Document::read(&file.text).map_err(|error| failed(file, error))?;
        LIMITS.check(&document, &Map::new()).map_err(|error| failed(file, format!("it asks for {error}")))?;
        let holders = self.of_document.entry(document.hash()).or_default();
        if !holders.contains(&id) {
            holders.push(id.clone());
        }
        let document = Arc::new(document);
        self.by_text.insert(file.text.clone(), Arc::clone(&document));
        let document = (file.name.clone(), document);
        match self.bundles.iter_mut().find(|bundle| bundle.id == id) {
            Some(bundle) => bundle.documents.push(document),
            None => self.bundles.push(Bundle { id, documents: vec![document] }),
        }
        Ok(())
    }

    /// Each bundle, the shipped ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Bundle> {
        self.bundles.iter()
    }

    /// Whether there is a bundle with this id.
    pub fn contains(&self, id: &BundleId) -> bool {
        self.bundles.iter().any(|bundle| bundle.id == *id)
    }

    /// The document that a request asks for, with the type names that it asks for, if one of its bundles is approved
    /// and everything else of the request fits. Nothing that is not in a bundle is parsed, and what stands in one as it
    /// was sent not again.
    ///
    /// # Errors
    ///
    /// What the caller should change, in the words that both hosts use.
    pub fn admit(
        &self,
        request: &GraphqlRequest,
        is_approved: impl FnMut(&BundleId) -> bool,
    ) -> Result<Arc<Document>, Error> {
        let refused = |error_code, message| Error { error_code, message };
        let invalid = |message| refused(ErrorCode::InvalidRequest, message);
        let not_approved = || {
            let message = "the document is not in the approved operation bundles of this app";
            refused(ErrorCode::OperationNotApproved, message.to_owned())
        };
        let document = self.find(&request.query, is_approved).ok_or_else(not_approved)?;
        if request.operation_name.as_ref().is_some_and(|name| name != document.name()) {
            return Err(invalid(format!("operationName must be {} in this document", document.name())));
        }
        variables::check(&document, &request.variables).map_err(invalid)?;
        let fits = LIMITS.check(&document, &request.variables);
        let too_complex = |error| format!("{} with these variables asks for {error}", document.name());
        fits.map_err(|error| refused(ErrorCode::DocumentTooComplex, too_complex(error)))?;
        Ok(document)
    }

    /// The document of an approved bundle that a text is.
    fn find(&self, query: &str, mut is_approved: impl FnMut(&BundleId) -> bool) -> Option<Arc<Document>> {
        let mut is_held =
            |hash| self.of_document.get(&hash).is_some_and(|holders| holders.iter().any(&mut is_approved));
        if let Some(document) = self.by_text.get(query) {
            return is_held(document.hash()).then(|| Arc::clone(document));
        }
        let form = NormalForm::of(query)?;
        let is_held = is_held(form.without_type_names().hash());
        if is_held { Document::of(&form).ok().map(Arc::new) } else { None }
    }
}

fn failed(file: &BundleFile, message: impl fmt::Display) -> BundleError {
    BundleError { bundle: file.bundle.clone(), file: file.name.clone(), message: message.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn file(bundle: &str, text: &str) -> BundleFile {
        BundleFile { bundle: bundle.to_owned(), name: "a.graphql".to_owned(), text: text.to_owned() }
    }

    fn admitted(bundles: &Bundles, body: Value, approved: &[&str]) -> Result<String, &'static str> {
        let request: GraphqlRequest = serde_json::from_value(body).expect("a request");
        let admitted = bundles.admit(&request, |id| approved.contains(&id.as_str()));
        admitted.map(|document| document.name().to_owned()).map_err(|error| error.error_code.as_str())
    }

    #[test]
    fn every_shipped_document_stands_in_its_folder_and_has_a_name_of_its_own() {
        let bundles = Bundles::shipped();
        let named: Vec<(&str, &str)> = bundles
            .iter()
            .flat_map(|bundle| {
                bundle.documents.iter().map(|(_, document)| (bundle.id.as_str(), document.name()))
            })
            .collect();
        let expected = [
            ("due-diligence", "ProfileRisk"),
            ("due-diligence", "SanctionsMatches"),
            ("incident-liaison", "IncidentTimeline"),
            ("device-fleet", "DeviceTelemetry"),
        ];
        assert_eq!(named, expected);
        let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/graphql")).expect("a folder");
        let files =
            folders.flat_map(|folder| std::fs::read_dir(folder.expect("an entry").path()).expect("files"));
        assert_eq!(files.count(), SHIPPED.len(), "each file beside the contract is one that ships");
    }

    #[test]
    fn a_document_runs_for_whoever_has_one_of_its_bundles() {
        let text = "query Own($id: ID!) { profile(id: $id) { id } }";
        let bundles = Bundles::with([file("own", text), file("other", text)]).expect("bundles");
        let body = json!({ "query": text, "variables": { "id": "p1" } });
        for approved in ["own", "other"] {
            assert_eq!(admitted(&bundles, body.clone(), &[approved]), Ok("Own".to_owned()));
        }
        for approved in [&[][..], &["due-diligence"], &["own-"]] {
            assert_eq!(admitted(&bundles, body.clone(), approved), Err("operation_not_approved"));
        }
        let spaced = json!({ "query": text.replace(' ', "\n,"), "variables": { "id": "p1" } });
        assert_eq!(admitted(&bundles, spaced, &["own"]), Ok("Own".to_owned()));
    }

    #[test]
    fn what_asks_for_too_much_is_refused_whoever_approved_it() {
        let bundles = Bundles::shipped();
        let (_, _, text) = SHIPPED[2];
        let first = |first: Value| json!({ "query": text, "variables": { "id": "i1", "first": first } });
        let admitted = |body| admitted(&bundles, body, &["incident-liaison"]);
        assert_eq!(admitted(first(json!(500))), Ok("IncidentTimeline".to_owned()));
        assert_eq!(admitted(first(json!(null))), Ok("IncidentTimeline".to_owned()));
        assert_eq!(admitted(first(json!(1_000_000))), Err("document_too_complex"));
        let typed = text.replace("id\n", &format!("id {}\n", "__typename ".repeat(5_000)));
        let body = json!({ "query": typed, "variables": { "id": "i1" } });
        assert_eq!(admitted(body), Err("document_too_complex"));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        for (bundle, text) in [
            ("due-diligence", "query A { a }"),
            ("Own", "query A { a }"),
            ("own", "{ a }"),
            ("own", "mutation A { a }"),
            ("own", "query A { __schema { types { name } } }"),
            ("own", "query A { a(first: 6000) { b } }"),
        ] {
            let error = Bundles::with([file(bundle, text)]).expect_err(text);
            assert!(error.to_string().starts_with(&format!("{bundle}/a.graphql: ")), "{error}");
        }
    }
}
