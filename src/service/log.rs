//! Structured logs: one JSON object per line on standard error. Owns the format, and what becomes of a panic.
//! What is logged is ours or went through `scrub`: no body, no header, no output of a child as it is.

use std::panic;

/// Starts logging for this process.
pub fn start() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .finish();
    // Only the first one counts; there is no other.
    let _ = tracing::subscriber::set_global_default(subscriber);
    panic::set_hook(Box::new(|info| {
        // The payload may quote what it failed on: the place is enough to find it.
        let place = info.location().map_or_else(String::new, ToString::to_string);
        tracing::error!(place, "panic");
    }));
}
