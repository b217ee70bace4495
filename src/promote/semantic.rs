//! Proposes merges for conflicts of text whose meanings do not conflict: entries of a kustomize list, image tags, keys of a
//! YAML map next to each other. A proposal shows what each side did to each entry; nothing is applied silently, and nothing is
//! proposed if both sides changed one entry differently.

use std::collections::BTreeMap;

use bstr::ByteSlice as _;

use super::blame::Because;
use super::history::{Hex, History};
use super::plan::{Proposal, State, Step};
use super::render::short_ref;
use super::simulate::Simulation;
use crate::error::Result;
use crate::git::{Clash, ClashKind, Picked, merge_or};
use crate::text;
use crate::yaml;

/// Adds proposals to the steps that conflict.
pub fn propose(history: &History<'_>, steps: &mut [Step]) -> Result<()> {
    for step in steps.iter_mut().filter(|s| s.state == State::Conflict) {
        let Some(at) = history.position(step.commit.0) else { continue };
        let change = &history.dev[at];
        let Picked::Conflict(clashes) = history.picker.pick(change.base, change.tree(), step.tree.0)? else { continue };
        for clash in &clashes {
            step.proposals.extend(merge(history, clash)?);
        }
    }
    Ok(())
}

/// Adds proposals to the steps that need another only because lines touch: with them it could stay behind.
pub fn instead(
    history: &History<'_>,
    simulation: &Simulation<'_, '_>,
    order: &[usize],
    because: &[Because],
    steps: &mut [Step],
) -> Result<()> {
    let mut pairs: Vec<(usize, usize)> = because.iter().map(|b| (b.needs, b.needed)).collect();
    pairs.dedup();
    for (needs, needed) in pairs {
        let without: Vec<usize> = order.iter().copied().filter(|at| *at != needed).collect();
        let run = simulation.run(&without)?;
        let id = Hex(history.dev[needs].id);
        let (Some(step), true) = (steps.iter_mut().find(|s| s.commit == id), !run.clashes().is_empty()) else {
            continue;
        };
        let proposals: Vec<Option<Proposal>> =
            run.clashes().iter().map(|clash| merge(history, clash)).collect::<Result<_>>()?;
        // All or nothing: one real conflict is enough to need the other commit.
        if let Some(mut all) = proposals.into_iter().collect::<Option<Vec<_>>>() {
            let other = history.dev[needed].id.short();
            all.iter_mut().for_each(|p| p.proof.push(format!("with this merge {other} could stay behind")));
            step.proposals.extend(all);
        }
    }
    Ok(())
}

fn merge(history: &History<'_>, clash: &Clash) -> Result<Option<Proposal>> {
    let yaml_file = clash.path.ends_with(b".yaml") || clash.path.ends_with(b".yml");
    let (Some(base), Some(ours), Some(theirs)) = (clash.base, clash.ours, clash.theirs) else { return Ok(None) };
    if clash.kind != ClashKind::Content || !yaml_file {
        return Ok(None);
    }
    let read = |leaf: crate::git::Leaf| history.picker.blob(leaf.id);
    let (base, ours, theirs) = (read(base)?, read(ours)?, read(theirs)?);
    let onto = short_ref(&history.onto.name);
    let mut proof = Vec::new();
    let mut what = "list";
    let merged = merge_or(&base, &ours, &theirs, &mut |base, ours, theirs| {
        let entries = by_entry(onto, base, ours, theirs)?;
        what = entries.what;
        proof.extend(entries.proof);
        Some(entries.text)
    });
    let Ok(merged) = merged else { return Ok(None) };
    // A proposal that does not parse, or names a key twice, is none.
    if !yaml::parse(&merged).mistakes.is_empty() || proof.is_empty() {
        return Ok(None);
    }
    Ok(Some(Proposal {
        path: text::sanitise(&clash.path),
        what: what.to_owned(),
        proof,
        blob: Hex(history.picker.make_blob(&merged)?),
        text: text::sanitise_lines(&merged.to_str_lossy()),
    }))
}

struct Merged {
    what: &'static str,
    text: Vec<u8>,
    proof: Vec<String>,
}

/// Entries of one list or map, in order: what names them, and their lines.
type Entries<'t> = Vec<(String, &'t [u8])>;

