//! Receiving a file: to disk first, then its row.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use usher_db::{Change, Tx};

use super::{
    Upload,
    files::{self, Part},
    store,
};
use crate::{
    app::App,
    areas::activity::{self, Record},
    error::{Code, Error, Result},
    values::{KeyId, SiteId, Time, UploadId},
};

/// Bytes that are read at once.
const BUFFER: usize = 128 << 10;

/// Characters of a client's name for its file that are kept.
const NAME: usize = 200;

/// How long an upload is kept for a job that is to read it.
const KEPT_FOR_JOB: Duration = Duration::from_secs(7 * 86_400);

/// Takes a file in: to the disk, then its row and the call's `record` in one transaction. `silence` is how long the
/// client may send nothing.
pub async fn receive(
    app: &Arc<App>,
    site: SiteId,
    key: &KeyId,
    name: Option<&str>,
    body: impl AsyncRead + Unpin + Send,
    silence: Duration,
    mut record: Record,
) -> Result<Upload> {
    let id = app.clock.id();
    let target = files::path(&app.config, site, &id);
    let part = Part::beside(&target)?;
    let (bytes, sha256) = write(&part.path, body, silence, app.config.upload_max_bytes).await?;
    blocking(move || part.put(&target)).await?;

    let now = app.clock.now();
    let upload = described(app, id, name, bytes, sha256, now);
    let shown = json!({ "name": upload.name, "bytes": upload.bytes, "sha256": upload.sha256 });
    record.args = Some(shown.to_string());
    record.changes = Record::changes_of(&[Change::created("upload", upload.id.as_str(), shown)]);
    record.duration_us = i64::try_from(now.since(record.at).as_micros()).unwrap_or(i64::MAX);

    let mut tx = app.db.begin().await?;
    store::insert(tx.conn(), site, key, &upload).await?;
    activity::store::insert(tx.conn(), [(&record, 1)]).await?;
    tx.commit().await?;
    Ok(upload)
}

/// Makes an upload of a text that came in a tool's arguments. If `tx` is not committed, the file has no row and the
/// sweep removes it.
pub async fn keep_text(
    app: &Arc<App>,
    tx: &mut Tx,
    site: SiteId,
    key: &KeyId,
    text: String,
    dry_run: bool,
) -> Result<Upload> {
    let id = app.clock.id();
    let target = files::path(&app.config, site, &id);
    let (bytes, sha256) = (text.len() as u64, hex(&Sha256::digest(&text)));
    let write = move || {
        use std::io::Write as _;
        let part = Part::beside(&target)?;
        let mut file = std::fs::File::create(&part.path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        part.put(&target)
    };
    // The file is outside the transaction, so a dry run must not write it.
    if !dry_run {
        blocking(write).await?;
    }
    let upload = described(app, id, None, bytes, sha256, app.clock.now());
    store::insert(tx.conn(), site, key, &upload).await?;
    Ok(upload)
}

/// Keeps an upload until a job has read it; [`release`] ends that. Refused if there is none.
pub async fn reserve(tx: &mut Tx, site: SiteId, id: &UploadId, now: Time) -> Result<()> {
    if store::extend(tx.conn(), site, id, now, now + KEPT_FOR_JOB).await? == 0 {
        let text = format!("The site has no upload {id}, or it has expired. Send the file again to /api/v1/uploads.");
        return Err(Error::new(Code::UploadNotFound, text));
    }
    Ok(())
}

/// Says that a job has read an upload: it is kept no longer than one that was sent just now.
pub async fn release(app: &App, tx: &mut Tx, site: SiteId, id: &UploadId) -> Result<()> {
    let until = app.clock.now() + app.config.upload_keep;
    store::release(tx.conn(), site, id, until).await?;
    Ok(())
}

fn described(app: &App, id: UploadId, name: Option<&str>, bytes: u64, sha256: String, now: Time) -> Upload {
    // A NUL byte is text to JSON and not to PostgreSQL.
    let name = name.map(|name| name.chars().filter(|c| !c.is_control()).take(NAME).collect::<String>());
    Upload {
        id,
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        sha256,
        name: name.filter(|name| !name.is_empty()),
        created_at: now,
        expires_at: now + app.config.upload_keep,
    }
}

/// Refuses a file that says of itself that it is too large.
pub fn too_large(app: &App) -> Error {
    over(app.config.upload_max_bytes)
}

fn over(most: u64) -> Error {
    let text = format!("The file is over {} MiB. Compress it with gzip, or split it.", most >> 20);
    Error::new(Code::BodyTooLarge, text)
}

/// Writes all of `body` to the disk, and gives its size and its SHA-256.
async fn write(
    path: &PathBuf,
    mut body: impl AsyncRead + Unpin + Send,
    silence: Duration,
    most: u64,
) -> Result<(u64, String)> {
    let mut file = tokio::fs::File::create(path).await?;
    let (mut buffer, mut hash, mut bytes) = (vec![0; BUFFER], Sha256::new(), 0_u64);
    loop {
        let n = match tokio::time::timeout(silence, body.read(&mut buffer)).await {
            Ok(Ok(0)) => break,
            Ok(Ok(n)) => n,
            Ok(Err(error)) => return Err(broken_off(error)),
            Err(_) => {
                let text = format!("Nothing arrived for {} s. Send the file again.", silence.as_secs());
                return Err(Error::new(Code::RequestTimeout, text));
            }
        };
        bytes += n as u64;
        if bytes > most {
            return Err(over(most));
        }
        hash.update(&buffer[..n]);
        file.write_all(&buffer[..n]).await?;
    }
    if bytes == 0 {
        return Err(Error::field("body", "the file is empty; send it as the body, or as a part of a form"));
    }
    file.flush().await?;
    file.sync_all().await?;
    Ok((bytes, hex(&hash.finalize())))
}

fn broken_off(error: io::Error) -> Error {
    Error::new(Code::RequestTimeout, "The body ended before all of it had arrived. Send the file again.")
        .caused_by(error)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(Error::internal)??)
}
