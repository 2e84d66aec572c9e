use sqlx::{Arguments as _, postgres::PgArguments, sqlite::SqliteArguments};

/// What can be bound to a placeholder: one Rust type for one column type on each database.
///
/// Times are `BIGINT` microseconds since the Unix epoch and JSON is `TEXT`; both are the caller's to
/// convert, so that neither database does it in its own way.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `BOOLEAN`, in SQLite 0 or 1.
    Bool(Option<bool>),
    /// `BIGINT`, in SQLite `INTEGER`.
    Int(Option<i64>),
    /// `DOUBLE PRECISION`, in SQLite `REAL`.
    Float(Option<f64>),
    /// `TEXT`.
    Text(Option<String>),
    /// `BYTEA`, in SQLite `BLOB`.
    Bytes(Option<Vec<u8>>),
    /// `BIGINT[]`, in SQLite a JSON array.
    Ints(Vec<Option<i64>>),
    /// `TEXT[]`, in SQLite a JSON array.
    Texts(Vec<Option<String>>),
}

/// What may be absent: how its null is bound.
pub trait Nullable: Into<Value> {
    /// The null of its type.
    const NULL: Value;
}

impl<T: Nullable> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(T::NULL, Into::into)
    }
}

macro_rules! value_from {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl From<$rust> for Value {
            fn from(value: $rust) -> Self {
                Self::$variant(Some(value.into()))
            }
        }
        impl Nullable for $rust {
            const NULL: Value = Value::$variant(None);
        }
    )*};
}
value_from! {
    bool => Bool, i64 => Int, i32 => Int, u32 => Int, f64 => Float,
    String => Text, &str => Text, &String => Text,
    Vec<u8> => Bytes, &[u8] => Bytes,
}

impl From<Vec<Option<i64>>> for Value {
    fn from(values: Vec<Option<i64>>) -> Self {
        Self::Ints(values)
    }
}

impl From<Vec<Option<String>>> for Value {
    fn from(values: Vec<Option<String>>) -> Self {
        Self::Texts(values)
    }
}

impl FromIterator<String> for Value {
    fn from_iter<I: IntoIterator<Item = String>>(texts: I) -> Self {
        Self::Texts(texts.into_iter().map(Some).collect())
    }
}

impl Value {
    /// What SQLite is given: it has no arrays.
    pub(crate) fn for_sqlite(self) -> Self {
        let json = |array: serde_json::Result<String>| Self::Text(Some(array.expect("texts and numbers are JSON")));
        match self {
            Self::Ints(values) => json(serde_json::to_string(&values)),
            Self::Texts(values) => json(serde_json::to_string(&values)),
            other => other,
        }
    }

    /// The type of its column on PostgreSQL.
    pub(crate) fn postgres_type(&self) -> &'static str {
        match self {
            Self::Bool(_) => "boolean",
            Self::Int(_) => "bigint",
            Self::Float(_) => "double precision",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytea",
            Self::Ints(_) => "bigint[]",
            Self::Texts(_) => "text[]",
        }
    }
}

/// One PostgreSQL array of each column.
pub(crate) fn arrays(columns: Vec<Vec<Value>>) -> sqlx::Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for column in columns {
        macro_rules! array {
            ($variant:ident) => {
                column
                    .into_iter()
                    .map(|value| match value {
                        Value::$variant(value) => Ok(value),
                        other => Err(format!("a {} among values of another type", other.postgres_type())),
                    })
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| sqlx::Error::Encode(error.into()))?
            };
        }
        match column.first() {
            Some(Value::Bool(_)) => arguments.add(array!(Bool)),
            Some(Value::Int(_)) => arguments.add(array!(Int)),
            Some(Value::Float(_)) => arguments.add(array!(Float)),
            Some(Value::Text(_)) => arguments.add(array!(Text)),
            Some(Value::Bytes(_)) => arguments.add(array!(Bytes)),
            Some(Value::Ints(_) | Value::Texts(_)) => Err("an array among rows".into()),
            None => Ok(()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// The values of a statement on SQLite.
pub(crate) fn sqlite_arguments(values: Vec<Value>) -> sqlx::Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 16 * values.len());
    for value in values {
        match value.for_sqlite() {
            Value::Bool(value) => arguments.add(value),
            Value::Int(value) => arguments.add(value),
            Value::Float(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::Ints(_) | Value::Texts(_) => Err("SQLite has no arrays".into()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// The values of a statement on PostgreSQL.
pub(crate) fn postgres_arguments(values: Vec<Value>) -> sqlx::Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Bool(value) => arguments.add(value),
            Value::Int(value) => arguments.add(value),
            Value::Float(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::Ints(values) => arguments.add(values),
            Value::Texts(values) => arguments.add(values),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
