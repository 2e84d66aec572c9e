//! Text in other encodings than UTF-8.
//!
//! UTF-16 becomes UTF-8 before anything else looks at it ([`Text`]). The single-byte encodings keep commas, quotes and
//! line breaks where ASCII has them, so their files are cut as they are and only the cells are decoded
//! ([`decode_cell`]). That also saves the odd row in Latin-1 of a file that is UTF-8 everywhere else.

use std::fmt;
use std::io::{self, ErrorKind, Read};

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How characters are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8, and rows that are not are read as Windows-1252.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252, which reads Latin-1 too, as in the WHATWG's Encoding Standard.
    Windows1252,
}

impl Encoding {
    /// Its name in the IANA registry, in small letters.
    pub fn code(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// What `sample` is written in, and the length of the byte order mark at its beginning.
    pub(crate) fn of(sample: &[u8], is_whole: bool) -> (Self, usize) {
        const MARKS: [(&[u8], Encoding); 3] =
            [(b"\xef\xbb\xbf", Encoding::Utf8), (b"\xff\xfe", Encoding::Utf16Le), (b"\xfe\xff", Encoding::Utf16Be)];
        if let Some((mark, encoding)) = MARKS.iter().find(|(mark, _)| sample.starts_with(mark)) {
            return (*encoding, mark.len());
        }
        (Self::without_mark(sample, is_whole), 0)
    }

    fn without_mark(sample: &[u8], is_whole: bool) -> Self {
        // Every other byte of Latin letters in UTF-16 is NUL, and text has no other.
        let nuls = |parity| sample.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
        let (even, odd) = (nuls(0), nuls(1));
        if even.max(odd) * 4 > sample.len() && even.min(odd) * 20 < even.max(odd) {
            return if odd > even { Self::Utf16Le } else { Self::Utf16Be };
        }
        let (n_characters, n_wrong) = beyond_ascii(sample, is_whole);
        // A broken row or two do not make a file of UTF-8 another.
        if n_wrong > n_characters { Self::Windows1252 } else { Self::Utf8 }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

/// How many characters beyond ASCII the sample has in UTF-8, and how many places that are not UTF-8.
fn beyond_ascii(sample: &[u8], is_whole: bool) -> (usize, usize) {
    let (mut n_characters, mut n_wrong) = (0, 0);
    let mut chunks = sample.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        n_characters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        // A sample may end in the middle of a character.
        let is_cut = !is_whole && chunks.peek().is_none();
        n_wrong += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    (n_characters, n_wrong)
}

/// Appends a cell of a single-byte encoding.
pub(crate) fn decode_cell(cell: &[u8], out: &mut String) {
    out.push_str(&WINDOWS_1252.decode_without_bom_handling(cell).0);
}

/// Bytes of UTF-16 that are decoded at once.
const CHUNK: usize = 16 << 10;

/// The bytes of a file, as UTF-8 or a single-byte encoding. What is no character comes out as U+FFFD.
pub(crate) enum Text<R> {
    AsItIs(R),
    Utf16(Box<Utf16<R>>),
}

pub(crate) struct Utf16<R> {
    input: R,
    decoder: Decoder,
    /// What was read and not decoded yet.
    read: Vec<u8>,
    /// What was decoded and not given yet.
    decoded: String,
    n_given: usize,
    is_at_end: bool,
}

impl<R: Read> Text<R> {
    pub(crate) fn new(input: R, encoding: Encoding) -> Self {
        let decoder = match encoding {
            Encoding::Utf8 | Encoding::Windows1252 => return Self::AsItIs(input),
            Encoding::Utf16Le => UTF_16LE.new_decoder_without_bom_handling(),
            Encoding::Utf16Be => UTF_16BE.new_decoder_without_bom_handling(),
        };
        let (read, decoded) = (Vec::with_capacity(CHUNK), String::with_capacity(4 * CHUNK));
        Self::Utf16(Box::new(Utf16 { input, decoder, read, decoded, n_given: 0, is_at_end: false }))
    }

    /// Where the bytes come from.
    pub(crate) fn input(&self) -> &R {
        match self {
            Self::AsItIs(input) => input,
            Self::Utf16(text) => &text.input,
        }
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::AsItIs(input) => input.read(buf),
            Self::Utf16(text) => text.read(buf),
        }
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.n_given == self.decoded.len() && !self.is_at_end {
            self.decode()?;
        }
        let n = (&self.decoded.as_bytes()[self.n_given..]).read(buf)?;
        self.n_given += n;
        Ok(n)
    }
}

impl<R: Read> Utf16<R> {
    fn decode(&mut self) -> io::Result<()> {
        self.read.resize(CHUNK, 0);
        let n = loop {
            match self.input.read(&mut self.read) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.is_at_end = n == 0;
        self.n_given = 0;
        self.decoded.clear();
        // A unit of two bytes is at most three in UTF-8, so there is room for all of them.
        _ = self.decoder.decode_to_string(&self.read[..n], &mut self.decoded, self.is_at_end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn an_encoding_is_known_by_its_mark_or_its_look() {
        let text = "email,name\nann@example.com,Zoë\n";
        let (le, be) = (utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes));
        for (sample, expected) in [
            (text.as_bytes(), (Encoding::Utf8, 0)),
            (&[b"\xef\xbb\xbf", text.as_bytes()].concat(), (Encoding::Utf8, 3)),
            (&le, (Encoding::Utf16Le, 0)),
            (&be, (Encoding::Utf16Be, 0)),
            (&[b"\xff\xfe", &le[..]].concat(), (Encoding::Utf16Le, 2)),
            (&[b"\xfe\xff", &be[..]].concat(), (Encoding::Utf16Be, 2)),
            (b"ann@example.com,Zo\xeb\n", (Encoding::Windows1252, 0)),
            (b"ann@example.com\n", (Encoding::Utf8, 0)),
            (&["Zoë, Chloé".as_bytes(), b"\xff"].concat(), (Encoding::Utf8, 0)),
        ] {
            assert_eq!(Encoding::of(sample, true), expected, "{sample:?}");
        }
    }

    #[test]
    fn a_sample_may_end_in_a_character() {
        let cut = b"ann@example.com,Zo\xc3";
        assert_eq!(Encoding::of(cut, false).0, Encoding::Utf8);
        assert_eq!(Encoding::of(cut, true).0, Encoding::Windows1252);
    }

    #[test]
    fn utf16_comes_out_as_utf8_however_it_is_read() {
        let text = "ann@example.com 😀é\n".repeat(3000);
        let bytes = utf16(&text, u16::to_le_bytes);
        for size in [1, 3, 5000] {
            let (mut read, mut buf) = (Vec::new(), vec![0; size]);
            let mut reader = Text::new(&bytes[..], Encoding::Utf16Le);
            while let n @ 1.. = reader.read(&mut buf).unwrap() {
                read.extend_from_slice(&buf[..n]);
            }
            assert_eq!(read, text.as_bytes(), "{size} bytes at a time");
        }
    }

    #[test]
    fn half_a_character_at_the_end_is_not_dropped_in_silence() {
        let mut read = String::new();
        Text::new(&b"a\0\x3d\xd8\x01"[..], Encoding::Utf16Le).read_to_string(&mut read).unwrap();
        assert_eq!(read, "a\u{fffd}");
    }
}
