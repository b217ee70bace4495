//! What somebody tries in order to get past the gates, one file a kind, each test a promise. Owns [`World`], in which a
//! commit is tried at every gate there is; the attacks themselves stand in the files below.
//!
//! ```ignore
//! let world = World::new();
//! let keys = world.blob(&world.key_pair());
//! let attack = world.entry("100644", "cfg.ini", &keys, "main", "feat: keys");
//! world.refused_at(&Gate::ALL, &attack, "secrets/");     // and says so with this word
//! world.passes_at(&Gate::ALL, &honest);                  // the control
//! ```

mod commit_headers;
mod entry_kinds;
mod excepted_values;
mod head_of_the_server;
mod malformed_objects;
mod masking;
mod plain_files;
mod released_trees;
mod what_becomes_new;
mod who_pushes;

use std::cell::Cell;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::hooks::gate::{BINARY, Said, install, run};
use crate::support::{Hash, Sandbox, TestRepo};

/// Everything that judges a commit before others have it, and the audit of what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    PreCommit,
    PrePush,
    PreReceive,
    Update,
    Range,
    Ci,
    History,
}

impl Gate {
    pub const ALL: [Self; 7] =
        [Self::PreCommit, Self::PrePush, Self::PreReceive, Self::Update, Self::Range, Self::Ci, Self::History];
    /// All but `--history`: for rules about what is new.
    pub const OF_CHANGES: [Self; 6] =
        [Self::PreCommit, Self::PrePush, Self::PreReceive, Self::Update, Self::Range, Self::Ci];
    /// Those that see commits, in the order in which a commit meets them.
    pub const OF_COMMITS: [Self; 5] = [Self::PrePush, Self::PreReceive, Self::Update, Self::Range, Self::Ci];
}

/// A developer's repository whose `main` three servers have: one without hooks, and one each with pre-receive and update.
pub struct World {
    pub repo: TestRepo,
    received: TestRepo,
    updated: TestRepo,
    branches: Cell<u32>,
}

/// Everybody may push everywhere: what is refused, is refused for its content.
pub const OPEN_POLICY: &str = "version: 1\nextends: [dev-main]\nprotected:\n\
    \x20 - { branch: main, direct-push: [\"*\"], non-ff: error, delete: error }\n\
    \x20 - { branch: dev, direct-push: [\"*\"], non-ff: error, delete: error }\n";

impl World {
    pub fn new() -> Self {
        Self::with(Hash::Sha1, OPEN_POLICY)
    }

    pub fn with(hash: Hash, policy: &str) -> Self {
        let repo = Sandbox::new().init("repo", hash);
        repo.write("portcullis.yaml", policy);
        repo.write("start", "start\n");
        repo.commit("feat: start");
        repo.git(["branch", "dev"]);
        for server in ["origin", "received", "updated"] {
            repo.bare_remote(server);
            repo.git(["push", "-q", server, "main", "dev"]);
            repo.git(["fetch", "-q", server]);
        }
        let [received, updated] = ["received.git", "updated.git"].map(|name| repo.sandbox().at(name));
        install(&repo, &["pre-commit", "pre-push"]);
        install(&received, &["--server", "bare", "pre-receive"]);
        install(&updated, &["--server", "bare", "update"]);
        Self { repo, received, updated, branches: Cell::new(0) }
    }

    /// Stores an object as it is, however malformed; its id.
    pub fn object(&self, kind: &str, bytes: &[u8]) -> String {
        let mut command = self.repo.command("git");
        command.args(["hash-object", "-t", kind, "-w", "--stdin", "--literally"]);
        output_of(command, bytes)
    }

    pub fn blob(&self, bytes: impl AsRef<[u8]>) -> String {
        self.object("blob", bytes.as_ref())
    }

    /// A commit with one entry more than `parent` has; its id. A submodule's id need not be there.
    pub fn entry(&self, mode: &str, path: &str, id: &str, parent: &str, subject: &str) -> String {
        let index = self.repo.sandbox().path().join("index-of-an-attack");
        let _ = std::fs::remove_file(&index);
        let git = |args: &[&str]| {
            let mut command = self.repo.command("git");
            command.args(args).env("GIT_INDEX_FILE", &index);
            output_of(command, b"")
        };
        git(&["read-tree", parent]);
        git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{id},{path}")]);
        self.commit(&git(&["write-tree", "--missing-ok"]), &[parent], subject)
    }

