//! Values of SQLite in the text format of PostgreSQL's `COPY`.

use rusqlite::types::ValueRef;

/// What stands for a NUL character, which PostgreSQL's texts cannot hold.
const INSTEAD_OF_NUL: char = '\u{fffd}';

/// Writes a value; whether it had a NUL character.
pub(crate) fn write(chunk: &mut Vec<u8>, value: ValueRef<'_>, kind: &str) -> bool {
    match (value, kind) {
        (ValueRef::Null, _) => chunk.extend_from_slice(b"\\N"),
        (ValueRef::Integer(number), "boolean") => chunk.push(if number == 0 { b'f' } else { b't' }),
        (ValueRef::Integer(number), _) => chunk.extend_from_slice(number.to_string().as_bytes()),
        (ValueRef::Real(number), _) => chunk.extend_from_slice(number.to_string().as_bytes()),
        (ValueRef::Blob(bytes), _) => {
            chunk.extend_from_slice(b"\\\\x");
            for byte in bytes {
                chunk.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
        }
        (ValueRef::Text(bytes), _) => return write_text(chunk, &String::from_utf8_lossy(bytes)),
    }
    false
}

fn write_text(chunk: &mut Vec<u8>, text: &str) -> bool {
    let mut has_nul = false;
    for character in text.chars() {
        match character {
            '\\' => chunk.extend_from_slice(b"\\\\"),
            '\n' => chunk.extend_from_slice(b"\\n"),
            '\r' => chunk.extend_from_slice(b"\\r"),
            '\t' => chunk.extend_from_slice(b"\\t"),
            '\0' => {
                has_nul = true;
                chunk.extend_from_slice(INSTEAD_OF_NUL.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => chunk.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    has_nul
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_copy_reads_them() {
        let written = |value, kind: &str| {
            let mut chunk = Vec::new();
            let has_nul = write(&mut chunk, value, kind);
            (String::from_utf8(chunk).expect("UTF-8"), has_nul)
        };
        for (value, kind, expected) in [
            (ValueRef::Null, "text", "\\N"),
            (ValueRef::Text(b"\\N"), "text", "\\\\N"),
            (ValueRef::Text(b""), "text", ""),
            (ValueRef::Text("a\tb\nc\r\\d é".as_bytes()), "text", "a\\tb\\nc\\r\\\\d é"),
            (ValueRef::Text(b"\\."), "text", "\\\\."),
            (ValueRef::Integer(0), "boolean", "f"),
            (ValueRef::Integer(1), "boolean", "t"),
            (ValueRef::Integer(1), "bigint", "1"),
            (ValueRef::Integer(i64::MIN), "bigint", "-9223372036854775808"),
            (ValueRef::Real(0.1), "double precision", "0.1"),
            (ValueRef::Blob(&[0, 0x5c, 0xff]), "bytea", "\\\\x005cff"),
            (ValueRef::Blob(&[]), "bytea", "\\\\x"),
        ] {
            assert_eq!(written(value, kind), (expected.to_owned(), false), "{value:?} as {kind}");
        }
        assert_eq!(written(ValueRef::Text(b"a\0b"), "text"), ("a\u{fffd}b".to_owned(), true));
    }
}
