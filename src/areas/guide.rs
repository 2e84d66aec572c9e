//! What the guides in `docs/` are made with.

/// A table in Markdown.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| format!("| {} |\n", cells.join(" | "));
    let rows: String = rows.into_iter().map(line).collect();
    format!("{}{}{}", line(head.map(str::to_owned)), line(["---"; N].map(str::to_owned)), rows.trim_end())
}
