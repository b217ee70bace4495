//! HTTP: routes, the caller's token, size limits, and shutdown. Owns a request until a job takes it, and what happens to
//! running jobs on shutdown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::{get, post};
use axum::{Extension, Router};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::answer::Answer;
use super::connections::{self, ConnectionHandle};
use super::metrics::Metrics;
use super::options::{Environment, Serve};
use super::queue::{Queue, QueueError};
use super::remote::Remote;
use super::request::{self, Request};
use super::scrub::Token;
use super::worker::Worker;
use super::{USAGE, shutdown_signal, wmill};

/// Time limit for a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for callers of ended jobs to receive their answers.
const ANSWER_GRACE: Duration = Duration::from_secs(2);

/// The stages of shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ShutdownStage {
    Open,
    /// No new syncs; running ones may finish.
    Closing,
    /// Running syncs are ended.
    Over,
}

struct Service {
    serve: Serve,
    caller: Option<Token>,
    worker: Arc<Worker>,
    queue: Arc<Queue>,
    metrics: Metrics,
    /// Permits for syncs that wait or run: half of the connections, so that other requests are always answered.
    room: Arc<Semaphore>,
    stage: watch::Sender<ShutdownStage>,
}

/// Serves until SIGTERM or SIGINT. Returns the exit code.
pub async fn serve(serve: Serve, environment: Environment) -> u8 {
    let wrong = |what: String| {
        tracing::error!("{what}");
        USAGE
    };
    let worker = match Worker::start(serve.settings.clone(), environment.windmill) {
        Ok(worker) => worker,
        Err(e) => return wrong(e),
    };
    let listener = match TcpListener::bind(serve.listen).await {
        Ok(listener) => listener,
        Err(e) => return wrong(format!("cannot listen on {}: {e}", serve.listen)),
    };
    let grace = Duration::from_secs(serve.grace);
    let patience = Duration::from_secs(serve.patience);
    let queue = Queue::new(serve.jobs.into(), serve.queue.into(), patience);
    let address = listener.local_addr().map_or_else(|_| serve.listen.to_string(), |a| a.to_string());
    let stage = watch::Sender::new(ShutdownStage::Open);
    let limit = connections::limit(serve.jobs);
    let room = Arc::new(Semaphore::new(limit / 2));
    let caller = environment.caller;
    let service = Arc::new(Service { serve, caller, worker, queue, metrics: Metrics::default(), room, stage });
    if service.caller.is_none() {
        tracing::warn!("PORTCULLIS_SYNC_TOKEN is not set: everybody who reaches this port may request a sync");
    }
    tracing::info!(address, "listening");
    log_version(&service);
    let router = Router::new()
        .route("/health", get(async || json(StatusCode::OK, r#"{"status":"healthy"}"#)))
        .route("/metrics", get(metrics))
        .route("/sync", post(sync))
        .with_state(Arc::clone(&service));
    let ending = Arc::clone(&service);
    let stop = async move {
        shutdown_signal().await;
        tracing::info!("stopping: no new syncs");
        ending.stage.send_replace(ShutdownStage::Closing);
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            ending.stage.send_replace(ShutdownStage::Over);
        });
    };
    let mut over = service.stage.subscribe();
    let hung = async {
        let _ = over.wait_for(|s| *s == ShutdownStage::Over).await;
        // Time for the last answers.
        tokio::time::sleep(ANSWER_GRACE).await;
    };
    tokio::select! {
        () = connections::serve(listener, router, limit, stop) => {}
        () = hung => {}
    }
    // A job may still run although its caller has disconnected.
    service.stage.send_if_modified(|s| std::mem::replace(s, (*s).max(ShutdownStage::Closing)) == ShutdownStage::Open);
    while service.queue.requests() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tracing::info!("stopped");
    0
}

/// Logs wmill's version in the background, because wmill takes seconds to print it.
fn log_version(service: &Arc<Service>) {
    let service = Arc::clone(service);
    tokio::spawn(async move {
        let program = &service.serve.settings.wmill;
        match wmill::version(program, service.worker.folder()).await {
            Some(version) => tracing::info!(version, "wmill"),
            None => tracing::warn!("cannot get wmill's version: is windmill-cli installed?"),
        }
    });
}

async fn metrics(State(service): State<Arc<Service>>) -> Response<Body> {
    let text = service.metrics.text(service.queue.requests());
    reply(StatusCode::OK, "text/plain; version=0.0.4", text)
}

async fn sync(
    State(service): State<Arc<Service>>,
    Extension(connection): Extension<ConnectionHandle>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    if !service.is_authorized(&headers) {
        let mut response = json(StatusCode::UNAUTHORIZED, r#"{"success":false,"message":"Unauthorized"}"#);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        return response;
    }
    let body = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, request::LIMIT)).await;
    let request = match body {
        Ok(Ok(body)) => Request::parse(&body),
        Ok(Err(_)) => Err(format!("The request is larger than {} bytes, or broke off", request::LIMIT)),
        Err(_) => Err("The request did not arrive in time".to_owned()),
    };
    let _busy = connection.start_work();
    let read =
        request.and_then(|r| Remote::parse(&r.git_remote_url, &service.serve.settings).map(|remote| (r, remote)));
    let answer = match read {
        Ok((request, remote)) => {
            // In its own task: a caller who disconnects must not cancel the job halfway.
            let job = tokio::spawn(Arc::clone(&service).run(request, remote));
            job.await.unwrap_or_else(|_| Answer::failed("The job ended without an answer"))
        }
        Err(wrong) => {
            let answer = Answer::invalid(wrong);
            service.metrics.count(&answer, None);
            answer
        }
    };
    let status = StatusCode::from_u16(answer.outcome.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &answer.body());
    if matches!(answer.outcome.status(), 409 | 429 | 503) {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("30"));
    }
    response
}

