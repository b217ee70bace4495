//! Structured logs: one JSON object per line on standard error. Owns the format, and what becomes of a panic.
//! What is logged is ours or went through `scrub`: no body, no header, no output of a child as it is. Names that
//! callers give are logged so that a terminal shows all of them, in their order.

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
        .with_writer(|| Escaping)
        .finish();
    // Only the first one counts; there is no other.
    let _ = tracing::subscriber::set_global_default(subscriber);
    panic::set_hook(Box::new(|info| {
        // The payload may quote what it failed on: the place is enough to find it.
        let place = info.location().map_or_else(String::new, ToString::to_string);
        tracing::error!(place, "panic");
    }));
}

/// Standard error, for lines of JSON.
struct Escaping;

impl Write for Escaping {
    /// Gets whole lines.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(visible(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The same JSON without characters that move the cursor, reorder the line or hide in it: where they can stand in JSON
/// at all, in strings, an escape means the same.
pub fn visible(json: &str) -> String {
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
