//! A file by itself, or one in an archive, on its way to rows.

use std::io::{self, Chain, Cursor, Read, Seek};

use crate::detect::{Found, detect};
use crate::encoding::{Encoding, Text};
use crate::error::FileError;
use crate::exporter::Exporter;
use crate::file_name::verdict_of_name;
use crate::input::{Input, Limit, Opened, read_full};
use crate::json::JsonRecords;
use crate::limits::{MAX_SCAN_BYTES, SAMPLE_BYTES};
use crate::looks::magic;
use crate::mapping::{Field, Mapping, Wanted};
use crate::reason::Verdict;
use crate::shared::SharedFile;
use crate::source::Source;
use crate::unzip::ZipFile;
use crate::window::n_breaks;
use crate::wrapped::Lines;

/// The sample, and what is behind it: once as it came, once as text.
pub(crate) type Bytes<R> = Chain<Cursor<Vec<u8>>, Tally<Text<Chain<Cursor<Vec<u8>>, Input<SharedFile<R>>>>>>;

/// What is known of a file.
pub(crate) struct Part {
    /// Where it is, if it is in an archive.
    pub(crate) zip: Option<ZipFile>,
    /// Whether it is one of several.
    has_others: bool,
    pub(crate) mapping: Mapping,
    /// The column of each field, in the order of [`Field::ALL`].
    pub(crate) indexes: [Option<usize>; Field::COUNT],
}

/// A file that is being read.
pub(crate) struct OpenPart<R> {
    pub(crate) records: Source<Lines<Bytes<R>>>,
    /// Bytes of text before its first row.
    n_skipped: u64,
}

impl Part {
    fn new(zip: Option<ZipFile>, has_others: bool, mapping: Mapping) -> Self {
        let indexes = Field::ALL.map(|field| mapping.index_of(field));
        Self { zip, has_others, mapping, indexes }
    }

    /// It goes on as another table.
    pub(crate) fn change(&mut self, mapping: Mapping) {
        *self = Self::new(self.zip.take(), self.has_others, mapping);
    }

    /// Its name, if that tells it from others.
    pub(crate) fn name(&self) -> Option<&str> {
        self.zip.as_ref().filter(|_| self.has_others).map(|zip| zip.name.as_str())
    }

    /// An error with the name of the file that it is in.
    pub(crate) fn named(&self, error: FileError) -> FileError {
        in_zip(self.name(), error)
    }
}

/// The files in `file`, which is where it stands, and the first of them to be read.
pub(crate) fn open_all<R: Read + Seek>(
    file: &SharedFile<R>,
    limit: Limit,
    wanted: &Wanted,
) -> Result<(Vec<Part>, OpenPart<R>), FileError> {
    let zips = match Input::open(file.clone(), limit)? {
        Opened::Text(input) => {
            let again = || match Input::open(file.clone(), limit) {
                Ok(Opened::Text(input)) => Some(input),
                _ => None,
            };
            let (mapping, open) = open(input, wanted, again)?;
            return Ok((vec![Part::new(None, false, mapping)], open));
        }
        Opened::Zip(zips) => zips,
    };
    let has_others = zips.len() > 1;
    let mut parts = Vec::new();
    for zip in zips {
        let name = Some(zip.name.as_str()).filter(|_| has_others);
        match open_in_zip(file, &zip, limit, wanted) {
            Ok((mapping, _)) => parts.push(Part::new(Some(zip), has_others, mapping)),
            // Nobody has unsubscribed yet.
            Err(FileError::Empty) => {}
            Err(error) => return Err(in_zip(name, error)),
        }
    }
    let first = parts.first().ok_or(FileError::Empty)?;
    let open = first.zip.as_ref().map(|zip| open_in_zip(file, zip, limit, wanted)).ok_or(FileError::Empty)?;
    let open = open.map_err(|error| first.named(error))?.1;
    Ok((parts, open))
}

/// What is wrong with a file of an archive; where it has a name, with it.
pub(crate) fn in_zip(file: Option<&str>, error: FileError) -> FileError {
    match (file, error) {
        (_, error @ (FileError::InZip { .. } | FileError::TooLarge { .. } | FileError::Io { .. })) | (None, error) => {
            error
        }
        (Some(file), source) => FileError::InZip { file: file.to_owned(), source: source.into() },
    }
}

/// Opens a file of an archive.
pub(crate) fn open_in_zip<R: Read + Seek>(
    file: &SharedFile<R>,
    zip: &ZipFile,
    limit: Limit,
    wanted: &Wanted,
) -> Result<(Mapping, OpenPart<R>), FileError> {
    let name_says = verdict_of_name(&zip.name).filter(|_| wanted.own.is_empty());
    let again = || Input::of_zip(file.clone(), zip, limit).ok();
    let input = || Input::of_zip(file.clone(), zip, limit);
    let opened = match (open(input()?, wanted, again), name_says) {
        // The name says what the columns do not.
        (Err(FileError::ReasonNeeded { .. }), Some(_)) => {
            open(input()?, &Wanted { takes_all: true, ..wanted.clone() }, again).map(|opened| (opened, true))
        }
        (opened, _) => opened.map(|opened| (opened, false)),
    };
    let ((mut mapping, part), is_silent) = opened?;
    if matches!(name_says, Some(Verdict::Suppressed(_))) && mapping.exporter.is_some_and(Exporter::is_told_by_name) {
        // Those who left are in a file of the same columns, under another name.
        (mapping.exporter, mapping.takes_all) = (None, true);
    }
    let is_silent =
        is_silent || mapping.exporter.is_none_or(|exporter| exporter.needs_date()) && mapping.evidence.is_empty();
    mapping.name_says = name_says.filter(|_| is_silent);
    Ok((mapping, part))
}