impl Service {
    /// Waits for a turn, then runs the job.
    async fn run(self: Arc<Self>, request: Request, remote: Remote) -> Answer {
        // Held by the job, not by the connection, so that reconnecting gives no caller more than others.
        let Ok(_room) = Arc::clone(&self.room).try_acquire_owned() else {
            let answer = Answer::crowded();
            self.metrics.count(&answer, None);
            return answer;
        };
        let about = (remote.to_string(), request.git_branch.clone(), request.workspace.clone());
        let mut stage = self.stage.subscribe();
        let mut ending = self.stage.subscribe();
        let place = (remote.key(), request.git_branch.clone());
        let turn = tokio::select! {
            turn = self.queue.enter(place) => turn,
            _ = stage.wait_for(|s| *s >= ShutdownStage::Closing) => {
                let answer = Answer::abandoned();
                self.metrics.count(&answer, None);
                return answer;
            }
        };
        let started = Instant::now();
        let (answer, took) = match &turn {
            Ok(_) => {
                tracing::info!(remote = about.0, branch = about.1, workspace = about.2, "sync");
                let stop = async {
                    let _ = ending.wait_for(|s| *s == ShutdownStage::Over).await;
                };
                let answer = self.worker.run(request, stop).await;
                (answer, Some(started.elapsed()))
            }
            Err(QueueError::Full) => (Answer::full(), None),
            Err(QueueError::TimedOut) => (Answer::busy(), None),
        };
        let rules: Vec<&str> = answer.findings.iter().map(|f| f.rule.as_str()).collect();
        tracing::info!(
            remote = about.0,
            branch = about.1,
            workspace = about.2,
            outcome = answer.outcome.name(),
            commit = answer.commit,
            rules = rules.join(" "),
            seconds = took.map(|t| t.as_secs_f64()),
            "{}",
            answer.message
        );
        self.metrics.count(&answer, took);
        answer
    }

    /// Whether the caller's token is valid. Compares whole digests, so that timing reveals nothing about the token.
    fn is_authorized(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.caller else { return true };
        let given = headers.get(header::AUTHORIZATION).map_or(&b""[..], |v| v.as_bytes());
        let given = Sha256::digest(given.strip_prefix(b"Bearer ").unwrap_or_default());
        let wanted = Sha256::digest(token.expose().as_bytes());
        let differences = given.iter().zip(wanted.iter()).fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(differences) == 0
    }
}

fn json(status: StatusCode, text: &str) -> Response<Body> {
    reply(status, "application/json", text.to_owned())
}

fn reply(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
