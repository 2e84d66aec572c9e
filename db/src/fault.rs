use sqlx::Error;

/// Whether the database is away or too busy, so that the same call may succeed later.
pub fn is_away(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => true,
        // A group commit that failed: nothing in it was written.
        Error::Protocol(_) => true,
        // PostgreSQL: connection exceptions, too many connections, shutting down or starting, deadlock and
        // serialization; SQLite: busy and locked.
        Error::Database(error) => error.code().is_some_and(|code| {
            code.starts_with("08")
                || ["53300", "57P01", "57P02", "57P03", "40001", "40P01", "5", "6", "261", "517"]
                    .contains(&code.as_ref())
        }),
        _ => false,
    }
}

/// Whether the disk is full.
pub fn is_full(error: &Error) -> bool {
    match error {
        Error::Database(error) => error.code().is_some_and(|code| ["53100", "13"].contains(&code.as_ref())),
        Error::Protocol(text) => text.contains("disk is full"),
        Error::Io(error) => error.kind() == std::io::ErrorKind::StorageFull,
        _ => false,
    }
}
