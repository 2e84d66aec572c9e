//! What the imports of all kinds of files say in the same words.

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use usher_files::{DateOrder, Encoding, Mapping};

use crate::error::{Error, Result};

/// How the cells of a file are separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename = "ImportFormat", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ImportFormat {
    /// By commas.
    Csv,
    /// By tabs.
    Tsv,
    /// By semicolons.
    Semicolon,
    /// By vertical bars.
    Pipe,
    /// Not at all: one address a line.
    List,
    /// A JSON array, by itself or in an object.
    Json,
    /// One JSON value a line.
    JsonLines,
    /// The first sheet of an Excel workbook.
    Xlsx,
}

impl From<ImportFormat> for usher_files::Format {
    fn from(format: ImportFormat) -> Self {
        match format {
            ImportFormat::Csv => Self::Csv,
            ImportFormat::Tsv => Self::Tsv,
            ImportFormat::Semicolon => Self::Semicolon,
            ImportFormat::Pipe => Self::Pipe,
            ImportFormat::List => Self::List,
            ImportFormat::Json => Self::Json,
            ImportFormat::JsonLines => Self::JsonLines,
            ImportFormat::Xlsx => Self::Xlsx,
        }
    }
}

impl From<usher_files::Format> for ImportFormat {
    fn from(format: usher_files::Format) -> Self {
        use usher_files::Format as Found;
        match format {
            Found::Csv => Self::Csv,
            Found::Tsv => Self::Tsv,
            Found::Semicolon => Self::Semicolon,
            Found::Pipe => Self::Pipe,
            Found::List => Self::List,
            Found::Json => Self::Json,
            Found::JsonLines => Self::JsonLines,
            Found::Xlsx => Self::Xlsx,
        }
    }
}

/// A column of the file.
#[derive(Debug, Object)]
#[oai(rename = "ImportPreviewColumn", rename_all = "camelCase")]
pub struct PreviewColumn {
    /// Its name in the header, or `column_2` and so on.
    name: String,
    /// What it is taken for, such as `email` or `note`; absent if it is nothing that is kept.
    field: Option<String>,
    /// The same in words, such as "the address"; absent if the column is not used.
    meaning: Option<String>,
    /// Only where days and months could be mixed up: the order in which its dates are read, such as `DD/MM/YYYY`, or
    /// `ambiguous`; then give `mapping.dateFormat`.
    date_format: Option<String>,
}

impl PreviewColumn {
    /// The columns of a file.
    pub(crate) fn all(mapping: &Mapping) -> Vec<Self> {
        let column = |(at, column): (usize, &usher_files::Column)| Self {
            name: column.name.clone(),
            field: column.field.map(|field| field.code().into()),
            meaning: mapping.meaning(at),
            date_format: date_format(mapping, at).map(Into::into),
        };
        mapping.columns.iter().enumerate().map(column).collect()
    }
}

fn date_format(mapping: &Mapping, column: usize) -> Option<&'static str> {
    let (_, orders) = mapping.date_orders.iter().find(|(at, _)| *at == column)?;
    orders.is_ambiguous().then(|| mapping.date_order_of(column).map_or("ambiguous", DateOrder::code))
}

/// Why a file cannot be imported.
#[derive(Debug, Object)]
#[oai(rename = "ImportProblem")]
pub struct Problem {
    /// For programs.
    pub(super) code: String,
    /// For people.
    pub(super) message: String,
}

/// The encoding of a name that a call gives.
pub(crate) fn encoding(name: &str) -> Result<Encoding> {
    Encoding::of_name(name)
        .ok_or_else(|| one_of("args.mapping.encoding", Encoding::all().map(|one| one.code()).collect()))
}

/// The order that a call gives for dates.
pub(crate) fn date_order(pattern: &str) -> Result<DateOrder> {
    let message = "must be an order of day, month and year: DD/MM/YYYY, MM/DD/YYYY or YYYY-MM-DD";
    DateOrder::of_pattern(pattern).ok_or_else(|| Error::field("args.mapping.dateFormat", message))
}

/// The refusal of a code that is none of those there are.
pub(crate) fn one_of(field: &str, codes: Vec<&str>) -> Error {
    Error::field(field, format!("must be one of {}", codes.join(", ")))
}
