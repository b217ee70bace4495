//! No output shows a secret: 40 of them stand at 60 places, and every byte that every command and format writes is
//! searched for them.

use std::process::{Command, Output};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::support::{Hash, Sandbox, TestRepo};

const PORTCULLIS: &str = env!("CARGO_BIN_EXE_portcullis");
const FORMATS: [&str; 10] =
    ["human", "json", "jsonl", "sarif", "github", "gitlab", "gitlab-secrets", "junit", "checkstyle", "rdjson"];

/// Secrets made up from a number: tokens with a form of their own, and passwords that only their names give away.
struct Vault {
    made: Vec<String>,
}

impl Vault {
    fn letters(number: usize, length: usize) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        let digest = Sha256::digest(format!("masking {number}"));
        digest.iter().cycle().take(length).map(|b| ALPHABET[*b as usize % ALPHABET.len()] as char).collect()
    }

    fn token(&mut self) -> String {
        self.keep(format!("glp{}{}", "at-", Self::letters(self.made.len(), 20)))
    }

    fn password(&mut self) -> String {
        self.keep(Self::letters(self.made.len(), 18))
    }

    fn keep(&mut self, secret: String) -> String {
        self.made.push(secret.clone());
        secret
    }

    /// The first secret of which a text shows the whole, or the end that a cut left.
    fn shown<'v>(&'v self, text: &[u8]) -> Option<&'v str> {
        let text = String::from_utf8_lossy(text).replace("remote:", "");
        let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\\').collect();
        let text = text.to_lowercase();
        self.made.iter().map(String::as_str).find(|secret| text.contains(&secret[secret.len() - 12..].to_lowercase()))
    }
}

/// A repository with a secret wherever one can stand, and all of them.
fn planted() -> (TestRepo, Vault) {
    let mut vault = Vault { made: Vec::new() };
    let repo = TestRepo::init();
    repo.write("portcullis.yaml", "version: 1\nextends: [dev-main]\n");
    repo.write("values.yaml", "app:\n  env:\n    - A=1\n  port: 80\n");
    repo.commit("feat: start");
    repo.git(["branch", "dev"]);
    repo.git(["checkout", "-q", "dev"]);
    let v = &mut vault;
    for (path, content) in files(v) {
        repo.write(&path, content);
    }
    repo.write("values.yaml", format!("app:\n  env:\n    - A=1\n    - B={}\n  port: 80\n", v.token()));
    repo.git(["add", "-A"]);
    repo.git(["commit", "-q", "-m", &format!("feat({}): use {} here", v.token(), v.token()), "-m", &body(v)]);
    // A subject is cut where a sentence has no room: right within the token.
    let long = format!("fix: a subject that goes on until its cut is near {} and goes on", v.token());
    repo.git(["commit", "-q", "--allow-empty", "-m", &long]);
    let who =
        ["-c".to_owned(), format!("user.name=Ann {}", v.token()), "-c".into(), format!("user.email={}@x", v.token())];
    let commit = ["commit", "-q", "--allow-empty", "-m", "fix: by somebody else"].map(str::to_owned);
    repo.git(who.iter().chain(&commit));
    repo.git(["tag", "-a", "v1.2", "-m", &format!("release {}", v.token())]);
    repo.git(["tag", &format!("v1.0.0-{}", v.token())]);
    repo.git(["branch", &format!("topic/{}", v.token())]);
    repo.git(["update-ref", &format!("refs/keep/{}", v.token()), "HEAD"]);
    repo.git(["checkout", "-q", "main"]);
    repo.write("values.yaml", format!("app:\n  env:\n    - A=1\n    - C={}\n  port: 80\n", v.token()));
    repo.commit(&format!("fix: a hotfix with {}", v.token()));
    (repo, vault)
}

fn body(v: &mut Vault) -> String {
    let [a, b, c, d] = std::array::from_fn(|_| v.token());
    format!("it needs {a}\n\nBREAKING CHANGE: {b} is needed\nRefs: {c}\nPortcullis-Allow: files because {d}")
}

