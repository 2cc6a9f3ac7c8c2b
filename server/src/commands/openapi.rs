//! `argus openapi`: the published descriptor.

use super::{CommandResult, print};
use argus_openapi::published::{DESCRIPTOR_JSON, DESCRIPTOR_YAML};

pub(super) fn openapi(yaml: bool) -> CommandResult {
    print(if yaml { DESCRIPTOR_YAML } else { DESCRIPTOR_JSON }.trim_end())
}
