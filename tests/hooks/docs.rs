//! `docs/hooks.md` says what really happens: its console blocks are run and compared.

use std::fs;

use super::{host, judge, try_hook_on};
use crate::support::{Hash, Sandbox, TestRepo, settle};

const PAGE: &str = include_str!("../../docs/hooks.md");

/// The steps of each console block under a heading of the second or third level: commands and what they print.
fn blocks() -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let mut all: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    let (mut heading, mut inside) = ("", false);
    for line in PAGE.lines() {
        match line {
            _ if line.starts_with("```") => {
                inside = line == "```console";
                if inside {
                    all.push((heading, Vec::new()));
                }
            }
            _ if inside => {
                let steps = &mut all.last_mut().unwrap().1;
                match line.strip_prefix("$ ") {
                    Some(command) => steps.push((command, String::new())),
                    None => steps.last_mut().expect("a command comes first").1.push_str(&format!("{line}\n")),
                }
            }
            _ => heading = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")).unwrap_or(heading),
        }
    }
    all
}

#[test]
fn every_console_block_is_true() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 10);
    for (heading, steps) in blocks {
        let bare = steps.iter().any(|(command, _)| command.contains("--server"));
        let repo = if bare { Sandbox::new().init_bare("bare.git", Hash::Sha1) } else { TestRepo::init() };
        fs::create_dir_all(repo.path().join(if bare { "hooks" } else { ".git/hooks" })).unwrap();
        if !bare {
            repo.commit("feat: something");
        }
        judge(repo.sandbox());
        for (command, expected) in steps {
            let printed = match command.strip_prefix("portcullis ") {
                Some(args) => portcullis(&repo, args),
                None => {
                    let output = repo.command("sh").args(["-c", command]).output().unwrap();
                    assert!(output.status.success(), "{command}: {output:?}");
                    String::from_utf8(output.stdout).unwrap()
                }
            };
            let printed = printed
                .replace(&format!("ours {}", env!("CARGO_PKG_VERSION")), "ours VERSION")
                .replace(repo.sandbox().path().join("bin/portcullis").to_str().unwrap(), "/usr/local/bin/portcullis")
                .replace(repo.sandbox().home().to_str().unwrap(), "HOME")
                .replace(repo.path().to_str().unwrap(), "/srv/repo");
            assert_eq!(printed, expected, "{heading}: {command}");
        }
    }
}

fn portcullis(repo: &TestRepo, args: &str) -> String {
    let mut host = host(repo);
    let args = match args.strip_prefix("-C ~/") {
        None => args,
        Some(rest) => {
            let (directory, rest) = rest.split_once(' ').unwrap();
            host.directory = repo.sandbox().home().join(directory);
            rest
        }
    };
    let args: Vec<_> = args.strip_prefix("hook ").expect("this page is about hooks").split(' ').collect();
    let (code, text) = try_hook_on(&host, &args).unwrap_or_else(|e| panic!("{args:?}: {e}"));
    assert_eq!(code, 0, "{args:?}: {text}");
    settle(repo.sandbox());
    text
}
