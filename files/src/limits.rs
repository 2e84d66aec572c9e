//! Every limit of the crate, with what happens beyond it.

/// The longest record in bytes, quotes and embedded line breaks included. A longer one is
/// [`RowFault::RowTooLong`](crate::RowFault::RowTooLong), and the rest of its line is passed over.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// The most columns a record may have, not counting the three that an error file adds. More are
/// [`RowFault::TooManyColumns`](crate::RowFault::TooManyColumns).
pub const MAX_COLUMNS: usize = 1_000;

/// How much of the (decompressed) file is looked at to find its format and columns, in bytes.
pub const SAMPLE_BYTES: usize = 64 * 1024;

/// How much of a record that is too long is shown as its `raw` and in the error file, in bytes.
pub(crate) const SHOWN_BYTES: usize = 1024;

/// The read buffer in bytes: room for the longest record and a good read behind it.
pub(crate) const BUFFER_BYTES: usize = 2 * MAX_RECORD_BYTES;

/// How often in one file a quote or bracket that is never closed is mended by going back to its first line.
/// Each time costs reading up to [`MAX_RECORD_BYTES`] twice; without a limit a hostile file could
/// make the work grow with the square of its size. Beyond it the lines that were swallowed are one
/// fault together.
pub(crate) const MAX_RECOVERIES: u32 = 1_000;

/// How many rows may be above the header: a title, a date, who made the file.
pub(crate) const MAX_HEAD_ROWS: usize = 30;

/// How many column names an error message lists.
pub(crate) const SHOWN_COLUMNS: usize = 20;

/// How many characters of a column's name are kept.
pub(crate) const MAX_NAME_CHARS: usize = 100;

/// Entries of a zip archive: lists, folders, and what systems leave there. All of its lists together may hold as much text as
/// one file.
pub(crate) const MAX_ZIP_ENTRIES: usize = 100;

/// The longest value of a list, in bytes, behind which a comma or semicolon may begin another: an address of 254 and a
/// long name.
pub(crate) const MAX_CUT_BYTES: usize = 512;

/// How deep in objects of JSON columns are looked for. What is deeper is a cell as JSON.
pub(crate) const MAX_KEYS: usize = 8;

/// How many cells of JSON are looked at in the sample. Without a limit one object of many keys and many of none would make
/// a table that is far larger than the file.
pub(crate) const MAX_SAMPLE_CELLS: usize = 64 * 1024;

/// How many separators behind an `@` are looked at before a value of a list is taken to go on to the end of its line. It
/// keeps the work on a line of nothing but commas small.
pub(crate) const MAX_CUT_TRIES: u32 = 8;

/// How far in a text letters beyond ASCII are looked for, to tell its encoding.
pub(crate) const MAX_SCAN_BYTES: usize = 32 << 20;

/// How much text the parts of a workbook may hold that are read as a whole, but for the table of its texts.
pub(crate) const MAX_WORKBOOK_PART_BYTES: u64 = 16 << 20;

/// How much memory the table of texts of a workbook may take, which its reader holds as a whole.
pub(crate) const MAX_WORKBOOK_TEXTS_BYTES: u64 = 72 << 20;

/// The longest text in a workbook between two tags, in bytes. Excel's longest cell is 32,767 characters.
pub(crate) const MAX_WORKBOOK_TEXT_BYTES: u64 = 1 << 20;

/// Files in a workbook.
pub(crate) const MAX_WORKBOOK_ENTRIES: usize = 10_000;

/// Rows of a sheet, which is what Excel can hold.
pub(crate) const MAX_SHEET_ROWS: u32 = 1 << 20;
