//! Finding the key, creating it, and telling whether it is the right one.

use std::{io, path::PathBuf};

use usher_db::{Db, Engine};
use zeroize::Zeroizing;

use super::{
    file::{self, Unusable},
    sealed,
};
use crate::{areas::installation, config::Config, data_folder::SECRET_KEY, seal::Sealer, values::Time};

/// Where the check value is kept.
const SETTING: &str = "secret_key_check";

/// What the check value is sealed for, and what it says.
const PURPOSE: &str = "check of the secret key";

/// Secrets that an error names.
const NAMED: usize = 5;

/// Where a key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `USHER_SECRET_KEY`, or `secret_key` in `usher.toml`.
    Setting,
    /// `secret.key` in the data folder.
    File,
}

/// The key that is used.
pub struct Found {
    /// It, with older ones that only open.
    pub sealer: Sealer,
    /// Where it comes from.
    pub origin: Origin,
    /// As text: what `secret.key` would hold.
    pub text: Zeroizing<String>,
    /// What the operator should know, in whole sentences.
    pub notes: Vec<String>,
}

/// Why there is no key to work with.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// It is in neither place, and something is sealed with it.
    #[error("{0}")]
    Missing(String),
    /// It is not the one that the database's secrets are sealed with.
    #[error("{0}")]
    Other(String),
    /// The file holds no key, or cannot be read or written.
    #[error("{0}")]
    File(String),
    /// It works, so that nothing is to be replaced.
    #[error(
        "the secret key works, so there is nothing to replace. To change it, put a new key before the old one in \
         USHER_SECRET_KEY, with a comma between them"
    )]
    Works,
    /// The database is away.
    #[error(transparent)]
    Database(#[from] usher_db::Error),
}

type Result<T> = std::result::Result<T, SecretKeyError>;

/// The key, created if there is none yet, and checked against the database.
pub async fn prepare(config: &Config, db: &Db, now: Time) -> Result<Found> {
    // The check value is read before the file: whoever writes it has written the file before.
    let check = installation::secret(db.read(), SETTING).await?;
    let (found, is_new) = match find(config)? {
        Some(found) => (found, false),
        None if check.is_some() || !sealed::all(db, now).await?.is_empty() => {
            return Err(SecretKeyError::Missing(missing(config, db, now).await?));
        }
        None => {
            let is_new = file::create(&config.data).map_err(|error| not_written(config, &error))?;
            let found = find(config)?.ok_or_else(|| not_written(config, &io::ErrorKind::NotFound.into()))?;
            (found, is_new)
        }
    };
    let check = match check {
        Some(check) => check,
        None => {
            // Sealed by a version that kept no check value: what there is tells whether the key is right.
            let all = sealed::all(db, now).await?;
            if !all.is_empty() && all.iter().all(|one| !one.opens(&found.sealer)) {
                return Err(SecretKeyError::Other(other(config, db, &found, now).await?));
            }
            let mut tx = db.begin().await?;
            let kept = installation::make(&mut tx, SETTING, &found.sealer.seal(PURPOSE, PURPOSE)).await?;
            tx.commit().await?;
            kept
        }
    };
    if found.sealer.open(PURPOSE, &check).is_err() {
        if is_new {
            // Another machine was quicker, with a key of its own.
            _ = file::remove(&config.data);
        }
        return Err(SecretKeyError::Other(other(config, db, &found, now).await?));
    }
    if !found.sealer.seals_like(PURPOSE, &check) {
        set(db, &found.sealer).await?;
    }
    for note in &found.notes {
        tracing::warn!("{note}");
    }
    Ok(found)
}

/// The same without writing anything: the key, if there is one and it is right. `None`: the next start creates one.
pub async fn check(config: &Config, db: &Db, now: Time) -> Result<Option<Found>> {
    let check = installation::secret(db.read(), SETTING).await?;
    let Some(found) = find(config)? else {
        return match check {
            Some(_) => Err(SecretKeyError::Missing(missing(config, db, now).await?)),
            None => Ok(None),
        };
    };
    if check.is_some_and(|check| found.sealer.open(PURPOSE, &check).is_err()) {
        return Err(SecretKeyError::Other(other(config, db, &found, now).await?));
    }
    Ok(Some(found))
}

/// The key as it is in this machine's folder and settings, whatever the database says; `None` if there is none.
pub fn find(config: &Config) -> Result<Option<Found>> {
    let path = path(config);
    let file = file::read(&config.data);
    let Some(sealer) = &config.secret_key else {
        let found = file.map_err(|error| SecretKeyError::File(unusable(config, &error)))?;
        return Ok(found.map(|(text, sealer)| Found { sealer, origin: Origin::File, text, notes: vec![] }));
    };
    let text = Zeroizing::new(config.values["secret_key"].0.trim().to_owned());
    let found = Found { sealer: sealer.clone(), origin: Origin::Setting, text, notes: vec![] };
    Ok(Some(match file {
        Ok(None) => found,
        Ok(Some((_, old))) if sealer.open(PURPOSE, &old.seal(PURPOSE, PURPOSE)).is_ok() => found,
        Ok(Some((old_text, old))) => Found {
            sealer: sealer.with_older(&old),
            text: Zeroizing::new(format!("{},{}", *found.text, *old_text)),
            notes: vec![format!(
                "USHER_SECRET_KEY is not the key in {path}. New secrets are sealed with USHER_SECRET_KEY; {path} still \
                 opens older ones. Keep both",
                path = path.display()
            )],
            ..found
        },
        Err(error) => {
            Found { notes: vec![format!("USHER_SECRET_KEY is used, and {}", unusable(config, &error))], ..found }
        }
    }))
}

