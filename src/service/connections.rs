//! Connections: how many there may be, how long one may take for its request, and which one makes way for a new one.
//! Owns the loop that accepts them. Whoever sends nothing, or half a request, keeps nobody else from an answer.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::process::Resource;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

/// The head of a request that takes longer is none; a connection without a request is closed after this time too.
const HEAD: Duration = Duration::from_secs(15);

/// So many connections at most, and at least.
const MOST: u64 = 1024;
const LEAST: u64 = 16;
/// Open files that each job needs here, and everything else.
const PER_JOB: u64 = 4;
const OTHERS: u64 = 32;

/// After an error of `accept`: for lack of descriptors, for instance.
const PAUSE: Duration = Duration::from_millis(20);

/// How many connections there may be beside `jobs`, with the files that this process may open.
pub fn limit(jobs: u16) -> usize {
    let files = rustix::process::getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let left = files.saturating_sub(OTHERS + PER_JOB * u64::from(jobs));
    usize::try_from(left.clamp(LEAST, MOST)).unwrap_or(usize::MAX)
}

/// Those that are open, oldest first.
#[derive(Default)]
struct Open {
    next: u64,
    seats: BTreeMap<u64, State>,
}

struct State {
    /// Its request is complete, and is being answered.
    at_work: bool,
    /// Dropped: the connection is closed.
    _close: oneshot::Sender<()>,
}

/// A connection's place, for who answers its requests.
#[derive(Clone)]
pub struct Seat {
    number: u64,
    open: Arc<Mutex<Open>>,
}

/// As long as this lives, the connection is not closed for another one.
pub struct AtWork(Seat);

impl Seat {
    /// Says that the request is complete.
    pub fn work(&self) -> AtWork {
        self.set(true);
        AtWork(self.clone())
    }

    fn set(&self, at_work: bool) {
        if let Some(state) = lock(&self.open).seats.get_mut(&self.number) {
            state.at_work = at_work;
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes the oldest connection that nobody works for. `false`: there is none.
fn make_way(open: &Mutex<Open>) -> bool {
    let mut open = lock(open);
    let oldest = open.seats.iter().find(|(_, s)| !s.at_work).map(|(number, _)| *number);
    oldest.is_some_and(|number| open.seats.remove(&number).is_some())
}

/// Accepts connections until `stop`; then waits until all have their answers.
pub async fn serve(listener: TcpListener, router: Router, limit: usize, stop: impl Future<Output = ()>) {
    let open = Arc::new(Mutex::new(Open::default()));
    // Every connection holds a receiver: when all are gone, so are the connections.
    let (stopping, told) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let full = lock(&open).seats.len() >= limit;
                if !full || make_way(&open) {
                    take(stream, &router, &open, told.clone());
                }
                // The one that was closed has to let go of its socket.
                tokio::task::yield_now().await;
            }
            Err(e) => {
                tracing::warn!("a connection cannot be taken: {e}");
                make_way(&open);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop((listener, told));
    stopping.send_replace(true);
    stopping.closed().await;
}

fn take(stream: TcpStream, router: &Router, open: &Arc<Mutex<Open>>, mut told: watch::Receiver<bool>) {
    let (close, closed) = oneshot::channel();
    let seat = {
        let mut all = lock(open);
        let number = all.next;
        all.next += 1;
        all.seats.insert(number, State { at_work: false, _close: close });
        Seat { number, open: Arc::clone(open) }
    };
    let service = TowerToHyperService::new(router.clone().layer(Extension(seat.clone())));
    tokio::spawn(async move {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut closed = pin!(closed);
        let mut stopping = false;
        loop {
            tokio::select! {
                // A client that breaks off is its own affair.
                _ = &mut connection => break,
                _ = &mut closed => break,
                _ = told.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
        lock(&seat.open).seats.remove(&seat.number);
    });
}
