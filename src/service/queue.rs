//! Who may run when: one job per branch of a remote, so many in all, in the order of arrival. Owns the waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A remote's key and a branch.
pub type Place = (String, String);

pub struct Queue {
    places: Mutex<HashMap<Place, Line>>,
    jobs: Arc<Semaphore>,
    /// So many may wait for one place.
    depth: usize,
    patience: Duration,
}

/// Those at one place: who runs, and who waits.
struct Line {
    turn: Arc<Semaphore>,
    people: usize,
}

/// Why nobody runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many wait there already.
    Full,
    /// It took too long.
    Late,
}

/// The right to run; gives it back when dropped.
pub struct Turn {
    // Before the place in line: the next one finds both free.
    _job: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
    _stand: Stand,
}

/// A place in line.
struct Stand {
    queue: Arc<Queue>,
    place: Place,
}

impl Drop for Stand {
    fn drop(&mut self) {
        let mut places = self.queue.places();
        if let Some(line) = places.get_mut(&self.place) {
            line.people -= 1;
            if line.people == 0 {
                places.remove(&self.place);
            }
        }
    }
}

impl Queue {
    /// At most `jobs` run at once, at most `depth` wait for one place, nobody longer than `patience`.
    pub fn new(jobs: usize, depth: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self { places: Mutex::default(), jobs: Arc::new(Semaphore::new(jobs)), depth, patience })
    }

    /// Waits for a turn. Dropping the future leaves the line.
    pub async fn enter(self: &Arc<Self>, place: Place) -> Result<Turn, Refusal> {
        let (turn, stand) = self.stand_in_line(place)?;
        // The place first: who waits for a busy branch must not keep others from running.
        let both = async { (turn.acquire_owned().await, Arc::clone(&self.jobs).acquire_owned().await) };
        match tokio::time::timeout(self.patience, both).await {
            Ok((Ok(turn), Ok(job))) => Ok(Turn { _job: job, _turn: turn, _stand: stand }),
            // Nobody closes them.
            Ok(_) | Err(_) => Err(Refusal::Late),
        }
    }

    fn stand_in_line(self: &Arc<Self>, place: Place) -> Result<(Arc<Semaphore>, Stand), Refusal> {
        let mut places = self.places();
        let line = places.entry(place.clone()).or_insert_with(|| Line { turn: Arc::new(Semaphore::new(1)), people: 0 });
        if line.people > self.depth {
            return Err(Refusal::Full);
        }
        line.people += 1;
        Ok((Arc::clone(&line.turn), Stand { queue: Arc::clone(self), place }))
    }

    /// How many there are, running and waiting.
    pub fn people(&self) -> usize {
        self.places().values().map(|l| l.people).sum()
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Place, Line>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
