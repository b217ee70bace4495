//! One sync in its own process: fetch, pull, stage, check, commit, push; from the start again if the branch moved. Owns the
//! order of these steps. `worker` owns the work folder and ends this process.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use super::answer::Answer;
use super::message::message;
use super::options::SyncSettings;
use super::remote::Remote;
use super::repository::{Access, PushResult, Repository};
use super::request::Request;
use super::scrub::Scrub;
use super::seal::Seal;
use super::wmill::Wmill;
use super::{gate, orphans, worker};

/// Attempts if the branch moves during a sync.
const ATTEMPTS: u32 = 3;

/// The input of a job: a line of JSON on standard input.
#[derive(Serialize, Deserialize)]
pub struct JobOrder {
    pub request: Request,
    pub settings: SyncSettings,
    /// Windmill's base URL.
    pub windmill: String,
    /// The job's own work folder, private and empty.
    pub folder: PathBuf,
}

/// Reads an order, runs it, and writes the answer as a line of JSON to standard output. The end of standard input means that
/// the service is gone: then the job abandons its work.
pub async fn main() -> u8 {
    let (line, closed) = listen();
    let Ok(order) =
        line.await.unwrap_or_default().parse::<serde_json::Value>().and_then(serde_json::from_value::<JobOrder>)
    else {
        tracing::error!("a job must be started by the service");
        return super::USAGE;
    };
    let folder = order.folder.clone();
    let answer = tokio::select! {
        answer = sync(&order) => answer,
        _ = closed => {
            // Dropping the work killed the running child; its children are ours now, or die with the group.
            tracing::warn!("the service is gone: job abandoned");
            orphans::kill_orphans().await;
            worker::remove(&folder);
            worker::kill_own_group();
            return super::FAILED;
        }
    };
    let text = serde_json::to_string(&answer).unwrap_or_default();
    let _ = writeln!(std::io::stdout(), "{text}");
    0
}

/// Receives the first line of standard input, and its end.
fn listen() -> (tokio::sync::oneshot::Receiver<String>, tokio::sync::oneshot::Receiver<()>) {
    let (line, first) = tokio::sync::oneshot::channel();
    let (end, closed) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut text = String::new();
        let _ = std::io::BufRead::read_line(&mut input, &mut text);
        let _ = line.send(text);
        let _ = input.read_to_end(&mut Vec::new());
        let _ = end.send(());
    });
    (first, closed)
}

/// Runs a sync in a span that labels every log line of the job.
async fn sync(order: &JobOrder) -> Answer {
    let request = &order.request;
    let job = order.folder.file_name().map(|n| n.to_string_lossy().into_owned());
    let span = tracing::info_span!("job", job, workspace = request.workspace, branch = request.git_branch);
    attempt(order).instrument(span).await.unwrap_or_else(|answer| answer)
}

/// Both results are answers; an error ends the work early.
async fn attempt(order: &JobOrder) -> Result<Answer, Answer> {
    let JobOrder { request, settings, .. } = order;
    let remote = Remote::parse(&request.git_remote_url, settings).map_err(Answer::invalid)?;
    let pinned = remote.resolve(settings.allow_private).await?;
    let header = request.git_token.basic(&settings.token_user);
    let scrub = Scrub::new([request.windmill_token.clone(), request.git_token.clone(), header.clone()]);
    let access = Access { remote, pinned, header, limit: settings.git_limit(), scrub: &scrub };
    let wmill = Wmill { settings, base: &order.windmill, folder: &order.folder, scrub: &scrub };
    let (repository, start) = Repository::open(&order.folder, access).await?;
    let mut start = Some(start);
    for attempt in 1..=ATTEMPTS {
        repository.check_out(start.take(), &request.git_branch).await?;
        let directory = workspace(&repository.tree, &request.path)?;
        let seal = Seal::new(&repository.tree).map_err(unread)?;
        wmill.pull(&directory, request).await?;
        if let Some(what) = seal.find_change(&repository.tree).map_err(unread)? {
            return Err(Answer::failed(format!("Windmill sync failed: wmill must leave git's settings alone: {what}")));
        }
        let changes = repository.stage().await?;
        tracing::info!(attempt, changes = changes.len(), "pulled");
        if changes.is_empty() {
            return Ok(Answer::unchanged());
        }
        let message = message(request, &changes);
        check(&repository.tree, &message).await?;
        let commit = repository.commit(request, &message).await?;
        match repository.push(&request.git_branch).await? {
            PushResult::Done => return Ok(Answer::pushed(&request.workspace, commit)),
            PushResult::Moved => tracing::info!(attempt, "the branch moved during the sync"),
        }
    }
    Err(Answer::failed(format!("Git push failed: the branch moved during each of {ATTEMPTS} attempts")))
}

fn unread(e: std::io::Error) -> Answer {
    Answer::failed(format!("Windmill sync failed: the work folder cannot be read: {e}"))
}

/// Checks on another thread, because this one must notice when the service is gone.
async fn check(tree: &Path, message: &str) -> Result<(), Answer> {
    let (tree, message, span) = (tree.to_owned(), message.to_owned(), tracing::Span::current());
    let judged = tokio::task::spawn_blocking(move || span.in_scope(|| gate::check(&tree, &message))).await;
    judged.unwrap_or_else(|_| Err(Answer::failed("Could not check the sync: the gate crashed")))
}

/// The folder of the workspace; created if it is missing.
fn workspace(tree: &Path, path: &str) -> Result<PathBuf, Answer> {
    let directory = tree.join(path);
    std::fs::create_dir_all(&directory)
        .map_err(|_| Answer::invalid("Invalid field: path is not a folder of the repository"))?;
    Ok(directory)
}
