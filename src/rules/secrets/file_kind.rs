//! What a path says about a text: how assignments are to be read in it, and whether what stands there is likely made up.

use bstr::{BStr, ByteSlice as _};

use crate::values::{WordList, contains};

/// How the right-hand sides of a file are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// An unquoted word is a value.
    Config,
    /// An unquoted word is an expression.
    Code,
    /// Code that says what is to be, as Terraform's: an unquoted word is an expression, and what it sets is configuration.
    Declaration,
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
        matches!(self, Self::Code | Self::Declaration | Self::Script | Self::Minified)
    }

    pub fn is_declarative(self) -> bool {
        matches!(self, Self::Declaration | Self::Config)
    }
}

/// Folders of what is made up or was written by others, whatever kind of file stands there.
static EXAMPLES: WordList = WordList::new(
    "\
    testdata test-data test_data test-fixtures test_fixtures fixture fixtures __fixtures__ __tests__ __mocks__ \
    __snapshots__ mock mocks example examples sample samples tests testutil testutils test-utils test_utils \
    seeders vendor node_modules third_party .yarn bower_components",
);

/// Folders of tests and documentation where they hold source code; with configuration in them they are environments.
static TESTS: WordList = WordList::new(
    "\
    test testing spec specs e2e integration integration-tests integration_tests demo docs doc seeds factories",
);

/// Whether what stands under a path is mostly made up, or published already: examples and fixtures of every kind, and source
/// code and prose of tests. An environment that is named so (`overlays/test`, `values-test.yaml`) holds real secrets.
pub fn is_example_path(path: &BStr) -> bool {
    let lower = path.to_ascii_lowercase();
    let mut folders = lower.rsplit(|b| *b == b'/');
    let name = folders.next().unwrap_or_default();
    let within = |list: &WordList| folders.clone().any(|part| list.has(part));
    let words = |wanted: &[&str]| {
        let mut rest = name.split(|b| matches!(b, b'.' | b'-' | b'_')).peekable();
        std::iter::from_fn(|| rest.next().map(|word| (word, rest.peek().copied()))).any(|(word, next)| {
            // `example.com.yaml` is about a host.
            let host = next.is_some_and(|n| [&b"com"[..], b"org", b"net"].contains(&n));
            !host && wanted.iter().any(|w| word == w.as_bytes())
        })
    };
    // The resources of a program's tests.
    let resources = contains(&lower, "src/test/");
    if resources
        || within(&EXAMPLES)
        || words(&["example", "examples", "sample", "fixture", "fixtures", "mock", "mocks"])
    {
        return true;
    }
    let kind = file_kind(path);
    let code = kind.is_code() && kind != FileKind::Declaration || kind == FileKind::Prose;
    code && (within(&TESTS) || words(&["test", "tests", "testing", "spec", "phpunit"]))
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
        "sql",
        "graphql",
        "jsonnet",
        "libsonnet",
        "ps1",
        "psm1",
        "star",
        "bzl",
    ];
    match name.rfind_byte(b'.').map(|dot| &name[dot + 1..]) {
        Some(b"md" | b"mdx" | b"rst" | b"adoc" | b"txt" | b"csv" | b"svg" | b"log") => FileKind::Prose,
        Some(b"tf" | b"hcl" | b"nix" | b"bicep" | b"cue") => FileKind::Declaration,
        Some(b"js" | b"mjs" | b"css") if contains(&name, ".min.") => FileKind::Minified,
        Some(
            b"js" | b"mjs" | b"cjs" | b"ts" | b"css" | b"html" | b"htm" | b"xhtml" | b"cshtml" | b"razor" | b"jsp"
            | b"aspx" | b"ejs" | b"hbs" | b"twig",
        ) => FileKind::Script,
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
