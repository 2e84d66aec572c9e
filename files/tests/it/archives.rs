//! Zip archives of several lists.

use std::io::Cursor;

use usher_files::{ErrorFile, Reader, RowFault, verify};

use crate::input::{gzip, zip};
use crate::{open, refused};

/// What becomes of a row: its file, line, and its reason or the code of what is wrong.
fn rows(file: &[u8]) -> Vec<(Option<String>, u64, String, &'static str)> {
    let mut reader = open(file).expect("a file that can be read");
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row() {
        let row = row.expect("no error in the middle");
        let email = row.email.unwrap_or_default().to_owned();
        let said = match row.email {
            Ok(_) => row.reason.map_or("none", |reason| reason.code()),
            Err(fault) => fault.code(),
        };
        assert_eq!(row.number, rows.len() as u64);
        rows.push((row.file.map(str::to_owned), row.line, email, said));
    }
    rows
}

fn mailchimp() -> Vec<u8> {
    zip(&[
        (
            "subscribed_members_export_4f.csv",
            b"Email Address,First Name,OPTIN_TIME,LEID,EUID\nin@example.com,Ann,2024-01-01 00:00:00,1,a\n",
        ),
        (
            "unsubscribed_members_export_4f.csv",
            b"Email Address,First Name,UNSUB_TIME,UNSUB_REASON\nout@example.com,Bea,2024-01-01 00:00:00,NORMAL\n\nbroken,Cy,,\n",
        ),
        (
            "cleaned_members_export_4f.csv",
            b"Email Address,First Name,CLEAN_TIME\ngone@example.com,Dan,2024-01-01 00:00:00\n,Eve,x\n",
        ),
        ("__MACOSX/._cleaned_members_export_4f.csv", b"\0\x05\x16\x07"),
        (".DS_Store", b"\0\0\0\x01Bud1"),
        ("empty_members_export_4f.csv", b""),
    ])
}

#[test]
fn each_file_is_understood_by_its_own_header() {
    let expected = [
        ("subscribed_members_export_4f.csv", 2, "", "sendable"),
        ("unsubscribed_members_export_4f.csv", 2, "out@example.com", "unsubscribe"),
        ("unsubscribed_members_export_4f.csv", 4, "broken", "unsubscribe"),
        ("cleaned_members_export_4f.csv", 2, "gone@example.com", "hard_bounce"),
        ("cleaned_members_export_4f.csv", 3, "", "no_address"),
    ];
    let expected = expected.map(|(file, line, email, said)| (Some(file.to_owned()), line, email.to_owned(), said));
    assert_eq!(rows(&mailchimp()), expected);
}

#[test]
fn the_name_says_what_no_column_says() {
    let list = b"Email Address,First Name\na@example.com,Ann\n";
    for (name, said) in [
        ("subscribed_email_audience_export_4f.csv", "sendable"),
        ("nonsubscribed_email_audience_export_4f.csv", "sendable"),
        ("unsubscribed_email_audience_export_4f.csv", "unsubscribe"),
        ("cleaned_email_audience_export_4f.csv", "hard_bounce"),
        ("exports/spam complaints.csv", "complaint"),
        ("people.csv", "none"),
    ] {
        let both = zip(&[(name, list), ("other.txt", b"b@example.com\n")]);
        let said_of: Vec<_> = rows(&both).into_iter().map(|row| (row.0, row.3)).collect();
        assert_eq!(said_of, [(Some(name.to_owned()), said), (Some("other.txt".to_owned()), "none")]);
        // So it is where it is alone.
        assert_eq!(rows(&zip(&[(name, list)]))[0].3, said, "{name}");
    }
    // A column of its own knows better.
    let file = zip(&[("cleaned.csv", b"email,reason\na@example.com,spam\nb@example.com,\n")]);
    let said: Vec<_> = rows(&file).into_iter().map(|row| row.3).collect();
    assert_eq!(said, ["complaint", "none"]);
}

