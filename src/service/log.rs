//! Structured logs: one JSON object per line on standard error. Owns the format and the logging of panics.
//! Foreign text must go through `scrub` first: no bodies, no headers, no raw output of children. Names from callers are
//! escaped, so that a terminal shows every character in order.

use std::io::{self, Write};
use std::panic;

use crate::text;

/// Starts logging for this process.
pub fn start() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(|| EscapingWriter)
        .finish();
    // Fails only if logging was started before.
    let _ = tracing::subscriber::set_global_default(subscriber);
    panic::set_hook(Box::new(|info| {
        // Log only the location: the payload may quote data.
        let place = info.location().map_or_else(String::new, ToString::to_string);
        tracing::error!(place, "panic");
    }));
}

/// Writes lines of JSON to standard error with unsafe characters escaped.
struct EscapingWriter;

impl Write for EscapingWriter {
    /// Receives whole lines.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(escape_unsafe(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Escapes characters that move the cursor, reorder the line or are invisible. They only occur in strings, where the escape
/// means the same.
pub fn escape_unsafe(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && text::is_unsafe(c) {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}
