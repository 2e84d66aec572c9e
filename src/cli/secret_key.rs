//! `usher secret-key`: the key that seals secrets in the database.

use clap::Subcommand;
use serde_json::json;

use super::{Office, Result, out};
use crate::areas::secret_key::{self, Found, Origin, Sealed};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show where the key comes from, what it seals, and what it cannot open. Never shows the key.
    Check,
    /// The old key is lost: take a new one. Lists what has to be set again, such as the Stripe key of a site. Stop Usher
    /// first, on every machine.
    Replace,
}

pub(super) async fn run(command: Command, office: &Office, json: bool) -> Result<()> {
    let now = office.clock.now();
    match command {
        Command::Check => {
            let Some(found) = secret_key::check(&office.config, &office.db, now).await? else {
                return match json {
                    true => out(&json!({ "origin": null, "sealed": [] }).to_string()),
                    false => out("There is no secret key yet. The next start creates it."),
                };
            };
            let sealed = secret_key::sealed(&office.db, now).await?;
            show(office, &found, &sealed, json)
        }
        Command::Replace => {
            let (found, lost, aside) = secret_key::replace(&office.config, &office.db, now).await?;
            if let (Some(name), false) = (aside, json) {
                out(&format!("The old file is now {}.", office.config.data.join(name).display()))?;
            }
            show(office, &found, &lost, json)
        }
    }
}

fn show(office: &Office, found: &Found, sealed: &[Sealed], json: bool) -> Result<()> {
    let origin = match found.origin {
        Origin::Setting => "USHER_SECRET_KEY".to_owned(),
        Origin::File => office.config.data.join(crate::data_folder::SECRET_KEY).display().to_string(),
    };
    if json {
        let one = |one: &Sealed| json!({ "what": one.what, "opens": one.opens(&found.sealer) });
        let sealed: Vec<_> = sealed.iter().map(one).collect();
        return out(&json!({ "origin": origin, "sealed": sealed, "notes": found.notes }).to_string());
    }
    out(&format!("The secret key comes from {origin}."))?;
    for note in &found.notes {
        out(&format!("{note}."))?;
    }
    for one in sealed {
        out(&match one.opens(&found.sealer) {
            true => format!("  can be opened:     {}", one.what),
            false => format!("  CANNOT be opened:  {}; set it again with `usher {}`", one.what, one.mend),
        })?;
    }
    Ok(())
}
