//! What the branches' histories say: how the last landings on production's branch came about.

use std::collections::HashSet;

use crate::error::Result;
use crate::subject::{Graph, Oid};

/// Landings that are looked at. Older ones say how the team worked, not how it works.
const LANDINGS: usize = 200;

/// The last landings on a branch, along its first parents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Landings {
    pub all: usize,
    pub merges: usize,
    /// Merges that brought the development branch itself, which dev-main would have refused.
    pub of_development: usize,
}

/// Landings on `branch`. A shallow history gives what is there.
pub fn landings(graph: &dyn Graph, branch: &str, development: Option<&str>) -> Result<Landings> {
    let mut landings = Landings::default();
    let own: HashSet<Oid> = match development {
        // Further than the landings reach, since the two lines need not be equally busy.
        Some(name) => first_parents(graph, name, 10 * LANDINGS)?.into_iter().collect(),
        None => HashSet::new(),
    };
    for commit in first_parents(graph, branch, LANDINGS)? {
        landings.all += 1;
        if graph.is_shallow(commit)? {
            break;
        }
        let parents = graph.parents(commit)?;
        landings.merges += usize::from(parents.len() > 1);
        // A first parent that both lines share is where one was cut from the other.
        let line = parents.first().is_some_and(|p| own.contains(p)) && own.contains(&commit);
        landings.of_development += usize::from(!line && parents.iter().skip(1).any(|p| own.contains(p)));
    }
    Ok(landings)
}

fn first_parents(graph: &dyn Graph, branch: &str, most: usize) -> Result<Vec<Oid>> {
    let names = [format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}")];
    let mut next = None;
    for name in &names {
        next = next.or(graph.find_ref(name.as_str().into())?);
    }
    let mut line = Vec::new();
    while let Some(commit) = next.filter(|_| line.len() < most) {
        line.push(commit);
        next = if graph.is_shallow(commit)? { None } else { graph.parents(commit)?.first().copied() };
    }
    Ok(line)
}
