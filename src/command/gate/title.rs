//! The title of a squash, judged in place of the messages that the squash drops.

use crate::engine::{self, Outcome, RunConfig};
use crate::error::Result;
use crate::finding::{Finding, Origin};
use crate::git::{Repo, Source};
use crate::policy::Batch;
use crate::subject::RefSet;

/// Judges the title that a squash will make the header of, in place of the messages that it drops. What else those
/// messages hold was pushed, and stays judged.
pub fn title_for_messages(
    repo: &Repo,
    source: &Source,
    title: &str,
    config: &RunConfig<'_>,
    outcome: &mut Outcome,
) -> Result<()> {
    let Source::Push(push) = source else { return Ok(()) };
    let text = format!("{}\n", title.trim_end()).into();
    let judged = engine::run(repo, &Source::Message { text, parents: Vec::new(), author: None }, config)?;
    for batch in &mut outcome.batches {
        let dropped = |f: &Finding| {
            f.rule.starts_with("conventional-commits/") && matches!(f.origin, Origin::Message { commit: Some(_) })
        };
        batch.findings.retain(|f| !dropped(f));
    }
    let refs: RefSet = push.updates.iter().map(|u| u.name.clone()).collect();
    outcome.batches.extend(judged.batches.into_iter().map(|b| Batch { refs: refs.clone(), ..b }));
    outcome.trailers.extend(judged.trailers);
    outcome.errors.extend(judged.errors);
    outcome.notes.push("the title was judged in place of the messages that a squash drops".to_owned());
    Ok(())
}
