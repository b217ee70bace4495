//! Plans the opposite direction: commits that only production has go to the development branch, by picks or by one merge.
//! The plan has the usual shape, with the branches swapped and a simulated merge.

use super::advice::Direction;
use super::closure::Bound;
use super::history::History;
use super::judge::JudgePlan;
use super::plan::Plan;
use super::planner;
use super::selection::Selection;
use crate::error::Result;
use crate::git::{GitGraph, Picked, ThreadRepo};
use crate::subject::Graph as _;
use crate::text;

/// The picks, and the merge instead of them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Backport {
    pub plan: Plan,
    pub merge: Merge,
}

/// What merging production into the development branch would do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Merge {
    Clean,
    Conflict {
        paths: Vec<String>,
    },
    /// More than one merge base: git will tell.
    Unknown,
}

/// `from`: the development branch; `onto`: production.
pub fn backport(
    local: &ThreadRepo<'_>,
    from: &str,
    onto: &str,
    selection: &Selection,
    judge: &dyn JudgePlan,
) -> Result<Backport> {
    let mut history = History::between(local, onto, from)?;
    // What production's reverts undid is development's work: they must not follow it there.
    for undone in History::read(local, from, onto)?.dev {
        let Some(by) = undone.taken_back else { continue };
        if let Some(revert) = history.dev.iter_mut().find(|c| c.id == by.0) {
            revert.takes_back = Some(super::history::Hex(undone.id));
        }
    }
    let plan = planner::plan_of(&history, Direction::Backport, selection, judge, Bound::default())?;
    let (production, development) = (history.from.oid.0, history.onto.oid.0);
    let bases = GitGraph::new(local, None, u64::MAX)?.merge_bases(production, development)?;
    let merge = match bases[..] {
        [base] => {
            let tree = |id| Ok::<_, crate::error::Error>(local.commit(id)?.node.tree);
            match history.picker.pick(Some(tree(base)?), tree(production)?, history.tree)? {
                Picked::Clean(_) => Merge::Clean,
                Picked::Conflict(clashes) => {
                    Merge::Conflict { paths: clashes.iter().map(|c| text::sanitise(&c.path)).collect() }
                }
            }
        }
        _ => Merge::Unknown,
    };
    Ok(Backport { plan, merge })
}
