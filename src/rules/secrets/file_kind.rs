//! What a path says about a text: how assignments are to be read in it, and whether what stands there is likely made up.

use bstr::{BStr, ByteSlice};

use crate::values::contains;

/// How the right-hand sides of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// An unquoted word is a value.
    Config,
    /// An unquoted word is an expression.
    Code,
    /// Code that tools take the line ends out of.
    Script,
    /// Words everywhere: only what looks random is a value.
    Prose,
    /// A script with its line ends taken out.
    Minified,
    /// What people see on the screen, with names that say what it is about.
    Translation,
    /// Machine-written, full of hashes.
    Lock,
}

impl FileKind {
    pub fn is_code(self) -> bool {
        matches!(self, Self::Code | Self::Script | Self::Minified)
    }
}

/// Whether a path belongs to tests, fixtures, examples, documentation or to others: what stands there is mostly made up, or
/// published already.
pub fn is_example_path(path: &BStr) -> bool {
    let lower = path.to_ascii_lowercase();
    let mut parts = lower.rsplit(|b| *b == b'/');
    let name = parts.next().unwrap_or_default();
    let named = ["_test.", ".test.", ".spec.", "test_", "_spec.", "example", "sample", "fixture", "mock", "phpunit"]
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
        b"testutil",
        b"testutils",
        b"test-utils",
        b"test_utils",
        b"test_data",
        b"test-data",
        b"test-fixtures",
        b"integration",
        b"integration-tests",
        b"integration_tests",
        b"seeds",
        b"seeders",
        b"factories",
        b"vendor",
        b"node_modules",
        b"third_party",
        b".yarn",
        b"bower_components",
    ];
    let words = name.split(|b| matches!(b, b'.' | b'-' | b'_'));
    let named = named || words.clone().any(|word| [&b"test"[..], b"tests", b"testing"].contains(&word));
    named || parts.any(|part| folders.contains(&part))
}

/// What kind of file a path names.
pub fn file_kind(path: &BStr) -> FileKind {
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default().to_ascii_lowercase();
    // A template is read as what it becomes.
    let template = [".j2", ".tmpl", ".tpl", ".erb", ".example", ".sample", ".dist", ".template"];
    let name = template.iter().find_map(|t| name.strip_suffix(t.as_bytes())).unwrap_or(&name).to_vec();
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
    if is_translation(path, &name) {
        return FileKind::Translation;
    }
    let code: &[&str] = &[
        "go",
        "rs",
        "py",
        "pyi",
        "jsx",
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
        "scss",
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
        Some(b"md" | b"mdx" | b"rst" | b"adoc" | b"txt" | b"csv" | b"svg" | b"log") => FileKind::Prose,
        Some(b"js" | b"mjs" | b"css") if contains(&name, ".min.") => FileKind::Minified,
        Some(b"js" | b"mjs" | b"cjs" | b"ts" | b"css" | b"html" | b"htm") => FileKind::Script,
        Some(extension) if code.iter().any(|c| extension == c.as_bytes()) => FileKind::Code,
        _ => FileKind::Config,
    }
}

/// Texts in one language of several: `locale/de/x.json`, `i18n/de.ts`, `messages_de.properties`, `de.po`.
fn is_translation(path: &BStr, name: &[u8]) -> bool {
    const FOLDERS: [&[u8]; 10] = [
        b"i18n",
        b"l10n",
        b"locale",
        b"locales",
        b"lang",
        b"langs",
        b"language",
        b"languages",
        b"translation",
        b"translations",
    ];
    let folder = path.rsplit(|b| *b == b'/').skip(1).any(|part| FOLDERS.contains(&part));
    let messages = name.starts_with(b"messages") && name.ends_with(b".properties");
    let ending =
        [".po", ".pot", ".xliff", ".xlf", ".arb", ".strings", ".resx"].iter().any(|e| name.ends_with(e.as_bytes()));
    folder || messages || ending
}
