//! Which paths and branches a rule looks at. Path globs mean what they mean in `.gitignore`: `docs` is anything of that
//! name at any depth and all below it, `/docs` the one at the top, `docs/` directories only, `*.md` any depth.

use std::collections::HashMap;
use std::sync::OnceLock;

use bstr::{BStr, BString, ByteSlice as _};
use globset::{Candidate, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Globs as one set: checked when they are read, compiled when the first name is held against them, for most runs ask
/// few of the sets that the rules have.
#[derive(Clone, Debug, Default)]
pub struct Globs {
    globs: Vec<Glob>,
    compiled: OnceLock<GlobSet>,
}

/// Bytes of globs that one set surely compiles; longer ones are compiled at once, so that a failure is told at once.
const SURE: usize = 4096;

impl Globs {
    fn new(globs: Vec<Glob>) -> Result<Self, String> {
        let compiled = OnceLock::new();
        if globs.iter().map(|g| g.regex().len()).sum::<usize>() > SURE {
            let set = compile(&globs).map_err(|e| e.to_string())?;
            return Ok(Self { globs, compiled: OnceLock::from(set) });
        }
        Ok(Self { globs, compiled })
    }

    pub fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }

    fn is_match(&self, name: &Candidate<'_>) -> bool {
        let set = || compile(&self.globs).expect("few and short globs, each of them checked");
        !self.globs.is_empty() && self.compiled.get_or_init(set).is_match_candidate(name)
    }
}

fn compile(globs: &[Glob]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build()
}

/// Path globs as one set, for options of rules. `Err` says which glob is wrong, and why.
pub fn glob_set(patterns: &[String]) -> Result<Globs, String> {
    let mut globs = Vec::new();
    for pattern in patterns {
        for full in Gitignore::read(pattern)?.full() {
            globs.push(glob(&full)?);
        }
    }
    Globs::new(globs)
}

/// Whether a path, as git knows it, is in the set.
pub fn is_match(set: &Globs, path: &BStr) -> bool {
    set.is_match(&Candidate::from_bytes(path.as_bytes()))
}

fn glob(pattern: &str) -> Result<Glob, String> {
    let built = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
    built.map_err(|e| format!("not a glob: {}", e.kind()))
}

/// A pattern taken apart as git reads it.
struct Gitignore<'p> {
    /// Without slashes at its ends.
    body: &'p str,
    /// Holds from the root only.
    anchored: bool,
    /// Matches what is below it, not a file of its name.
    directory: bool,
}

impl<'p> Gitignore<'p> {
    fn read(pattern: &'p str) -> Result<Self, String> {
        if pattern.starts_with('!') {
            return Err("a glob cannot be negated: name what is meant under `include` or `exclude`".into());
        }
        let whole = pattern.strip_prefix("./").map_or(pattern, |_| &pattern[1..]);
        let body = whole.strip_suffix('/').unwrap_or(whole);
        let anchored = body.contains('/');
        let body = body.strip_prefix('/').unwrap_or(body);
        if body.is_empty() {
            return Err("an empty glob matches nothing".into());
        }
        Ok(Self { body, anchored, directory: whole.ends_with('/') })
    }

    /// The globs over whole paths that say the same.
    fn full(&self) -> Vec<String> {
        let base = if self.anchored { self.body.to_owned() } else { format!("**/{}", self.body) };
        if base.ends_with("/**") || base == "**" {
            return vec![base];
        }
        let below = format!("{base}/**");
        if self.directory { vec![below] } else { vec![base, below] }
    }
}

fn is_literal(part: &str) -> bool {
    !part.contains(['*', '?', '[', ']', '{', '}', '\\'])
}

/// Path globs sorted by what is cheap to look up, so that hundreds of them cost a path little more than one.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// `docs`: a part of the path has this name; `true`: it must not be the last part.
    names: HashMap<Vec<u8>, bool>,
    /// `*.md`: a part of the path ends so, keyed by what follows its last dot.
    extensions: HashMap<Vec<u8>, bool>,
    /// `/charts/app`: the path, or a directory that it is in.
    literal: HashMap<Vec<u8>, bool>,
    /// `/charts/*/values.yaml`: keyed by the literal first part.
    below: HashMap<Vec<u8>, Globs>,
    rest: Globs,
}

impl Paths {
    /// The paths that are written out whole.
    pub fn literal(&self) -> impl Iterator<Item = BString> {
        self.literal.keys().map(|path| BString::from(path.strip_prefix(b"/").unwrap_or(path)))
    }