#[test]
fn mailchimps_files_without_times_are_told_by_their_names() {
    let columns = "Email Address,First Name,OPTIN_TIME,LEID,EUID\n";
    let file = |email: &str| format!("{columns}{email},Ann,2024-01-01 00:00:00,1,a\n");
    let names = ["subscribed", "unsubscribed", "cleaned", "nonsubscribed"];
    let files = names.map(|name| (format!("{name}_members_export_4f.csv"), file(&format!("{name}@example.com"))));
    let files: Vec<_> = files.iter().map(|(name, file)| (name.as_str(), file.as_bytes())).collect();
    let said: Vec<_> = rows(&zip(&files)).into_iter().map(|row| row.3).collect();
    assert_eq!(said, ["sendable", "unsubscribe", "hard_bounce", "sendable"]);
}

#[test]
fn names_that_only_have_such_a_word_in_them_say_nothing() {
    let people = b"Email,First Name\na@example.com,Ann\n";
    for name in [
        "spam-free customers.csv",
        "bounced cheques.csv",
        "Hard rock fans.csv",
        "Unsubscribed from sms.csv",
        "removed seats.csv",
        "Manual gearbox owners.csv",
        "blocked accounts.csv",
        "Invalid parking.csv",
        "cleaned.csv",
        "not unsubscribed.csv",
    ] {
        let refused = Reader::open(Cursor::new(&zip(&[(name, people)])[..]), 1 << 20).err();
        assert_eq!(refused.map(|error| error.code()), Some("reason_needed"), "{name}");
    }
}

#[test]
fn files_of_all_kinds_are_in_one_archive() {
    let utf16: Vec<u8> = "\u{feff}email;note\na@example.com;Zoë\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let file = zip(&[
        ("a.csv", &utf16),
        ("b.json", b"[{\"mail\":\"b@example.com\"}]"),
        ("c.txt", b"c@example.com\n"),
        ("d.tsv", b"Name\tE-Mail\nDan\td@example.com\n"),
    ]);
    let emails: Vec<_> = rows(&file).into_iter().map(|row| row.2).collect();
    assert_eq!(emails, ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]);
    let reader = open(&file).unwrap();
    let formats: Vec<_> = reader.files().map(|(name, mapping)| (name.unwrap(), mapping.format.code())).collect();
    assert_eq!(formats, [("a.csv", "semicolon"), ("b.json", "json"), ("c.txt", "list"), ("d.tsv", "tsv")]);
}

#[test]
fn a_file_that_cannot_be_read_is_named_before_any_row() {
    for (inner, code, says) in [
        (&b"%PDF-1.7\n"[..], "not_a_list", "\"b.x\" in the zip archive: The file is a PDF document"),
        (b"name,town\nAnn,Ulm\n", "no_address_column", "\"b.x\" in the zip archive: No column of addresses"),
        (&zip(&[("c.csv", b"c@example.com")]), "not_a_list", "\"b.x\" in the zip archive: The file is a compressed"),
        (&gzip(b"c@example.com"), "not_a_list", "\"b.x\" in the zip archive: The file is a compressed"),
    ] {
        let error = refused(zip(&[("a.csv", b"a@example.com\n"), ("b.x", inner)]));
        assert_eq!(error.code(), code);
        assert!(error.to_string().starts_with(says), "{error}");
    }
    assert_eq!(refused(zip(&[("a.csv", b""), ("b.csv", b"\n")])).code(), "file_empty");
}

#[test]
fn the_limit_is_on_all_files_together() {
    let text = b"a@example.com\n".repeat(10_000);
    let file = zip(&[("a.csv", &text), ("b.csv", &text), ("c.csv", &text)]);
    let n_bytes = 3 * text.len() as u64;
    for (limit, n_rows, code) in [(n_bytes, 30_000, None), (n_bytes - 1, 20_000, Some("file_too_large"))] {
        let mut reader = Reader::open(Cursor::new(&file[..]), limit).unwrap();
        let (mut n, mut error) = (0, None);
        while let Some(row) = reader.next_row() {
            match row {
                Ok(_) => n += 1,
                Err(found) => error = Some(found.code()),
            }
        }
        assert_eq!(error, code);
        assert!(n >= n_rows, "{n}");
        assert_eq!(verify(Cursor::new(&file[..]), limit, || true).err().map(|error| error.code()), code);
    }
}

