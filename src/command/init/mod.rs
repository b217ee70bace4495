//! `portcullis init`: drafts a policy, lets the engine judge the work tree by it, and accepts what stands today. The
//! draft is judged beside the git directory, so that a run that fails leaves nothing in the work tree.

mod draft_files;
mod last_landings;
mod other_tools;

use std::fmt::Write as _;
use std::path::Path;

use bstr::ByteSlice as _;

use self::draft_files::DraftFiles;
use super::Outside;
use super::gate::Refusal;
use super::policy_file::{self, BASELINE_FILE, POLICY_FILE};
use crate::cli::Init;
use crate::error::{Error, Result};
use crate::finding::safe_words;
use crate::git::{self, GitGraph, GitSnapshot, SnapshotOf, ThreadRepo};
use crate::init::{Keys, Refs, Survey, draft};
use crate::options::{Mistake, PolicyFile};
use crate::policy::{PRESETS, Policy};
use crate::rules::divergence::{self, DivergenceSettings, KeyVerdict, Requirement, TreeViews, ValueKind};
use crate::rules::secrets::redactor;
use crate::text::{count, nearest};

pub fn run(args: &Init, outside: &Outside) -> Result<u8> {
    let Some(repo) = git::discover(&outside.directory)? else {
        return Err(Error::no_repository(&outside.directory));
    };
    let Some(root) = repo.workdir().map(Path::to_owned) else {
        return Err(Error::usage("a bare repository has no work tree to write a policy into")
            .hint("run it in a clone, and push the file"));
    };
    let file = root.join(POLICY_FILE);
    if file.symlink_metadata().is_ok() && !args.dry_run && !args.explain {
        return Err(Error::usage(format!("{} is there already", file.display()))
            .hint("--dry-run shows what would be written today"));
    }
    if let Some(preset) = &args.preset {
        let names = || PRESETS.iter().map(|(name, _)| *name);
        if !names().any(|n| n == preset) {
            let error = Error::usage(format!("there is no preset `{preset}`"));
            let near = nearest(preset, names()).map(|n| format!("did you mean `{n}`?"));
            return Err(error.hint(near.unwrap_or_else(|| names().collect::<Vec<_>>().join(", "))));
        }
    }
    let local = repo.thread_local();
    let snapshot = GitSnapshot::new(&local, SnapshotOf::WorkTree, &[], u64::MAX);
    let branches_at = "refs/remotes/origin/".to_owned();
    let graph = GitGraph::new(&local, Some(branches_at), u64::MAX)?;
    let mut survey = Survey::of(&snapshot, &graph, &refs(&local)?, args.preset.as_deref())?;
    survey.translated = other_tools::translate(&repo, &root, &args.from, outside)?;
    if args.explain {
        outside.say(&masked(&survey.explained()))?;
        return Ok(0);
    }
    let keys = keys(&survey, &snapshot, &local, outside)?;
    let mut text = draft(&survey, &keys);
    let untrusted = policy_file::untrusted(Some(&repo), &outside.directory);
    let beside = root.join(BASELINE_FILE);
    let there = policy_file::baseline_on_disk(&beside, BASELINE_FILE.as_ref(), &untrusted)?.map(|file| file.bytes);
    let mut files = DraftFiles::write(&repo, outside, text.clone(), there.as_deref())?;
    let mut accepted = files.accept_all(&files.judge()?)?;
    let mut landings = last_landings::replay(&repo, outside, &files)?;
    survey.softened = landings.to_soften(survey.merges_development.is_some());
    if !survey.softened.is_empty() {
        drop(files);
        text = draft(&survey, &keys);
        files = DraftFiles::write(&repo, outside, text.clone(), there.as_deref())?;
        accepted = files.accept_all(&files.judge()?)?;
        landings = last_landings::replay(&repo, outside, &files)?;
    }
    let text = accepted.policy.as_deref().unwrap_or(text.as_bytes());
    let excepted = count(accepted.added as u64, "finding");
    if args.dry_run {
        let mut shown = text.to_str_lossy().into_owned();
        if accepted.baseline.is_some() {
            let _ = writeln!(shown, "\n# {BASELINE_FILE} would have exceptions for {excepted}.");
        }
        outside.say(&shown)?;
        return Ok(0);
    }
    let report = files.judge()?;
    policy_file::write(&untrusted, &file, text)?;
    let mut told = shared_today(&keys.shared());
    let _ = writeln!(
        told,
        "wrote {}: preset {}, {} of variables, {excepted} accepted as they stand",
        file.display(),
        survey.preset,
        count(survey.sources.len() as u64, "source"),
    );
    let mut names = POLICY_FILE.to_owned();
    if let Some(baseline) = &accepted.baseline {
        policy_file::write(&untrusted, &beside, baseline)?;
        let _ = writeln!(told, "wrote {}: the exceptions for them", beside.display());
        let _ = write!(names, " {BASELINE_FILE}");
    }
    told.push_str(&masked(&survey.translated.told()));
    told.push_str(&landings.told());
    let _ = writeln!(told, "read it, then: git add {names} && portcullis hook install");
    outside.say(&told)?;
    Ok(report.exit_code())
}

