//! Reads the files people have: lists and tables in, rows with line numbers out.
//!
//! Somebody leaving another mail tool drops its export in, whatever it looks like. [`Reader::open`]
//! looks at the first 64 KiB and says in a [`Mapping`] what it found: the separator, whether there
//! is a header, which column holds the addresses. [`Reader::next_row`] then lends one [`Row`] after
//! the other, and [`ErrorFile`] writes the rows that were refused so that they can be mended and sent
//! in again.
//!
//! # Rules
//!
//! - Memory stays flat whatever the file: one buffer, one record. A longer record is never held.
//! - A bad row is a [`RowFault`] of that row, and the next row follows. Only a file that cannot be
//!   read at all, or not any further, is a [`FileError`].
//! - Every line of a table or list in which something stands is in exactly one row (or is the header), so that
//!   somebody can be told what happened to each of them. A line of a list that holds several addresses
//!   is a row for each.
//! - The same bytes always give the same rows with the same numbers: a job that was interrupted goes
//!   on by counting.
//! - A quote that is opened and never closed costs its own line, not the rest of the file.
//! - Blank lines, and rows in which nothing but separators stand, are passed over. They count as lines and not as rows.
//!
//! # How the bytes flow
//!
//! `input` undoes gzip and zip and holds the size limit; `encoding` makes UTF-8 of UTF-16 and code pages; `looks`
//! refuses what is no text; `detect` and `columns` choose the [`Mapping`] from the sample; `window` holds what is in
//! memory; `records`, `list` or `json` cuts it into records and cells; `values` says what the cells mean; `reader` is the
//! front door. Another export of another tool is an entry in `exporters`.
//!
//! This crate knows no database, no async and no members. It must never load a whole file, never
//! decide whether an address is valid (that is the caller's), and never drop a row in silence.

mod address;
mod cell_looks;
mod columns;
mod dates;
mod detect;
mod display_name;
mod encoding;
mod error;
mod error_file;
mod evidence;
mod exporter;
mod exporters;
mod fault;
mod file_name;
mod fold;
mod formula;
mod grounds;
mod guess;
mod input;
mod json;
mod json_layout;
mod json_path;
mod limits;
mod list;
mod list_file;
mod looks;
mod mail_column;
mod mail_names;
mod mail_words;
mod mapping;
mod meaning;
mod names;
mod part;
mod reader;
mod reason;
mod records;
mod shared;
mod source;
mod table_file;
mod unzip;
mod values;
mod verify;
mod window;
mod words;
mod workbook;
mod wrapped;

pub use address::bare_address;
pub use dates::{DateCell, DateFault, DateOrder, DateOrders, read_date};
pub use display_name::display_name;
pub use encoding::Encoding;
pub use error::{FILE_ERRORS, FileError};
pub use error_file::ErrorFile;
pub use evidence::{Evidence, EvidenceKind, FlagColumn, WordColumn};
pub use exporter::{DateFormat, Exporter};
pub use exporters::EXPORTERS;
pub use fault::RowFault;
pub use limits::{MAX_COLUMNS, MAX_RECORD_BYTES, SAMPLE_BYTES};
pub use list_file::ListFile;
pub use looks::Kind;
pub use mail_column::{MailColumn, MailMeaning, MailWord, mail_column};
pub use mail_names::flag_names;
pub use mapping::{Column, Compression, ERROR_COLUMNS, Field, Format, Mapping, OwnColumn, Wanted};
pub use reader::{Reader, Row};
pub use reason::{Reason, Verdict, WordGrade, is_nothing, verdict, words, yes_or_no};
pub use table_file::TableFile;
pub use verify::verify;
pub use workbook::{Sheet, sheet_as_csv};
