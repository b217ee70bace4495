//! Where reports go: several in one run, to standard output and to files. Owns that a reader who has
//! seen enough is no failure; how a file is written is `plain_file`'s.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::plain_file::Untrusted;

use super::{Context, Format, Report, human};

/// One report to write: `json` to standard output, `sarif=out.sarif` to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub format: Format,
    /// `None`: standard output.
    pub file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        match word.split_once('=') {
            None => Ok(Self { format: word.parse()?, file: None }),
            Some((_, "")) => Err(Error::usage(format!("`{word}` names no file")).hint("write FORMAT=FILE")),
            Some((format, file)) => Ok(Self { format: format.parse()?, file: Some(file.into()) }),
        }
    }
}

/// What the words `--format` and `--output` come to. Standard output gets `human` when no bare format says otherwise;
/// `--output` sends the bare format to a file instead.
///
/// Errors: two bare formats, one file for two reports.
pub fn plan(formats: Vec<Output>, output: Option<PathBuf>) -> Result<Vec<Output>> {
    let (mut bare, mut all): (Vec<_>, Vec<_>) = formats.into_iter().partition(|o| o.file.is_none());
    if let [first, second, ..] = &bare[..] {
        let told = format!("standard output cannot hold both `{}` and `{}`", first.format, second.format);
        return Err(Error::usage(told).hint(format!("give one a file: --format {}=FILE", second.format)));
    }
    let format = bare.pop().map_or(human::FORMAT, |o| o.format);
    all.insert(0, Output { format, file: output });
    for (at, one) in all.iter().enumerate().filter(|(_, o)| o.file.is_some()) {
        if all[..at].iter().any(|o| o.file == one.file) {
            let file = one.file.as_deref().unwrap_or(Path::new("")).display();
            return Err(Error::usage(format!("two reports would be written to {file}")));
        }
    }
    Ok(all)
}

/// Writes every report. Colour is for standard output only.
///
/// Errors: a file that cannot be written; the other ones are written all the same.
pub fn write_all(
    outputs: &[Output],
    report: &Report,
    ctx: &Context<'_>,
    stdout: &mut dyn Write,
    untrusted: &Untrusted,
) -> Result<()> {
    let mut first = Ok(());
    for Output { format, file } in outputs {
        let done = match file {
            None => to_stream(|out| (format.render)(report, ctx, out), stdout)
                .map_err(|e| Error::usage(format!("cannot write to standard output: {e}"))),
            Some(path) => {
                let plain = Context { color: false, ..ctx.clone() };
                untrusted
                    .write(path, |out| (format.render)(report, &plain, &mut UntilClosed::new(out)))
                    .map_err(|e| Error::usage(format!("cannot write {}: {e}", path.display())))
            }
        };
        first = first.and(done);
    }
    first
}

fn to_stream(render: impl FnOnce(&mut dyn Write) -> io::Result<()>, stream: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(UntilClosed::new(stream));
    render(&mut out)?;
    out.flush()
}

/// A writer whose reader may leave (`| head`): from then on everything is accepted and dropped.
pub struct UntilClosed<W> {
    /// `None` once the reader is gone.
    out: Option<W>,
}

impl<W: Write> UntilClosed<W> {
    pub fn new(out: W) -> Self {
        Self { out: Some(out) }
    }

    fn with<T>(&mut self, gone: T, act: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        let Some(out) = &mut self.out else { return Ok(gone) };
        match act(out) {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                self.out = None;
                Ok(gone)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(bytes.len(), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with((), Write::flush)
    }
}
