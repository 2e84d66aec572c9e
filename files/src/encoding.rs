//! Text in other encodings than UTF-8.
//!
//! UTF-16 and the code pages become UTF-8 before anything else looks at them ([`Text`]). Which one it is, is said by the
//! caller, or by a byte order mark, or guessed (`guess`). What was chosen by the look of the
//! beginning may be wrong further on. A cell of a file in UTF-8 that is not is read as Windows-1252 by itself ([`mended`]), so
//! that no row is lost for a letter in its note. Only an address is never guessed: what is no character in it becomes
//! U+FFFD, and the reader refuses that.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind, Read};

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::guess::guess;

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
    /// Another code page of that standard.
    CodePage(&'static encoding_rs::Encoding),
}

/// The code pages of the Encoding Standard that are left, with their names in the IANA registry, and for people.
const CODE_PAGES: [(&encoding_rs::Encoding, &str, &str); 34] = [
    (&encoding_rs::WINDOWS_1250_INIT, "windows-1250", "Windows-1250"),
    (&encoding_rs::WINDOWS_1251_INIT, "windows-1251", "Windows-1251"),
    (&encoding_rs::WINDOWS_1253_INIT, "windows-1253", "Windows-1253"),
    (&encoding_rs::WINDOWS_1254_INIT, "windows-1254", "Windows-1254"),
    (&encoding_rs::WINDOWS_1255_INIT, "windows-1255", "Windows-1255"),
    (&encoding_rs::WINDOWS_1256_INIT, "windows-1256", "Windows-1256"),
    (&encoding_rs::WINDOWS_1257_INIT, "windows-1257", "Windows-1257"),
    (&encoding_rs::WINDOWS_1258_INIT, "windows-1258", "Windows-1258"),
    (&encoding_rs::WINDOWS_874_INIT, "windows-874", "Windows-874"),
    (&encoding_rs::MACINTOSH_INIT, "macintosh", "Mac Roman"),
    (&encoding_rs::X_MAC_CYRILLIC_INIT, "x-mac-cyrillic", "Mac Cyrillic"),
    (&encoding_rs::SHIFT_JIS_INIT, "shift_jis", "Shift-JIS"),
    (&encoding_rs::EUC_JP_INIT, "euc-jp", "EUC-JP"),
    (&encoding_rs::ISO_2022_JP_INIT, "iso-2022-jp", "ISO-2022-JP"),
    (&encoding_rs::GBK_INIT, "gbk", "GBK"),
    (&encoding_rs::GB18030_INIT, "gb18030", "GB 18030"),
    (&encoding_rs::BIG5_INIT, "big5", "Big5"),
    (&encoding_rs::EUC_KR_INIT, "euc-kr", "EUC-KR"),
    (&encoding_rs::ISO_8859_2_INIT, "iso-8859-2", "ISO 8859-2"),
    (&encoding_rs::ISO_8859_3_INIT, "iso-8859-3", "ISO 8859-3"),
    (&encoding_rs::ISO_8859_4_INIT, "iso-8859-4", "ISO 8859-4"),
    (&encoding_rs::ISO_8859_5_INIT, "iso-8859-5", "ISO 8859-5"),
    (&encoding_rs::ISO_8859_6_INIT, "iso-8859-6", "ISO 8859-6"),
    (&encoding_rs::ISO_8859_7_INIT, "iso-8859-7", "ISO 8859-7"),
    (&encoding_rs::ISO_8859_8_INIT, "iso-8859-8", "ISO 8859-8"),
    (&encoding_rs::ISO_8859_8_I_INIT, "iso-8859-8-i", "ISO 8859-8-I"),
    (&encoding_rs::ISO_8859_10_INIT, "iso-8859-10", "ISO 8859-10"),
    (&encoding_rs::ISO_8859_13_INIT, "iso-8859-13", "ISO 8859-13"),
    (&encoding_rs::ISO_8859_14_INIT, "iso-8859-14", "ISO 8859-14"),
    (&encoding_rs::ISO_8859_15_INIT, "iso-8859-15", "ISO 8859-15"),
    (&encoding_rs::ISO_8859_16_INIT, "iso-8859-16", "ISO 8859-16"),
    (&encoding_rs::KOI8_R_INIT, "koi8-r", "KOI8-R"),
    (&encoding_rs::KOI8_U_INIT, "koi8-u", "KOI8-U"),
    (&encoding_rs::IBM866_INIT, "ibm866", "IBM866"),
];

