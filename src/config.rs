//! The settings: the only reader of the environment and of `usher.toml`.
//!
//! A setting comes from the environment, else from `usher.toml` in the working folder (or where `USHER_CONFIG` says),
//! else from its default. A name in the file that is not known is an error. In the environment it is only a warning, as others
//! write there too: Kubernetes sets `USHER_PORT` and more for a Service named `usher`, which is passed over silently.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use usher_db::{Options, Synchronous};

use crate::seal::Sealer;

/// One setting, as `usher config` shows it.
pub struct Setting {
    /// In `usher.toml`.
    pub name: &'static str,
    /// In the environment.
    pub env: &'static str,
    /// When it is not set.
    pub default: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Whether its value is not to be shown.
    secret: bool,
}

const fn setting(name: &'static str, env: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting { name, env, default, about, secret: false }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting("listen", "USHER_LISTEN", "127.0.0.1:8080", "Address and port to listen on; port 0 picks a free one."),
    setting(
        "data",
        "USHER_DATA",
        "usher-data",
        "Folder of the SQLite file, uploads and the secret key. With several machines, a shared one.",
    ),
    Setting {
        secret: true,
        ..setting(
            "database_url",
            "DATABASE_URL",
            "",
            "postgres://user:password@host/database; empty: SQLite in the data folder.",
        )
    },
    Setting {
        secret: true,
        ..setting(
            "secret_key",
            "USHER_SECRET_KEY",
            "",
            "Used instead of secret.key in the data folder: 32 random bytes in base64. Older keys after a comma still open.",
        )
    },
    setting(
        "postgres_connections",
        "USHER_POSTGRES_CONNECTIONS",
        "16",
        "Connections of one process to PostgreSQL, 2 to 1000.",
    ),
    setting("sqlite_readers", "USHER_SQLITE_READERS", "4", "Connections for reading SQLite, 1 to 64."),
    setting(
        "sqlite_synchronous",
        "USHER_SQLITE_SYNCHRONOUS",
        "full",
        "full: a commit survives a power cut. normal: it survives kill -9 only, and is faster.",
    ),
    setting(
        "workers",
        "USHER_WORKERS",
        "auto",
        "Whether `serve` also runs jobs: on, off, or auto (on with SQLite, off with PostgreSQL).",
    ),
    setting(
        "trusted_proxies",
        "USHER_TRUSTED_PROXIES",
        "",
        "Networks whose X-Forwarded-For is believed, such as 10.0.0.0/8, comma separated.",
    ),
    setting(
        "unknown_keys_per_minute",
        "USHER_UNKNOWN_KEYS_PER_MINUTE",
        "30",
        "Calls with unknown keys in any 60 s from one address; more are refused.",
    ),
    setting("upload_max_mib", "USHER_UPLOAD_MAX_MIB", "256", "The largest upload, in MiB, 1 to 4096."),
    setting("upload_keep_hours", "USHER_UPLOAD_KEEP_HOURS", "24", "Hours after which an upload is removed, 1 to 720."),
    setting(
        "drain_seconds",
        "USHER_DRAIN_SECONDS",
        "20",
        "Seconds that calls and jobs get to end after SIGTERM, 1 to 600.",
    ),
    setting(
        "log",
        "USHER_LOG",
        "usher=info,warn",
        "What goes to standard error: a level, or a filter as tracing has it.",
    ),
    setting("log_format", "USHER_LOG_FORMAT", "text", "text, or json: one object a line."),
    setting(
        "metrics_address",
        "USHER_METRICS_ADDRESS",
        "",
        "Address and port where /metrics is served and nothing else, such as 127.0.0.1:9464; empty: nowhere.",
    ),
    Setting {
        secret: true,
        ..setting(
            "metrics_token",
            "USHER_METRICS_TOKEN",
            "",
            "With it, /metrics is served at the main address too, to who sends it as Authorization: Bearer.",
        )
    },
];

/// Names in the environment that are others' to read: the command line's and the tests'.
const OTHERS: [&str; 3] = ["USHER_CONFIG", "USHER_URL", "USHER_KEY"];

/// Where a setting's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A file.
    File(PathBuf),
    /// The environment.
    Environment,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Environment => f.write_str("environment"),
        }
    }
}

