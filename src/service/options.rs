//! The command line and the environment of the service: names, defaults, help. Does nothing.
//! What is here is the operator's; what a caller may say is `request`'s.

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
    /// Run the one request that standard input holds, in the JSON that `POST /sync` takes.
    Once(Once),
    /// What `serve` and `once` start for each request.
    #[command(hide = true)]
    Job,
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// Jobs that run at the same time.
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Requests that may wait for one branch of one remote; more are answered with 429.
    #[arg(long, value_name = "N", default_value = "16")]
    pub queue: u16,
    /// Seconds that a request may wait for its turn; after that it is answered with 409.
    #[arg(long, value_name = "S", default_value = "120")]
    pub patience: u64,
    /// Seconds that running jobs get to finish after SIGTERM.
    #[arg(long, value_name = "S", default_value = "25")]
    pub grace: u64,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Args)]
pub struct Once {
    #[command(flatten)]
    pub settings: Settings,
}

/// What every job is told.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub struct Settings {
    /// Windmill's command line tool: a name on PATH, or a path.
    #[arg(long, value_name = "PROGRAM", default_value = "wmill")]
    pub wmill: PathBuf,
    /// Hosts that remotes may be on; `*.example.com` stands for those below it. Without any: every public host.
    #[arg(long = "allow-host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Schemes of remotes.
    #[arg(long = "allow-scheme", value_name = "SCHEME", default_value = "https")]
    pub schemes: Vec<Scheme>,
    /// Remotes may have private addresses (10.0.0.0/8, 127.0.0.0/8, fc00::/7, ...). Link-local ones, where clouds
    /// answer for their metadata, are refused in any case.
    #[arg(long)]
    pub allow_private: bool,
    /// The user that goes with the git token. GitHub, GitLab and Gitea take any; Bitbucket wants `x-token-auth`.
    #[arg(long, value_name = "NAME", default_value = "oauth2")]
    pub token_user: String,
    /// Seconds for each call of git over the network.
    #[arg(long, value_name = "S", default_value = "120", value_parser = clap::value_parser!(u64).range(1..))]
    pub git_timeout: u64,
    /// Seconds for each call of wmill.
    #[arg(long, value_name = "S", default_value = "300", value_parser = clap::value_parser!(u64).range(1..))]
    pub wmill_timeout: u64,
    /// Where the jobs' folders stand while they run [default: the system's temporary folder].
    #[arg(long, value_name = "DIR")]
    pub work_dir: Option<PathBuf>,
}

impl Settings {
    pub fn git_limit(&self) -> Duration {
        Duration::from_secs(self.git_timeout)
    }

    pub fn wmill_limit(&self) -> Duration {
        Duration::from_secs(self.wmill_timeout)
    }
}

/// What the environment says.
pub struct Environment {
    /// Where Windmill answers, without a slash at the end.
    pub windmill: String,
    /// What callers have to bring; `None`: everybody who reaches us may call.
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

/// What jobs and their children get of our environment: where programs are, how to reach the network, whom to trust.
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

/// Those of our variables that children may see.
pub fn passed_on() -> impl Iterator<Item = (&'static str, OsString)> {
    PASSED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}
