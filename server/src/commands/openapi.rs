//! `argus openapi`: the published descriptor, or what one host serves of it.

use super::{CommandResult, print};
use argus_openapi::published::{DESCRIPTOR_JSON, DESCRIPTOR_YAML, Format, HOST_DESCRIPTORS};

pub(super) fn openapi(yaml: bool, host: Option<&str>) -> CommandResult {
    let format = if yaml { Format::Yaml } else { Format::Json };
    let of_host = HOST_DESCRIPTORS.iter().find(|of| Some(of.host.name()) == host);
    let text = match (of_host, format) {
        (Some(of_host), format) => of_host.text(format),
        (None, Format::Json) => DESCRIPTOR_JSON,
        (None, Format::Yaml) => DESCRIPTOR_YAML,
    };
    print(text.trim_end())
}
