//! How CI calls the Windmill CLI: flags that leak or do not exist, no workspace, no pinned version, and commit messages
//! that become shell code.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::TreeContext;
use super::parsed_file::ParsedFile;
use super::shell::{self, Word};
use crate::document::Format;
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::options::scope;
use crate::subject::Entry;
use crate::text::nearest;
use crate::yaml::{Node, Step, dotted};

const CODE: &str = "windmill/workflow-command";

/// Keys whose values are shell scripts, in the usual CI systems.
const SHELL: [&str; 13] = [
    "run",
    "script",
    "before_script",
    "after_script",
    "command",
    "commands",
    "args",
    "entrypoint",
    "bash",
    "sh",
    "pwsh",
    "powershell",
    "inlineScript",
];

/// Flags of `wmill sync pull` and `push` that take a value (1.819.0).
const VALUED: [&str; 16] = [
    "--workspace",
    "--token",
    "--base-url",
    "--config-dir",
    "--includes",
    "-i",
    "--excludes",
    "-e",
    "--extra-includes",
    "--repository",
    "--promotion",
    "--branch",
    "--env",
    "--message",
    "--parallel",
    "--header",
];

const SWITCHES: [&str; 32] = [
    "--help",
    "-h",
    "--version",
    "--debug",
    "--verbose",
    "--show-diffs",
    "--yes",
    "--dry-run",
    "--plain-secrets",
    "--json",
    "--skip-variables",
    "--skip-secrets",
    "--include-secrets",
    "--skip-resources",
    "--skip-resource-types",
    "--skip-scripts",
    "--skip-flows",
    "--skip-apps",
    "--skip-folders",
    "--skip-workspace-dependencies",
    "--include-schedules",
    "--include-triggers",
    "--include-users",
    "--include-groups",
    "--include-settings",
    "--include-key",
    "--keep-deleted",
    "--skip-branch-validation",
    "--json-output",
    "--skip-reencrypt-on-key-change",
    "--lint",
    "--locks-required",
];

const PUSH_SWITCHES: [&str; 2] = ["--auto-metadata", "--accept-overriding-permissioned-as-with-self"];

/// Values that anybody who pushes a commit or opens a pull request controls.
const UNTRUSTED: [&str; 10] = [
    "github.event.head_commit.message",
    "github.event.head_commit.author",
    "github.event.commits",
    "github.event.pull_request.title",
    "github.event.pull_request.body",
    "github.event.pull_request.head.ref",
    "github.event.issue.title",
    "github.event.issue.body",
    "github.event.comment.body",
    "github.head_ref",
];

pub(super) fn check(context: &TreeContext<'_>, entries: &[Entry], out: &mut Findings<'_>) -> Result<()> {
    for entry in entries.iter().filter(|e| scope::is_match(&context.options.ci_files, e.path.as_bstr())) {
        let Some(text) = context.read(entry)? else { continue };
        let file = CiFile { context, text: &text };
        if Format::of(entry.path.as_bstr()) != Some(Format::Yaml) {
            file.script(0..text.bytes.len(), false, "", out);
            continue;
        }
        for root in &text.document.roots {
            root.walk(&mut |steps, node| {
                let key = steps.iter().rev().find_map(|s| if let Step::Key(k) = s { Some(*k) } else { None });
                if key.is_some_and(|k| SHELL.contains(&k)) {
                    file.scalar(steps, node, out);
                }
            });
        }
    }
    Ok(())
}

/// A CI file.
struct CiFile<'p> {
    context: &'p TreeContext<'p>,
    text: &'p ParsedFile<'p>,
}

