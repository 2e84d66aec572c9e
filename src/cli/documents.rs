//! `usher openapi`: the generated files.

use super::{Failure, Result, out};
use crate::{
    areas::{access, billing, blocklist, emails, notices as area_notices},
    tools::openapi,
};

/// The generated files that are committed: their names and texts.
fn generated() -> [(&'static str, String); 10] {
    let tools = crate::tools::CATALOG.tools.iter().map(|tool| {
        let access = tool.definition.access;
        let scope = access.scope.map_or("-", crate::tools::Scope::name);
        format!("{} {scope} {:?} {:?}\n", tool.definition.name, access.kind, access.risk).to_lowercase().replacen(
            &tool.definition.name.to_lowercase(),
            tool.definition.name,
            1,
        )
    });
    let errors = crate::error::Code::ALL.iter().map(|code| format!("{} {}\n", code.name(), code.about()));
    [
        ("openapi/openapi.json", openapi::text()),
        ("openapi/tools.txt", tools.collect()),
        ("openapi/errors.txt", errors.collect()),
        ("docs/access.md", access::guide()),
        ("docs/billing.md", billing::guide()),
        ("docs/block-lists.md", blocklist::guide()),
        ("docs/mail.md", emails::guide()),
        ("docs/bounces.md", area_notices::guide()),
        ("docs/running.md", crate::areas::installation::guide()),
        ("docs/sign-in.md", crate::areas::sign_in::guide()),
    ]
}

/// Prints the document, or writes or compares what is committed.
pub(super) fn run(check: bool, write: bool) -> Result<()> {
    if !check && !write {
        return out(openapi::text().trim_end());
    }
    for (path, text) in generated() {
        if write {
            std::fs::write(path, text).map_err(|error| Failure(format!("{path}: {error}")))?;
        } else if std::fs::read_to_string(path).unwrap_or_default() != text {
            return Err(Failure(format!("{path} is not up to date; run `usher openapi --write`")));
        }
    }
    Ok(())
}
