//! Text in other encodings than UTF-8.
//!
//! UTF-16 and Windows-1252 become UTF-8 before anything else looks at them ([`Text`]). What was chosen by the look of the
//! sample may be wrong further on: a file whose first 64 KiB are ASCII is taken for UTF-8, and only its last row may have
//! a letter of Latin-1. Such a cell is read as Windows-1252 by itself ([`mended`]), so that no row is lost for a letter in
//! its note. Only an address is never guessed: what is no character in it becomes U+FFFD, and the reader refuses that.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind, Read};

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How characters are written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8. A cell that is not UTF-8 is read as Windows-1252, if it is not the address.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252, which reads Latin-1 too, as in the WHATWG's Encoding Standard.
    Windows1252,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    /// Its name in the IANA registry, in small letters.
    pub fn code(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// What `sample` is written in, or `wanted`, and the length of the byte order mark at its beginning.
    pub(crate) fn of(sample: &[u8], wanted: Option<Self>) -> (Self, usize) {
        let marked = Self::ALL.into_iter().find(|encoding| encoding.is_marked(sample));
        let encoding = wanted.or(marked).unwrap_or_else(|| Self::without_mark(sample));
        (encoding, if encoding.is_marked(sample) { encoding.mark().len() } else { 0 })
    }

    /// The byte order mark.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xef\xbb\xbf",
            Self::Utf16Le => b"\xff\xfe",
            Self::Utf16Be => b"\xfe\xff",
            Self::Windows1252 => b"",
        }
    }

    fn is_marked(self, sample: &[u8]) -> bool {
        !self.mark().is_empty() && sample.starts_with(self.mark())
    }

    fn without_mark(sample: &[u8]) -> Self {
        // Every other byte of Latin letters in UTF-16 is NUL, but never both of a unit.
        let nuls = |parity| sample.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
        let (even, odd) = (nuls(0), nuls(1));
        // One in a hundred may be U+0000 in a row that is broken.
        let n_nul = || sample.chunks_exact(2).filter(|unit| *unit == [0, 0]).count();
        if even.max(odd) * 4 > sample.len() && even.min(odd) * 2 < even.max(odd) && n_nul() * 200 <= sample.len() {
            return if odd > even { Self::Utf16Le } else { Self::Utf16Be };
        }
        let (n_characters, n_wrong) = beyond_ascii(sample);
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
fn beyond_ascii(sample: &[u8]) -> (usize, usize) {
    let (mut n_characters, mut n_wrong) = (0, 0);
    let mut chunks = sample.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        n_characters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        // A sample, or a file that was cut short, may end in the middle of a character.
        let is_begun = || str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
        let is_cut = chunks.peek().is_none() && is_begun();
        n_wrong += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    (n_characters, n_wrong)
}

/// A cell of a file in UTF-8 that may not be UTF-8 itself.
pub(crate) fn mended(cell: &[u8], is_address: bool) -> Cow<'_, str> {
    match str::from_utf8(cell) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if is_address => String::from_utf8_lossy(cell),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(cell).0,
    }
}

/// Bytes that are decoded at once.
const CHUNK: usize = 16 << 10;

/// The bytes of a file as UTF-8. What is no character in the file's encoding comes out as U+FFFD; what should be UTF-8
/// comes out as it is.
pub(crate) enum Text<R> {
    AsItIs(R),
    Decoded(Box<Decoded<R>>),
}

pub(crate) struct Decoded<R> {
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
            Encoding::Utf8 => return Self::AsItIs(input),
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        let decoder = decoder.new_decoder_without_bom_handling();
        let (read, decoded) = (Vec::with_capacity(CHUNK), String::with_capacity(4 * CHUNK));
        Self::Decoded(Box::new(Decoded { input, decoder, read, decoded, n_given: 0, is_at_end: false }))
    }

    /// Where the bytes come from.
    pub(crate) fn input(&self) -> &R {
        match self {
            Self::AsItIs(input) => input,
            Self::Decoded(text) => &text.input,
        }
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::AsItIs(input) => input.read(buf),
            Self::Decoded(text) => text.read(buf),
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.n_given == self.decoded.len() && !self.is_at_end {
            self.decode()?;
        }
        let n = (&self.decoded.as_bytes()[self.n_given..]).read(buf)?;
        self.n_given += n;
        Ok(n)
    }
}

impl<R: Read> Decoded<R> {
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
        // A byte, or a unit of two, is at most three bytes in UTF-8, so there is room for all of them.
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
            (b"a@example.com,Zo\xc3", (Encoding::Utf8, 0)),
            (b"\xff\xfe", (Encoding::Utf16Le, 2)),
            (b"", (Encoding::Utf8, 0)),
        ] {
            assert_eq!(Encoding::of(sample, None), expected, "{sample:?}");
        }
    }

    #[test]
    fn what_is_wanted_overrules_the_look() {
        assert_eq!(Encoding::of("Zoë".as_bytes(), Some(Encoding::Windows1252)), (Encoding::Windows1252, 0));
        assert_eq!(Encoding::of(b"\xff\xfea\0", Some(Encoding::Utf16Le)), (Encoding::Utf16Le, 2));
        assert_eq!(Encoding::of(b"\xff\xfea\0", Some(Encoding::Utf8)), (Encoding::Utf8, 0));
    }

    #[test]
    fn an_address_is_not_guessed() {
        assert_eq!(mended(b"caf\xe9", false), "café");
        assert_eq!(mended(b"caf\xe9@example.com", true), "caf\u{fffd}@example.com");
        assert_eq!(mended("café".as_bytes(), true), "café");
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
