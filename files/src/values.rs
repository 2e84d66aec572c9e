//! What the cells of a record mean.

use crate::address::{bare_address, is_address, is_several};
use crate::encoding::mended;
use crate::evidence::{CellSays, Evidence, strongest};
use crate::exporter::{Exporter, Said};
use crate::fault::RowFault;
use crate::formula::unguard;
use crate::mapping::{Field, Mapping};
use crate::reason::{Reason, Verdict, is_nothing, verdict, yes_or_no};
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
    /// For each column of evidence the last cell that was read, and what it says.
    read: Vec<(String, CellSays)>,
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
    /// What a row of an export says of itself.
    fn verdict(&mut self, exporter: &Exporter, said: Said<'_>) -> Option<Verdict> {
        if !exporter.reads_words() {
            return exporter.verdict(said);
        }
        self.next.clear();
        for word in [said.reason, said.source, said.code] {
            // No cell holds a NUL.
            self.next.extend([word.unwrap_or_default(), "\0"]);
        }
        if self.next != self.words {
            std::mem::swap(&mut self.next, &mut self.words);
            self.verdict = exporter.verdict(said);
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
    /// The column that decided.
    pub(crate) decided_by: Option<usize>,
    /// All cells, decoded.
    pub(crate) texts: Texts<'a>,
}

/// Why a row is left out, and for what it says where.
pub(crate) struct LeftOut {
    pub(crate) fault: RowFault,
    pub(crate) decided_by: Option<usize>,
}

impl From<RowFault> for LeftOut {
    fn from(fault: RowFault) -> Self {
        Self { fault, decided_by: None }
    }
}

/// What a row says of whether its address gets mail.
struct Decision {
    says: CellSays,
    by: Option<usize>,
}

/// Takes the values out of a record.
pub(crate) fn values<'a>(
    raw: &[u8],
    cells: Cells<'a>,
    mapping: &Mapping,
    indexes: &[Option<usize>; Field::COUNT],
    scratch: &'a mut Scratch,
) -> Result<Values<'a>, LeftOut> {
    if memchr::memchr(0, raw).is_some() || memchr::memchr(0, cells.bytes).is_some() {
        return Err(RowFault::NulByte.into());
    }
    let Scratch { text, ends, rest, heard, read } = scratch;
    let [email, reason_at, source, note, first_seen, vendor_code] = *indexes;
    let texts = as_utf8(cells).unwrap_or_else(|| as_mended(cells, email, text, ends));
    let value = |field: Option<usize>| field.and_then(|column| texts.get(column)).and_then(plain);

    let others = || (0..texts.len()).filter(|column| Some(*column) != email).filter_map(|column| texts.get(column));
    let is_table = mapping.format.separator().is_some();
    if is_table && !mapping.has_header && others().any(is_address) {
        return Err(RowFault::SeveralAddresses.into());
    }
    let email = address(value(email).ok_or(RowFault::NoAddress)?, mapping)?;

    let (reason, source, note) = (value(reason_at), value(source), value(note));
    let (first_seen, vendor_code) = (value(first_seen).filter(|date| !is_nothing(date)), value(vendor_code));
    let (decision, is_unknown) = match mapping.exporter.filter(|exporter| !exporter.reads_columns()) {
        Some(exporter) => {
            let verdict = heard.verdict(exporter, Said { reason, source, code: vendor_code, note });
            let verdict = verdict.filter(|_| first_seen.is_some() || !exporter.needs_date());
            let is_on_list = exporter.takes_all() && (first_seen.is_some() || !exporter.needs_date());
            let takes_all = mapping.takes_all || is_on_list || mapping.name_says.is_some();
            (of_export(verdict, takes_all, reason_at), verdict.is_none())
        }
        None => (of_evidence(mapping, &texts, read), reason.is_some_and(is_in_own_words)),
    };
    let Decision { says, by: decided_by } = decision;
    let says = match (says, mapping.name_says) {
        (CellSays::Listed, Some(verdict)) => verdict.into(),
        (says, _) => says,
    };
    let known = match says {
        CellSays::Suppressed(reason) => Some(reason),
        CellSays::Bounced => Some(Reason::HardBounce),
        CellSays::Sendable | CellSays::Passing if !mapping.is_own => {
            return Err(LeftOut { fault: RowFault::Sendable, decided_by });
        }
        CellSays::Unknown | CellSays::Empty if !mapping.is_own => {
            return Err(LeftOut { fault: RowFault::Unclear, decided_by });
        }
        CellSays::Sendable | CellSays::Passing | CellSays::Unknown | CellSays::Empty | CellSays::Listed => None,
    };
    let note = match mapping.rest_is_note {
        true => rest_of(&texts, mapping, rest),
        false => note,
    };
    // What the words say that are not known is kept: as the code, or beside one as the note.
    let unknown = reason.filter(|_| is_unknown);
    let note = note.or(unknown.filter(|_| vendor_code.is_some()));
    let vendor_code = vendor_code.or(unknown);
    Ok(Values { email, reason: known, source, note, first_seen, vendor_code, decided_by, texts })
}

/// Whether a reason says more than that there is one.
fn is_in_own_words(reason: &str) -> bool {
    verdict(reason).is_none() && yes_or_no(reason).is_none()
}

/// What an export's row says.
fn of_export(verdict: Option<Verdict>, takes_all: bool, by: Option<usize>) -> Decision {
    let says = match verdict {
        Some(verdict) => CellSays::from(verdict),
        None if takes_all => CellSays::Listed,
        None => CellSays::Unknown,
    };
    Decision { says, by }
}

/// What the columns of evidence say together: a reason to get no mail counts more than none, and what is not understood
/// more than an empty cell that means no.
fn of_evidence(mapping: &Mapping, texts: &Texts<'_>, read: &mut Vec<(String, CellSays)>) -> Decision {
    if mapping.evidence.is_empty() {
        let says = if mapping.takes_all { CellSays::Listed } else { CellSays::Unknown };
        return Decision { says, by: None };
    }
    read.resize_with(mapping.evidence.len(), || (String::new(), CellSays::Empty));
    let mut says_no = None;
    let said = mapping.evidence.iter().zip(read).map(|(Evidence { column, kind, is_empty_no }, (cell, said))| {
        let next = texts.get(*column).and_then(plain).unwrap_or_default();
        if next != cell {
            cell.clear();
            cell.push_str(next);
            *said = kind.read(next);
        }
        if *said == CellSays::Empty && *is_empty_no {
            says_no = says_no.or(Some(*column));
        }
        (*column, *said)
    });
    let decision = strongest(said)
        .map_or(Decision { says: CellSays::Empty, by: None }, |(column, says)| Decision { says, by: Some(column) });
    match (decision.says, says_no) {
        (CellSays::Empty, Some(column)) => Decision { says: CellSays::Sendable, by: Some(column) },
        (CellSays::Empty | CellSays::Unknown, _) if mapping.takes_all => {
            Decision { says: CellSays::Listed, ..decision }
        }
        _ => decision,
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
