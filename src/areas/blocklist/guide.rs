//! The guide to imports, with the tables of the reader in it.

use usher_files::{EXPORTERS, FILE_ERRORS, RowFault, flag_names, words};

use crate::{areas::guide::table, imports::NO_ADDRESS};

/// The guide, in Markdown.
pub fn guide() -> String {
    let exports = EXPORTERS.iter().map(|export| {
        let columns: Vec<_> = export.columns().iter().map(|column| format!("`{column}`")).collect();
        let fields: Vec<_> =
            export.known_fields().iter().map(|(field, column)| format!("{} from `{column}`", field.code())).collect();
        [
            format!("[{}]({})", export.name, export.source),
            format!("`{}`", export.code),
            columns.join(", "),
            export.meaning(),
            fields.join(", "),
        ]
    });
    let quoted = |(meaning, words): (&str, Vec<&str>)| {
        [meaning.to_owned(), words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")]
    };
    let bad = RowFault::ALL.into_iter().filter(|fault| !matches!(fault, RowFault::Sendable | RowFault::Unclear));
    let faults = bad.map(|fault| (fault.code(), fault.text())).chain([NO_ADDRESS]);
    let code = |(code, text): (&str, &str)| [format!("`{code}`"), text.to_owned()];
    include_str!("guide.md")
        .replace("{exports}", &table(["Export", "Code", "Recognised by", "Reason", "Other columns"], exports))
        .replace("{words}", &table(["Meaning", "Words"], words().map(quoted)))
        .replace("{flags}", &table(["A yes means", "Columns"], flag_names().map(quoted)))
        .replace("{faults}", &table(["Code", "Meaning"], faults.map(code)))
        .replace("{problems}", &table(["Code", "Meaning"], FILE_ERRORS.iter().copied().map(code)))
}