/// A setting that cannot be used, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// The settings, read.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The folder of the SQLite file, uploads and the secret key.
    pub data: PathBuf,
    /// The database.
    pub database: Options,
    /// The secret key that is set, which goes before the one in the data folder ([`crate::areas::secret_key`]).
    pub secret_key: Option<Sealer>,
    /// Whether `serve` also runs jobs.
    pub workers: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Calls with unknown keys in any 60 seconds from one address.
    pub unknown_keys_per_minute: u32,
    /// The largest upload, in bytes.
    pub upload_max_bytes: u64,
    /// How long an upload is kept.
    pub upload_keep: Duration,
    /// How long calls and jobs get to end.
    pub drain: Duration,
    /// The filter of the server's log.
    pub log: String,
    /// Whether the server's log is JSON.
    pub log_json: bool,
    /// Where `/metrics` is served by itself.
    pub metrics_address: Option<SocketAddr>,
    /// What opens `/metrics` at the main address.
    pub metrics_token: Option<String>,
    /// Names in the environment that look like a setting and are none, each in one line.
    pub warnings: Vec<String>,
    /// Each setting's value as text, and where it comes from.
    pub values: BTreeMap<&'static str, (String, Source)>,
}

impl Config {
    /// Reads the settings of this process.
    #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
    pub fn load() -> Result<Self, ConfigError> {
        let file = std::env::var_os("USHER_CONFIG").map(PathBuf::from);
        let required = file.is_some();
        let file = file.unwrap_or_else(|| "usher.toml".into());
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => None,
            Err(error) => return Err(ConfigError(format!("{} cannot be read: {error}", file.display()))),
        };
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        Self::from(environment.collect(), text.map(|text| (file, text)))
    }

    /// Reads the settings from an environment and a file.
    pub fn from(environment: BTreeMap<String, String>, file: Option<(PathBuf, String)>) -> Result<Self, ConfigError> {
        let mut values: BTreeMap<_, _> =
            SETTINGS.iter().map(|setting| (setting.name, (setting.default.to_owned(), Source::Default))).collect();
        if let Some((path, text)) = file {
            for (name, value) in table(&path, &text)? {
                let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
                    return Err(unknown(&format!("{}: {name}", path.display()), &name, |setting| setting.name));
                };
                values.insert(setting.name, (value, Source::File(path.clone())));
            }
        }
        let mut warnings = Vec::new();
        for (name, value) in environment {
            match SETTINGS.iter().find(|setting| setting.env == name) {
                Some(setting) => _ = values.insert(setting.name, (value, Source::Environment)),
                None if is_strange(&name) => {
                    let text = unknown(&name, &name, |setting| setting.env);
                    warnings.push(format!("{text}. It is ignored"));
                }
                None => {}
            }
        }
        Self::read(values, warnings)
    }

    fn read(values: BTreeMap<&'static str, (String, Source)>, warnings: Vec<String>) -> Result<Self, ConfigError> {
        let text = |name: &str| values[name].0.trim();
        let wrong = |name: &str, want: &str| {
            let setting = SETTINGS.iter().find(|setting| setting.name == name).expect("a known setting");
            let value = if setting.secret { "what is set" } else { text(name) };
            ConfigError(format!("{} ({}): {value:?} is not {want}", setting.env, setting.name))
        };
        let number = |name: &str, low: u64, high: u64| {
            let number = text(name).parse().ok().filter(|number| (low..=high).contains(number));
            number.ok_or_else(|| wrong(name, &format!("a whole number from {low} to {high}")))
        };
        let data = PathBuf::from(text("data"));
        if data.as_os_str().is_empty() {
            return Err(wrong("data", "a folder"));
        }
        let database = match text("database_url") {
            "" => Options::Sqlite {
                path: data.join("usher.db"),
                synchronous: match text("sqlite_synchronous") {
                    "full" => Synchronous::Full,
                    "normal" => Synchronous::Normal,
                    _ => return Err(wrong("sqlite_synchronous", "full or normal")),
                },
                readers: number("sqlite_readers", 1, 64)? as u32,
            },
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Options::Postgres { url: url.into(), connections: number("postgres_connections", 2, 1000)? as u32 }
            }
            _ => return Err(wrong("database_url", "a URL like postgres://user:password@host/database")),
        };
        let networks = text("trusted_proxies").split(',').map(str::trim).filter(|network| !network.is_empty());
        let network =
            |text: &str| text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from)).ok();
        let trusted_proxies: Option<Vec<_>> = networks.map(network).collect();
        Ok(Self {
            listen: text("listen").parse().map_err(|_| wrong("listen", "an address and port like 127.0.0.1:8080"))?,
            workers: match text("workers") {
                "on" => true,
                "off" => false,
                "auto" => matches!(database, Options::Sqlite { .. }),
                _ => return Err(wrong("workers", "on, off or auto")),
            },
            database,
            secret_key: match text("secret_key") {
                "" => None,
                keys => Some(Sealer::parse(keys).ok_or_else(|| {
                    wrong("secret_key", "32 bytes in base64; make it with `openssl rand -base64 32`")
                })?),
            },
            trusted_proxies: trusted_proxies
                .ok_or_else(|| wrong("trusted_proxies", "a list of networks like 10.0.0.0/8, 192.168.1.7"))?,
            unknown_keys_per_minute: number("unknown_keys_per_minute", 1, 1_000_000)? as u32,
            upload_max_bytes: number("upload_max_mib", 1, 4096)? << 20,
            upload_keep: Duration::from_secs(3600 * number("upload_keep_hours", 1, 720)?),
            drain: Duration::from_secs(number("drain_seconds", 1, 600)?),
            log: match text("log").parse::<tracing_subscriber::EnvFilter>() {
                Ok(_) => text("log").into(),
                Err(_) => return Err(wrong("log", "a level like info, or a filter like usher=debug,warn")),
            },
            log_json: match text("log_format") {
                "text" => false,
                "json" => true,
                _ => return Err(wrong("log_format", "text or json")),
            },
            metrics_address: match text("metrics_address") {
                "" => None,
                address => Some(
                    address.parse().map_err(|_| wrong("metrics_address", "an address and port like 127.0.0.1:9464"))?,
                ),
            },
            metrics_token: match text("metrics_token") {
                "" => None,
                token if token.len() >= 16 && token.bytes().all(|byte| byte.is_ascii_graphic()) => Some(token.into()),
                _ => return Err(wrong("metrics_token", "16 or more printable ASCII characters without blanks")),
            },
            data,
            values,
            warnings,
        })
    }

    /// A setting's value as it may be shown, and where it comes from.
    pub fn shown(&self, setting: &Setting) -> (String, &Source) {
        let (value, source) = &self.values[setting.name];
        if !setting.secret || value.is_empty() {
            return (value.clone(), source);
        }
        if setting.name != "database_url" {
            return ("…".into(), source);
        }
        // Of a database's URL only passwords are secret: before the host, and in the query.
        let (value, query) = value.split_once('?').map_or((value.as_str(), None), |(url, query)| (url, Some(query)));
        let shown = match (value.find("://"), value.rfind('@')) {
            (Some(scheme), Some(at)) if scheme + 3 < at => {
                let user = value[scheme + 3..at].split(':').next().unwrap_or_default();
                format!("{}{user}:…{}", &value[..scheme + 3], &value[at..])
            }
            _ => value.to_owned(),
        };
        let parameter = |pair: &str| match pair.split_once('=') {
            Some((name, _)) if name.to_lowercase().contains("password") => format!("{name}=…"),
            _ => pair.to_owned(),
        };
        let query = query.map(|query| query.split('&').map(parameter).collect::<Vec<_>>().join("&"));
        (query.map_or(shown.clone(), |query| format!("{shown}?{query}")), source)
    }
}

