//! What an import would do, in sentences that somebody reads who has the file and not this program's words.

use usher_files::{Mapping, Verdict as Said};

use super::{
    Reason,
    preview::{PreviewCounts, Verdict},
    tally::{LeftOut, ReasonCount},
};

/// Columns and values that are named in one sentence.
const NAMED: usize = 12;

/// Files of an archive, and sentences, that say what columns are.
const MOST_FILES: usize = 10;
const MOST_SENTENCES: usize = 80;

/// What the columns of each file were taken for; a file of an archive has a name.
pub(super) fn columns(files: &[(Option<String>, Mapping)]) -> Vec<String> {
    let one = |(name, mapping): &(Option<String>, Mapping)| {
        let head = name.iter().map(|name| format!("In {name}:")).collect::<Vec<_>>();
        [head, columns_of(mapping)].concat()
    };
    files.iter().take(MOST_FILES).flat_map(one).take(MOST_SENTENCES).collect()
}

/// What each column was taken for, and which are not used.
fn columns_of(mapping: &Mapping) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(exporter) = mapping.exporter {
        sentences.push(format!("This looks like an export of {}.", exporter.name));
    }
    let name = |at: usize| match mapping.has_header {
        true => format!("“{}”", mapping.columns[at].name),
        false => format!("Column {}", at + 1),
    };
    let (mut unused, mut used) = (Vec::new(), Vec::new());
    for at in 0..mapping.columns.len() {
        match mapping.meaning(at) {
            Some(meaning) if meaning.starts_with("says ") => used.push(format!("{} {meaning}.", name(at))),
            Some(meaning) => used.push(format!("{} is {meaning}.", name(at))),
            None => unused.push(name(at)),
        }
    }
    sentences.extend(used);
    if mapping.rest_is_note && !unused.is_empty() {
        sentences.push(format!("Kept as the note: {}.", listed(&unused)));
    } else if !unused.is_empty() {
        sentences.push(format!("Not used: {}.", listed(&unused)));
    }
    match mapping.name_says {
        Some(Said::Suppressed(reason)) => {
            sentences.push(format!("By its name, everybody in it {}.", has(reason.into())));
        }
        Some(Said::Sendable) => sentences.push("By its name, everybody in it may get mail.".into()),
        None => {}
    }
    sentences
}

/// The same, and what would become of the rows.
pub(super) fn whole(
    files: &[(Option<String>, Mapping)],
    counts: &PreviewCounts,
    reasons: &[ReasonCount],
    left_out: &[LeftOut],
) -> Vec<String> {
    let mut sentences = columns(files);
    let about = if counts.exact { "" } else { "about " };
    let n_blocked = counts.added + counts.strengthened + counts.already;
    let total = rows(counts.total);
    sentences.push(match n_blocked {
        0 => format!("Of {about}{total}, none would be blocked."),
        n => {
            let reasons: Vec<_> =
                reasons.iter().map(|one| format!("{} {}", number(one.rows), text(one.reason))).collect();
            let there = match (counts.already, counts.strengthened) {
                (0, 0) => String::new(),
                (already, 0) => format!(" {} of them are on the list already.", number(already)),
                (0, stronger) => format!(" {} of them are on the list for a weaker reason.", number(stronger)),
                (already, stronger) => format!(
                    " {} of them are on the list already, {} for a weaker reason.",
                    number(already),
                    number(stronger)
                ),
            };
            format!("Of {about}{total}, {about}{} would be blocked: {}.{there}", number(n), reasons.join(", "))
        }
    });
    let is_silent = |mapping: &Mapping| {
        mapping.evidence.is_empty() && mapping.exporter.is_none() && mapping.name_says.is_none() && mapping.takes_all
    };
    if n_blocked > 0 && files.iter().all(|(_, mapping)| is_silent(mapping)) {
        sentences.push("No column says why: every address is blocked for the same reason.".into());
    }
    if counts.skipped > 0 {
        let values = values(left_out, Verdict::Skipped);
        sentences.push(format!("{about}{} may get mail and stay as they are{values}.", number(counts.skipped)));
    }
    if counts.unclear > 0 {
        let values = values(left_out, Verdict::Unclear);
        let n = number(counts.unclear);
        sentences.push(format!(
            "{about}{n} are unclear and stay as they are{values}. If they must get no mail either, pass a reason for them."
        ));
    }
    if counts.invalid > 0 {
        sentences.push(format!("{about}{} cannot be read; the error file will hold them.", number(counts.invalid)));
    }
    sentences.into_iter().map(|sentence| capital(&sentence)).collect()
}

/// For which values rows are left out, column by column.
fn values(left_out: &[LeftOut], verdict: Verdict) -> String {
    let mut columns: Vec<(&str, Vec<String>)> = Vec::new();
    for one in left_out.iter().filter(|one| one.verdict == verdict) {
        let Some(column) = one.column.as_deref() else { continue };
        let shown = if one.value.is_empty() { "empty".to_owned() } else { format!("“{}”", one.value) };
        let shown = format!("{shown} ({})", number(one.rows));
        match columns.iter_mut().find(|(name, _)| *name == column) {
            Some((_, values)) => values.push(shown),
            None => columns.push((column, vec![shown])),
        }
    }
    let texts: Vec<_> = columns.iter().map(|(name, values)| format!("“{name}” is {}", listed(values))).collect();
    if texts.is_empty() { String::new() } else { format!(": {}", texts.join("; ")) }
}

fn text(reason: Reason) -> &'static str {
    match reason {
        Reason::Manual => "by hand (manual)",
        Reason::Unsubscribe => "unsubscribed",
        Reason::Invalid => "no valid address",
        Reason::HardBounce => "bounced for good",
        Reason::Complaint => "complained about spam",
    }
}

fn has(reason: Reason) -> &'static str {
    match reason {
        Reason::Manual => "is blocked by hand",
        Reason::Unsubscribe => "has unsubscribed",
        Reason::Invalid => "has no valid address",
        Reason::HardBounce => "bounced for good",
        Reason::Complaint => "complained about spam",
    }
}

fn listed(texts: &[String]) -> String {
    let shown = texts.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn rows(n: u64) -> String {
    if n == 1 { "1 row".into() } else { format!("{} rows", number(n)) }
}

/// A number with its thousands apart.
fn number(n: u64) -> String {
    let digits = n.to_string();
    let is_third = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    let apart = digits.char_indices().flat_map(|(at, digit)| is_third(at).then_some(',').into_iter().chain([digit]));
    apart.collect()
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_for_people() {
        assert_eq!([0, 12, 1_234, 1_234_567].map(number), ["0", "12", "1,234", "1,234,567"]);
        assert_eq!((rows(1), rows(2)), ("1 row".into(), "2 rows".into()));
        let many: Vec<_> = (0..14).map(|n| n.to_string()).collect();
        assert!(listed(&many).ends_with("11 and 2 more"));
        assert_eq!(capital("about 3"), "About 3");
    }
}
