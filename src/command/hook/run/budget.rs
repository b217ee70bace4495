//! The time budget of a server's hook: when it is spent the push is answered without a verdict, whatever the engine is
//! doing. Owns who answers, for that happens once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// After this long a person wonders.
const SILENCE: Duration = Duration::from_secs(2);

/// Runs until it is ended or spent.
pub struct Budget {
    started: Instant,
    ends: Instant,
    moved: Sender<Instant>,
    answered: Arc<AtomicBool>,
}

impl Budget {
    /// `waiting` is called once, if there is no verdict after two seconds. When `time` has passed `spent` is called
    /// with it, then the process ends with the code that it gives.
    pub fn start(
        time: Duration,
        waiting: impl FnOnce() + Send + 'static,
        spent: impl FnOnce(Duration) -> u8 + Send + 'static,
    ) -> Self {
        let started = Instant::now();
        let (moved, moves) = channel::<Instant>();
        let answered = Arc::new(AtomicBool::new(false));
        let budget = Self { started, ends: started + time, moved, answered: Arc::clone(&answered) };
        let mut ends = budget.ends;
        std::thread::spawn(move || {
            let mut waiting = Some(waiting);
            loop {
                let next = if waiting.is_some() { ends.min(started + SILENCE) } else { ends };
                match moves.recv_timeout(next.saturating_duration_since(Instant::now())) {
                    Ok(later) => ends = later,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) if Instant::now() < ends => {
                        waiting.take().into_iter().for_each(|w| w())
                    }
                    Err(RecvTimeoutError::Timeout) => break,
                }
            }
            if !answered.swap(true, Ordering::AcqRel) {
                let code = spent(ends - started);
                // The engine may be deep in a walk that nobody can interrupt: leaving is the only sure refusal.
                #[allow(clippy::disallowed_methods)]
                std::process::exit(i32::from(code));
            }
        });
        budget
    }

    /// Another time, counted from the start: the policy has been read and has a say.
    pub fn set(&mut self, time: Duration) {
        self.ends = self.started + time;
        // The thread lives as long as we do.
        let _ = self.moved.send(self.ends);
    }

    /// The verdict is there, and nothing is cut short any more. Gives what is left of the time; if there is nothing,
    /// somebody else is answering, and this does not return.
    pub fn end(self) -> Duration {
        while self.answered.swap(true, Ordering::AcqRel) {
            // Parked until the process ends.
            std::thread::park();
        }
        self.ends.saturating_duration_since(Instant::now())
    }
}
