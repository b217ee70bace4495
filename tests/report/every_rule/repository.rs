//! The repository of `tests/cases/every-rule`, made with one `git fast-import`: exact messages, exact graphs, and new
//! objects that no ref reaches yet, as a server has them while it judges a push.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use portcullis::rules::{RULES, files, secrets};
use regex::bytes::RegexBuilder;
use serde::Deserialize;

use crate::rules::secrets::detectors::{definitions, path_for};
use crate::support::TestRepo;

fn case(name: &str) -> String {
    let file = format!("{}/tests/cases/every-rule/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    commits: Vec<Commit>,
    tags: Vec<Tag>,
    before: BTreeMap<String, String>,
    push: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    id: Option<String>,
    /// Absent: the commit before.
    parents: Option<Vec<String>>,
    message: Option<String>,
    header: Option<String>,
    latin1: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    tree: Option<String>,
    #[serde(default)]
    days: u64,
    #[serde(default)]
    policy: bool,
    #[serde(default)]
    examples: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    id: String,
    #[serde(rename = "ref")]
    reference: String,
    name: Option<String>,
    target: String,
}

/// A failing example of a family of rules on files.
#[derive(Deserialize)]
struct Example {
    code: String,
    path: String,
    text: String,
}

pub struct Repository {
    pub repo: TestRepo,
    /// `old new ref` lines, as pre-receive gets them.
    pub push: PathBuf,
    /// Whatever must not be seen in any output.
    pub planted: BTreeSet<String>,
    ids: HashMap<String, String>,
}

impl Repository {
    /// The object that `history.yml` gives a name to.
    pub fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }
}

type Tree = BTreeMap<String, Vec<u8>>;

pub fn build() -> Repository {
    let history: History = serde_yaml::from_str(&case("history.yml")).expect("as in the types");
    let mut planted = BTreeSet::new();
    let repo = TestRepo::init();
    let mut ids = import(&repo, &history.commits, &mut planted);
    for tag in &history.tags {
        let (name, target) = (tag.name.as_ref().unwrap_or(&tag.reference), &ids[&tag.target]);
        let text = format!(
            "object {target}\ntype commit\ntag {name}\ntagger T <t@example.org> 1770000000 +0000\n\n{}\n",
            tag.reference
        );
        let id = git(&repo, &["hash-object", "-t", "tag", "-w", "--stdin"], text.as_bytes());
        ids.insert(tag.id.clone(), id);
    }
    for (name, target) in &history.before {
        repo.git(["update-ref", name, &ids[target]]);
    }
    repo.git(["reset", "-q", "--hard", "main"]);
    let line = |(name, new): (&String, &String)| {
        let old = history.before.get(name).map_or("0".repeat(40), |old| ids[old].clone());
        format!("{old} {} {name}\n", ids[new])
    };
    let push = repo.path().join(".git/push");
    std::fs::write(&push, history.push.iter().map(line).collect::<String>()).expect("writes");
    Repository { repo, push, planted, ids }
}

/// Makes the commits. Answers with their ids by name.
fn import(repo: &TestRepo, commits: &[Commit], planted: &mut BTreeSet<String>) -> HashMap<String, String> {
    let mut stream: Vec<u8> = Vec::new();
    let mut trees: HashMap<String, Tree> = HashMap::new();
    let mut marks: HashMap<String, usize> = HashMap::new();
    let mut previous: Vec<String> = Vec::new();
    let mut time = 1_770_000_000;
    for (n, commit) in commits.iter().enumerate() {
        let id = commit.id.clone().unwrap_or_else(|| format!("message-{n}"));
        let parents = commit.parents.as_ref().unwrap_or(&previous);
        let mut tree = match &commit.tree {
            Some(other) => trees[other].clone(),
            None => parents.iter().rev().flat_map(|p| trees[p].clone()).collect(),
        };
        if commit.policy {
            tree.insert("portcullis.yaml".into(), case("portcullis.yaml").replace("<>", "").into());
        }
        if commit.examples {
            plant(&mut tree, planted);
        }
        for (path, text) in &commit.files {
            tree.insert(path.clone(), joined(text, planted));
        }
        time += 60 + commit.days * 86_400;
        let data = |bytes: &[u8]| [format!("data {}\n", bytes.len()).as_bytes(), bytes, b"\n"].concat();
        let person = format!("Test <test@example.org> {time} +0000");
        // A ref of its own, or the commit would go on from the one that was there.
        stream.extend(format!("commit refs/build/{n}\nmark :{}\nauthor {person}\ncommitter {person}\n", n + 1).bytes());
        stream.extend(data(&message(commit)));
        for (at, parent) in parents.iter().enumerate() {
            let word = if at == 0 { "from" } else { "merge" };
            stream.extend(format!("{word} :{}\n", marks[parent]).bytes());
        }
        stream.extend(b"deleteall\n");
        for (path, bytes) in &tree {
            stream.extend(format!("M 100644 inline {path}\n").bytes());
            stream.extend(data(bytes));
        }
        trees.insert(id.clone(), tree);
        marks.insert(id.clone(), n + 1);
        previous = vec![id];
    }
    let file = repo.path().join(".git/marks");
    let export = format!("--export-marks={}", file.display());
    git(repo, &["fast-import", "--quiet", "--force", &export], &stream);
    let text = std::fs::read_to_string(&file).expect("marks");
    let made: HashMap<usize, &str> = text
        .lines()
        .filter_map(|l| l.strip_prefix(':')?.split_once(' '))
        .map(|(mark, id)| (mark.parse().expect("a number"), id))
        .collect();
    let gone: String = (0..commits.len()).map(|n| format!("delete refs/build/{n}\n")).collect();
    git(repo, &["update-ref", "--stdin"], gone.as_bytes());
    marks.into_iter().map(|(name, mark)| (name, made[&mark].to_owned())).collect()
}