fn files(v: &mut Vault) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut file = |path: &str, content: String| files.push((path.to_owned(), content));
    let twice = v.password();
    file("a.sh", format!("export PASSWORD=\"{twice}\"; mysql -p{twice} # {twice}\n"));
    let twice = v.token();
    file("b.json", format!("{{\"token\": \"{twice}\", \"old_{twice}\": 1}}"));
    let twice = v.password();
    file("c.xml", format!("<password>{twice}</password><was>{twice}</was>\n"));
    file(".env", format!("DB_PASSWORD={}\nAPI_TOKEN={}\n", v.password(), v.token()));
    // Far into a long line, and at both ends of what an excerpt shows.
    let (near, far) = (v.token(), v.token());
    file("min.js", format!("var a=1;{}x=\"{near}\",{}y=\"{far}\";", "b();".repeat(300), " ".repeat(60)));
    file("k8s.yaml", format!("apiVersion: v1\nkind: Secret\nstringData:\n  password: {}\n", v.password()));
    let windmill = v.password();
    file("f/a/db.variable.yaml", format!("value: {windmill}\nis_secret: true\ndescription: was {windmill}\n"));
    file("wmill.yaml", "defaultTs: bun\nincludes: [f/**]\n".into());
    file("encryption_key.yaml", format!("{}\n", Vault::letters(99, 64)));
    file("main.tf", format!("variable \"x\" {{\n  password = \"{}\"\n}}\n", v.password()));
    file("app.properties", format!("spring.datasource.password={}\n", v.password()));
    file("ci.yml", format!("env:\n  DEPLOY_TOKEN: {}\n  OTHER: \"{}\"\n", v.token(), v.token()));
    file("Dockerfile", format!("FROM x\nENV API_TOKEN={}\n", v.token()));
    file("notes.md", format!("see https://user:{}@example.org/x\n", v.token()));
    file("broken.yaml", format!("a: [1\nb: {}\n", v.token()));
    file("allowed.py", format!("token = \"{0}\"  # portcullis: allow(secrets) because {1}\n", v.token(), v.token()));
    file(&format!("dump/{}.txt", v.token()), "x\n".into());
    file(&format!("dump/{}/x.env", v.token()), format!("API_TOKEN={}\n", v.token()));
    let key = format!("-----BEGIN {} KEY-----\n", "PRIVATE");
    let lines: Vec<String> = (100..104).map(|n| Vault::letters(n, 64)).collect();
    file("id.pem", format!("{key}{}\n-----END {} KEY-----\n", lines.join("\n"), "PRIVATE"));
    lines.into_iter().for_each(|line| drop(v.keep(line)));
    files
}

struct Run<'r> {
    repo: &'r TestRepo,
    vault: &'r Vault,
}

impl Run<'_> {
    /// Runs a command; nothing that it writes may show a secret.
    fn portcullis(&self, args: &[&str]) -> String {
        self.hides(self.repo.command(PORTCULLIS).args(args), &args.join(" "))
    }

    fn hides(&self, command: &mut Command, what: &str) -> String {
        let Output { stdout, stderr, status } = command.output().expect("runs");
        assert!(status.code().is_some_and(|code| code <= 3), "{what} ended with {status}");
        let text = [stdout, stderr].concat();
        let shown = self.vault.shown(&text);
        assert!(shown.is_none(), "{what} shows {shown:?}:\n{}", String::from_utf8_lossy(&text));
        String::from_utf8_lossy(&text).into_owned()
    }
}

#[test]
fn no_command_and_no_format_shows_a_secret() {
    let (repo, vault) = planted();
    assert!(vault.made.len() >= 40, "{}", vault.made.len());
    let run = Run { repo: &repo, vault: &vault };
    repo.git(["checkout", "-q", "dev"]);
    for format in FORMATS {
        let told = run.portcullis(&["check", "--format", format]);
        assert!(told.contains("gitlab-pat"), "{format} tells nothing: {told}");
    }
    run.portcullis(&["check", "-v", "--stats"]);
    for format in ["human", "json", "sarif"] {
        let told = run.portcullis(&["check", "--range", "main..dev", "--format", format]);
        assert!(told.contains("name of a file"), "{told}");
        run.portcullis(&["check", "--history", "--format", format]);
    }
    repo.git(["checkout", "-q", "main"]);
    for format in ["human", "json", "markdown", "html", "sh"] {
        let told = run.portcullis(&["promote", "plan", "--min-age", "0m", "--format", format]);
        assert!(told.contains(&repo.rev("dev")[..7]), "{format} lists no commit: {told}");
        run.portcullis(&["promote", "backport", "--format", format]);
    }
    run.portcullis(&["promote", "plan", "--min-age", "0m", "-v"]);
    for format in ["human", "json"] {
        for command in
            [&["promote", "status"][..], &["promote", "notes", "main..dev"], &["promote", "verify", "main..dev"]]
        {
            run.portcullis(&[command, &["--format", format]].concat());
        }
    }
    run.portcullis(&["hook", "status"]);
    run.portcullis(&["rules"]);
    run.portcullis(&["init", "--print"]);
}

#[test]
fn no_mistake_of_the_user_is_told_with_a_secret() {
    let (repo, vault) = planted();
    let run = Run { repo: &repo, vault: &vault };
    let token = vault.made.iter().find(|s| s.contains("at-")).unwrap();
    for args in [
        &["check", "--range", &format!("{token}..HEAD")][..],
        &["check", "--policy", &format!("{token}.yaml")],
        &["promote", "plan", "--from", token],
        &["promote", "notes", &format!("{token}..main")],
        &["explain", token],
    ] {
        run.portcullis(args);
    }
    // What is wrong with a policy is told with its lines.
    repo.write("portcullis.yaml", format!("version: 1\nrules: {{ secrets: {{ tokn: {token} }} }}\n"));
    for format in FORMATS {
        run.portcullis(&["check", "--format", format]);
    }
}

