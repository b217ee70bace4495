//! What a path says about a text: how assignments are to be read in it, and whether what stands there is likely made up.

use bstr::{BStr, ByteSlice};

use super::value::contains;

/// How the right-hand sides of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// An unquoted word is a value.
    Config,
    /// An unquoted word is an expression.
    Code,
    /// Words everywhere: only what looks random is a value.
    Prose,
    /// Machine-written, full of hashes.
    Lock,
}

/// Whether a path belongs to tests, fixtures, examples or documentation.
pub fn is_trial(path: &BStr) -> bool {
    let lower = path.to_ascii_lowercase();
    let mut parts = lower.rsplit(|b| *b == b'/');
    let name = parts.next().unwrap_or_default();
    let named = ["_test.", ".test.", ".spec.", "test_", "_spec.", "example", "sample", "fixture", "mock"]
        .iter()
        .any(|p| contains(name, p));
    let folders: &[&[u8]] = &[
        b"test",
        b"tests",
        b"testdata",
        b"__tests__",
        b"spec",
        b"specs",
        b"fixture",
        b"fixtures",
        b"example",
        b"examples",
        b"sample",
        b"samples",
        b"docs",
        b"doc",
        b"mock",
        b"mocks",
        b"e2e",
        b"demo",
        b"testing",
    ];
    named || parts.any(|part| folders.contains(&part))
}

/// What kind of file a path names.
pub fn file_kind(path: &BStr) -> FileKind {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default().to_ascii_lowercase();
    let lock: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "cargo.lock",
        "go.sum",
        "go.work.sum",
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
        "pipfile.lock",
        "composer.lock",
        "gemfile.lock",
        "flake.lock",
        "mix.lock",
        "packages.lock.json",
        "pubspec.lock",
        ".terraform.lock.hcl",
        "chart.lock",
        "deno.lock",
        "podfile.lock",
        "wmill-lock.yaml",
    ];
    if lock.iter().any(|l| name == l.as_bytes()) {
        return FileKind::Lock;
    }
    let code: &[&str] = &[
        "go",
        "rs",
        "py",
        "pyi",
        "js",
        "jsx",
        "mjs",
        "cjs",
        "ts",
        "tsx",
        "mts",
        "vue",
        "svelte",
        "java",
        "kt",
        "kts",
        "scala",
        "groovy",
        "c",
        "h",
        "cc",
        "cpp",
        "cxx",
        "hpp",
        "m",
        "mm",
        "cs",
        "fs",
        "vb",
        "rb",
        "php",
        "swift",
        "dart",
        "lua",
        "pl",
        "pm",
        "ex",
        "exs",
        "erl",
        "clj",
        "hs",
        "r",
        "jl",
        "zig",
        "nim",
        "proto",
        "css",
        "scss",
        "html",
        "htm",
        "map",
        "ipynb",
        "tf",
        "hcl",
        "sql",
        "graphql",
        "cue",
        "jsonnet",
        "libsonnet",
        "ps1",
        "psm1",
        "star",
        "bzl",
        "nix",
    ];
    match name.rfind_byte(b'.').map(|dot| &name[dot + 1..]) {
        Some(b"md" | b"mdx" | b"rst" | b"adoc" | b"txt" | b"po" | b"pot" | b"csv" | b"svg" | b"log") => FileKind::Prose,
        Some(extension) if code.iter().any(|c| extension == c.as_bytes()) => FileKind::Code,
        _ => FileKind::Config,
    }
}