/// Takes a key that opens nothing yet: the old one is lost. Returns the key, what it cannot open, and the new name of
/// the file that it replaces.
pub async fn replace(config: &Config, db: &Db, now: Time) -> Result<(Found, Vec<sealed::Sealed>, Option<String>)> {
    let mut aside = None;
    let known = match check(config, db, now).await {
        Ok(Some(_)) => return Err(SecretKeyError::Works),
        Ok(None) | Err(SecretKeyError::Missing(_)) => None,
        Err(SecretKeyError::Other(_)) if config.secret_key.is_some() => find(config)?,
        Err(SecretKeyError::Other(_) | SecretKeyError::File(_)) => {
            let suffix = format!("replaced-{}", now.micros() / 1_000_000);
            aside = file::set_aside(&config.data, &suffix).map_err(|error| not_written(config, &error))?;
            None
        }
        Err(error) => return Err(error),
    };
    let found = match known {
        Some(found) => found,
        None => {
            file::create(&config.data).map_err(|error| not_written(config, &error))?;
            find(config)?.ok_or_else(|| not_written(config, &io::ErrorKind::NotFound.into()))?
        }
    };
    set(db, &found.sealer).await?;
    let mut lost = sealed::all(db, now).await?;
    lost.retain(|one| !one.opens(&found.sealer));
    Ok((found, lost, aside))
}

async fn set(db: &Db, sealer: &Sealer) -> usher_db::Result<()> {
    let mut tx = db.begin().await?;
    installation::set(&mut tx, SETTING, &sealer.seal(PURPOSE, PURPOSE)).await?;
    tx.commit().await
}

fn path(config: &Config) -> PathBuf {
    config.data.join(SECRET_KEY)
}

async fn missing(config: &Config, db: &Db, now: Time) -> usher_db::Result<String> {
    let sealed = names(&sealed::all(db, now).await?);
    Ok(format!(
        "the secret key is missing: there is no {}, and USHER_SECRET_KEY is not set. It seals {sealed}. {}. If it is lost \
         for good, run `usher secret-key replace`",
        path(config).display(),
        cure(db)
    ))
}

async fn other(config: &Config, db: &Db, found: &Found, now: Time) -> usher_db::Result<String> {
    let mut sealed = sealed::all(db, now).await?;
    sealed.retain(|one| !one.opens(&found.sealer));
    let whose = match found.origin {
        Origin::Setting => "USHER_SECRET_KEY".to_owned(),
        Origin::File => format!("the key in {}", path(config).display()),
    };
    Ok(format!(
        "{whose} is not the key of this database: it cannot open {}. {}. If the right key is lost for good, run `usher \
         secret-key replace`",
        names(&sealed),
        cure(db)
    ))
}

/// How the right key gets here.
fn cure(db: &Db) -> &'static str {
    match db.engine() {
        Engine::Sqlite => "Put the right secret.key back from a backup, or set USHER_SECRET_KEY to the right key",
        Engine::Postgres => {
            "All machines on one database need the same key: share the folder USHER_DATA, copy secret.key from another \
             machine or from a backup, or set USHER_SECRET_KEY on each"
        }
    }
}

/// What is sealed, in words.
fn names(sealed: &[sealed::Sealed]) -> String {
    let mut names: Vec<_> = sealed.iter().take(NAMED).map(|one| one.what.as_str()).collect();
    let more = format!("{} more", sealed.len().saturating_sub(NAMED));
    if sealed.len() > NAMED {
        names.push(&more);
    }
    match names.split_last() {
        None => "nothing that would have to be set again, but emails that wait and stored responses".into(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
    }
}

fn unusable(config: &Config, error: &Unusable) -> String {
    let path = path(config);
    let path = path.display();
    match error {
        Unusable::Unreadable(error) => format!(
            "{path} cannot be read: {error}. It must belong to the user that Usher runs as (chown), with mode 0600"
        ),
        Unusable::NoKey { n_bytes } => format!(
            "{path} holds no key: {n_bytes} bytes, where 32 bytes in base64 (44 characters) should be. Put the file back \
             from a backup. If the key is lost for good, run `usher secret-key replace`"
        ),
    }
}

fn not_written(config: &Config, error: &io::Error) -> SecretKeyError {
    SecretKeyError::File(format!("the secret key cannot be written to {}: {error}", path(config).display()))
}
