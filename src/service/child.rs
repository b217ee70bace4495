//! Running one program to its end, within a time. Owns limits on time and output; what the output means is the
//! caller's. Nobody's child outlives its call: what is not waited for is killed, and what it leaves behind is ended.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::family::{self, Known};

/// So many bytes of each stream are kept; the rest is read and dropped.
const KEPT: u64 = 16 << 20;

/// What a program left.
pub struct Ran {
    /// `None`: a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Ran {
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }
}

/// Why a program left nothing.
#[derive(Debug)]
pub enum Failure {
    TimedOut(Duration),
    NotFound,
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        if e.kind() == io::ErrorKind::NotFound { Self::NotFound } else { Self::Io(e) }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut(limit) => write!(f, "timed out after {} s", limit.as_secs()),
            Self::NotFound => f.write_str("the program was not found"),
            Self::Io(e) => write!(f, "the program cannot be run: {e}"),
        }
    }
}

/// A program that reads `input`, or nothing.
pub fn program(name: impl AsRef<Path>, directory: &Path, input: Option<File>) -> Command {
    let mut command = Command::new(name.as_ref());
    command
        .current_dir(directory)
        .stdin(input.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs it. When `limit` has passed it is killed.
pub async fn run(mut command: Command, limit: Duration) -> Result<Ran, Failure> {
    let mut child = command.spawn()?;
    let known = Known::new(child.id());
    // Its streams are pipes, by `program`.
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        // What it leaves may hold the other ends of the pipes, and would work on behind the next steps' backs.
        let ended = async {
            let status = child.wait().await;
            drop(known);
            (status, family::end_strangers().await)
        };
        let (stdout, stderr, (status, alone)) = tokio::join!(keep(stdout), keep(stderr), ended);
        if !alone {
            return Err(Failure::Io(io::Error::other("it left a process that cannot be ended")));
        }
        Ok(Ran { code: status?.code(), stdout: stdout?, stderr: stderr? })
    };
    tokio::time::timeout(limit, work).await.unwrap_or(Err(Failure::TimedOut(limit)))
}

async fn keep(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return Ok(kept) };
    (&mut stream).take(KEPT).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(kept)
}