    /// `Err` says which glob is wrong, and why.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let mut paths = Self::default();
        let mut below: HashMap<&str, Vec<Glob>> = HashMap::new();
        let mut rest = Vec::new();
        for pattern in patterns {
            let git = Gitignore::read(pattern)?;
            let extension = git.body.strip_prefix("*.").filter(|e| is_literal(e) && !e.contains('.'));
            if is_literal(git.body) {
                let map = if git.anchored { &mut paths.literal } else { &mut paths.names };
                narrow(map, git.body, git.directory);
            } else if let Some(extension) = extension.filter(|_| !git.anchored) {
                narrow(&mut paths.extensions, extension, git.directory);
            } else {
                let first = git.body.split('/').next().unwrap_or_default();
                let set = if git.anchored && is_literal(first) { below.entry(first).or_default() } else { &mut rest };
                for full in git.full() {
                    set.push(glob(&full)?);
                }
            }
        }
        for (first, globs) in below {
            paths.below.insert(first.as_bytes().to_vec(), Globs::new(globs)?);
        }
        paths.rest = Globs::new(rest)?;
        Ok(paths)
    }

    pub fn is_match(&self, path: &BStr) -> bool {
        let path = path.as_bytes();
        if !(self.names.is_empty() && self.extensions.is_empty() && self.literal.is_empty()) {
            let mut start = 0;
            while start <= path.len() {
                let end = path[start..].find_byte(b'/').map_or(path.len(), |n| start + n);
                let part = &path[start..end];
                let holds = |directory: Option<&bool>| directory.is_some_and(|d| !(*d && end == path.len()));
                let extension = part.rfind_byte(b'.').and_then(|dot| self.extensions.get(&part[dot + 1..]));
                if holds(self.names.get(part)) || holds(extension) || holds(self.literal.get(&path[..end])) {
                    return true;
                }
                start = end + 1;
            }
        }
        let first = path.split(|b| *b == b'/').next().unwrap_or_default();
        let near = self.below.get(first);
        if near.is_none() && self.rest.is_empty() {
            return false;
        }
        let candidate = Candidate::from_bytes(path);
        near.is_some_and(|set| set.is_match(&candidate)) || self.rest.is_match(&candidate)
    }
}

/// Of `docs` and `docs/` the wider one stands.
fn narrow(map: &mut HashMap<Vec<u8>, bool>, key: &str, directory: bool) {
    map.entry(key.as_bytes().to_vec()).and_modify(|d| *d &= directory).or_insert(directory);
}

/// Names of refs, nearly all of them written out.
#[derive(Clone, Debug, Default)]
struct Names {
    literal: Vec<String>,
    globs: Vec<Globs>,
}

impl Names {
    fn add(&mut self, pattern: &str) -> Result<(), String> {
        if is_literal(pattern) {
            self.literal.push(pattern.to_owned());
        } else {
            self.globs.push(Globs::new(vec![glob(pattern)?])?);
        }
        Ok(())
    }

    fn is_match(&self, name: &[u8]) -> bool {
        let candidate = || Candidate::from_bytes(name);
        self.literal.iter().any(|l| l.as_bytes() == name) || self.globs.iter().any(|g| g.is_match(&candidate()))
    }
}

/// Branches by short name or glob: `main`, `release/*`, `wm_deploy/**`.
#[derive(Clone, Debug, Default)]
pub struct Branches(Names);

impl Branches {
    /// `Err` says which glob is wrong, and why.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let mut names = Names::default();
        for pattern in patterns {
            let short = pattern.strip_prefix("refs/heads/").unwrap_or(pattern);
            if short.is_empty() {
                return Err("an empty glob matches nothing".into());
            }
            names.add(short)?;
        }
        Ok(Self(names))
    }

    /// `name`: short, or full below `refs/heads/`. Other refs are no branches.
    pub fn is_match(&self, name: &BStr) -> bool {
        let short = name.strip_prefix(b"refs/heads/").unwrap_or(name);
        !short.starts_with(b"refs/") && self.0.is_match(short)
    }
}

/// Refs of any kind by full or short name or glob: `main`, `v1.*`, `refs/tags/v1.*`.
#[derive(Clone, Debug, Default)]
pub struct RefNames(Names);

impl RefNames {
    /// `Err` says which glob is wrong, and why.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let mut names = Names::default();
        for pattern in patterns {
            if pattern.is_empty() {
                return Err("an empty glob matches nothing".into());
            }
            names.add(pattern)?;
        }
        Ok(Self(names))
    }

    /// `name`: full, or short.
    pub fn is_match(&self, name: &BStr) -> bool {
        let short = ["refs/heads/", "refs/tags/"].iter().find_map(|prefix| name.strip_prefix(prefix.as_bytes()));
        self.0.is_match(name) || short.is_some_and(|short| self.0.is_match(short))
    }
}
