//! What becomes of a server's verdict: a line in the audit log, words for the pusher, an exit code for git.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::audit::{self, Line};
use crate::finding::Mask;
use crate::hooks::Server;
use crate::report::{Context, Report, Undecided, remote};
use crate::rules::secrets::redactor;

/// How long a push waits for the audit log, within what is left of its time.
const LOG_PATIENCE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

#[derive(Clone)]
pub struct Answer {
    pub server: Server,
    pub log: Option<PathBuf>,
    /// Why this account's pushes are let through; `None` for everybody else's.
    pub bypass: Option<String>,
    pub line: Line,
}

impl Answer {
    /// Logs, tells, and gives the exit code. A push that cannot be logged is refused, whatever the verdict.
    pub fn give(self, mut report: Report, left: Duration) -> u8 {
        let mut line = self.line.judged(&report);
        if let Some(reason) = self.bypass.filter(|_| report.exit_code() != 0) {
            report.notes.push(format!("let through by configuration, and logged: {reason}"));
            report.enforce = false;
            line.verdict = "bypass".into();
            line.exit_code = 0;
            line.remarks.push(reason);
        }
        if let Some(file) = &self.log {
            let [least, most] = LOG_PATIENCE;
            if let Err(error) = audit::append(file, &line, left.clamp(least, most)) {
                report.errors.push(Undecided { error, origin: None });
                report.enforce = true;
            }
        }
        let code = report.exit_code();
        tell(self.server, &report.masked(&Mask::new(redactor())));
        code
    }

    /// A sign of life.
    pub fn waiting(server: Server) {
        to_pusher(format!("{}portcullis: judging the push, one moment\n", server.line_prefix).as_bytes());
    }
}

fn tell(server: Server, report: &Report) {
    let mut out = Vec::new();
    remote::render(server.line_prefix, report, &Context::default(), &mut out).expect("memory takes everything");
    to_pusher(&out);
}

fn to_pusher(text: &[u8]) {
    // Both streams of a server's hook go to the pusher; standard error is not buffered by anybody in between. One who
    // has gone away still gets the verdict by the exit code.
    let _ = std::io::stderr().lock().write_all(text);
}