#[test]
fn detectors_of_the_policy_mask_like_built_in_ones() {
    let repo = TestRepo::init();
    let secret = Vault::letters(7, 24);
    let vault = Vault { made: vec![secret.clone()] };
    let own = "detectors:\n  - id: acme\n    name: a key of Acme\n    keywords: [acme_]\n    pattern: 'acme_(?P<secret>[A-Za-z0-9]{24})'\n    matches: [acme_<>abcdefghijklmnopqrstuvwx]\n    near-misses: [acme_x]\n";
    repo.write("portcullis.yaml", format!("version: 1\nextends: [dev-main]\n{own}"));
    repo.commit("feat: start");
    repo.git(["checkout", "-q", "-b", "dev"]);
    repo.write("a.txt", format!("acme_{secret}\n"));
    repo.write("k.env", format!("X_PASSWORD=acme_{secret}\n"));
    repo.commit(&format!("feat: acme_{secret}"));
    let run = Run { repo: &repo, vault: &vault };
    for format in FORMATS {
        let told = run.portcullis(&["check", "--range", "main..dev", "--format", format]);
        assert!(told.contains("acme"), "{told}");
    }
    repo.git(["checkout", "-q", "main"]);
    for format in ["human", "json", "markdown", "html", "sh"] {
        run.portcullis(&["promote", "plan", "--min-age", "0m", "--format", format]);
    }
}

#[test]
fn neither_hooks_nor_the_audit_log_show_a_secret() {
    let (repo, vault) = planted();
    let run = Run { repo: &repo, vault: &vault };
    let sandbox: Arc<Sandbox> = Arc::clone(repo.sandbox());
    let server = sandbox.init_bare("server.git", Hash::Sha1);
    repo.git(["push", "-q", server.path().to_str().unwrap(), "main~1:refs/heads/main", "main~1:refs/heads/dev"]);
    let log = sandbox.path().join("audit");
    run.hides(
        server.command(PORTCULLIS).args(["hook", "install", "--server", "bare", "--audit-log", log.to_str().unwrap()]),
        "hook install",
    );
    let refs = repo.git(["for-each-ref", "--format=%(refname)"]);
    let mut refused = 0;
    for name in refs.lines() {
        let push = repo.command("git").args(["push", server.path().to_str().unwrap(), name]).output().unwrap();
        refused += usize::from(!push.status.success());
        // Git names the ref on lines of its own.
        let ours: Vec<u8> = String::from_utf8_lossy(&push.stderr)
            .lines()
            .filter(|line| line.starts_with("remote:"))
            .flat_map(|line| line.bytes().chain([b'\n']))
            .collect();
        assert_eq!(vault.shown(&ours), None, "{}", String::from_utf8_lossy(&ours));
    }
    assert!(refused >= 5, "{refused}");
    let logged = std::fs::read(&log).unwrap();
    assert!(logged.split(|b| *b == b'\n').count() > refused);
    assert_eq!(vault.shown(&logged), None, "{}", String::from_utf8_lossy(&logged));
    run.portcullis(&["hook", "install"]);
    repo.git(["checkout", "-q", "dev"]);
    let token = vault.made.iter().find(|s| s.contains("at-")).unwrap();
    repo.write("more.sh", format!("export TOKEN={token} OLD={token}\n"));
    repo.git(["add", "-A"]);
    let told = run.hides(repo.command("git").args(["commit", "-m", "feat: more"]), "a commit");
    assert!(told.contains("********"), "{told}");
    let message = format!("feat: use {token}");
    repo.git(["reset", "-q", "--hard"]);
    let told = run.hides(repo.command("git").args(["commit", "--allow-empty", "-m", &message]), "a commit");
    assert!(told.contains("********"), "{told}");
}

#[test]
fn an_ordinary_name_of_a_file_or_a_ref_is_no_secret() {
    let repo = TestRepo::init();
    repo.write("portcullis.yaml", "version: 1\n");
    let base = repo.commit("feat: start");
    let digest = Vault::letters(3, 40).to_lowercase();
    repo.write(&format!("assets/app.{digest}.js"), "x\n");
    repo.write("secrets/password.md", "x\n");
    repo.write("src/token_test.go", "x\n");
    repo.commit("feat: more");
    let mut check = repo.command(PORTCULLIS);
    assert!(
        check.args(["check", "--range", &format!("{base}..HEAD"), "--only", "secrets"]).status().unwrap().success()
    );
}
