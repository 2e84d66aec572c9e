use rusqlite::types::Value as Sql;
use sqlx::{
    AssertSqlSafe, Postgres, SqlSafeStr, SqlStr, Sqlite, postgres::PgArguments, postgres::PgRow, query::Query,
    sqlite::SqliteArguments, sqlite::SqliteRow,
};

use crate::{
    Conn, Engine, FromRow, Result, Row, Value,
    value::{arrays, postgres_arguments, sqlite_arguments},
};

/// A statement's text on each database.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// The source file that holds it.
    pub file: &'static str,
    /// Its line there.
    pub line: u32,
    /// As SQLite takes it.
    pub sqlite: &'static str,
    /// As PostgreSQL takes it.
    pub postgres: &'static str,
}

/// Every [`sql!`](crate::sql) and [`sql_both!`](crate::sql_both) of the program, for the test that
/// prepares them all.
#[linkme::distributed_slice]
pub static STATEMENTS: [Text];

/// A statement that both databases take as it stands.
#[macro_export]
macro_rules! sql {
    ($text:expr) => {
        $crate::sql_both!(sqlite: $text, postgres: $text)
    };
}

/// A statement that the two databases spell differently.
#[macro_export]
macro_rules! sql_both {
    (sqlite: $sqlite:expr, postgres: $postgres:expr $(,)?) => {{
        #[$crate::linkme::distributed_slice($crate::STATEMENTS)]
        #[linkme(crate = $crate::linkme)]
        static TEXT: $crate::Text = $crate::Text { file: file!(), line: line!(), sqlite: $sqlite, postgres: $postgres };
        $crate::Statement::new(&TEXT)
    }};
}

/// Rows of one statement of SQLite. Each number of rows is a text of its own, which is prepared and kept: of any number it
/// would be a new one each time, and those that are kept would take hundreds of megabytes.
const PART_ROWS: [usize; 4] = [512, 64, 8, 1];

/// A statement with its values, ready to run.
#[must_use = "a statement does nothing until it is run"]
pub struct Statement {
    text: &'static Text,
    values: Vec<Value>,
    /// Values in one tuple of `VALUES`, when there are many.
    columns: usize,
}

enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
    Glance(Vec<Vec<Sql>>),
}

impl Statement {
    /// Use [`sql!`](crate::sql), which also registers the text.
    pub fn new(text: &'static Text) -> Self {
        Self { text, values: Vec::new(), columns: 0 }
    }

    /// Binds the next placeholder.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Many rows at once, in place of the one `VALUES (…)` tuple of the text, which must hold every
    /// placeholder of it. The values of a column are of one kind.
    pub fn rows<const N: usize>(mut self, rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        self.values.extend(rows.into_iter().flatten());
        self.columns = N;
        self
    }

    /// Runs it and gives the number of rows it changed.
    pub async fn run(self, conn: Conn<'_>) -> Result<u64> {
        Ok(match conn {
            Conn::SqliteRead(c) => self.sqlite()?.execute(&c.pool).await?.rows_affected(),
            Conn::SqliteTx(c) => {
                let mut n = 0;
                for part in self.parts() {
                    n += part.sqlite()?.execute(&mut *c).await?.rows_affected();
                }
                n
            }
            Conn::PgPool(c) => self.postgres()?.execute(c).await?.rows_affected(),
            Conn::PgTx(c) => self.postgres()?.execute(c).await?.rows_affected(),
        })
    }

    /// Every row.
    pub async fn all<T: FromRow>(self, conn: Conn<'_>) -> Result<Vec<T>> {
        match self.fetch(conn).await? {
            Rows::Sqlite(rows) => rows.iter().map(|row| T::from_row(&mut Row::sqlite(row))).collect(),
            Rows::Postgres(rows) => rows.iter().map(|row| T::from_row(&mut Row::postgres(row))).collect(),
            Rows::Glance(rows) => rows.iter().map(|row| T::from_row(&mut Row::glance(row))).collect(),
        }
    }

    /// The first row, if there is one.
    pub async fn optional<T: FromRow>(self, conn: Conn<'_>) -> Result<Option<T>> {
        match self.fetch(conn).await? {
            Rows::Sqlite(rows) => rows.first().map(|row| T::from_row(&mut Row::sqlite(row))).transpose(),
            Rows::Postgres(rows) => rows.first().map(|row| T::from_row(&mut Row::postgres(row))).transpose(),
            Rows::Glance(rows) => rows.first().map(|row| T::from_row(&mut Row::glance(row))).transpose(),
        }
    }