impl CiFile<'_> {
    fn scalar(&self, steps: &[Step<'_>], node: &Node, out: &mut Findings<'_>) {
        let Some(script) = node.text() else { return };
        let mut span = node.span.clone();
        // Search the text as written, so that spans are correct.
        let raw = &self.text.bytes[span.clone()];
        if raw.len() >= 2 && matches!(raw[0], b'"' | b'\'') && raw.last() == raw.first() {
            span = span.start + 1..span.end - 1;
        }
        let folded = !script.trim().contains('\n');
        let at = dotted(steps);
        self.script(span.clone(), folded, &at, out);
        self.injection(span, &at, out);
    }

    fn script(&self, span: Range<usize>, folded: bool, at: &str, out: &mut Findings<'_>) {
        let script = &self.text.bytes[span.clone()];
        if script.find(b"wmill").is_none() && script.find(b"windmill-cli").is_none() {
            return;
        }
        for words in shell::commands(script, folded) {
            let words: Vec<Word> = words
                .into_iter()
                .map(|w| Word { span: span.start + w.span.start..span.start + w.span.end, ..w })
                .collect();
            self.version(&words, at, out);
            if let Some(cli) = words.iter().position(is_cli) {
                self.sync(&words[cli..], at, out);
            }
        }
    }

    fn report(&self, span: Range<usize>, at: &str, message: String, help: String, out: &mut Findings<'_>) {
        let Some(violation) = self.text.violation(CODE, Severity::Warning, span, at) else { return };
        out.push(violation.message(message).help(help));
    }

    /// `npx windmill-cli ...`, `npm install -g windmill-cli@latest`.
    fn version(&self, words: &[Word], at: &str, out: &mut Findings<'_>) {
        let runners = ["npm", "npx", "pnpm", "pnpx", "yarn", "bun", "bunx", "deno"];
        if !words.iter().any(|w| runners.contains(&w.text.as_str())) {
            return;
        }
        for word in words {
            let name = word.text.trim_start_matches("npm:").trim_start_matches("jsr:");
            let package = ["windmill-cli", "@windmill-labs/wmill"].iter().find_map(|p| name.strip_prefix(p));
            let Some(version) = package.filter(|v| v.is_empty() || v.starts_with('@')) else { continue };
            let exact = version.strip_prefix('@').is_some_and(|v| {
                v.starts_with('$') || v.split('.').count() >= 3 && v.starts_with(|c: char| c.is_ascii_digit())
            });
            if !exact {
                let message = "the Windmill CLI is not pinned to a version".to_owned();
                let help = "pin the version that you tested: `windmill-cli@1.819.0`".to_owned();
                self.report(word.span.clone(), &format!("{at} version"), message, help, out);
            }
        }
    }

    /// Checks `wmill sync`. `words` starts with the program's name.
    fn sync(&self, words: &[Word], at: &str, out: &mut Findings<'_>) {
        let mut plain = Vec::new();
        let mut flags: Vec<&Word> = Vec::new();
        let mut dynamic = false;
        let mut rest = words.iter().skip(1);
        while let Some(word) = rest.next() {
            if word.text.starts_with('-') && word.text.len() > 1 {
                flags.push(word);
                if VALUED.contains(&word.text.as_str()) {
                    rest.next();
                }
            } else {
                dynamic |= word.text.contains(['$', '`']);
                plain.push(word);
            }
        }
        let [sync, direction, ..] = plain[..] else { return };
        if sync.text != "sync" || !matches!(direction.text.as_str(), "pull" | "push") {
            return;
        }
        let command = words[0].span.start..direction.span.end;
        let is_push = direction.text == "push";
        let mut names_workspace = false;
        for flag in flags {
            let name = flag.text.split('=').next().unwrap_or_default();
            let place = flag.span.start..flag.span.start + name.len().min(flag.span.len());
            let at = format!("{at} {name}");
            names_workspace |= matches!(name, "--workspace" | "--branch" | "--env" | "--help" | "-h");
            let leaks = match name {
                "--include-key" => Some("exports the key that decrypts every secret"),
                "--plain-secrets" => Some("moves secrets in plain text"),
                "--include-secrets" if !self.context.options.encrypted => Some("overrides `skipSecrets` in wmill.yaml"),
                _ => None,
            };
            if let Some(why) = leaks {
                self.report(place, &at, format!("`{name}` {why}"), format!("remove `{name}`"), out);
            } else if !is_known(name, is_push) && !name.contains('$') {
                let all = VALUED.into_iter().chain(SWITCHES).filter(|f| f.starts_with("--"));
                let help = nearest(name, all).map_or_else(
                    || format!("run `wmill sync {} --help` to list every flag", direction.text),
                    |meant| format!("did you mean `{meant}`?"),
                );
                self.report(place, &at, format!("`wmill sync {}` has no flag `{name}`", direction.text), help, out);
            }
        }
        if !names_workspace && !dynamic {
            let message = format!(
                "`wmill sync {}` without `--workspace` uses the workspace of the branch or the profile",
                direction.text
            );
            let help = "name it: `--workspace <name>`, a key of `workspaces` in wmill.yaml".to_owned();
            self.report(command, &format!("{at} workspace"), message, help, out);
        }
    }

    /// `${{ github.event.head_commit.message }}` inside `run:`.
    fn injection(&self, span: Range<usize>, at: &str, out: &mut Findings<'_>) {
        let is_run = at.rsplit(['.', ']']).next() == Some("run");
        let script = &self.text.bytes[span.clone()];
        let mut from = 0;
        while let Some(open) = script[from..].find(b"${{").map(|p| from + p).filter(|_| is_run) {
            let close = script[open..].find(b"}}").map_or(script.len(), |p| open + p + 2);
            let inside = script[open..close].to_str_lossy().to_lowercase();
            if let Some(source) = UNTRUSTED.iter().find(|u| inside.contains(*u)) {
                let message = format!("`{source}` becomes shell code: whoever writes it runs commands in this job");
                let help =
                    "pass it as a variable: `env: { TEXT: ${{ ... }} }`, then `\"$TEXT\"` in the script".to_owned();
                self.report(span.start + open..span.start + close, &format!("{at} {source}"), message, help, out);
            }
            from = close;
        }
    }
}

fn is_cli(word: &Word) -> bool {
    let name = word.text.rsplit('/').next().unwrap_or_default();
    name == "wmill" || name == "windmill-cli" || name.starts_with("windmill-cli@") || name.starts_with("wmill@")
}

fn is_known(flag: &str, push: bool) -> bool {
    let push_only = ["--message", "--parallel", "--lint", "--locks-required", "--skip-reencrypt-on-key-change"];
    // Pull refuses these; `--promotion` is for pull only.
    if !push && (push_only.contains(&flag) || PUSH_SWITCHES.contains(&flag)) {
        return false;
    }
    if push && flag == "--promotion" {
        return false;
    }
    VALUED.contains(&flag) || SWITCHES.contains(&flag) || PUSH_SWITCHES.contains(&flag)
}