/// Patterns of other tools may hold what they allow.
fn masked(lines: &str) -> String {
    lines.lines().map(|line| safe_words(redactor(), line) + "\n").collect()
}

/// The first thing to read: what environments share that usually belongs to one of them.
fn shared_today(keys: &[String]) -> String {
    const SHOWN: usize = 5;
    if keys.is_empty() {
        return String::new();
    }
    let more = if keys.len() > SHOWN { format!(" and {} more", keys.len() - SHOWN) } else { String::new() };
    let shown = keys[..keys.len().min(SHOWN)].join(", ");
    let them = if keys.len() == 1 { "it" } else { "them" };
    format!("give each environment its own {shown}{more}: two share {them} today\n")
}

fn refs(local: &ThreadRepo<'_>) -> Result<Refs> {
    let short = |prefix: &str| -> Result<Vec<String>> {
        let names = local.refs(prefix)?.into_iter();
        Ok(names.filter_map(|r| r.name.strip_prefix(prefix.as_bytes())?.to_str().ok().map(str::to_owned)).collect())
    };
    let head = local.head_name()?.and_then(|n| n.strip_prefix(b"refs/heads/")?.to_str().ok().map(str::to_owned));
    let mut branches = short("refs/heads/")?;
    branches.extend(short("refs/remotes/origin/")?);
    // A branch that is still unborn.
    branches.extend(head.clone());
    Ok(Refs { head, branches, tags: short("refs/tags/")? })
}

/// Keys that differ today, under the draft without any.
fn keys(survey: &Survey, snapshot: &GitSnapshot<'_>, local: &ThreadRepo<'_>, outside: &Outside) -> Result<Keys> {
    let mut keys = Keys::default();
    if survey.sources.is_empty() {
        return Ok(keys);
    }
    let text = draft(survey, &keys);
    let policy = Policy::load(vec![PolicyFile::new(POLICY_FILE, text)]).map_err(own_mistakes)?;
    let (settings, mistakes) =
        policy.with_options(&divergence::RULE, |options| DivergenceSettings::read(options, outside.today()));
    if !mistakes.is_empty() {
        return Err(own_mistakes(mistakes));
    }
    let name = local.head_name()?;
    let mut views = TreeViews::new(snapshot, name.as_ref().map(|n| n.as_bstr()))?;
    for source in &settings.sources {
        let sides = divergence::sides(&mut views, source, &settings)?;
        for pair in sides.windows(2) {
            for row in divergence::rows(&settings, source, &pair[0], &pair[1]) {
                let [Some(low), Some(high)] = row.sides else { continue };
                let differs = matches!(row.verdict, KeyVerdict::Differs | KeyVerdict::KindDiffers | KeyVerdict::Opaque);
                let held = row.verdict == KeyVerdict::Ok && *row.requirement == Requirement::MustMatch;
                let empty = matches!(low.value.kind, ValueKind::Empty | ValueKind::Placeholder | ValueKind::Absent);
                if differs || held && !empty {
                    let setting = low.value.is_number_or_switch() && high.value.is_number_or_switch();
                    keys.add(format!("{}/{}", source.id, row.key), differs, setting);
                }
            }
        }
    }
    Ok(keys)
}

fn own_mistakes(mistakes: Vec<Mistake>) -> Error {
    Refusal::from(mistakes).into_error(own_mistake)
}

/// What `init` writes is a good policy; a mistake in it is ours.
fn own_mistake(why: &str) -> Error {
    Error::undecided(format!("the draft of the policy is wrong: {why}"))
        .hint("please report this with --dry-run's output")
}
