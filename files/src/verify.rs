//! Reads a file to its end, so that what is damaged is known before the first of its rows is used.

use std::io::{Read, Seek};

use crate::encoding::Encoding;
use crate::error::FileError;
use crate::input::{Input, Limit, Opened};
use crate::json_layout::{Ends, Layout};
use crate::limits::SAMPLE_BYTES;
use crate::part::in_zip;
use crate::shared::SharedFile;
use crate::window::n_breaks;

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// Fails as reading `file` from where it stands would: where compressed bytes are broken or end too early, where there is
/// more text than `limit_bytes`, and where JSON ends before its last bracket. What is neither compressed nor JSON is read no
/// further than its beginning. `go_on` is asked now and then; once it says no, nothing more is read.
pub fn verify(file: impl Read + Seek, limit_bytes: u64, go_on: impl Fn() -> bool) -> Result<(), FileError> {
    let file = SharedFile::new(file);
    let mut limit = Limit::new(limit_bytes);
    match Input::open(file.clone(), limit)? {
        Opened::Text(mut input) => read_to_end(&mut input, &go_on),
        Opened::Zip(zips) => {
            let has_others = zips.len() > 1;
            for zip in zips {
                let name = Some(zip.name.as_str()).filter(|_| has_others);
                let mut input = Input::of_zip(file.clone(), &zip, limit)?;
                read_to_end(&mut input, &go_on).map_err(|error| in_zip(name, error))?;
                limit = input.limit();
            }
            Ok(())
        }
    }
}

fn read_to_end<R: Read>(input: &mut Input<R>, go_on: &impl Fn() -> bool) -> Result<(), FileError> {
    let is_plain = input.compression() == crate::mapping::Compression::None;
    let mut json = None;
    let (mut chunk, mut n_filled, mut is_first) = (vec![0; CHUNK], 0, true);
    while go_on() {
        let n = match input.read(&mut chunk[n_filled..]) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        n_filled += n;
        if n > 0 && n_filled < chunk.len() {
            continue;
        }
        let bytes = &chunk[..n_filled];
        if is_first {
            json = JsonEnd::of(&bytes[..bytes.len().min(SAMPLE_BYTES)]);
            is_first = false;
        }
        if let Some(json) = &mut json {
            json.read(bytes);
        } else if is_plain {
            return Ok(());
        }
        if n == 0 {
            return json.map_or(Ok(()), JsonEnd::judge);
        }
        n_filled = 0;
    }
    Ok(())
}

/// Where JSON ends.
struct JsonEnd {
    line: u64,
    /// The last byte that is no white space.
    last: u8,
}

impl JsonEnd {
    /// Of JSON in UTF-8 whose end says whether all of it is there; of a line by itself it does not.
    fn of(sample: &[u8]) -> Option<Self> {
        let (encoding, mark) = Encoding::of(sample, None, Vec::new);
        let layout = Layout::of(&sample[mark..]).filter(|_| encoding == Encoding::Utf8)?;
        matches!(layout.ends, Ends::Array | Ends::Wrapped).then_some(Self { line: 1, last: 0 })
    }

    fn read(&mut self, bytes: &[u8]) {
        self.line += n_breaks(bytes);
        if let Some(last) = bytes.iter().rfind(|byte| !byte.is_ascii_whitespace()) {
            self.last = *last;
        }
    }

    fn judge(self) -> Result<(), FileError> {
        let is_closed = matches!(self.last, b']' | b'}');
        if is_closed { Ok(()) } else { Err(FileError::CutShort { line: self.line }) }
    }
}
