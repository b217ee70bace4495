//! Throw-away repositories driven by the real git: cut off from the machine's configuration, with fixed dates, so that
//! every run makes the same object ids. Owns [`Sandbox`] (a home of its own) and [`TestRepo`] (one repository in it);
//! knows nothing of portcullis.
//!
//! ```ignore
//! let repo = TestRepo::init();                       // branch `main`, nothing committed
//! repo.write("apps/a.yaml", "a: 1\n");
//! let first = repo.commit("feat: a");                // adds everything; answers with the full id
//! let remote = repo.bare_remote("origin");           // a bare repository, configured as a remote
//! repo.git(["push", "-q", "origin", "main"]);        // panics with git's own words when git fails
//! assert!(!repo.try_git(["push", "origin", ":main"]).status.success());
//! ```

pub mod engine;
pub mod graph;
pub mod snapshot;
pub mod tree;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use assert_fs::TempDir;

/// The date of the first commit of every sandbox: 2026-01-01 00:00:00 UTC. Each git call is a minute later.
const EPOCH: u64 = 1_767_225_600;

/// The object format of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
}

/// A directory that goes away with it, with a home and a git configuration of its own.
pub struct Sandbox {
    root: TempDir,
    clock: AtomicU64,
}

impl Sandbox {
    pub fn new() -> Arc<Self> {
        let root = TempDir::new().expect("a temporary directory");
        std::fs::create_dir(root.path().join("home")).expect("a home");
        let config = "[init]\n\tdefaultBranch = main\n[user]\n\tname = Test\n\temail = test@example.org\n\
                      [commit]\n\tgpgSign = false\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n\
                      [protocol \"file\"]\n\tallow = always\n";
        std::fs::write(root.path().join("gitconfig"), config).expect("a configuration");
        Arc::new(Self { root, clock: AtomicU64::new(EPOCH) })
    }

    /// The sandbox's directory, without symbolic links in it.
    pub fn path(&self) -> PathBuf {
        self.root.path().canonicalize().expect("the sandbox stands")
    }

    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// What `git config --global` reads and writes.
    pub fn global_config(&self) -> PathBuf {
        self.path().join("gitconfig")
    }

    /// The whole environment of every command: nothing else of the caller's gets in.
    pub fn environment(&self) -> Vec<(String, String)> {
        let date = format!("{} +0000", self.clock.fetch_add(60, Ordering::Relaxed));
        let text = |path: PathBuf| path.to_str().expect("a plain temporary directory").to_owned();
        [
            ("PATH", std::env::var("PATH").expect("a search path")),
            ("HOME", text(self.home())),
            ("XDG_CONFIG_HOME", text(self.home().join(".config"))),
            ("GIT_CONFIG_GLOBAL", text(self.global_config())),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_CEILING_DIRECTORIES", text(self.path())),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            ("GIT_EDITOR", "true".into()),
            ("GIT_AUTHOR_DATE", date.clone()),
            ("GIT_COMMITTER_DATE", date),
            ("LC_ALL", "C".into()),
            ("TZ", "UTC".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// A command in `dir` with the sandbox's environment only; change it before running it as you like.
    pub fn command(&self, program: impl AsRef<OsStr>, dir: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(dir).env_clear().envs(self.environment()).stdin(Stdio::null());
        command
    }

    /// A new repository in `name`, a path relative to the sandbox.
    pub fn init(self: &Arc<Self>, name: &str, hash: Hash) -> TestRepo {
        self.create(name, hash, &[])
    }

    /// A new bare repository in `name`.
    pub fn init_bare(self: &Arc<Self>, name: &str, hash: Hash) -> TestRepo {
        self.create(name, hash, &["--bare"])
    }

    fn create(self: &Arc<Self>, name: &str, hash: Hash, options: &[&str]) -> TestRepo {
        let format = match hash {
            Hash::Sha1 => "--object-format=sha1",
            Hash::Sha256 => "--object-format=sha256",
        };
        // Without a template: no sample hooks, no description, nothing that depends on how git was packaged.
        let mut command = self.command("git", self.path());
        command.args(["init", "-q", "--template=", format]).args(options).arg(name);
        expect_success(&mut command);
        self.at(name)
    }

    /// The repository or work tree that already stands in `name`: a clone, a linked work tree.
    pub fn at(self: &Arc<Self>, name: &str) -> TestRepo {
        TestRepo { sandbox: Arc::clone(self), path: self.path().join(name) }
    }
}

/// One repository (or one of its work trees) in a [`Sandbox`].
pub struct TestRepo {
    sandbox: Arc<Sandbox>,
    path: PathBuf,
}

impl TestRepo {
    /// A repository with an unborn branch `main`, in a sandbox of its own.
    pub fn init() -> Self {
        Self::init_with(Hash::Sha1)
    }

    pub fn init_with(hash: Hash) -> Self {
        Sandbox::new().init("repo", hash)
    }

    pub fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    /// The top of the work tree, or the git directory of a bare repository.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file below the work tree, with the directories above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path.join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a directory")).expect("directories");
        std::fs::write(&file, content).unwrap_or_else(|e| panic!("cannot write {path}: {e}"));
        file
    }

    /// As [`Self::write`], and sets the permission bits: the way to write what will be run.
    pub fn write_mode(&self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let file = self.path.join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a directory")).expect("directories");
        write_program(&file, content.as_ref(), mode);
        file
    }

    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.sandbox.command(program, &self.path)
    }

    /// Runs git and answers with its standard output, without the last line end. Panics when git fails.
    pub fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        let output = expect_success(self.command("git").args(args));
        let text = String::from_utf8_lossy(&output.stdout);
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }

    /// Runs git, which may fail.
    pub fn try_git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        self.command("git").args(args).output().expect("git runs")
    }

    /// Commits everything in the work tree, hooks included in the running, even when nothing changed.
    /// Answers with the new commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", message]);
        self.rev("HEAD")
    }

    /// The full id that a revision names.
    pub fn rev(&self, revision: &str) -> String {
        self.git(["rev-parse", "--verify", "--end-of-options", revision])
    }

    pub fn hash(&self) -> Hash {
        match self.git(["rev-parse", "--show-object-format"]).as_str() {
            "sha256" => Hash::Sha256,
            _ => Hash::Sha1,
        }
    }

    /// Makes a bare repository beside this one and configures it as the remote `name`.
    pub fn bare_remote(&self, name: &str) -> Self {
        let remote = self.sandbox.init_bare(&format!("{name}.git"), self.hash());
        self.git([OsStr::new("remote"), "add".as_ref(), name.as_ref(), remote.path.as_os_str()]);
        remote
    }

    /// Adds a linked work tree beside this one, on a new branch of the same name.
    pub fn linked_worktree(&self, name: &str) -> Self {
        let path = self.sandbox.path().join(name);
        self.git([
            OsStr::new("worktree"),
            "add".as_ref(),
            "-q".as_ref(),
            "-b".as_ref(),
            name.as_ref(),
            path.as_os_str(),
        ]);
        self.sandbox.at(name)
    }
}

/// Writes a file that can be run at once. Another process writes it: as long as this one had it open, any thread's
/// child would hold it open too, until it is another program, and Linux runs no file that is open for writing.
pub fn write_program(file: &Path, content: &[u8], mode: u32) {
    let mut writer = Command::new("sh")
        .args(["-c", "cat >\"$1\" && chmod \"$2\" \"$1\"", "sh"])
        .arg(file)
        .arg(format!("{mode:o}"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    writer.stdin.take().expect("it is piped").write_all(content).expect("the shell reads");
    assert!(writer.wait().expect("the shell ends").success(), "cannot write {}", file.display());
}

/// Gives every program below the sandbox a new file of the same content and mode, for the same reason: to be called
/// after code under test has written programs in this process.
pub fn settle(sandbox: &Sandbox) {
    let copy = r#"for f do cp -p "$f" "$f.settled" && mv "$f.settled" "$f" || exit; done"#;
    let find = ["-type", "f", "-perm", "-100", "-mmin", "-2", "-exec", "sh", "-c", copy, "sh", "{}", "+"];
    expect_success(sandbox.command("find", sandbox.path()).arg(".").args(find));
}

fn expect_success(command: &mut Command) -> Output {
    let output = command.output().expect("the program runs");
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[test]
fn two_sandboxes_make_the_same_ids() {
    let make = |hash| {
        let repo = TestRepo::init_with(hash);
        repo.write("a", "a\n");
        repo.commit("feat: a")
    };
    assert_eq!(make(Hash::Sha1), make(Hash::Sha1));
    assert_eq!(make(Hash::Sha1).len(), 40);
    assert_eq!(make(Hash::Sha256), make(Hash::Sha256));
    assert_eq!(make(Hash::Sha256).len(), 64);
}

#[test]
fn remotes_and_linked_worktrees_belong_to_the_repository() {
    let repo = TestRepo::init();
    repo.write_mode("run.sh", "#!/bin/sh\n", 0o755);
    let first = repo.commit("feat: run");
    let remote = repo.bare_remote("origin");
    repo.git(["push", "-q", "origin", "main"]);
    assert_eq!(remote.rev("refs/heads/main"), first);
    assert!(remote.path().starts_with(repo.sandbox().path()));
    assert!(!repo.try_git(["push", "-q", "nowhere", "main"]).status.success());
    let linked = repo.linked_worktree("linked");
    assert_eq!(linked.rev("HEAD"), first);
    assert_eq!(repo.git(["ls-files", "-s", "run.sh"]).split(' ').next(), Some("100755"));
}
