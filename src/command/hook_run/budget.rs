//! The time budget of a server's hook: when it is spent the push is refused, whatever the engine is doing.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Runs until it is dropped.
pub struct Budget {
    _alive: Sender<()>,
    ends: Instant,
}

impl Budget {
    /// When `time` has passed and the budget still stands, `spent` is called, then the process ends with its code.
    pub fn start(time: Duration, spent: impl FnOnce() -> u8 + Send + 'static) -> Self {
        let (alive, dropped) = channel::<()>();
        std::thread::spawn(move || {
            if dropped.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                let code = spent();
                // The engine may be deep in a walk that nobody can interrupt: leaving is the only sure refusal.
                #[allow(clippy::disallowed_methods)]
                std::process::exit(i32::from(code));
            }
        });
        Self { _alive: alive, ends: Instant::now() + time }
    }

    /// The verdict is there: nothing is cut short any more.
    pub fn end(self) {}

    /// What is left of it.
    pub fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}