/// `again` opens the same once more.
fn open<R: Read + Seek>(
    mut input: Input<SharedFile<R>>,
    wanted: &Wanted,
    again: impl FnOnce() -> Option<Input<SharedFile<R>>>,
) -> Result<(Mapping, OpenPart<R>), FileError> {
    let compression = input.compression();
    let (sample, _) = sample(&mut input)?;
    if let Some(kind) = magic(&sample) {
        return Err(FileError::NotAList { kind });
    }
    let more = || again().map_or_else(Vec::new, |input| lines_beyond_ascii(input, sample.len()));
    let (encoding, mark) = Encoding::of(&sample, wanted.encoding, more);
    let mut bytes = Cursor::new(sample);
    bytes.set_position(mark as u64);

    let mut text = Tally::new(Text::new(bytes.chain(input), encoding));
    let (sample, is_whole) = self::sample(&mut text)?;
    let Found { mapping, start, json, is_wrapped } = detect(&sample, is_whole, wanted)?;
    let is_encoding_guessed = wanted.encoding.is_none() && encoding.is_code_page();
    let mapping = Mapping { encoding, is_encoding_guessed, compression, sheet: wanted.sheet.clone(), ..mapping };
    let first_line = 1 + n_breaks(&sample[..start]);
    let mut bytes = Cursor::new(sample);
    bytes.set_position(start as u64);
    let records = match json {
        Some((ends, paths)) => {
            let email = mapping.index_of(Field::Email).unwrap_or(0);
            Source::Json(JsonRecords::new(Lines::new(bytes.chain(text), false), ends, paths, email, first_line))
        }
        None => {
            let lines = Lines::new(bytes.chain(text), is_wrapped);
            let mut records = Source::of_lines(lines, mapping.format, mapping.has_escapes, first_line);
            for _ in 0..usize::from(mapping.has_header) + mapping.n_titles {
                records.next()?;
            }
            records
        }
    };
    Ok((mapping, OpenPart { records, n_skipped: start as u64 }))
}

/// The text of a file as it is decoded, behind the beginning that was read to recognise it.
type Decoded<R> = Text<Chain<Cursor<Vec<u8>>, Input<SharedFile<R>>>>;

impl<R: Read + Seek> OpenPart<R> {
    fn text(&self) -> &Tally<Decoded<R>> {
        self.records.input().input().get_ref().1
    }

    fn input(&self) -> &Input<SharedFile<R>> {
        self.text().input.input().get_ref().1
    }

    /// What is left of the limit.
    pub(crate) fn limit(&self) -> Limit {
        self.input().limit()
    }

    /// Bytes that were read of it, as it lies on the disk. It is read ahead of its rows.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.input().bytes_read()
    }

    /// Bytes of text before the next row, and those that were read.
    pub(crate) fn text_bytes(&self) -> (u64, u64) {
        (self.n_skipped + self.records.n_done(), self.text().n_read)
    }
}

/// Lines behind the first `n_skipped` bytes that are not ASCII, as far as they are looked for. What cannot be read is told
/// when it comes.
fn lines_beyond_ascii(mut input: impl Read, n_skipped: usize) -> Vec<u8> {
    let (mut lines, mut n_read) = (Vec::new(), 0);
    let mut chunk = vec![0; SAMPLE_BYTES];
    while n_read < MAX_SCAN_BYTES && lines.len() < SAMPLE_BYTES {
        let Ok(n @ 1..) = read_full(&mut input, &mut chunk) else { break };
        let is_behind = n_read >= n_skipped;
        n_read += n;
        // Most files have none, which is seen at once.
        if is_behind && !chunk[..n].is_ascii() {
            let found =
                chunk[..n].split_inclusive(|byte| matches!(byte, b'\r' | b'\n')).filter(|line| !line.is_ascii());
            found.for_each(|line| lines.extend_from_slice(line));
        }
    }
    lines.truncate(SAMPLE_BYTES);
    lines
}

/// The beginning of a file, and whether it is all of it.
fn sample(file: &mut impl Read) -> io::Result<(Vec<u8>, bool)> {
    let mut sample = vec![0; SAMPLE_BYTES];
    let n = read_full(file, &mut sample)?;
    sample.truncate(n);
    Ok((sample, n < SAMPLE_BYTES))
}

/// What is read, counted.
pub(crate) struct Tally<R> {
    input: R,
    n_read: u64,
}

impl<R> Tally<R> {
    fn new(input: R) -> Self {
        Self { input, n_read: 0 }
    }
}

impl<R: Read> Read for Tally<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buf)?;
        self.n_read += n as u64;
        Ok(n)
    }
}