    /// The first row, which must be there.
    pub async fn one<T: FromRow>(self, conn: Conn<'_>) -> Result<T> {
        self.optional(conn).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// SQLite's text, and the values of each time it is to be run.
    pub(crate) fn runs(self) -> (&'static str, Vec<Vec<Value>>) {
        let Self { text, values, columns } = self;
        if columns == 0 {
            return (text.sqlite, vec![values]);
        }
        let mut values = values.into_iter().peekable();
        let mut runs = Vec::new();
        while values.peek().is_some() {
            runs.push(values.by_ref().take(columns).collect());
        }
        (text.sqlite, runs)
    }

    /// The same statement in parts of [`PART_ROWS`], if it has many rows.
    fn parts(self) -> impl Iterator<Item = Self> {
        let Self { text, values, columns } = self;
        let n_values = values.len();
        let mut values = values.into_iter();
        let mut is_begun = false;
        std::iter::from_fn(move || {
            let n = match columns {
                0 if is_begun => return None,
                0 => n_values,
                _ => columns * PART_ROWS.into_iter().find(|n| *n <= values.len() / columns)?,
            };
            is_begun = true;
            Some(Self { text, values: values.by_ref().take(n).collect(), columns })
        })
    }

    // Not generic, so that the driver's code is compiled once and not for each row type.
    async fn fetch(self, conn: Conn<'_>) -> Result<Rows> {
        Ok(match conn {
            Conn::SqliteRead(reader) => match reader.glances.rows(self.text.sqlite, &self.values) {
                Some(rows) => Rows::Glance(rows),
                None => Rows::Sqlite(self.sqlite()?.fetch_all(&reader.pool).await?),
            },
            Conn::SqliteTx(c) => Rows::Sqlite(self.sqlite()?.fetch_all(c).await?),
            Conn::PgPool(c) => Rows::Postgres(self.postgres()?.fetch_all(c).await?),
            Conn::PgTx(c) => Rows::Postgres(self.postgres()?.fetch_all(c).await?),
        })
    }

    fn sqlite(self) -> Result<Query<'static, Sqlite, SqliteArguments>> {
        let text = self.expanded(Engine::Sqlite);
        Ok(sqlx::query_with(text, sqlite_arguments(self.values)?))
    }

    fn postgres(self) -> Result<Query<'static, Postgres, PgArguments>> {
        let text = self.expanded(Engine::Postgres);
        let arguments = if self.columns == 0 {
            postgres_arguments(self.values)?
        } else {
            let mut columns: Vec<_> = (0..self.columns).map(|_| Vec::new()).collect();
            for (at, value) in self.values.into_iter().enumerate() {
                columns[at % self.columns].push(value);
            }
            arrays(columns)?
        };
        Ok(sqlx::query_with(text, arguments))
    }

    /// The text with room for all rows.
    ///
    /// PostgreSQL takes each column as one array, so that one prepared statement does for any number of rows.
    /// SQLite has no arrays. It looks a numbered placeholder up by name, one after another, so a thousand rows of
    /// them take quadratic time; a bare `?` costs nothing.
    fn expanded(&self, engine: Engine) -> SqlStr {
        let text = match engine {
            Engine::Sqlite => self.text.sqlite,
            Engine::Postgres => self.text.postgres,
        };
        if self.columns == 0 {
            return text.into_sql_str();
        }
        let start = text.find("VALUES (").expect("the text has a VALUES tuple");
        let end = start + text[start..].find(')').expect("the tuple ends") + 1;
        let rows = match engine {
            Engine::Sqlite => {
                let row = format!("({})", vec!["?"; self.columns].join(","));
                format!("VALUES {}", vec![row; self.values.len() / self.columns].join(","))
            }
            Engine::Postgres => {
                let column = |(at, value): (usize, &Value)| format!("${}::{}[]", at + 1, value.postgres_type());
                let columns: Vec<_> = self.values.iter().take(self.columns).enumerate().map(column).collect();
                format!("SELECT * FROM unnest({})", columns.join(","))
            }
        };
        AssertSqlSafe([&text[..start], &rows, &text[end..]].concat()).into_sql_str() // Only placeholders were added.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSERT: &str = "INSERT INTO a (b, c) VALUES ($1, $2)";

    static TEXT: Text = Text { file: file!(), line: line!(), sqlite: INSERT, postgres: INSERT };

    #[test]
    fn many_rows_are_written_in_few_sizes() {
        let sizes = |n: i64| -> Vec<usize> {
            let rows = (0..n).map(|n| [Value::from(n), Value::from(1_i64)]);
            Statement::new(&TEXT).rows(rows).parts().map(|part| part.values.len() / 2).collect()
        };
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(1100), [512, 512, 64, 8, 1, 1, 1, 1]);
        assert_eq!(Statement::new(&TEXT).bind(1_i64).bind(1_i64).parts().count(), 1);
        assert_eq!(Statement::new(&TEXT).parts().count(), 1);
    }
}
