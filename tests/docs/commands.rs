//! Runs every `sh` block of README.md and docs/*.md with the built binary, in order, page by page: each page has a
//! machine of its own (a home, a repository `shop` with a remote `origin`). A comment right above a block says more:
//!
//! `<!-- exit: 1 -->` its last command ends with this code; `<!-- not run: REASON -->` it cannot run here.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use portcullis::options::PolicyFile;
use portcullis::policy::Policy;

use super::root;
use crate::support::{Hash, Sandbox};

/// A fenced block.
pub struct Block {
    pub line: usize,
    pub language: String,
    pub text: String,
    /// The comment above it, without its marks.
    pub remark: Option<String>,
}

pub fn blocks(page: &str) -> Vec<Block> {
    let mut out = Vec::new();
    let mut lines = page.lines().enumerate();
    let mut remark = None;
    while let Some((n, line)) = lines.next() {
        let trimmed = line.trim();
        if let Some(language) = trimmed.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().map(|l| l.1).take_while(|l| l.trim() != "```").collect();
            let text = body.join("\n") + "\n";
            out.push(Block { line: n + 1, language: language.to_owned(), text, remark: remark.take() });
        } else if let Some(comment) = trimmed.strip_prefix("<!--").and_then(|c| c.strip_suffix("-->")) {
            remark = Some(comment.trim().to_owned());
        } else if !trimmed.is_empty() {
            remark = None;
        }
    }
    out
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root().join("docs"))
        .expect("docs")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    pages.push(root().join("README.md"));
    pages.retain(|p| p.exists());
    pages.sort();
    pages
}

/// Why a block is not run, where it is not.
fn excuse(block: &Block) -> Option<String> {
    let remark = block.remark.as_deref().and_then(|r| r.strip_prefix("not run:"));
    remark.map(|r| r.trim().to_owned()).or_else(|| {
        // Building and installing the project is what runs this test, and what tests/hooks/install_sh.rs does.
        let builds = |l: &str| l.starts_with("cargo ") || l.contains("install.sh");
        block.text.lines().any(builds).then(|| "builds the project itself".to_owned())
    })
}

fn machine(page: &Path) -> (std::sync::Arc<Sandbox>, PathBuf) {
    let sandbox = Sandbox::new();
    let bin = sandbox.path().join("bin");
    fs::create_dir(&bin).expect("a folder");
    symlink(env!("CARGO_BIN_EXE_portcullis"), bin.join("portcullis")).expect("a link");
    let shop = sandbox.init("shop", Hash::Sha1);
    shop.write("README.md", "# shop\n");
    shop.commit("docs: say what this is");
    shop.write("deploy/app.yaml", "replicas: 2\n");
    shop.commit("feat(deploy): add the app");
    shop.bare_remote("origin");
    shop.git(["push", "-q", "-u", "origin", "main"]);
    let name = page.file_name().expect("a name").to_string_lossy();
    assert!(!name.is_empty());
    let at = shop.path().to_owned();
    (sandbox, at)
}

fn run_page(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).expect("is text");
    let mut wrong = Vec::new();
    let (sandbox, shop) = machine(page);
    let path = format!("{}:{}", sandbox.path().join("bin").display(), std::env::var("PATH").expect("a search path"));
    for block in blocks(&text).into_iter().filter(|b| b.language == "sh" && excuse(b).is_none()) {
        let expected = block
            .remark
            .as_deref()
            .and_then(|r| r.strip_prefix("exit:"))
            .map_or(0, |code| code.trim().parse().expect("a code"));
        let output =
            sandbox.command("sh", &shop).args(["-e", "-c", &block.text]).env("PATH", &path).output().expect("a shell");
        if output.status.code() != Some(expected) {
            wrong.push(format!(
                "{}:{}: ended with {} instead of {expected}\n{}{}{}",
                page.display(),
                block.line,
                output.status,
                block.text,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }
    wrong
}

#[test]
fn every_command_in_the_documentation_does_what_it_says() {
    let wrong: Vec<String> = pages().iter().flat_map(|p| run_page(p)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_policy_in_the_documentation_can_be_followed() {
    let mut policies = 0;
    for page in pages().into_iter().filter(|p| !p.ends_with("rules.md")) {
        let text = fs::read_to_string(&page).expect("is text");
        for block in blocks(&text).into_iter().filter(|b| b.language == "yaml" && b.text.starts_with("version: 1")) {
            policies += 1;
            let loaded = Policy::load(vec![PolicyFile::new("portcullis.yaml", block.text.clone().into_bytes())]);
            let told = loaded.map(|p| p.validate()).unwrap_or_else(|mistakes| mistakes);
            let words: Vec<&str> = told.iter().map(|m| m.wrong.message.as_str()).collect();
            assert!(words.is_empty(), "{}:{}: {words:?}", page.display(), block.line);
        }
    }
    assert!(policies > 3, "{policies}");
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)#:\s]+)(#[^)]*)?\)").expect("a pattern");
    for page in pages() {
        let text = fs::read_to_string(&page).expect("is text");
        for found in link.captures_iter(&text) {
            let target = page.parent().expect("a folder").join(&found[1]);
            // Pages that other chapters bring are named before they are written.
            assert!(target.exists() || found[1].ends_with("performance.md"), "{}: {}", page.display(), &found[1]);
        }
    }
}

#[test]
fn blocks_and_their_remarks_are_read() {
    let found = blocks(
        "text\n<!-- exit: 1 -->\n```sh\nfalse\n```\n\n```sh\ntrue\n```\n<!-- not run: no network -->\n\n```sh\ncurl\n```\n",
    );
    let remarks: Vec<Option<&str>> = found.iter().map(|b| b.remark.as_deref()).collect();
    assert_eq!(remarks, [Some("exit: 1"), None, Some("not run: no network")]);
    assert_eq!(excuse(&found[2]).as_deref(), Some("no network"));
    assert_eq!(found[1].text, "true\n");
}
