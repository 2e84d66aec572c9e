//! What the cells of a record mean.

use crate::address::{bare_address, is_address, is_several};
use crate::encoding::mended;
use crate::exporter::{Exporter, Said};
use crate::fault::RowFault;
use crate::formula::unguard;
use crate::mapping::{Field, Flag, Mapping};
use crate::names::yes_or_no;
use crate::reason::{Reason, Verdict, verdict};
use crate::records::Cells;

/// What is made anew for each row that needs it.
#[derive(Default)]
pub(crate) struct Scratch {
    /// The cells of a row that is not UTF-8, one after the other.
    text: String,
    ends: Vec<usize>,
    /// The columns that mean nothing, as a note.
    rest: String,
    heard: Heard,
}

/// The last words for a reason, and what they say: whole files say the same again and again.
#[derive(Default)]
struct Heard {
    words: String,
    /// Where the words are put together that may be the same.
    next: String,
    verdict: Option<Verdict>,
}

impl Heard {
    /// What a row says of itself.
    fn verdict(&mut self, exporter: Option<&Exporter>, said: Said<'_>) -> Option<Verdict> {
        let Some(exporter) = exporter else {
            return self.of([said.reason, None, None], || said.reason.and_then(verdict));
        };
        if !exporter.reads_words() {
            return exporter.verdict(said);
        }
        self.of([said.reason, said.source, said.code], || exporter.verdict(said))
    }

    fn of(&mut self, words: [Option<&str>; 3], verdict: impl FnOnce() -> Option<Verdict>) -> Option<Verdict> {
        self.next.clear();
        for word in words {
            // No cell holds a NUL.
            self.next.extend([word.unwrap_or_default(), "\0"]);
        }
        if self.next != self.words {
            std::mem::swap(&mut self.next, &mut self.words);
            self.verdict = verdict();
        }
        self.verdict
    }
}

/// The values of a row.
#[derive(Default)]
pub(crate) struct Values<'a> {
    pub(crate) email: &'a str,
    pub(crate) reason: Option<Reason>,
    pub(crate) source: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
    pub(crate) first_seen: Option<&'a str>,
    pub(crate) vendor_code: Option<&'a str>,
    /// All cells, decoded.
    pub(crate) texts: Texts<'a>,
}

/// Takes the values out of a record.
pub(crate) fn values<'a>(
    raw: &[u8],
    cells: Cells<'a>,
    mapping: &Mapping,
    indexes: &[Option<usize>; Field::COUNT],
    scratch: &'a mut Scratch,
) -> Result<Values<'a>, RowFault> {
    if memchr::memchr(0, raw).is_some() || memchr::memchr(0, cells.bytes).is_some() {
        return Err(RowFault::NulByte);
    }
    let Scratch { text, ends, rest, heard } = scratch;
    let [email, reason, source, note, first_seen, vendor_code] = *indexes;
    let texts = as_utf8(cells).unwrap_or_else(|| as_mended(cells, email, text, ends));
    let value = |field: Option<usize>| field.and_then(|column| texts.get(column)).and_then(plain);

    let others = || (0..texts.len()).filter(|column| Some(*column) != email).filter_map(|column| texts.get(column));
    let is_table = mapping.format.separator().is_some();
    if is_table && !mapping.has_header && others().any(is_address) {
        return Err(RowFault::SeveralAddresses);
    }
    let email = address(value(email).ok_or(RowFault::NoAddress)?, mapping)?;

    let (reason, source, note, vendor_code) = (value(reason), value(source), value(note), value(vendor_code));
    let of_words = heard.verdict(mapping.exporter, Said { reason, source, code: vendor_code, note });
    let known = match of_both(of_words, of_flags(&mapping.flags, &texts)).or(mapping.name_says) {
        Some(Verdict::Sendable) => return Err(RowFault::Sendable),
        Some(Verdict::Suppressed(reason)) => Some(reason),
        None => None,
    };
    let note = match mapping.rest_is_note {
        true => rest_of(&texts, mapping, rest),
        false => note,
    };
    // What the words say that are not known is kept: as the code, or beside one as the note.
    let unknown = reason.filter(|_| of_words.is_none());
    let note = note.or(unknown.filter(|_| vendor_code.is_some()));
    let vendor_code = vendor_code.or(unknown);
    Ok(Values { email, reason: known, source, note, first_seen: value(first_seen), vendor_code, texts })
}