fn by_entry(onto: &str, base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Merged> {
    let kind = Kind::of([base, ours, theirs])?;
    let (base, ours, theirs) = (kind.split(base)?, kind.split(ours)?, kind.split(theirs)?);
    let find = |list: &Entries<'_>, name: &str| list.iter().find(|(n, _)| n == name).map(|(_, text)| text.to_vec());
    let mut result: Vec<(String, Vec<u8>)> = Vec::new();
    let mut proof: BTreeMap<String, String> = BTreeMap::new();
    for (name, mine) in &ours {
        let (old, new) = (find(&base, name), find(&theirs, name));
        let taken = match (old, new) {
            (Some(old), None) if old == *mine => {
                proof.insert(name.clone(), format!("{name}: removed by the pick, unchanged on {onto}"));
                continue;
            }
            (_, None) => {
                proof.insert(name.clone(), format!("{name}: on {onto} only, kept"));
                mine.to_vec()
            }
            (_, Some(new)) if new == *mine => mine.to_vec(),
            (Some(old), Some(new)) if old == new => {
                proof.insert(name.clone(), format!("{name}: changed on {onto} only, kept"));
                mine.to_vec()
            }
            (Some(old), Some(new)) if old == *mine => {
                proof.insert(name.clone(), format!("{name}: changed by the pick only, taken"));
                new
            }
            // Both changed it, or both added it, differently.
            _ => return None,
        };
        result.push((name.clone(), taken));
    }
    let mut before: Option<String> = None;
    for (name, new) in &theirs {
        if find(&ours, name).is_none() {
            match find(&base, name) {
                None => {
                    proof.insert(name.clone(), format!("{name}: added by the pick, taken"));
                    let at =
                        before.as_ref().and_then(|b| result.iter().position(|(n, _)| n == b)).map_or(0, |at| at + 1);
                    result.insert(at, (name.clone(), new.to_vec()));
                }
                Some(old) if old == *new => {
                    proof.insert(name.clone(), format!("{name}: not on {onto}, and not the pick's: left out"));
                    continue;
                }
                // Gone on production, changed by the pick.
                Some(_) => return None,
            }
        }
        before = Some(name.clone());
    }
    for (name, old) in &base {
        if find(&theirs, name).is_none() && find(&ours, name).is_some_and(|mine| mine != *old) {
            return None;
        }
    }
    Some(Merged {
        what: kind.name,
        text: result.into_iter().flat_map(|(_, text)| text).collect(),
        proof: proof.into_values().map(|line| text::sanitise(line.as_bytes())).collect(),
    })
}

/// How the entries of a region look: all of one kind, at one indentation.
struct Kind {
    name: &'static str,
    indent: usize,
    list: bool,
}

impl Kind {
    fn of(sides: [&[u8]; 3]) -> Option<Self> {
        let mut found: Option<(usize, bool)> = None;
        for line in sides.iter().flat_map(|s| s.lines()).filter(|l| !l.trim().is_empty()) {
            let indent = line.len() - line.trim_start().len();
            let list = line.trim_start().starts_with(b"- ");
            match found {
                None => found = Some((indent, list)),
                Some((least, _)) if indent < least => return None,
                _ => {}
            }
        }
        let (indent, list) = found?;
        let images = sides.iter().any(|s| s.contains_str("newTag:"));
        let name = if images {
            "images"
        } else if list {
            "list"
        } else {
            "map"
        };
        Some(Self { name, indent, list })
    }

    /// `None` when a line is no part of an entry, or two entries have one name.
    fn split<'t>(&self, text: &'t [u8]) -> Option<Entries<'t>> {
        let mut out: Entries<'t> = Vec::new();
        let mut start = 0;
        let mut at = 0;
        for line in text.lines_with_terminator() {
            let body = line.trim_end();
            let indent = body.len() - body.trim_start().len();
            if body.is_empty() || body.trim_start().starts_with(b"#") {
                return None;
            }
            let begins = indent == self.indent && body[indent..].starts_with(b"- ") == self.list;
            if begins {
                out.push((self.entry_name(&body[indent..])?, &text[at..at]));
                start = at;
            } else if indent <= self.indent || out.is_empty() {
                return None;
            }
            at += line.len();
            out.last_mut()?.1 = &text[start..at];
        }
        let mut names: Vec<&String> = out.iter().map(|(n, _)| n).collect();
        names.sort_unstable();
        names.windows(2).all(|w| w[0] != w[1]).then_some(out)
    }

    /// A list entry's own text or its `name`, a map entry's key.
    fn entry_name(&self, line: &[u8]) -> Option<String> {
        let body = if self.list { line.strip_prefix(b"- ")?.trim() } else { line };
        let name = match body.split_once_str(":") {
            Some((key, value)) if !self.list => {
                let _ = value;
                key
            }
            // Only what is named can be told apart: an item of another shape is not merged.
            Some((b"name", value)) => value,
            Some(_) if !body.contains_str("://") => return None,
            _ if self.list => body,
            _ => return None,
        };
        Some(name.trim().to_str_lossy().into_owned())
    }
}
