//! `files`: files that have no place in git, whatever is in them or because of what is in them.
//! Owns the table of kinds. Reads a file only when its path is one of them; what a scanner sees in any text is
//! `secrets`' affair.

use std::ops::Range;
use std::sync::LazyLock;

use bstr::{BStr, ByteSlice};
use globset::{GlobBuilder, GlobSet};
use regex::bytes::Regex;

use super::secrets::{is_ciphertext, is_password_placeholder, is_reference};
use super::{Check, Checks, Rule};
use crate::document::{Document, Format};
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::policy::{Options, scope};
use crate::subject::{File, Kinds};

pub static RULE: Rule =
    Rule { id: "files", looks_at: Kinds::FILE, policy: include_str!("../../policies/files.yml"), compile };

/// A kind of file, by its path and what must be in it.
struct Kind {
    rule: &'static str,
    /// File names, or the ends of paths, with wildcards.
    paths: &'static [&'static str],
    severity: Severity,
    message: &'static str,
    help: &'static str,
    /// What makes it one: the range to mark and the range to mask. `None`: it is harmless.
    holds: fn(&[u8]) -> Option<Mark>,
}

/// What a caret marks, and what of it must not be shown.
struct Mark {
    at: Range<usize>,
    hide: Range<usize>,
}

const IGNORE: &str = "take it out and keep git from taking it again: `git rm --cached FILE`, and a line in .gitignore";

static KINDS: &[Kind] = &[
    Kind {
        rule: "files/dotenv",
        paths: &[".env", ".env.local", ".env.*.local", ".envrc.local"],
        severity: Severity::Error,
        message: "a dotenv file with values of one machine or person",
        help: "commit `.env.example` with placeholders instead; values belong to the environment that runs the program",
        holds: assignment,
    },
    Kind {
        rule: "files/terraform-state",
        paths: &["*.tfstate", "*.tfstate.backup", "*.tfstate.*.backup"],
        severity: Severity::Error,
        message: "a Terraform state: it holds every secret that Terraform has seen, in clear",
        help: "move it to a remote backend: `terraform init -migrate-state`",
        holds: state,
    },
    Kind {
        rule: "files/kubeconfig",
        paths: &["kubeconfig", "*.kubeconfig", "kubeconfig.yaml", "kubeconfig.yml", ".kube/config", "talosconfig"],
        severity: Severity::Error,
        message: "credentials of a cluster",
        help: "use an exec plugin or a short-lived token, and revoke what stands here",
        holds: cluster_credentials,
    },
    Kind {
        rule: "files/ssh-key",
        paths: &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "ssh_host_*_key"],
        severity: Severity::Error,
        message: "a private SSH key",
        help: "make a new pair with `ssh-keygen -t ed25519`, and take the public half away wherever it is trusted",
        holds: anything,
    },
    Kind {
        rule: "files/keystore",
        paths: &["*.pfx", "*.p12", "*.jks", "*.keystore", "*.bks", "*.kdbx", "*.ppk", "*.ovpn"],
        severity: Severity::Error,
        message: "a store of private keys",
        help: IGNORE,
        holds: anything,
    },
    Kind {
        rule: "files/credentials",
        paths: &[
            ".npmrc",
            ".yarnrc",
            ".yarnrc.yml",
            ".pypirc",
            ".netrc",
            "_netrc",
            ".git-credentials",
            ".pgpass",
            ".my.cnf",
            ".s3cfg",
            ".boto",
            ".dockercfg",
            ".dockerconfigjson",
            ".docker/config.json",
            ".aws/credentials",
        ],
        severity: Severity::Error,
        message: "a file in which a program keeps its credentials",
        help: "revoke what stands here, and let the program read it from its environment",
        holds: credentials,
    },
    Kind {
        rule: "files/history",
        paths: &[
            ".bash_history",
            ".zsh_history",
            ".psql_history",
            ".mysql_history",
            ".node_repl_history",
            ".python_history",
        ],
        severity: Severity::Error,
        message: "somebody's command history",
        help: IGNORE,
        holds: anything,
    },
];

