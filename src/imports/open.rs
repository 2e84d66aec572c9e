//! Opening a file for its rows: an Excel workbook is first written down as a table, which is then read like any other.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use usher_files::{FileError, Format, Wanted, sheet_as_csv};

/// Text that is read of one file, once it is decompressed.
pub(crate) const MAX_TEXT_BYTES: u64 = 4 << 30;

/// Text of a sheet, on the disk while it is read.
const MAX_SHEET_BYTES: u64 = 1 << 30;

/// The sheet of `file` as a table, if it is a workbook, and what is known of it then. The table is in `folder`, has no name
/// there, and is gone with the handle, also after a crash.
pub(super) fn sheet(
    file: &mut (impl Read + Seek),
    folder: &Path,
    wanted: &Wanted,
) -> Result<Option<(File, Wanted)>, FileError> {
    let mut table = None;
    let sheet = sheet_as_csv(file, MAX_SHEET_BYTES, || -> io::Result<File> {
        let made = tempfile::tempfile_in(folder)?;
        table = Some(made.try_clone()?);
        Ok(made)
    })?;
    let (Some(sheet), Some(mut table)) = (sheet, table) else {
        let is_said = wanted.format == Some(Format::Xlsx);
        return if is_said { Err(FileError::NotXlsx) } else { Ok(None) };
    };
    table.rewind()?;
    let encoding = Some(usher_files::Encoding::Utf8);
    Ok(Some((table, Wanted { format: Some(Format::Xlsx), encoding, sheet: Some(sheet), ..wanted.clone() })))
}
