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
}

macro_rules! value_from {
    ($($rust:ty => $variant:ident),* $(,)?) => {$(
        impl From<$rust> for Value {
            fn from(value: $rust) -> Self {
                Self::$variant(Some(value.into()))
            }
        }
        impl From<Option<$rust>> for Value {
            fn from(value: Option<$rust>) -> Self {
                Self::$variant(value.map(Into::into))
            }
        }
    )*};
}
value_from! {
    bool => Bool, i64 => Int, i32 => Int, u32 => Int, f64 => Float,
    String => Text, &str => Text, &String => Text,
    Vec<u8> => Bytes, &[u8] => Bytes,
}

macro_rules! arguments {
    ($values:expr, $arguments:ty) => {{
        use sqlx::Arguments as _;
        let mut arguments = <$arguments>::default();
        arguments.reserve($values.len(), 16 * $values.len());
        for value in $values {
            match value {
                $crate::Value::Bool(value) => arguments.add(value),
                $crate::Value::Int(value) => arguments.add(value),
                $crate::Value::Float(value) => arguments.add(value),
                $crate::Value::Text(value) => arguments.add(value),
                $crate::Value::Bytes(value) => arguments.add(value),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        arguments
    }};
}
pub(crate) use arguments;