#[test]
fn refused_rows_of_an_archive_can_be_mended_and_read_again() {
    let file = zip(&[
        ("cleaned_members_export_4f.csv", b"Email Address,First Name\na@example.com,Ann\n,Bea\n"),
        ("unsubscribed.csv", b"Town;Mail;Name\nUlm;c@example.com;Cy\n;;Dan\n;;Eve\n"),
        ("list.txt", b"x\0@example.com\nz@example.com\n"),
    ]);
    let write = |bytes: &[u8]| {
        let mut reader = open(bytes).unwrap();
        let mut errors = ErrorFile::append(Vec::new());
        while let Some(row) = reader.next_row() {
            let row = row.unwrap();
            if let Err(fault) = row.email
                && fault != RowFault::Sendable
            {
                errors.write(&row, fault.code(), "Mend it.").unwrap();
            }
        }
        String::from_utf8(errors.finish().unwrap()).unwrap()
    };
    let errors = write(&file);
    assert_eq!(
        errors,
        "Email Address,First Name,reason,line,error_code,error\n\
         ,Bea,hard_bounce,cleaned_members_export_4f.csv:3,no_address,Mend it.\n\
         Town,Mail,Name,reason,line,error_code,error\n\
         ,,Dan,unsubscribe,unsubscribed.csv:3,no_address,Mend it.\n\
         ,,Eve,unsubscribe,unsubscribed.csv:4,no_address,Mend it.\n\
         email,line,error_code,error\n\
         x\u{fffd}@example.com,list.txt:1,nul_byte,Mend it.\n"
    );
    let mended = errors
        .replace(",Bea,", "b@example.com,Bea,")
        .replace(",,Dan,", ",d@example.com,Dan,")
        .replace("x\u{fffd}", "x");
    let said: Vec<_> = rows(mended.as_bytes()).into_iter().map(|row| (row.1, row.2, row.3)).collect();
    let expected = [
        (2, "b@example.com", "hard_bounce"),
        (4, "d@example.com", "unsubscribe"),
        (5, "", "no_address"),
        (7, "x@example.com", "none"),
    ];
    assert_eq!(said, expected.map(|(line, email, said)| (line, email.to_owned(), said)));
    // What is still wrong is in an error file like the first.
    assert_eq!(
        write(mended.as_bytes()),
        "Town,Mail,Name,reason,line,error_code,error\n,,Eve,unsubscribe,5,no_address,Mend it.\n"
    );
}

#[test]
fn what_is_damaged_is_found_before_a_row_is_used() {
    let text: String = (0..100_000).map(|i| format!("m{i}@example.com\n")).collect();
    let whole = gzip(text.as_bytes());
    let archive = zip(&[("a.csv", b"a@example.com\n"), ("b.csv", text.as_bytes())]);
    let mut broken = archive.clone();
    broken[archive.len() / 2..][..64].fill(0xff);
    let json = format!("[{}", "{\"email\":\"a@example.com\"},\n".repeat(10_000));
    let closed = format!("{json}{{\"email\":\"b@example.com\"}}]\n");
    let wrapped = format!("{{\"items\":{closed}}}\n");
    let verified = |bytes: &[u8]| verify(Cursor::new(bytes), 1 << 30, || true).err().map(|error| error.code());
    for (name, bytes, code) in [
        ("plain", text.as_bytes(), None),
        ("gzip", &whole, None),
        ("gzip, half", &whole[..whole.len() / 2], Some("file_damaged")),
        ("gzip, all but its last byte", &whole[..whole.len() - 1], Some("file_damaged")),
        ("gzip, and half of another", &[&whole[..], &whole[..1000]].concat(), Some("file_damaged")),
        ("zip", &archive, None),
        ("zip, broken", &broken, Some("file_damaged")),
        ("zip, half", &archive[..archive.len() / 2], Some("file_damaged")),
        ("JSON", closed.as_bytes(), None),
        ("JSON in an object", wrapped.as_bytes(), None),
        ("JSON, cut short", json.as_bytes(), Some("file_cut_short")),
        ("JSON in an object, cut short", &wrapped.as_bytes()[..200_000], Some("file_cut_short")),
        ("JSON in gzip, cut short", &gzip(json.as_bytes()), Some("file_cut_short")),
        ("JSON Lines", json[1..].replace("},", "}").as_bytes(), None),
    ] {
        assert_eq!(verified(bytes), code, "{name}");
    }
}