/// What the columns of yes and no say: if any of them says that the address gets no mail, it gets none.
fn of_flags(flags: &[Flag], texts: &Texts<'_>) -> Option<Verdict> {
    let said = |flag: &Flag| Some(flag.verdict(yes_or_no(plain(texts.get(flag.column)?)?)?));
    flags.iter().filter_map(said).fold(None, |before, verdict| of_both(before, Some(verdict)))
}

/// What two things said together: a reason to get no mail counts more than none.
fn of_both(first: Option<Verdict>, second: Option<Verdict>) -> Option<Verdict> {
    match (first, second) {
        (None | Some(Verdict::Sendable), Some(Verdict::Suppressed(_))) => second,
        _ => first.or(second),
    }
}

/// The bare address of a cell.
fn address<'a>(cell: &'a str, mapping: &Mapping) -> Result<&'a str, RowFault> {
    let cell = match mapping.error_columns_at {
        // Somebody has put an address behind the apostrophe that guarded what stood there.
        Some(_) => cell.strip_prefix('\'').unwrap_or(cell),
        None => cell,
    };
    if is_several(cell) {
        return Err(RowFault::SeveralAddresses);
    }
    match bare_address(cell) {
        "" => Err(RowFault::NoAddress),
        email if email.contains(char::REPLACEMENT_CHARACTER) => Err(RowFault::NotUtf8),
        email => Ok(email),
    }
}

/// The cells of a row, decoded.
#[derive(Clone, Copy, Default)]
pub(crate) struct Texts<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Texts<'a> {
    fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell of a column as somebody meant it; as it is in JSON, where nothing is guarded.
    pub(crate) fn value(&self, column: usize, is_guarded: bool) -> Option<&'a str> {
        let cell = self.get(column)?;
        if is_guarded { plain(cell) } else { Some(cell.trim()).filter(|cell| !cell.is_empty()) }
    }

    fn get(&self, column: usize) -> Option<&'a str> {
        let end = *self.ends.get(column)?;
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        Some(&self.text[start..end])
    }
}

/// The cells as they are, if each is UTF-8 by itself.
fn as_utf8(cells: Cells<'_>) -> Option<Texts<'_>> {
    let text = std::str::from_utf8(cells.bytes).ok()?;
    let is_whole = text.is_ascii() || cells.ends().iter().all(|&end| text.is_char_boundary(end));
    is_whole.then_some(Texts { text, ends: cells.ends() })
}

/// The cells with what is not UTF-8 [`mended`].
fn as_mended<'a>(cells: Cells<'_>, email: Option<usize>, text: &'a mut String, ends: &'a mut Vec<usize>) -> Texts<'a> {
    text.clear();
    ends.clear();
    for column in 0..cells.len() {
        text.push_str(&mended(cells.get(column).unwrap_or_default(), Some(column) == email));
        ends.push(text.len());
    }
    Texts { text, ends }
}

/// The columns that mean nothing, as one text: with their names, if they have any.
fn rest_of<'a>(texts: &Texts<'_>, mapping: &Mapping, rest: &'a mut String) -> Option<&'a str> {
    rest.clear();
    for (at, column) in
        mapping.columns.iter().enumerate().take(texts.len()).filter(|(_, column)| column.field.is_none())
    {
        let Some(value) = texts.get(at).and_then(plain) else { continue };
        if !rest.is_empty() {
            rest.push_str("; ");
        }
        if mapping.has_header {
            rest.extend([&column.name, ": "]);
        }
        rest.push_str(value);
    }
    (!rest.is_empty()).then_some(rest)
}

/// A cell as somebody meant it: without the space around it, and without what guards a formula.
fn plain(cell: &str) -> Option<&str> {
    let value = unguard(cell.trim()).trim();
    (!value.is_empty()).then_some(value)
}
