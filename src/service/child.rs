//! Runs a program with a time limit. Owns limits on time and output; callers interpret the output. No child outlives its
//! call: a dropped call kills the program, and processes that it leaves behind are killed too.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::orphans::{self, OwnChild};

/// Bytes kept of each stream; the rest is read and dropped.
const MAX_OUTPUT: u64 = 16 << 20;

/// The output of a program.
pub struct ProgramOutput {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl ProgramOutput {
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }
}

/// Why a program has no output.
#[derive(Debug)]
pub enum ProgramError {
    TimedOut(Duration),
    NotFound,
    Io(io::Error),
}

impl From<io::Error> for ProgramError {
    fn from(e: io::Error) -> Self {
        if e.kind() == io::ErrorKind::NotFound { Self::NotFound } else { Self::Io(e) }
    }
}

impl std::fmt::Display for ProgramError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut(limit) => write!(f, "timed out after {} s", limit.as_secs()),
            Self::NotFound => f.write_str("the program was not found"),
            Self::Io(e) => write!(f, "the program cannot be run: {e}"),
        }
    }
}

/// A command that reads `input`, or nothing.
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

/// Runs a command and kills it after `limit`.
pub async fn run(mut command: Command, limit: Duration) -> Result<ProgramOutput, ProgramError> {
    let mut child = command.spawn()?;
    let own_child = OwnChild::new(child.id());
    // `program` made the streams pipes.
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        // Orphans may hold the other ends of the pipes, and would interfere with the next steps.
        let ended = async {
            let status = child.wait().await;
            drop(own_child);
            (status, orphans::kill_orphans().await)
        };
        let (stdout, stderr, (status, alone)) = tokio::join!(keep(stdout), keep(stderr), ended);
        if !alone {
            return Err(ProgramError::Io(io::Error::other("it left a process that cannot be killed")));
        }
        Ok(ProgramOutput { code: status?.code(), stdout: stdout?, stderr: stderr? })
    };
    tokio::time::timeout(limit, work).await.unwrap_or(Err(ProgramError::TimedOut(limit)))
}

async fn keep(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return Ok(kept) };
    (&mut stream).take(MAX_OUTPUT).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(kept)
}
