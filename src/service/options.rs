//! The command line and environment of the service: names, defaults, help. These are the operator's settings; a caller's are
//! in `request`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use serde::{Deserialize, Serialize};

use super::remote::Scheme;
use super::scrub::Token;

/// Syncs a Windmill workspace to git, behind the gate.
#[derive(Debug, Parser)]
#[command(name = "portcullis-sync", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer webhooks: `POST /sync`, `GET /health`, `GET /metrics`.
    Serve(Serve),
    /// Run one request from standard input, in the JSON of `POST /sync`.
    Once(Once),
    /// Run a job for `serve` or `once`.
    #[command(hide = true)]
    Job,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Jobs that run at the same time.
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Requests that may wait for one branch of one remote; others are answered with 429.
    #[arg(long, value_name = "N", default_value = "16")]
    pub queue: u16,
    /// Seconds that a request may wait for its turn before it is answered with 409.
    #[arg(long, value_name = "S", default_value = "120")]
    pub patience: u64,
    /// Seconds that running jobs get to finish after SIGTERM.
    #[arg(long, value_name = "S", default_value = "25")]
    pub grace: u64,
    #[command(flatten)]
    pub settings: SyncSettings,
}

#[derive(Debug, Args)]
pub struct Once {
    #[command(flatten)]
    pub settings: SyncSettings,
}

/// Settings that are passed to every job.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub struct SyncSettings {
    /// Windmill's CLI: a name on PATH, or a path.
    #[arg(long, value_name = "PROGRAM", default_value = "wmill")]
    pub wmill: PathBuf,
    /// Allowed hosts of remotes; `*.example.com` allows its subdomains. Default: every public host.
    #[arg(long = "allow-host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Allowed schemes of remotes.
    #[arg(long = "allow-scheme", value_name = "SCHEME", default_value = "https")]
    pub schemes: Vec<Scheme>,
    /// Allow remotes with private addresses (10.0.0.0/8, 127.0.0.0/8, fc00::/7, ...). Link-local ones, where clouds serve
    /// their metadata, are always refused.
    #[arg(long)]
    pub allow_private: bool,
    /// User name for the git token. GitHub, GitLab and Gitea accept any; Bitbucket requires `x-token-auth`.
    #[arg(long, value_name = "NAME", default_value = "oauth2")]
    pub token_user: String,
    /// Time limit in seconds for each git command over the network.
    #[arg(long, value_name = "S", default_value = "120", value_parser = clap::value_parser!(u64).range(1..))]
    pub git_timeout: u64,
    /// Time limit in seconds for each wmill command.
    #[arg(long, value_name = "S", default_value = "300", value_parser = clap::value_parser!(u64).range(1..))]
    pub wmill_timeout: u64,
    /// Directory for the jobs' work folders [default: the system's temporary directory].
    #[arg(long, value_name = "DIR")]
    pub work_dir: Option<PathBuf>,
}

impl SyncSettings {
    pub fn git_limit(&self) -> Duration {
        Duration::from_secs(self.git_timeout)
    }

    pub fn wmill_limit(&self) -> Duration {
        Duration::from_secs(self.wmill_timeout)
    }
}

/// Settings from the environment.
pub struct Environment {
    /// Windmill's base URL without a trailing slash.
    pub windmill: String,
    /// The token that callers must send; `None` lets everybody call.
    pub caller: Option<Token>,
}

impl Environment {
    /// `WINDMILL_BASE_URL`, and `PORTCULLIS_SYNC_TOKEN` or the file that `PORTCULLIS_SYNC_TOKEN_FILE` names.
    pub fn read() -> Result<Self, String> {
        let variable = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let windmill = variable("WINDMILL_BASE_URL").unwrap_or_else(|| "http://windmill_server:8000".to_owned());
        if !windmill.starts_with("http://") && !windmill.starts_with("https://") {
            return Err("WINDMILL_BASE_URL must begin with http:// or https://".to_owned());
        }
        let caller = match variable("PORTCULLIS_SYNC_TOKEN_FILE") {
            Some(file) => {
                let text = std::fs::read_to_string(&file)
                    .map_err(|e| format!("PORTCULLIS_SYNC_TOKEN_FILE {file} cannot be read: {e}"))?;
                let text = text.trim();
                if text.is_empty() {
                    return Err(format!("PORTCULLIS_SYNC_TOKEN_FILE {file} is empty"));
                }
                Some(text.to_owned())
            }
            None => variable("PORTCULLIS_SYNC_TOKEN"),
        };
        Ok(Self { windmill: windmill.trim_end_matches('/').to_owned(), caller: caller.map(Token::new) })
    }
}

/// Environment variables that jobs and their children inherit: for finding programs, proxies and certificates.
const PASSED: &[&str] = &[
    "PATH",
    "TZ",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_EXEC_PATH",
    "NODE_EXTRA_CA_CERTS",
];

/// The environment variables that children inherit.
pub fn passed_on() -> impl Iterator<Item = (&'static str, OsString)> {
    PASSED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}
