//! Which revisions an environment may follow: those the policy lists, else its own branches and release tags.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::options::scope::Branches;
use crate::options::{Environment, Options};
use crate::rules::release_tags::format::TagFormat;

/// By the order of environments.
pub struct Revisions(Vec<Allowed>);

#[derive(Default)]
struct Allowed {
    listed: Option<GlobSet>,
    branches: Branches,
    aliases: Vec<String>,
    tags: Vec<TagFormat>,
    shown: String,
}

impl Allowed {
    fn is_named(&self, revision: &str) -> bool {
        let listed = self.listed.as_ref().is_some_and(|set| set.is_match(revision));
        listed
            || self.branches.is_match(revision.into())
            || self.aliases.iter().any(|a| a.eq_ignore_ascii_case(revision))
    }
}

/// Whether a revision is a range of versions, as Argo CD and Flux read it: `1.x`, `~1.2`, `>=1 <2`, `^1.2 || 2.*`.
/// See <https://github.com/Masterminds/semver#basic-comparisons>.
fn is_range(revision: &str) -> bool {
    let mut open = false;
    let mut words = revision.split(['|', ',', ' ']).filter(|w| !w.is_empty()).peekable();
    if words.peek().is_none() {
        return false;
    }
    words.all(|word| {
        if word == "-" {
            open = true;
            return true;
        }
        let version = word.trim_start_matches(['=', '!', '<', '>', '~', '^']);
        open |= version.len() < word.len();
        if version.is_empty() {
            // `>= 1.2`: the version is the next word.
            return true;
        }
        let version = version.strip_prefix('v').filter(|v| !v.is_empty()).unwrap_or(version);
        let core = version.split(['-', '+']).next().unwrap_or_default();
        core.split('.').count() <= 3
            && core.split('.').all(|part| {
                let any = matches!(part, "x" | "X" | "*");
                open |= any;
                any || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            })
    }) && open
}

impl Revisions {
    pub fn read(options: &Options<'_>, environments: &[Environment]) -> Self {
        let map = options.node("revisions");
        if let Some(map) = map {
            let names: Vec<&str> = environments.iter().map(|e| e.name.as_str()).collect();
            options.known_keys(map, &names);
        }
        let each = |e: &Environment| {
            let listed = map.and_then(|m| m.get(&e.name)).and_then(|at| {
                let patterns: Vec<String> = options.read(at)?;
                let mut set = GlobSetBuilder::new();
                for pattern in &patterns {
                    match Glob::new(pattern) {
                        Ok(glob) => drop(set.add(glob)),
                        Err(e) => options.mistake(at.source, at.node.span.clone(), format!("not a glob: {}", e.kind())),
                    }
                }
                Some((set.build().ok()?, patterns.join(", ")))
            });
            let own: Vec<&str> = e.branches.iter().chain(&e.tags).map(String::as_str).collect();
            let shown = listed.as_ref().map_or_else(|| own.join(", "), |(_, shown)| shown.clone());
            Allowed {
                listed: listed.map(|(set, _)| set),
                branches: Branches::new(&e.branches).unwrap_or_default(),
                aliases: e.aliases.clone(),
                tags: e.tags.iter().filter_map(|t| TagFormat::parse(t).ok()).collect(),
                shown,
            }
        };
        Self(environments.iter().map(each).collect())
    }

    /// `Some` with what is allowed where a revision is none of it. A commit's id is always allowed; a range of versions
    /// where there are release tags.
    pub fn refuses(&self, environment: usize, revision: &str) -> Option<&str> {
        let allowed = self.0.get(environment)?;
        let short = revision.strip_prefix("refs/heads/").or_else(|| revision.strip_prefix("refs/tags/"));
        let revision = short.unwrap_or(revision);
        let id = matches!(revision.len(), 40 | 64) && revision.bytes().all(|b| b.is_ascii_hexdigit());
        let range = is_range(revision);
        let good = match &allowed.listed {
            Some(set) => set.is_match(revision),
            None => {
                (allowed.tags.is_empty() && allowed.shown.is_empty())
                    || allowed.branches.is_match(revision.into())
                    || (range && !allowed.tags.is_empty())
                    || allowed.tags.iter().any(|t| t.parse_name(revision.into()).is_ok())
            }
        };
        (!good && !id).then_some(&allowed.shown)
    }

    /// Whether a revision is a branch of another environment, or called as one is, and none of this one's own. A main
    /// branch says nothing: every repository has one.
    pub fn belongs_to_another(&self, environment: usize, revision: &str) -> bool {
        let short = revision.strip_prefix("refs/heads/").unwrap_or(revision);
        let common = ["main", "master", "trunk", "HEAD"].contains(&short);
        let own = self.0.get(environment).is_some_and(|a| a.is_named(short));
        !common && !own && self.0.iter().enumerate().any(|(n, a)| n != environment && a.is_named(short))
    }

    /// Whether a branch pattern of a trigger is, word for word, one of the environment's.
    pub fn has_branch(&self, environment: usize, pattern: &str) -> bool {
        self.0.get(environment).is_some_and(|a| a.branches.is_match(pattern.into()))
    }

    /// The environment's tag formats.
    pub fn tags(&self, environment: usize) -> &[TagFormat] {
        self.0.get(environment).map_or(&[], |a| &a.tags)
    }

    pub fn shown(&self, environment: usize) -> &str {
        self.0.get(environment).map_or("", |a| &a.shown)
    }
}