/// The kinds with their globs, and the endings that make a file a pattern for others to fill in.
struct Files {
    kinds: Vec<(&'static Kind, GlobSet)>,
    templates: Vec<String>,
}

fn compile(options: &Options<'_>) -> Checks {
    let globs = |kind: &Kind| {
        let mut set = GlobSet::builder();
        for path in kind.paths {
            // At any depth, and the file itself: a directory of that name is another matter.
            let glob = GlobBuilder::new(&format!("**/{path}")).literal_separator(true).build();
            set.add(glob.expect("the table's globs are tested"));
        }
        set.build().expect("the table's globs are tested")
    };
    let files = Files { kinds: KINDS.iter().map(|k| (k, globs(k))).collect(), templates: options.strings("templates") };
    Checks { files: vec![Box::new(files)], ..Checks::default() }
}

impl Check<File<'_>> for Files {
    fn check(&self, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        let Some((kind, _)) = self.kinds.iter().find(|(_, globs)| scope::is_match(globs, file.path)) else {
            return Ok(());
        };
        if file.symlink || self.is_template(file.path) {
            return Ok(());
        }
        let bytes = file.bytes()?;
        if is_encrypted(bytes) {
            return Ok(());
        }
        let Some(mark) = (kind.holds)(bytes) else { return Ok(()) };
        let origin = Origin::File { path: file.path.to_owned(), commit: file.commit, blob: file.blob };
        out.push(
            Violation::new(kind.rule, kind.severity, origin, bytes, mark.at)
                .message(kind.message)
                .help(kind.help)
                .hide(mark.hide)
                // There is one such file under a path, however often it changes.
                .identity([file.path.as_bytes()]),
        );
        Ok(())
    }
}

impl Files {
    fn is_template(&self, path: &BStr) -> bool {
        self.templates.iter().any(|ending| path.ends_with(ending.as_bytes()))
    }
}

/// Encrypted as a whole, by a tool that says so.
fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0GITCRYPT\0")
        || bytes.starts_with(b"$ANSIBLE_VAULT;")
        || bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----")
        || bytes.starts_with(b"age-encryption.org/")
        || bytes.starts_with(b"-----BEGIN PGP MESSAGE-----")
}

/// The file's name is enough, unless it is empty. Nothing of it is shown: what is in it is not for reading.
fn anything(bytes: &[u8]) -> Option<Mark> {
    (!bytes.trim().is_empty()).then_some(Mark { at: 0..0, hide: 0..bytes.len() })
}

fn is_real(value: &[u8]) -> bool {
    !value.is_empty() && !is_reference(value) && !is_ciphertext(value) && !is_password_placeholder(value)
}

/// The first variable that has a value of its own.
fn assignment(bytes: &[u8]) -> Option<Mark> {
    let document = Document::read(Format::Dotenv, bytes);
    let entries = document.roots.first().map_or(&[][..], |r| r.entries());
    let real = |value: &str| is_real(value.as_bytes()) && !value.starts_with("encrypted:");
    let first = entries.iter().find(|(_, value)| value.text().is_some_and(real));
    match first {
        Some((key, value)) => Some(Mark { at: key.span.clone(), hide: value.span.clone() }),
        // What cannot be read is not harmless for that.
        None if !document.mistakes.is_empty() => anything(bytes),
        None => None,
    }
}

/// A state without resources holds nothing; one that OpenTofu encrypted shows nothing.
fn state(bytes: &[u8]) -> Option<Mark> {
    static RESOURCES: LazyLock<Regex> = LazyLock::new(|| pattern(r#""(resources|modules)"\s*:\s*\[\s*[^\s\]]"#));
    match RESOURCES.find(bytes) {
        Some(found) => {
            let start = found.start();
            Some(Mark {
                at: start..start + bytes[start..].find_byte(b':').unwrap_or(0),
                hide: found.end() - 1..bytes.len(),
            })
        }
        None if bytes.contains_str(b"\"resources\"") || bytes.contains_str(b"\"encrypted_data\"") => None,
        None => anything(bytes),
    }
}

fn cluster_credentials(bytes: &[u8]) -> Option<Mark> {
    static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r#"(?m)^[ \t-]*"?(client-key-data|token|password|id-token|refresh-token|key)"?[ \t]*:[ \t]*"?(?P<value>[^\s"',}]+)"#,
        )
    });
    value_of(&CREDENTIAL, bytes)
}

fn credentials(bytes: &[u8]) -> Option<Mark> {
    static CREDENTIAL: LazyLock<Regex> = LazyLock::new(|| {
        pattern(concat!(
            r#"(?mi)(_authtoken|_password|_auth|npmauthtoken|npmauthident|password|passwd|secret_key|secret_access_key|"#,
            r#"aws_secret_access_key|aws_session_token|gs_secret_access_key|"?auth"?|"?identitytoken"?)[ \t]*[:= \t][ \t]*"?(?P<value>[^\s"',}]+)"#,
            r#"|^https?://[^\s:/@]+:(?P<url>[^\s@/]+)@|^[^\s:#]+:[^\s:]*:[^\s:]*:[^\s:]+:(?P<pg>\S+)$"#
        ))
    });
    value_of(&CREDENTIAL, bytes)
}

/// The first match whose value is real.
fn value_of(pattern: &Regex, bytes: &[u8]) -> Option<Mark> {
    pattern.captures_iter(bytes).find_map(|found| {
        let value = found.name("value").or(found.name("url")).or(found.name("pg"))?;
        let key = found.get(0)?.start()..value.start();
        is_real(value.as_bytes()).then_some(Mark { at: key, hide: value.range() })
    })
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of our own, compiled by every test")
}