    /// A commit of a tree.
    pub fn commit(&self, tree: &str, parents: &[&str], subject: &str) -> String {
        let parents = parents.iter().flat_map(|p| ["-p", p]);
        self.repo.git(["commit-tree", tree, "-m", subject].into_iter().chain(parents))
    }

    /// A tree of entries `(mode, name, id)` in the order given, stored as it is.
    pub fn tree<N: AsRef<[u8]>>(&self, entries: &[(&str, N, &str)]) -> String {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name.as_ref());
            bytes.push(0);
            let digit = |b: u8| (b as char).to_digit(16).expect("a hexadecimal digit") as u8;
            bytes.extend(id.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])));
        }
        self.object("tree", &bytes)
    }

    /// Tries a commit at one gate: as a new branch, or as what is staged on its first parent.
    pub fn try_at(&self, gate: Gate, commit: &str) -> Said {
        self.branches.set(self.branches.get() + 1);
        let branch = format!("refs/heads/try-{}", self.branches.get());
        let mut portcullis = self.repo.command(BINARY);
        match gate {
            Gate::PreCommit => {
                self.repo.git(["checkout", "-q", "--detach"]);
                self.repo.git(["update-ref", "--no-deref", "HEAD", &format!("{commit}^1")]);
                self.repo.git(["read-tree", commit]);
                let said = self.repo.try_git(["commit", "-q", "--allow-empty", "-m", "feat: staged"]).into();
                self.repo.git(["symbolic-ref", "HEAD", "refs/heads/main"]);
                self.repo.git(["reset", "-q", "--hard"]);
                return said;
            }
            Gate::PrePush => return self.repo.try_git(["push", "-q", "origin", &format!("{commit}:{branch}")]).into(),
            Gate::PreReceive | Gate::Update => {
                let server = if gate == Gate::Update { "updated" } else { "received" };
                let push = ["push", "-q", "--no-verify", server, &format!("{commit}:{branch}")].map(str::to_owned);
                return self.repo.try_git(push).into();
            }
            Gate::Range => portcullis.args(["check", "--range", &format!("main..{commit}")]),
            Gate::Ci => portcullis.args(["ci", "--range", &format!("main..{commit}")]),
            Gate::History => {
                self.repo.git(["update-ref", &branch, commit]);
                let said = run(portcullis.args(["check", "--history"]));
                self.repo.git(["update-ref", "-d", &branch]);
                return said;
            }
        };
        run(&mut portcullis)
    }

    /// No gate lets it through, and each says why with this word.
    #[track_caller]
    pub fn refused_at(&self, gates: &[Gate], commit: &str, word: &str) {
        for gate in gates {
            let said = self.try_at(*gate, commit);
            assert!(!said.ok, "{gate:?} lets it through: {}", said.text);
            assert!(said.text.contains(word), "{gate:?} says no `{word}`: {}", said.text);
        }
    }

    /// Every gate lets it through.
    #[track_caller]
    pub fn passes_at(&self, gates: &[Gate], commit: &str) {
        for gate in gates {
            let said = self.try_at(*gate, commit);
            assert!(said.ok, "{gate:?} refuses it: {}", said.text);
        }
    }

    pub fn received(&self) -> &TestRepo {
        &self.received
    }

    pub fn updated(&self) -> &TestRepo {
        &self.updated
    }
}

/// A pair of keys that every scanner finds, put together here so that none takes this file for a leak.
pub fn key_pair(seed: &str) -> String {
    let letter = |at: usize, alphabet: &[u8]| {
        let sum = seed
            .bytes()
            .chain([at as u8, 7])
            .fold(1_469_598_103_u64, |sum, b| (sum ^ u64::from(b)).wrapping_mul(1_099_511_628_211));
        alphabet[(sum >> 17) as usize % alphabet.len()] as char
    };
    let id: String = (0..16).map(|at| letter(at, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")).collect();
    let all = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let secret: String = (100..140).map(|at| letter(at, all)).collect();
    format!("[default]\naws_access_key_id = {}{id}\naws_secret_access_key = {secret}\n", concat!("AK", "IA"))
}

/// The key that opens all variables of a Windmill workspace, which is told by its file's name.
pub fn workspace_key(seed: &str) -> String {
    key_pair(seed).rsplit(' ').next().map(|s| s.trim().replace(['+', '/'], "x")[..32].to_owned()).expect("a key")
}

fn output_of(mut command: Command, input: &[u8]) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git runs");
    child.stdin.take().expect("it is piped").write_all(input).expect("git reads");
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    String::from_utf8(output.stdout).expect("git writes text").trim_end().to_owned()
}
