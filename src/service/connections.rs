//! Connections: how many are allowed, how long a request may take to arrive, and which idle one to close for a new one. Owns
//! the accept loop. A client that sends nothing, or half a request, does not block others.

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

/// Time limit for the head of a request, also for a connection without a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// Upper and lower bound for the number of connections.
const MAX_CONNECTIONS: u64 = 1024;
const MIN_CONNECTIONS: u64 = 16;
/// OpenConnections files per job, and for everything else.
const FILES_PER_JOB: u64 = 4;
const OTHER_FILES: u64 = 32;

/// Pause after an error of `accept`, such as a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The number of connections allowed in addition to `jobs`, given this process's limit of open files.
pub fn limit(jobs: u16) -> usize {
    let files = rustix::process::getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let left = files.saturating_sub(OTHER_FILES + FILES_PER_JOB * u64::from(jobs));
    usize::try_from(left.clamp(MIN_CONNECTIONS, MAX_CONNECTIONS)).unwrap_or(usize::MAX)
}

/// OpenConnections connections, oldest first.
#[derive(Default)]
struct OpenConnections {
    next: u64,
    connections: BTreeMap<u64, ConnectionState>,
}

struct ConnectionState {
    /// Its request is complete and is being answered.
    is_busy: bool,
    /// Dropping it closes the connection.
    _close: oneshot::Sender<()>,
}

/// A handle to a connection for its request handler.
#[derive(Clone)]
pub struct ConnectionHandle {
    number: u64,
    open: Arc<Mutex<OpenConnections>>,
}

/// While this guard lives, the connection is not closed for another one.
pub struct BusyGuard(ConnectionHandle);

impl ConnectionHandle {
    /// Marks the request as complete.
    pub fn start_work(&self) -> BusyGuard {
        self.set(true);
        BusyGuard(self.clone())
    }

    fn set(&self, is_busy: bool) {
        if let Some(state) = lock(&self.open).connections.get_mut(&self.number) {
            state.is_busy = is_busy;
        }
    }
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn lock(open: &Mutex<OpenConnections>) -> MutexGuard<'_, OpenConnections> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes the oldest idle connection. False if there is none.
fn close_oldest_idle(open: &Mutex<OpenConnections>) -> bool {
    let mut open = lock(open);
    let oldest = open.connections.iter().find(|(_, s)| !s.is_busy).map(|(number, _)| *number);
    oldest.is_some_and(|number| open.connections.remove(&number).is_some())
}

/// Accepts connections until `stop`, then waits until all are answered.
pub async fn serve(listener: TcpListener, router: Router, limit: usize, stop: impl Future<Output = ()>) {
    let open = Arc::new(Mutex::new(OpenConnections::default()));
    // Every connection holds a receiver, so that the channel closes when all connections have ended.
    let (stopping, stop_signal) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let full = lock(&open).connections.len() >= limit;
                if !full || close_oldest_idle(&open) {
                    spawn_connection(stream, &router, &open, stop_signal.clone());
                }
                // Let the closed connection release its socket.
                tokio::task::yield_now().await;
            }
            Err(e) => {
                tracing::warn!("cannot accept a connection: {e}");
                close_oldest_idle(&open);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, stop_signal));
    stopping.send_replace(true);
    stopping.closed().await;
}

fn spawn_connection(
    stream: TcpStream,
    router: &Router,
    open: &Arc<Mutex<OpenConnections>>,
    mut stop_signal: watch::Receiver<bool>,
) {
    let (close, closed) = oneshot::channel();
    let handle = {
        let mut all = lock(open);
        let number = all.next;
        all.next += 1;
        all.connections.insert(number, ConnectionState { is_busy: false, _close: close });
        ConnectionHandle { number, open: Arc::clone(open) }
    };
    let service = TowerToHyperService::new(router.clone().layer(Extension(handle.clone())));
    tokio::spawn(async move {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut closed = pin!(closed);
        let mut stopping = false;
        loop {
            tokio::select! {
                // Ignore errors of clients that disconnect.
                _ = &mut connection => break,
                _ = &mut closed => break,
                _ = stop_signal.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
        lock(&handle.open).connections.remove(&handle.number);
    });
}
