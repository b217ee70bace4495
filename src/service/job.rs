//! One sync, in a process of its own: fetch, pull, stage, judge, commit, push; again from the start when the branch
//! moved meanwhile. Owns the order of these steps. The folder is `worker`'s, and so is the end of this process.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::Instrument;

use super::answer::Answer;
use super::message::message;
use super::options::Settings;
use super::remote::Remote;
use super::repository::{Access, Pushed, Repository};
use super::request::Request;
use super::scrub::Scrub;
use super::seal::Seal;
use super::wmill::Wmill;
use super::{family, gate, worker};

/// A branch that moves while we sync gets so many chances to stand still.
const ATTEMPTS: u32 = 3;

/// All that a job is told: a line of JSON on its standard input.
#[derive(Serialize, Deserialize)]
pub struct Order {
    pub request: Request,
    pub settings: Settings,
    /// Where Windmill answers.
    pub windmill: String,
    /// The job's own, private and empty.
    pub folder: PathBuf,
}

/// Reads an order, follows it, and answers with a line of JSON on standard output. When standard input ends, nobody
/// waits any more: then everything is dropped where it is.
pub async fn main() -> u8 {
    let (line, closed) = listen();
    let Ok(order) =
        line.await.unwrap_or_default().parse::<serde_json::Value>().and_then(serde_json::from_value::<Order>)
    else {
        tracing::error!("a job gets its order from the service");
        return super::USAGE;
    };
    let folder = order.folder.clone();
    let answer = tokio::select! {
        answer = sync(&order) => answer,
        _ = closed => {
            // Dropping the work has killed the child that ran; its own children are ours now, or go with the group.
            tracing::warn!("nobody waits for this job: abandoned");
            family::end_strangers().await;
            worker::remove(&folder);
            worker::end_own_group();
            return super::FAILED;
        }
    };
    let text = serde_json::to_string(&answer).unwrap_or_default();
    let _ = writeln!(std::io::stdout(), "{text}");
    0
}

/// The first line of standard input, and its end.
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

/// Every line that the job logs says whose it is.
async fn sync(order: &Order) -> Answer {
    let request = &order.request;
    let job = order.folder.file_name().map(|n| n.to_string_lossy().into_owned());
    let span = tracing::info_span!("job", job, workspace = request.workspace, branch = request.git_branch);
    attempt(order).instrument(span).await.unwrap_or_else(|answer| answer)
}

/// Either result is an answer; the error is one that ended the work early.
async fn attempt(order: &Order) -> Result<Answer, Answer> {
    let Order { request, settings, .. } = order;
    let remote = Remote::read(&request.git_remote_url, settings).map_err(Answer::invalid)?;
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
        if let Some(what) = seal.broken(&repository.tree).map_err(unread)? {
            return Err(Answer::failed(format!("Windmill sync failed: wmill must leave git's settings alone: {what}")));
        }
        let changes = repository.stage().await?;
        tracing::info!(attempt, changes = changes.len(), "pulled");
        if changes.is_empty() {
            return Ok(Answer::unchanged());
        }
        let message = message(request, &changes);
        judge(&repository.tree, &message).await?;
        let commit = repository.commit(request, &message).await?;
        match repository.push(&request.git_branch).await? {
            Pushed::Done => return Ok(Answer::pushed(&request.workspace, commit)),
            Pushed::Moved => tracing::info!(attempt, "the branch moved meanwhile"),
        }
    }
    Err(Answer::failed(format!("Git push failed: the branch moved during each of {ATTEMPTS} attempts")))
}

fn unread(e: std::io::Error) -> Answer {
    Answer::failed(format!("Windmill sync failed: the work folder cannot be read: {e}"))
}

/// On a thread of its own: this one must hear when nobody waits any more.
async fn judge(tree: &Path, message: &str) -> Result<(), Answer> {
    let (tree, message, span) = (tree.to_owned(), message.to_owned(), tracing::Span::current());
    let judged = tokio::task::spawn_blocking(move || span.in_scope(|| gate::judge(&tree, &message))).await;
    judged.unwrap_or_else(|_| Err(Answer::failed("Could not judge the sync: the gate broke")))
}

/// The folder of the workspace; made where it is missing.
fn workspace(tree: &Path, path: &str) -> Result<PathBuf, Answer> {
    let directory = tree.join(path);
    std::fs::create_dir_all(&directory)
        .map_err(|_| Answer::invalid("Invalid field: path is not a folder of the repository"))?;
    Ok(directory)
}
