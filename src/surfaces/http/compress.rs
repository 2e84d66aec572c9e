//! Answers and documents in fewer bytes, and bodies that come so.
//!
//! What never changes is compressed once, well, when it is first asked for ([`Document`]). A tool's answer is compressed
//! quickly, from [`WORTHWHILE`] bytes on. Brotli where the client takes it, else gzip (RFC 9110, 12.5.3).

use std::{
    io::{Read as _, Write as _},
    sync::OnceLock,
};

use bytes::Bytes;
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use poem::Response;
use sha2::{Digest as _, Sha256};

/// Bytes below which compression saves nothing that is worth its time.
pub(super) const WORTHWHILE: usize = 1024;

/// Brotli's quality for what is compressed once, and for what is compressed for each answer.
const WELL: u32 = 9;
const QUICKLY: u32 = 4;

/// Brotli's window: 2 to this power bytes.
const WINDOW: u32 = 22;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// The best that a request takes.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let (mut brotli, mut gzip, mut any) = (None, None, None);
        let values = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
        for one in values.flat_map(|value| value.split(',')) {
            let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
            let takes = Some(weight.unwrap_or(1.0) > 0.0);
            match name.trim().to_ascii_lowercase().as_str() {
                "br" => brotli = takes,
                "gzip" | "x-gzip" => gzip = takes,
                "*" => any = takes,
                _ => {}
            }
        }
        match (brotli.or(any), gzip.or(any)) {
            (Some(true), _) => Some(Self::Brotli),
            (_, Some(true)) => Some(Self::Gzip),
            _ => None,
        }
    }

    /// As headers name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Compresses an answer.
    pub(super) fn quickly(self, plain: &[u8]) -> Vec<u8> {
        self.compress(plain, QUICKLY, Compression::new(4))
    }

    fn compress(self, plain: &[u8], quality: u32, level: Compression) -> Vec<u8> {
        const WRITES: &str = "memory takes every write";
        match self {
            Self::Brotli => {
                let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, quality, WINDOW);
                writer.write_all(plain).expect(WRITES);
                writer.into_inner()
            }
            Self::Gzip => {
                let mut writer = GzEncoder::new(Vec::new(), level);
                writer.write_all(plain).expect(WRITES);
                writer.finish().expect(WRITES)
            }
        }
    }
}

/// A body that came as gzip, at most `limit` bytes; `None` if it is more.
pub(super) fn unzip(bytes: &[u8], limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).take(limit as u64 + 1).read_to_end(&mut plain)?;
    Ok((plain.len() <= limit).then_some(plain))
}

/// A text that never changes while the program runs.
pub(super) struct Document {
    content_type: &'static str,
    plain: Bytes,
    hash: String,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Document {
    pub(super) fn new(content_type: &'static str, text: String) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let hash = digest[..12].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Self { content_type, plain: text.into(), hash, brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    /// The text, or that the client has it already.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response {
        let encoding = Encoding::of(headers).filter(|_| self.plain.len() >= WORTHWHILE);
        // The bytes of each encoding are others, so is the tag of each.
        let tag = format!("\"{}{}\"", self.hash, encoding.map_or(String::new(), |one| format!("-{}", one.name())));
        let response = Response::builder()
            .header(header::ETAG, &tag)
            .header(header::VARY, "accept-encoding")
            .header(header::CACHE_CONTROL, "max-age=300")
            .header("x-content-type-options", "nosniff");
        if has(headers, &tag) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        let mut response = response.content_type(self.content_type).body(self.bytes(encoding));
        if let Some(encoding) = encoding {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        response
    }

    fn bytes(&self, encoding: Option<Encoding>) -> Bytes {
        let kept = match encoding {
            None => return self.plain.clone(),
            Some(Encoding::Brotli) => &self.brotli,
            Some(Encoding::Gzip) => &self.gzip,
        };
        let compress = |encoding: Encoding| encoding.compress(&self.plain, WELL, Compression::best()).into();
        kept.get_or_init(|| encoding.map(compress).unwrap_or_default()).clone()
    }
}

/// Whether a client has the bytes of this tag (RFC 9110, 13.1.2: compared weakly).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_best_that_it_takes() {
        for (accepts, gets) in [
            ("gzip, deflate, br", Some(Encoding::Brotli)),
            ("gzip", Some(Encoding::Gzip)),
            ("GZIP;q=0.5", Some(Encoding::Gzip)),
            ("br;q=0, gzip", Some(Encoding::Gzip)),
            ("*", Some(Encoding::Brotli)),
            ("br;q=0, *", Some(Encoding::Gzip)),
            ("identity", None),
            ("br;q=0,gzip;q=0", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepts));
            assert_eq!(Encoding::of(&headers), gets, "{accepts}");
        }
    }

    #[test]
    fn what_is_compressed_is_read_back() {
        let text = "The back office of a membership site. ".repeat(1000);
        let zipped = Encoding::Gzip.quickly(text.as_bytes());
        assert_eq!(unzip(&zipped, text.len()).unwrap().as_deref(), Some(text.as_bytes()));
        assert_eq!(unzip(&zipped, text.len() - 1).unwrap(), None);
        assert!(unzip(&zipped[..zipped.len() / 2], text.len()).is_err());
        assert!(unzip(b"{}", 10).is_err());
        let mut plain = Vec::new();
        let packed = Encoding::Brotli.quickly(text.as_bytes());
        brotli::Decompressor::new(&packed[..], 4096).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, text.as_bytes());
    }
}