impl Encoding {
    /// Those that are no code page but the most usual.
    const COMMON: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::COMMON.into_iter().chain(CODE_PAGES.iter().map(|(page, ..)| Self::CodePage(page)))
    }

    /// The encoding of a name: of the IANA registry, or any other that the Encoding Standard knows, such as `latin1`,
    /// `cp1250` or `sjis`; whatever its case.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let plain = match name.as_str() {
            "mac" | "mac-roman" | "macroman" | "mac roman" | "x-mac-roman" => "macintosh",
            "utf8" | "utf-8-sig" => "utf-8",
            "utf-16" | "utf16" => "utf-16le",
            "cp932" | "windows-932" => "shift_jis",
            "cp936" | "windows-936" => "gbk",
            "cp949" | "windows-949" => "euc-kr",
            "cp950" | "windows-950" => "big5",
            name => name,
        };
        let known = encoding_rs::Encoding::for_label(plain.as_bytes())?;
        Self::all().find(|encoding| encoding.known() == known)
    }

    /// The encoding as the library has it.
    fn known(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1252 => WINDOWS_1252,
            Self::CodePage(page) => page,
        }
    }

    /// Its name in the IANA registry, in small letters.
    pub fn code(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
            Self::CodePage(page) => names_of(page).0,
        }
    }

    /// Whether nothing in the bytes can tell it from others for certain.
    pub fn is_code_page(self) -> bool {
        matches!(self, Self::Windows1252 | Self::CodePage(_))
    }

    /// What `sample` is written in, or `wanted`, and the length of the byte order mark at its beginning. `more` are lines of
    /// what is behind it that are not ASCII.
    pub(crate) fn of(sample: &[u8], wanted: Option<Self>, more: impl FnOnce() -> Vec<u8>) -> (Self, usize) {
        let marked = Self::COMMON.into_iter().find(|encoding| encoding.is_marked(sample));
        let encoding = wanted.or(marked).unwrap_or_else(|| Self::without_mark(sample, more));
        (encoding, if encoding.is_marked(sample) { encoding.mark().len() } else { 0 })
    }

    /// The byte order mark.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xef\xbb\xbf",
            Self::Utf16Le => b"\xff\xfe",
            Self::Utf16Be => b"\xfe\xff",
            Self::Windows1252 | Self::CodePage(_) => b"",
        }
    }

    fn is_marked(self, sample: &[u8]) -> bool {
        !self.mark().is_empty() && sample.starts_with(self.mark())
    }

    fn without_mark(sample: &[u8], more: impl FnOnce() -> Vec<u8>) -> Self {
        // Every other byte of Latin letters in UTF-16 is NUL, but never both of a unit.
        let nuls = |parity| sample.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
        let (even, odd) = (nuls(0), nuls(1));
        // One in a hundred may be U+0000 in a row that is broken.
        let n_nul = || sample.chunks_exact(2).filter(|unit| *unit == [0, 0]).count();
        if even.max(odd) * 4 > sample.len() && even.min(odd) * 2 < even.max(odd) && n_nul() * 200 <= sample.len() {
            return if odd > even { Self::Utf16Le } else { Self::Utf16Be };
        }
        let n_high = sample.iter().filter(|byte| !byte.is_ascii()).count();
        let more = if n_high < ENOUGH { more() } else { Vec::new() };
        let with_more = [sample, b"\n", &more].concat();
        let sample = if more.is_empty() { sample } else { &with_more };
        let (n_characters, n_wrong) = beyond_ascii(sample);
        // A broken row or two do not make a file of UTF-8 another.
        if n_wrong <= n_characters {
            return Self::Utf8;
        }
        let known = guess(sample);
        Self::all().find(|encoding| encoding.known() == known).unwrap_or(Self::Windows1252)
    }
}

/// Bytes beyond ASCII from which an encoding is guessed well.
const ENOUGH: usize = 400;

fn names_of(page: &encoding_rs::Encoding) -> (&'static str, &'static str) {
    let known = CODE_PAGES.iter().find(|(known, ..)| *known == page);
    known.map_or(("windows-1252", "Windows-1252"), |(_, code, name)| (code, name))
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
            Self::CodePage(page) => names_of(page).1,
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
        if encoding == Encoding::Utf8 {
            return Self::AsItIs(input);
        }
        let decoder = encoding.known().new_decoder_without_bom_handling();
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
        // There is room for all of them: a byte, or a unit of two, is three bytes in UTF-8 and rarely more.
        self.decoded.reserve(self.decoder.max_utf8_buffer_length(n).unwrap_or(8 * CHUNK));
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
            assert_eq!(Encoding::of(sample, None, Vec::new), expected, "{sample:?}");
        }
    }

    #[test]
    fn what_is_wanted_overrules_the_look() {
        assert_eq!(Encoding::of("Zoë".as_bytes(), Some(Encoding::Windows1252), Vec::new), (Encoding::Windows1252, 0));
        assert_eq!(Encoding::of(b"\xff\xfea\0", Some(Encoding::Utf16Le), Vec::new), (Encoding::Utf16Le, 2));
        assert_eq!(Encoding::of(b"\xff\xfea\0", Some(Encoding::Utf8), Vec::new), (Encoding::Utf8, 0));
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
