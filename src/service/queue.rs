//! Schedules jobs: one at a time per branch of a remote, a limited number in total, in order of arrival.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A remote's key and a branch.
pub type BranchKey = (String, String);

pub struct Queue {
    branches: Mutex<HashMap<BranchKey, BranchQueue>>,
    jobs: Arc<Semaphore>,
    /// Maximum number of requests that wait for one branch.
    depth: usize,
    patience: Duration,
}

/// The requests for one branch, running and waiting.
struct BranchQueue {
    turn: Arc<Semaphore>,
    requests: usize,
}

/// Why a request does not get a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueError {
    /// Too many requests wait for the branch.
    Full,
    /// The wait timed out.
    TimedOut,
}

/// Permission to run, released on drop.
pub struct Turn {
    // Dropped before the reservation, so that the next request finds both permits free.
    _job: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
    _reservation: Reservation,
}

/// A key in a branch's queue, released on drop.
struct Reservation {
    queue: Arc<Queue>,
    key: BranchKey,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut branches = self.queue.branches();
        if let Some(queue_entry) = branches.get_mut(&self.key) {
            queue_entry.requests -= 1;
            if queue_entry.requests == 0 {
                branches.remove(&self.key);
            }
        }
    }
}

impl Queue {
    /// At most `jobs` run at once; at most `depth` wait for one branch, and no longer than `patience`.
    pub fn new(jobs: usize, depth: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self { branches: Mutex::default(), jobs: Arc::new(Semaphore::new(jobs)), depth, patience })
    }

    /// Waits for a turn. Dropping the future leaves the queue.
    pub async fn enter(self: &Arc<Self>, key: BranchKey) -> Result<Turn, QueueError> {
        let (turn, reservation) = self.reserve(key)?;
        // Wait for the branch first: a request for a busy branch must not block others.
        let both = async { (turn.acquire_owned().await, Arc::clone(&self.jobs).acquire_owned().await) };
        match tokio::time::timeout(self.patience, both).await {
            Ok((Ok(turn), Ok(job))) => Ok(Turn { _job: job, _turn: turn, _reservation: reservation }),
            // The semaphores are never closed.
            Ok(_) | Err(_) => Err(QueueError::TimedOut),
        }
    }

    fn reserve(self: &Arc<Self>, key: BranchKey) -> Result<(Arc<Semaphore>, Reservation), QueueError> {
        let mut branches = self.branches();
        let queue_entry = branches
            .entry(key.clone())
            .or_insert_with(|| BranchQueue { turn: Arc::new(Semaphore::new(1)), requests: 0 });
        if queue_entry.requests > self.depth {
            return Err(QueueError::Full);
        }
        queue_entry.requests += 1;
        Ok((Arc::clone(&queue_entry.turn), Reservation { queue: Arc::clone(self), key }))
    }

    /// Number of requests, running and waiting.
    pub fn requests(&self) -> usize {
        self.branches().values().map(|l| l.requests).sum()
    }

    fn branches(&self) -> MutexGuard<'_, HashMap<BranchKey, BranchQueue>> {
        self.branches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