/// The settings of a file, as text.
fn table(path: &std::path::Path, text: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        ConfigError(format!("{}, line {line}: {}", path.display(), error.message()))
    })?;
    let value = |(name, value): (String, toml::Value)| match value {
        toml::Value::String(text) => Ok((name, text)),
        toml::Value::Integer(number) => Ok((name, number.to_string())),
        toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
            Ok((name, items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")))
        }
        _ => Err(ConfigError(format!("{}: {name} must be a text, a whole number or a list of texts", path.display()))),
    };
    table.into_iter().map(value).collect()
}

/// Whether a name in the environment looks like a setting and is none, nor anybody else's.
fn is_strange(name: &str) -> bool {
    name.starts_with("USHER_") && !name.starts_with("USHER_TEST_") && !OTHERS.contains(&name) && !is_of_kubernetes(name)
}

/// Whether Kubernetes sets a name like this in every container for a Service that is called `usher` or `usher-…`.
fn is_of_kubernetes(name: &str) -> bool {
    let of_port = |rest: &str| {
        let mut parts = rest.split('_');
        let is_number = parts.next().is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        is_number
            && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
            && matches!(parts.next(), None | Some("PROTO" | "PORT" | "ADDR"))
            && parts.next().is_none()
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.ends_with("_PORT")
        || name.match_indices("_PORT_").any(|(at, found)| of_port(&name[at + found.len()..]))
}

fn unknown(place: &str, name: &str, of: fn(&Setting) -> &'static str) -> ConfigError {
    // Of two names that are as like, the prefix is what somebody has added or left out.
    let bare = name.strip_prefix("USHER_").unwrap_or(name);
    let likeness = |known: &str| strsim::jaro_winkler(known, name).max(strsim::jaro_winkler(known, bare));
    let near = SETTINGS.iter().map(of).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    ConfigError(format!(
        "{place} is not a setting; did you mean {}? `usher config` lists all",
        near.unwrap_or("listen")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], file: Option<&str>) -> Result<Config, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let file = file.map(|text| (PathBuf::from("usher.toml"), text.to_owned()));
        Config::from(environment, file).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_beats_the_file_and_the_file_the_default() {
        let config =
            load(&[("USHER_LISTEN", "[::1]:9000")], Some("listen = \"127.0.0.1:1\"\ndrain_seconds = 5")).unwrap();
        assert_eq!(config.listen.to_string(), "[::1]:9000");
        assert_eq!(config.drain, Duration::from_secs(5));
        assert_eq!(config.values["drain_seconds"].1, Source::File("usher.toml".into()));
        assert!(config.workers);
        assert!(!load(&[("DATABASE_URL", "postgres://u:p@h/d")], None).unwrap().workers);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (environment, file, says) in [
            (
                vec![("USHER_LISTEN", "8080")],
                None,
                "USHER_LISTEN (listen): \"8080\" is not an address and port like 127.0.0.1:8080",
            ),
            (vec![("USHER_METRICS_ADDRESS", "9464")], None, "an address and port like 127.0.0.1:9464"),
            (vec![("USHER_METRICS_TOKEN", "short")], None, "16 or more"),
            (vec![], Some("lisen = \"x\""), "usher.toml: lisen is not a setting; did you mean listen?"),
            (vec![], Some("listen = "), "usher.toml, line 1:"),
            (vec![("DATABASE_URL", "mysql://secret@h")], None, "is not a URL like postgres://"),
            (vec![("USHER_DRAIN_SECONDS", "0")], None, "a whole number from 1 to 600"),
            (vec![("USHER_TRUSTED_PROXIES", "10.0.0.0/8, proxy")], None, "a list of networks"),
        ] {
            let error = load(&environment, file).unwrap_err();
            assert!(error.contains(says) && !error.contains('\n') && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn what_others_set_stops_nothing() {
        let kubernetes = [
            "USHER_PORT",
            "USHER_SERVICE_HOST",
            "USHER_SERVICE_PORT",
            "USHER_SERVICE_PORT_HTTP",
            "USHER_PORT_8080_TCP",
            "USHER_PORT_8080_TCP_PROTO",
            "USHER_PORT_8080_TCP_PORT",
            "USHER_PORT_8080_TCP_ADDR",
            "USHER_PORT_53_UDP",
            "USHER_WEB_SERVICE_HOST",
            "USHER_WEB_PORT_80_TCP_ADDR",
        ];
        let environment: Vec<_> = kubernetes.iter().map(|name| (*name, "tcp://10.0.0.1:8080")).collect();
        assert_eq!(load(&environment, None).unwrap().warnings, Vec::<String>::new());
        for (name, near) in [
            ("USHER_LISTN", "USHER_LISTEN"),
            ("USHER_DATABASE_URL", "DATABASE_URL"),
            ("USHER_DRAIN_SECOND", "USHER_DRAIN_SECONDS"),
            ("USHER_PORT_8080_TLS", "USHER_POSTGRES_CONNECTIONS"),
        ] {
            let warnings = load(&[(name, "x")], None).unwrap().warnings;
            assert_eq!(warnings.len(), 1, "{name}");
            let says = format!("{name} is not a setting; did you mean {near}?");
            assert!(near.starts_with("USHER_POSTGRES") || warnings[0].contains(&says), "{}", warnings[0]);
        }
        // A setting that is known stops the start, whoever set it.
        assert!(load(&[("USHER_WORKERS", "tcp://10.0.0.1:8080")], None).is_err());
    }

    #[test]
    fn a_password_is_not_shown() {
        let config = load(&[("DATABASE_URL", "postgres://usher:hunter2@db:5432/usher")], None).unwrap();
        let setting = SETTINGS.iter().find(|setting| setting.name == "database_url").unwrap();
        assert_eq!(config.shown(setting).0, "postgres://usher:…@db:5432/usher");
        let config =
            load(&[("DATABASE_URL", "postgres:///usher?user=u&password=hunter2&sslpassword=x")], None).unwrap();
        assert_eq!(config.shown(setting).0, "postgres:///usher?user=u&password=…&sslpassword=…");
    }
}
