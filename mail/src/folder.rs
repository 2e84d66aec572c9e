//! A folder in place of a server, for development: each message becomes a file that mail programs open.

use std::path::{Path, PathBuf};

use crate::{
    Composed, Failure,
    reply::{Stage, Verdict},
};

/// Makes sure that the folder is there, and says which file it will be.
pub(crate) async fn offer(folder: &Path, message: &Composed) -> Result<PathBuf, Failure> {
    tokio::fs::create_dir_all(folder).await.map_err(|error| failed(folder, &error))?;
    let name = message.id.split('@').next().unwrap_or_default();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    Ok(folder.join(format!("{name}.eml")))
}

/// Writes the file, all of it or nothing. The same message again is the same file.
pub(crate) async fn hand_over(file: &Path, bytes: &[u8]) -> Result<String, Failure> {
    let part = file.with_extension("part");
    let written = async {
        tokio::fs::write(&part, bytes).await?;
        tokio::fs::rename(&part, file).await
    };
    written.await.map_err(|error| failed(file, &error))?;
    Ok(format!("written to {}", file.display()))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let reply = format!("{}: {error}", path.display());
    Failure { stage: Stage::Connect, verdict: Verdict::Later, code: None, reply, is_in_doubt: false }
}
