//! Names beside ids in what is said to people, who know a bundle or a plan by what it is called.

use std::collections::{BTreeMap, BTreeSet};

use super::{explain::CheckView, fixes::FixView, store};
use crate::{error::Result, gate::Cx};

/// What ids of things with a name begin with.
const NAMED: [&str; 2] = ["bun_", "pln_"];

/// Puts names beside the ids of bundles and plans.
pub(super) async fn name(cx: &mut Cx, checks: &mut [CheckView], fixes: &mut [FixView]) -> Result<()> {
    let mut texts: Vec<&mut String> = checks.iter_mut().map(|check| &mut check.detail).collect();
    texts.extend(fixes.iter_mut().map(|fix| &mut fix.summary));
    let ids: BTreeSet<String> = texts.iter().flat_map(|text| ids(text)).map(str::to_owned).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let site = cx.site();
    let names = store::names(cx.conn(), site, ids.into_iter().collect()).await?.into_iter().collect();
    for text in texts {
        *text = with_names(text, &names);
    }
    Ok(())
}

fn ids(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| NAMED.iter().any(|prefix| word.starts_with(prefix)))
}

fn with_names(text: &str, names: &BTreeMap<String, String>) -> String {
    let known = ids(text).filter_map(|id| Some((id, names.get(id)?)));
    known.fold(text.to_owned(), |text, (id, name)| text.replace(id, &format!("“{name}” ({id})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gets_its_name() {
        let names = [("bun_1".to_owned(), "Course".to_owned())].into();
        let text = with_names("The member owned bun_1 until Monday, and pln_2.", &names);
        assert_eq!(text, "The member owned “Course” (bun_1) until Monday, and pln_2.");
    }
}
