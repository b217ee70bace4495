//! Hooks as git runs them. The judge is a stand-in here, a script that keeps the protocol of `portcullis hook run`
//! and writes down what it was given: these tests are about what reaches it, and from where.

mod chain;
mod client;
mod configured;
mod directory;
mod docs;
mod doctor;
pub mod gate;
mod install;
mod install_sh;
mod managers;
mod reftable;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use portcullis::cli::hook::HookCommand;
use portcullis::command::hook::run_on;
use portcullis::error::{Error, Kind};
use portcullis::hooks::Host;

use crate::support::{Sandbox, TestRepo, settle, write_program};

/// The stand-in: `hook run NAME [--chain PATH] [OPTIONS] -- ARGS`. Beside it, `log` gets a line for each call, `stdin`
/// what it read, and `verdict`, where there is one, is its exit code.
const JUDGE: &str = r#"#!/bin/sh
here=${0%/*}
shift 2
name=$1
shift
chain=
while [ "$1" != -- ]; do
    if [ "$1" = --chain ]; then chain=$2; shift; fi
    shift
done
shift
if [ "$*" = --portcullis-doctor ]; then echo "portcullis @VERSION@ $name"; exit 0; fi
echo "$name $*" >>"$here/log"
cat >"$here/stdin"
if [ -n "$chain" ]; then
    if [ -x "$chain" ]; then PORTCULLIS_CHAIN=$$ "$chain" "$@" <"$here/stdin" || exit; fi
    echo "$name after $chain" >>"$here/log"
fi
if [ -e "$here/verdict" ]; then read -r code <"$here/verdict"; exit "$code"; fi
"#;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: HookCommand,
}

/// Puts the stand-in into `bin/` of the sandbox, which is not in PATH.
fn judge(sandbox: &Sandbox) -> PathBuf {
    let bin = sandbox.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let path = bin.join("portcullis");
    if !path.exists() {
        executable(&path, &JUDGE.replace("@VERSION@", env!("CARGO_PKG_VERSION")));
    }
    path
}

fn executable(path: &Path, text: &str) {
    write_program(path, text.as_bytes(), 0o755);
}

fn host(repo: &TestRepo) -> Host {
    let variables = repo.sandbox().environment().into_iter().map(|(n, v)| (n.into(), v.into())).collect();
    Host::new(repo.path().to_path_buf(), judge(repo.sandbox()), variables)
}

/// Runs `portcullis hook ...` on a machine: exit code and output, or the error.
fn try_hook_on(host: &Host, args: &[&str]) -> Result<(u8, String), Error> {
    let cli = Cli::try_parse_from([&["hook"], args].concat()).unwrap_or_else(|e| panic!("{e}"));
    let mut out = Vec::new();
    let code = run_on(&cli.command, host, &mut out)?;
    Ok((code, String::from_utf8(out).expect("output is text")))
}

/// As [`try_hook_on`], in a repository.
fn try_hook(repo: &TestRepo, args: &[&str]) -> Result<(u8, String), Error> {
    let answer = try_hook_on(&host(repo), args);
    settle(repo.sandbox());
    answer
}

/// As [`try_hook`], for what must succeed.
fn hook(repo: &TestRepo, args: &[&str]) -> String {
    match try_hook(repo, args) {
        Ok((0, text)) => text,
        other => panic!("{args:?}: {other:?}"),
    }
}

/// The message and the hint of what must be a usage error.
fn refused(repo: &TestRepo, args: &[&str]) -> (String, String) {
    let error = try_hook(repo, args).expect_err("it must be refused");
    assert_eq!(error.kind, Kind::Usage, "{error}");
    (error.message, error.hint.unwrap_or_default())
}

/// What the stand-in was called for, one line a call, and forgets it.
fn calls(repo: &TestRepo) -> Vec<String> {
    let log = repo.sandbox().path().join("bin/log");
    let text = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(log);
    text.lines().map(str::to_owned).collect()
}

fn verdict(repo: &TestRepo, code: u8) {
    fs::write(judge(repo.sandbox()).with_file_name("verdict"), code.to_string()).unwrap();
}

/// Everything below a directory: kind, mode and content by path.
fn snapshot(directory: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![directory.to_path_buf()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().map(Result::unwrap) {
            let path = entry.path();
            let metadata = path.symlink_metadata().unwrap();
            let content = if metadata.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if metadata.is_dir() {
                waiting.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
            all.insert(name, (metadata.permissions().mode(), content));
        }
    }
    all
}
