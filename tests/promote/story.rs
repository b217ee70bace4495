//! Small histories: a base, commits on `dev`, commits on `main`; made into a real repository in one go.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;

use portcullis::git::{Repo, discover};
use serde::Deserialize;

use crate::support::{Hash, Sandbox, TestRepo};

/// Content, content with a mode, or removal.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Text {
    Plain(String),
    Mode(String, String),
    Gone(()),
}

#[derive(Clone, Debug, Deserialize)]
pub struct Commit {
    pub id: String,
    pub files: BTreeMap<String, Text>,
    #[serde(default)]
    pub message: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Story {
    pub base: BTreeMap<String, String>,
    pub dev: Vec<Commit>,
    pub main: Vec<Commit>,
}

/// A story made real.
pub struct Told {
    pub git: TestRepo,
    /// Names of the story to object ids, and back.
    pub ids: BTreeMap<String, String>,
}

impl Told {
    pub fn open(&self) -> Repo {
        discover(self.git.path()).expect("it opens").expect("it is there")
    }

    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.ids.iter().find(|(_, oid)| *oid == id).map_or(id, |(name, _)| name)
    }
}

impl Commit {
    pub fn new(id: &str, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(p, t)| ((*p).to_owned(), Text::Plain((*t).to_owned()))).collect();
        Self { id: id.to_owned(), files, message: None }
    }

    pub fn saying(mut self, message: &str) -> Self {
        self.message = Some(message.to_owned());
        self
    }

    pub fn without(mut self, path: &str) -> Self {
        self.files.insert(path.to_owned(), Text::Gone(()));
        self
    }
}

impl Story {
    pub fn tell(&self) -> Told {
        self.tell_in(&Sandbox::new().init_bare("story", Hash::Sha1))
    }

    /// Names of commits of `dev` in messages become their ids.
    pub fn tell_in(&self, git: &TestRepo) -> Told {
        let mut ids = BTreeMap::new();
        let base: BTreeMap<String, Text> = self.base.iter().map(|(p, t)| (p.clone(), Text::Plain(t.clone()))).collect();
        let first = Commit { id: "base".into(), files: base, message: None };
        import(git, &[first], "dev", None, 1_700_000_000, &mut ids);
        let base = ids["base"].clone();
        import(git, &self.dev, "dev", Some(&base), 1_700_001_000, &mut ids);
        git.git(["update-ref", "refs/heads/main", &base]);
        import(git, &self.main, "main", Some(&base), 1_700_500_000, &mut ids);
        let git = git.sandbox().at(git.path().file_name().and_then(|n| n.to_str()).expect("a name"));
        Told { git, ids }
    }
}

/// Many stories without words in one repository, made in one go: `dev-0`, `main-0`, `dev-1`, ...
pub fn tell_all(stories: &[Story], git: &TestRepo) {
    let mut stream: Vec<u8> = Vec::new();
    let mut mark = 0;
    for (n, story) in stories.iter().enumerate() {
        let base: BTreeMap<String, Text> =
            story.base.iter().map(|(p, t)| (p.clone(), Text::Plain(t.clone()))).collect();
        let first = Commit { id: "base".into(), files: base, message: None };
        mark += 1;
        let root = mark;
        write(&mut stream, &first, "base", &format!("dev-{n}"), 1_700_000_000, root, None);
        for (branch, commits, time) in [("dev", &story.dev, 1_700_001_000), ("main", &story.main, 1_700_500_000)] {
            let branch = format!("{branch}-{n}");
            stream.extend(format!("reset refs/heads/{branch}\nfrom :{root}\n\n").bytes());
            for (at, commit) in commits.iter().enumerate() {
                mark += 1;
                let message = format!("feat: {}", commit.id);
                write(&mut stream, commit, &message, &branch, time + at as u64 * 60, mark, None);
            }
        }
    }
    feed(git, &stream);
}

fn import(
    git: &TestRepo,
    commits: &[Commit],
    branch: &str,
    onto: Option<&str>,
    time: u64,
    ids: &mut BTreeMap<String, String>,
) {
    let mut stream: Vec<u8> = Vec::new();
    for (at, commit) in commits.iter().enumerate() {
        let message = commit.message.clone().unwrap_or_else(|| format!("feat: {}", commit.id));
        let message = ids.iter().fold(message, |text, (name, id)| {
            text.replace(&format!("commit {name}"), &format!("commit {id}")).replace(&format!("@{name}@"), id)
        });
        let from = onto.filter(|_| at == 0);
        write(&mut stream, commit, &message, branch, time + at as u64 * 60, at + 1, from);
    }
    feed(git, &stream);
    let text = std::fs::read_to_string(git.path().join("marks")).unwrap_or_default();
    for line in text.lines() {
        let (mark, id) = line.split_once(' ').expect("a mark and an id");
        let at: usize = mark[1..].parse().expect("a number");
        ids.insert(commits[at - 1].id.clone(), id.to_owned());
    }
}

fn write(
    stream: &mut Vec<u8>,
    commit: &Commit,
    message: &str,
    branch: &str,
    when: u64,
    mark: usize,
    from: Option<&str>,
) {
    stream.extend(format!("commit refs/heads/{branch}\nmark :{mark}\n").bytes());
    for (role, name) in [("author", "A U Thor <a@example.org>"), ("committer", "C O Mitter <c@example.org>")] {
        stream.extend(format!("{role} {name} {when} +0000\n").bytes());
    }
    stream.extend(format!("data {}\n{message}\n", message.len()).bytes());
    if let Some(from) = from {
        stream.extend(format!("from {from}\n").bytes());
    }
    for (path, text) in &commit.files {
        let (mode, text) = match text {
            Text::Gone(()) => {
                stream.extend(format!("D {path}\n").bytes());
                continue;
            }
            Text::Plain(text) => ("100644", text),
            Text::Mode(mode, text) => (mode.as_str(), text),
        };
        stream.extend(format!("M {mode} inline {path}\ndata {}\n{text}\n", text.len()).bytes());
    }
    stream.push(b'\n');
}

fn feed(git: &TestRepo, stream: &[u8]) {
    let mut command = git.command("git");
    command.args(["fast-import", "--quiet", "--force", "--export-marks=marks"]).current_dir(git.path());
    let mut child = command.stdin(Stdio::piped()).spawn().expect("git runs");
    child.stdin.take().expect("a pipe").write_all(stream).expect("git reads");
    assert!(child.wait().expect("git ends").success());
}
