use poem_openapi::Object;
use serde::{Deserialize, Serialize};
use usher_files::{Column, Field, Mapping, OwnColumn, Wanted};

use crate::{
    error::Result,
    imports::{self, ImportFormat},
    values::{End, Moment},
};

/// The columns that are read beside the address, with the names that they have in files.
pub(super) const COLUMNS: &[OwnColumn] = &[
    OwnColumn { code: "name", names: NAME },
    OwnColumn { code: "first_name", names: FIRST_NAME },
    OwnColumn { code: "last_name", names: LAST_NAME },
    OwnColumn { code: "tags", names: TAGS },
    OwnColumn { code: "note", names: &["note", "notes"] },
    OwnColumn { code: "groups", names: &["groups", "group"] },
    OwnColumn { code: "free_access", names: &["free access", "freeaccess", "comped", "complimentary plan"] },
    OwnColumn { code: "free_access_until", names: &["free access until", "freeaccessuntil", "comped until"] },
    OwnColumn { code: "bundle", names: &["bundle", "bundle id"] },
    OwnColumn { code: "external_id", names: &["external id", "externalid"] },
    OwnColumn { code: "metadata", names: &["metadata"] },
    // By their names they are known to `mail.rs`.
    OwnColumn { code: "mail", names: &[] },
    OwnColumn { code: "no_mail", names: &[] },
];

/// Where a column of last names is there too, a name of one word is the first name (`nombre`, `apellidos`).
const NAME: &[&str] = &[
    "full name",
    "fullname",
    "name",
    "display name",
    "displayname",
    "member name",
    "customer name",
    "contact name",
    "subscriber name",
    "user name",
    "your name",
    "name full",
    "name full name",
    "name display name",
    "name formatted",
    "profile name",
    "attributes name",
    "vollständiger name",
    "vor und nachname",
    "nom complet",
    "nom et prénom",
    "nombre completo",
    "nombre y apellidos",
    "nombre",
    "nome completo",
    "nome",
    "volledige naam",
    "naam",
    "namn",
    "navn",
    "nimi",
    "imię i nazwisko",
    "jméno a příjmení",
    "jméno",
    "фио",
    "полное имя",
    "имя",
    "ad soyad",
    "nume complet",
    "név",
    "姓名",
    "氏名",
    "名前",
    "お名前",
    "이름",
    "성명",
];

const FIRST_NAME: &[&str] = &[
    "first name",
    "firstname",
    "given name",
    "givenname",
    "forename",
    "fname",
    "first",
    "name first",
    "name first name",
    "name given",
    "name given name",
    "attributes first name",
    "properties first name",
    "profile first name",
    "fields first name",
    "user first name",
    "billing first name",
    "customer first name",
    "contact first name",
    "vorname",
    "rufname",
    "prénom",
    "prenom",
    "nombre de pila",
    "nombres",
    "primer nombre",
    "primeiro nome",
    "primo nome",
    "voornaam",
    "förnamn",
    "fornavn",
    "etunimi",
    "imię",
    "křestní jméno",
    "prenume",
    "keresztnév",
    "utónév",
    "adı",
    "名",
];

const LAST_NAME: &[&str] = &[
    "last name",
    "lastname",
    "surname",
    "family name",
    "familyname",
    "lname",
    "last",
    "name last",
    "name last name",
    "name family",
    "name family name",
    "name surname",
    "attributes last name",
    "properties last name",
    "profile last name",
    "fields last name",
    "user last name",
    "billing last name",
    "customer last name",
    "contact last name",
    "nachname",
    "familienname",
    "zuname",
    "nom de famille",
    "nom",
    "apellidos",
    "apellido",
    "primer apellido",
    "cognome",
    "sobrenome",
    "apelido",
    "achternaam",
    "efternamn",
    "etternavn",
    "efternavn",
    "sukunimi",
    "nazwisko",
    "příjmení",
    "priezvisko",
    "фамилия",
    "soyad",
    "soyadı",
    "nume",
    "nume de familie",
    "vezetéknév",
    "családnév",
    "姓",
    "姓氏",
    "성",
];

const TAGS: &[&str] = &[
    "tags",
    "tag",
    "labels",
    "label",
    "labels name",
    "tags name",
    "label names",
    "tag names",
    "group membership",
    "schlagwörter",
    "schlagworte",
    "étiquettes",
    "etiquetas",
    "etichette",
];

/// Names of columns that are named as not used.
const NAMED: usize = 50;

/// Free access for every member of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Object)]
#[oai(rename = "ImportFreeAccess", rename_all = "camelCase")]
pub struct FreeAccess {
    /// When it ends; absent for never.
    pub expires_at: Option<Moment<End>>,
}

