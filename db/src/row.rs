use rusqlite::types::Value as Sql;
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use crate::{Error, Result};

/// A row that is being read, column by column in the order of the `SELECT`.
pub struct Row<'r> {
    row: RowRef<'r>,
    at: usize,
}

/// One column of a row.
#[derive(Clone, Copy)]
pub struct Cell<'r> {
    row: RowRef<'r>,
    at: usize,
}

#[derive(Clone, Copy)]
enum RowRef<'r> {
    Sqlite(&'r SqliteRow),
    Postgres(&'r PgRow),
    Glance(&'r [Sql]),
}

/// A type that one column reads into. A newtype implements it through the type that it wraps.
pub trait Column: Sized {
    /// Reads the column.
    fn read(cell: Cell<'_>) -> Result<Self>;
}

/// A type that a whole row reads into, a field for each column in their order.
pub trait FromRow: Sized {
    /// Reads the row.
    fn from_row(row: &mut Row<'_>) -> Result<Self>;
}

impl<'r> Row<'r> {
    pub(crate) fn sqlite(row: &'r SqliteRow) -> Self {
        Self { row: RowRef::Sqlite(row), at: 0 }
    }

    pub(crate) fn glance(row: &'r [Sql]) -> Self {
        Self { row: RowRef::Glance(row), at: 0 }
    }

    pub(crate) fn postgres(row: &'r PgRow) -> Self {
        Self { row: RowRef::Postgres(row), at: 0 }
    }

    /// The next column.
    pub fn take<T: Column>(&mut self) -> Result<T> {
        let cell = Cell { row: self.row, at: self.at };
        self.at += 1;
        T::read(cell)
    }
}

macro_rules! columns {
    ($($rust:ty),*) => {$(
        impl Column for $rust {
            fn read(cell: Cell<'_>) -> Result<Self> {
                match cell.row {
                    RowRef::Sqlite(row) => row.try_get(cell.at),
                    RowRef::Postgres(row) => row.try_get(cell.at),
                    RowRef::Glance(row) => Glanced::of(&row[cell.at]),
                }
            }
        }
    )*};
}
columns!(bool, i64, f64, String, Vec<u8>);

impl Column for u32 {
    fn read(cell: Cell<'_>) -> Result<Self> {
        let value = i64::read(cell)?;
        Self::try_from(value).map_err(|error| Error::Decode(error.into()))
    }
}

impl<T: Column> Column for Option<T> {
    fn read(cell: Cell<'_>) -> Result<Self> {
        use sqlx::ValueRef as _;
        let null = match cell.row {
            RowRef::Sqlite(row) => row.try_get_raw(cell.at)?.is_null(),
            RowRef::Postgres(row) => row.try_get_raw(cell.at)?.is_null(),
            RowRef::Glance(row) => row[cell.at] == Sql::Null,
        };
        if null { Ok(None) } else { T::read(cell).map(Some) }
    }
}

/// A type as SQLite's own values have it.
trait Glanced: Sized {
    fn of(value: &Sql) -> Result<Self>;
}

macro_rules! glanced {
    ($($rust:ty: $pattern:pat => $value:expr;)*) => {$(
        impl Glanced for $rust {
            fn of(value: &Sql) -> Result<Self> {
                match value {
                    $pattern => Ok($value),
                    other => Err(Error::Decode(format!("{:?} is not a {}", other.data_type(), stringify!($rust)).into())),
                }
            }
        }
    )*};
}
glanced! {
    bool: Sql::Integer(value) => *value != 0;
    i64: Sql::Integer(value) => *value;
    f64: Sql::Real(value) => *value;
    String: Sql::Text(value) => value.clone();
    Vec<u8>: Sql::Blob(value) => value.clone();
}

macro_rules! tuples {
    ($(($($t:ident),+)),+ $(,)?) => {$(
        impl<$($t: Column),+> FromRow for ($($t,)+) {
            fn from_row(row: &mut Row<'_>) -> Result<Self> {
                Ok(($(row.take::<$t>()?,)+))
            }
        }
    )+};
}
tuples!((A), (A, B), (A, B, C), (A, B, C, D), (A, B, C, D, E), (A, B, C, D, E, F), (A, B, C, D, E, F, G));
