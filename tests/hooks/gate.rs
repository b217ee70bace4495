//! What the tests of whole gates share: the built binary, installed by itself and run by git's own commands.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::TestRepo;

pub const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// A line that holds a secret, put together here so that no scanner takes this file for a leak.
pub fn secret() -> String {
    another_secret("x7Kq2mPz9LrT4vWs8NbJ")
}

pub fn another_secret(characters: &str) -> String {
    format!("token = \"{}-{characters}\"\n", concat!("gl", "pat"))
}

/// `portcullis ARGS` where the repository is.
pub fn portcullis(repo: &TestRepo, args: &[&str]) -> Output {
    repo.command(BINARY).args(args).output().expect("the binary runs")
}

/// `portcullis hook install ARGS`, which must succeed.
pub fn install(repo: &TestRepo, args: &[&str]) {
    let output = portcullis(repo, &[&["hook", "install"], args].concat());
    assert!(output.status.success(), "{output:?}");
}

/// A repository with a first commit and the laptop's hooks.
pub fn guarded() -> TestRepo {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    install(&repo, &[]);
    repo
}

/// A repository with a first commit, and a bare repository with the server's hook that has nothing yet.
pub fn served(args: &[&str]) -> (TestRepo, TestRepo) {
    let repo = TestRepo::init();
    repo.write("a", "a\n");
    repo.commit("feat: a");
    let server = repo.bare_remote("origin");
    install(&server, &[&["--server", "bare"], args].concat());
    (repo, server)
}

/// As [`served`], with the first commit pushed.
pub fn serving(args: &[&str]) -> (TestRepo, TestRepo) {
    let (repo, server) = served(args);
    repo.git(["push", "-q", "origin", "main"]);
    repo.git(["fetch", "-q"]);
    (repo, server)
}

/// What a git command said and did.
#[derive(Debug)]
pub struct Said {
    pub ok: bool,
    /// Both streams.
    pub text: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Self { ok: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
    }
}

impl Said {
    #[track_caller]
    pub fn passes(self) -> Self {
        assert!(self.ok, "{}", self.text);
        assert!(!self.text.contains("portcullis"), "nothing to say, and said: {}", self.text);
        self
    }

    /// It was let through, with these words.
    #[track_caller]
    pub fn passes_saying(self, words: &[&str]) -> Self {
        assert!(self.ok, "{}", self.text);
        self.says(words)
    }

    #[track_caller]
    pub fn is_refused(self, words: &[&str]) -> Self {
        assert!(!self.ok, "{}", self.text);
        self.says(words)
    }

    #[track_caller]
    fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.text.contains(word), "no `{word}` in: {}", self.text);
        }
        for word in ["7Kq2mPz9LrT4vWs8NbJ", "panicked"] {
            assert!(!self.text.contains(word), "`{word}` in: {}", self.text);
        }
        self
    }
}

pub fn try_git(repo: &TestRepo, args: &[&str]) -> Said {
    repo.try_git(args).into()
}

pub fn run(command: &mut Command) -> Said {
    command.output().expect("the program runs").into()
}

/// Where a new object is stored loose.
pub fn loose(repo: &TestRepo, id: &str) -> PathBuf {
    let dir = if repo.path().join("objects").is_dir() { "objects" } else { ".git/objects" };
    repo.path().join(dir).join(&id[..2]).join(&id[2..])
}

/// Makes an object unreadable; git writes them read-only.
pub fn corrupt(repo: &TestRepo, id: &str) {
    let file = loose(repo, id);
    std::fs::remove_file(&file).expect("the object is loose");
    std::fs::write(file, b"not an object").expect("the directory stands");
}