fn message(commit: &Commit) -> Vec<u8> {
    const GOOD: &str = "\n\nThe body is long enough.\n\nRefs: #1\nSigned-off-by: A <a@example.org>\n";
    match (&commit.message, &commit.header, &commit.latin1) {
        (Some(message), ..) => message.clone().into_bytes(),
        (_, Some(header), _) => format!("{header}{GOOD}").into_bytes(),
        (_, _, Some(text)) => text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin 1")).collect(),
        _ => panic!("a commit says something"),
    }
}

/// A text without the marks that break its secrets; the secrets are kept.
fn joined(text: &str, planted: &mut BTreeSet<String>) -> Vec<u8> {
    for word in text.split(|c: char| c.is_whitespace() || "\"'=@,".contains(c)).filter(|w| w.contains("<>")) {
        keep(word.replace("<>", ""), planted);
    }
    text.replace("<>", "").into_bytes()
}

fn keep(secret: String, planted: &mut BTreeSet<String>) {
    // Shorter ones are words that stand elsewhere too, and the frame of a key is no secret.
    if secret.len() >= 8 && !secret.starts_with("-----") {
        planted.insert(secret);
    }
}

/// The first example of every detector, and those of the families on files.
fn plant(tree: &mut Tree, planted: &mut BTreeSet<String>) {
    for definition in definitions() {
        let text = definition.matches[0].replace("<>", "");
        let pattern = RegexBuilder::new(&definition.pattern).unicode(false).build().expect("it is built in");
        let secret = pattern.captures(text.as_bytes()).and_then(|c| c.name("secret")).map(|s| s.as_bytes());
        keep(String::from_utf8_lossy(secret.expect("it matches")).into_owned(), planted);
        let path = path_for(&definition);
        tree.insert(format!("leaks/{}/{}", definition.id, path.trim_start_matches('/')), text.into());
    }
    for rule in [&secrets::RULE, &files::RULE] {
        let text = rule.policy.split_once("\n---\n").expect("two documents").1;
        let about: serde_yaml::Value = serde_yaml::from_str(text).expect("YAML");
        let examples: Vec<Example> = serde_yaml::from_value(about["examples"]["fail"].clone()).expect("examples");
        for example in examples {
            let path = format!("{}/{}/{}", rule.id, example.code, example.path);
            tree.insert(path, joined(&example.text, planted));
        }
    }
}

/// The failing examples of the family `policy`: whole policies.
pub fn wrong_policies() -> Vec<(String, String)> {
    #[derive(Deserialize)]
    struct Wrong {
        code: String,
        policy: String,
    }
    let rule = RULES.iter().find(|r| r.id == "policy").expect("it is one of them");
    let text = rule.policy.split_once("\n---\n").expect("two documents").1;
    let about: serde_yaml::Value = serde_yaml::from_str(text).expect("YAML");
    let all: Vec<Wrong> = serde_yaml::from_value(about["examples"]["fail"].clone()).expect("examples");
    all.into_iter().map(|w| (w.code, w.policy)).collect()
}

/// Runs a command that reads: its exit code, and everything that it says.
pub fn fed(command: &mut Command, input: &[u8]) -> (Option<i32>, String) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("it is piped").write_all(input).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8"))
}

fn git(repo: &TestRepo, arguments: &[&str], input: &[u8]) -> String {
    let (code, said) = fed(repo.command("git").args(arguments), input);
    assert_eq!(code, Some(0), "git {arguments:?}: {said}");
    said.trim().to_owned()
}
