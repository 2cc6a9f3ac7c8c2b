//! Typed calls of the approved GraphQL documents. The documents, with what they take and answer, are generated; another
//! document of an installation's own bundles runs the same way once it is an [`Operation`].
//!
//! ```no_run
//! use argus_sdk::graphql::incident_timeline;
//!
//! # async fn f(client: argus_sdk::ArgusClient) -> Result<(), Box<dyn std::error::Error>> {
//! let variables = incident_timeline::Variables { id: "incident_1".to_owned(), first: Some(20) };
//! let answer = client.graphql().incident_timeline(variables).send().await?;
//! for error in &answer.errors {
//!     println!("{:?} at {:?}: {}", error.code(), error.path, error.message);
//! }
//! if let Some(incident) = answer.into_inner().data.and_then(|data| data.incident) {
//!     for entry in incident.timeline.entries {
//!         println!("{} {}", entry.at, entry.summary);
//!     }
//! }
//! # Ok(()) }
//! ```

pub use crate::generated_graphql::*;

use crate::client::ArgusClient;
use crate::error::{Error, ErrorKind};
use crate::generated::types::{self, ErrorCode, GraphqlError};
use progenitor_client::ResponseValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

impl ArgusClient {
    /// The approved GraphQL documents, each a method. The app must have the bundle of the document on the live host; the
    /// sandbox runs every document that ships.
    pub fn graphql(&self) -> Graphql<'_> {
        Graphql { client: self }
    }
}

/// An approved document: one named query, and the types of what it takes and answers.
pub trait Operation {
    /// The variables of the document. What is `None` should be left out, so that the document's default counts.
    type Variables: Serialize;
    /// What `data` holds.
    type Data: DeserializeOwned;
    /// Name of the query.
    const NAME: &'static str;
    /// The document as it was approved; white space, commas and comments do not matter.
    const DOCUMENT: &'static str;
}

/// The approved documents, see [`ArgusClient::graphql`].
#[derive(Clone, Copy, Debug)]
pub struct Graphql<'c> {
    client: &'c ArgusClient,
}

impl<'c> Graphql<'c> {
    /// A call of any document, for those that have no method here: of an installation's own bundles.
    pub fn run<O: Operation>(self, variables: O::Variables) -> Call<'c, O> {
        Call { client: self.client, variables, prefer: None, tenant_id: None }
    }
}

/// A call of a document that is being made.
#[derive(Clone, Debug)]
#[must_use]
pub struct Call<'c, O: Operation> {
    client: &'c ArgusClient,
    variables: O::Variables,
    prefer: Option<String>,
    tenant_id: Option<String>,
}

impl<O: Operation> Call<'_, O> {
    /// What the sandbox is asked for besides (RFC 7240), for example `code=503`.
    pub fn prefer(self, preference: impl Into<String>) -> Self {
        Self { prefer: Some(preference.into()), ..self }
    }

    /// The tenant that the token must be of (`X-Tenant-ID`); that of the token when it is not named.
    pub fn tenant(self, tenant_id: impl Into<String>) -> Self {
        Self { tenant_id: Some(tenant_id.into()), ..self }
    }

    /// Runs the document.
    ///
    /// # Errors
    ///
    /// When the document did not run: [`Error::code`] says why, `operation_not_approved` for example. What has failed
    /// within one that ran stands in [`Answer::errors`].
    pub async fn send(self) -> Result<ResponseValue<Answer<O::Data>>, Error> {
        let variables = match serde_json::to_value(&self.variables) {
            Ok(Value::Object(variables)) => Some(variables),
            Ok(Value::Null) => None,
            _ => return Err(Error::invalid_input("the variables are no JSON object")),
        };
        let body = types::GraphqlRequest::builder()
            .query(O::DOCUMENT)
            .variables(variables)
            .operation_name(O::NAME.to_owned());
        let mut call = self.client.graphql_execute().body(body);
        if let Some(preference) = self.prefer {
            call = call.prefer(preference);
        }
        if let Some(tenant_id) = self.tenant_id {
            call = call.x_tenant_id(tenant_id);
        }
        let answer = call.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(ResponseValue::new(Answer::read(answer.into_inner())?, status, headers))
    }
}

/// What a document has answered.
#[derive(Clone, Debug)]
pub struct Answer<D> {
    /// What was asked for; what failed within it is `None` where its type has room for that. `None` when the document
    /// failed as a whole.
    pub data: Option<D>,
    /// What has failed, and where.
    pub errors: Vec<GraphqlError>,
}

impl<D: DeserializeOwned> Answer<D> {
    fn read(answer: types::GraphqlResponse) -> Result<Self, Error> {
        let misfit = |error| {
            Error::new(ErrorKind::InvalidResponse, format!("the data does not fit the document: {error}"))
        };
        let data = answer.data.map(|data| serde_json::from_value(Value::Object(data)).map_err(misfit));
        Ok(Self { data: data.transpose()?, errors: answer.errors })
    }
}

impl<D> Answer<D> {
    /// The data, if nothing of it has failed.
    ///
    /// # Errors
    ///
    /// What has failed.
    pub fn into_complete(self) -> Result<D, Incomplete> {
        match self.data {
            Some(data) if self.errors.is_empty() => Ok(data),
            _ => Err(Incomplete(self.errors)),
        }
    }
}

/// A document that ran and has failed, as a whole or in parts.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the document has failed: {}", .0.first().map_or("it has no data", |error| &*error.message))]
pub struct Incomplete(pub Vec<GraphqlError>);

impl GraphqlError {
    /// What programs look at: the stable code, where there is one.
    pub fn code(&self) -> Option<String> {
        self.extensions.as_ref().map(|extensions| match &extensions.code {
            ErrorCode::KnownErrorCode(code) => code.to_string(),
            ErrorCode::String(code) => code.clone(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(answer: Value) -> Result<Answer<profile_risk::ResponseData>, Error> {
        Answer::read(serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn what_is_there_is_kept_beside_what_failed() {
        let error = json!({ "message": "no", "path": ["profile"], "extensions": { "code": "unavailable" } });
        let answer = read(json!({ "data": { "profile": null }, "errors": [error] })).unwrap();
        assert!(answer.data.as_ref().unwrap().profile.is_none());
        assert_eq!(answer.errors[0].code().as_deref(), Some("unavailable"));
        assert_eq!(answer.errors[0].path, ["profile"]);
        let error = answer.into_complete().unwrap_err();
        assert_eq!(error.to_string(), "the document has failed: no");
        let nothing = read(json!({ "data": null })).unwrap().into_complete().unwrap_err();
        assert_eq!(nothing.to_string(), "the document has failed: it has no data");
        read(json!({ "data": { "profile": null } })).unwrap().into_complete().unwrap();
    }

    #[test]
    fn data_of_another_shape_is_an_error_and_not_a_guess() {
        let error = read(json!({ "data": { "profile": { "id": 7 } } })).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    }

    #[test]
    fn what_is_not_given_is_not_sent_so_that_the_default_counts() {
        let variables = incident_timeline::Variables { id: "i1".to_owned(), first: None };
        assert_eq!(serde_json::to_value(&variables).unwrap(), json!({ "id": "i1" }));
    }
}