/// What is known of a file and overrules what a look at it would find. A column is given by its name in the header,
/// whatever its case, or by its number from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Object, Serialize, Deserialize)]
#[oai(rename = "MemberImportMapping", rename_all = "camelCase")]
#[serde(rename_all = "camelCase", default)]
pub struct MemberMapping {
    /// The column of the addresses.
    #[oai(validator(min_length = 1, max_length = 100))]
    email: Option<String>,
    /// The column of the names.
    #[oai(validator(min_length = 1, max_length = 100))]
    name: Option<String>,
    /// The column of the first names.
    #[oai(validator(min_length = 1, max_length = 100))]
    first_name: Option<String>,
    /// The column of the last names.
    #[oai(validator(min_length = 1, max_length = 100))]
    last_name: Option<String>,
    /// The column of the tags, with commas, semicolons or bars between them.
    #[oai(validator(min_length = 1, max_length = 100))]
    tags: Option<String>,
    /// The column of the notes.
    #[oai(validator(min_length = 1, max_length = 100))]
    note: Option<String>,
    /// The column of the groups: ids or names.
    #[oai(validator(min_length = 1, max_length = 100))]
    groups: Option<String>,
    /// The column that says whether somebody has free access.
    #[oai(validator(min_length = 1, max_length = 100))]
    free_access: Option<String>,
    /// The column that says until when.
    #[oai(validator(min_length = 1, max_length = 100))]
    #[oai(rename = "freeAccessExpiresAt")]
    free_access_until: Option<String>,
    /// The column of the bundles: an id or a name.
    #[oai(validator(min_length = 1, max_length = 100))]
    bundle: Option<String>,
    /// The column of the external ids.
    #[oai(validator(min_length = 1, max_length = 100))]
    external_id: Option<String>,
    /// The column of the metadata: JSON objects.
    #[oai(validator(min_length = 1, max_length = 100))]
    metadata: Option<String>,
    /// The column that says whether somebody wants mail: yes and no, or words such as `subscribed` and `unsubscribed`. Not
    /// needed where the name of the column tells it.
    #[oai(validator(min_length = 1, max_length = 100))]
    mail: Option<String>,
    /// The column that says who wants no mail: yes, or since when.
    #[oai(validator(min_length = 1, max_length = 100))]
    no_mail: Option<String>,
    /// Whether the first row names the columns.
    header: Option<bool>,
    /// How the cells are separated.
    format: Option<ImportFormat>,
    /// How the characters are written, where the look at them would guess something else: `utf-8`, `utf-16le`,
    /// `windows-1250`, `windows-1251`, `windows-1252`, `shift_jis`, `gbk`, `macintosh`, or any other name of the WHATWG's
    /// Encoding Standard.
    #[oai(validator(min_length = 1, max_length = 20))]
    encoding: Option<String>,
    /// The order of day, month and year in dates that have several readings, such as 01/02/2030: `DD/MM/YYYY`,
    /// `MM/DD/YYYY` or `YYYY-MM-DD`, whatever the signs between them.
    #[oai(validator(min_length = 1, max_length = 40))]
    date_format: Option<String>,
}

impl MemberMapping {
    /// As the reader takes it.
    pub(super) fn wanted(&self) -> Result<Wanted> {
        let each = [
            (Field::Email, &self.email),
            (Field::Own("name"), &self.name),
            (Field::Own("first_name"), &self.first_name),
            (Field::Own("last_name"), &self.last_name),
            (Field::Own("tags"), &self.tags),
            (Field::Own("note"), &self.note),
            (Field::Own("groups"), &self.groups),
            (Field::Own("free_access"), &self.free_access),
            (Field::Own("free_access_until"), &self.free_access_until),
            (Field::Own("bundle"), &self.bundle),
            (Field::Own("external_id"), &self.external_id),
            (Field::Own("metadata"), &self.metadata),
            (Field::Own("mail"), &self.mail),
            (Field::Own("no_mail"), &self.no_mail),
        ];
        Ok(Wanted {
            format: self.format.map(Into::into),
            encoding: self.encoding.as_deref().map(imports::encoding).transpose()?,
            sheet: None,
            has_header: self.header,
            columns: each.into_iter().filter_map(|(field, column)| Some((field, column.clone()?))).collect(),
            exporter: None,
            takes_all: true,
            own: COLUMNS,
            own_dates: &["free_access", "free_access_until"],
            date_order: self.date_format.as_deref().map(imports::date_order).transpose()?,
        })
    }
}

/// The key that a column such as `metadata.plan` holds texts of.
pub(super) fn metadata_key(column: &str) -> Option<&str> {
    let (name, key) = column.trim().split_once('.')?;
    (name.eq_ignore_ascii_case("metadata") && !key.trim().is_empty()).then(|| key.trim())
}

/// The columns of a file that are not used.
pub(super) fn ignored<'a>(mappings: impl IntoIterator<Item = &'a Mapping>) -> Vec<String> {
    let unused = |column: &&Column| column.field.is_none() && metadata_key(&column.name).is_none();
    let unused = mappings.into_iter().flat_map(|mapping| &mapping.columns).filter(unused);
    let mut names: Vec<String> = Vec::new();
    for column in unused {
        if names.len() < NAMED && !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    names
}

/// How an import stands, and how it ended. Each row of the file is in exactly one of `created`, `updated`, `unchanged`,
/// `skipped` and `invalid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    /// Rows of people who were deleted where the file comes from.
    pub(super) skipped: u64,
    pub(super) invalid: u64,
    /// People who went onto the block list, or whose reason there became a stronger one.
    pub(super) unsubscribed: u64,
    /// Rows that say something about mail that nobody understands.
    pub(super) unclear: u64,
}

impl imports::Counts for Counts {
    fn done(&self) -> u64 {
        self.done
    }

    fn applied(&self) -> u64 {
        self.created + self.updated + self.unchanged
    }

    fn set_total(&mut self, total: u64) {
        self.total = total;
    }

    fn count_unwritten(&mut self, skipped: u64, unclear: u64, invalid: u64) {
        self.skipped += skipped;
        self.invalid += unclear + invalid;
        self.done += skipped + unclear + invalid;
    }
}
