//! `argus graphql`: whether operation bundles fit the schema, and the schema for those who write them.

use super::{CommandResult, print};
use crate::bundles;
use crate::settings::{BundleAction, GraphqlAction};
use argus_partner::graphql;

pub(super) fn graphql(action: GraphqlAction) -> CommandResult {
    match action {
        GraphqlAction::Schema => print(graphql::sdl().trim_end()),
        GraphqlAction::Bundle { action: BundleAction::Check(options) } => {
            // What does not fit is named by the failure.
            for bundle in bundles::open(options.bundle_dir.as_deref())?.iter() {
                for (file, document) in &bundle.documents {
                    print(format_args!("{}/{file}  {}  {}", bundle.id, document.name(), document.hash()))?;
                }
            }
            Ok(())
        }
    }
}
