//! Files that hold credentials by their nature: the rule family `files`.
//! Owns which paths those are, and what their content must be for them to be fine. Reads nothing unless the path says so.

use std::ops::Range;

use bstr::{BStr, ByteSlice};

use super::secrets::{built_in, literal_value};
use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::{Confidence, Findings, Origin, Severity, Violation};
use crate::policy::Options;
use crate::subject::{File, Kinds};
use crate::text;

pub static RULE: Rule =
    Rule { id: "files", looks_at: Kinds::FILE, policy: include_str!("../../policies/files.yml"), compile };

fn compile(options: &Options<'_>) -> Checks {
    let templates = options.strings("templates").into_iter().map(|word| word.to_ascii_lowercase()).collect();
    Checks { files: vec![Box::new(Forbidden { templates })], ..Checks::default() }
}

/// What a path says about a file, and what its content has to say to that.
struct Kind {
    code: &'static str,
    /// Completes "this is ...".
    name: &'static str,
    help: &'static str,
    /// Full name and path, both in lower case.
    is: fn(name: &[u8], path: &[u8]) -> bool,
    judge: fn(&[u8], &BStr) -> Option<Judged>,
}

/// Why a file's content makes it a finding.
struct Judged {
    severity: Severity,
    /// What the caret marks; nothing in particular: 0..0.
    mark: Range<usize>,
    /// What must not be shown, beside what the detectors know.
    hide: Option<Range<usize>>,
}

struct Forbidden {
    templates: Vec<String>,
}

impl Check<File<'_>> for Forbidden {
    fn check(&self, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        let path = file.path.to_ascii_lowercase();
        let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let Some(kind) = KINDS.iter().find(|kind| (kind.is)(name, &path)) else { return Ok(()) };
        // A link's content is a path.
        if file.symlink || self.is_template(name) {
            return Ok(());
        }
        let bytes = file.bytes()?;
        if is_encrypted(bytes) {
            return Ok(());
        }
        let Some(judged) = (kind.judge)(bytes, file.path) else { return Ok(()) };
        let origin = Origin::File { path: file.path.to_owned(), commit: file.commit, blob: file.blob };
        let shown = crate::text::sanitise(file.path);
        out.push(
            Violation::new(format!("files/{}", kind.code), judged.severity, origin, bytes, judged.mark)
                .message(format!("this is {}", kind.name))
                .help(format!("{}\ntake it out: `git rm --cached '{shown}'`, and list it in .gitignore", kind.help))
                .hide_all(judged.hide)
                // One finding for one file, whatever is in it.
                .identity([file.path.as_bytes()]),
        );
        Ok(())
    }

    fn judges_alone(&self) -> bool {
        true
    }
}

impl Forbidden {
    fn is_template(&self, name: &[u8]) -> bool {
        name.split(|b| matches!(b, b'.' | b'-' | b'_')).any(|part| self.templates.iter().any(|t| part == t.as_bytes()))
    }
}

/// Encrypted as a whole, or by SOPS value by value.
fn is_encrypted(bytes: &[u8]) -> bool {
    let front = &bytes[..bytes.len().min(256)];
    front.starts_with(b"\0GITCRYPT\0")
        || front.starts_with(b"$ANSIBLE_VAULT;")
        || front.starts_with(b"age-encryption.org/")
        || front.starts_with(b"-----BEGIN AGE ENCRYPTED")
        || front.starts_with(b"-----BEGIN PGP MESSAGE")
        || bytes.contains_str("ENC[AES256_GCM,") && (bytes.contains_str("sops") || bytes.contains_str("sops_version"))
}

fn ends(name: &[u8], endings: &[&str]) -> bool {
    endings.iter().any(|e| name.ends_with(e.as_bytes()))
}

fn named(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|n| name == n.as_bytes())
}

static KINDS: &[Kind] = &[
    Kind {
        code: "dotenv",
        name: "a dotenv file with values in it",
        help: "keep its values where secrets belong: a Windmill variable, a SOPS file, Vault or an external secret; revoke those that are secret",
        is: |name, _| name == b".env" || name.starts_with(b".env.") || name.len() > 4 && name.ends_with(b".env"),
        judge: dotenv,
    },
    Kind {
        code: "terraform-state",
        name: "a Terraform state: it holds every secret that it manages, in the clear",
        help: "keep it in a remote backend, and change the secrets in it",
        is: |name, _| name.ends_with(b".tfstate") || name.contains_str(".tfstate."),
        judge: |bytes, _| {
            // OpenTofu can encrypt it.
            let sealed = bytes.contains_str("\"encrypted_data\"");
            (!bytes.trim().is_empty() && !sealed).then(|| whole(Severity::Error))
        },
    },
    Kind {
        code: "terraform-vars",
        name: "a file of Terraform variables with secrets in it",
        help: "revoke them, and pass them as TF_VAR_... from where secrets belong",
        is: |name, _| ends(name, &[".tfvars", ".tfvars.json"]),
        judge: any_secret,
    },
    Kind {
        code: "kubeconfig",
        name: "a kubeconfig with credentials in it",
        help: "revoke them in the cluster, and use an exec plugin or OIDC",
        is: |name, path| {
            named(name, &["kubeconfig", "kubeconfig.yaml", "kubeconfig.yml", "admin.conf"])
                || name.ends_with(b".kubeconfig")
                || path == b".kube/config"
                || path.ends_with(b"/.kube/config")
        },
        judge: any_secret,
    },
    Kind {
        code: "ssh-key",
        name: "a private SSH key",
        help: "make a new key, and replace the old public key wherever it is authorised",
        is: |name, _| {
            named(name, &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk"])
                || name.ends_with(b".ppk")
        },
        judge: private_key,
    },
    Kind {
        code: "framework-key",
        name: "the master key of a Rails application: it opens every encrypted credential of it",
        help: "encrypt the credentials anew with another key, change every secret in them, and pass the key as RAILS_MASTER_KEY",
        is: |name, path| name == b"master.key" || name.ends_with(b".key") && path.contains_str("config/credentials/"),
        judge: |bytes, path| {
            let hex = bytes.trim().len() >= 32 && bytes.trim().iter().all(u8::is_ascii_hexdigit);
            if hex { single_value(bytes, path) } else { private_key(bytes, path) }
        },
    },
    Kind {
        code: "private-key",
        name: "a private key",
        help: "make a new key, and revoke certificates issued for the old one",
        is: |name, _| ends(name, &[".pem", ".key", ".p8", ".pk8"]),
        judge: private_key,
    },
    Kind {
        code: "key-store",
        name: "a key store",
        help: "its password can be tried offline for ever: replace what is in it",
        is: |name, _| ends(name, &[".pfx", ".p12", ".jks", ".keystore", ".bcfks", ".kdbx", ".kdb", ".keychain"]),
        judge: |bytes, _| (!bytes.trim().is_empty()).then(|| whole(Severity::Error)),
    },
    Kind {
        code: "credentials",
        name: "a file in which a tool keeps its credentials, and there are some",
        help: "revoke them, and refer to the environment instead (such as ${NPM_TOKEN})",
        is: |name, path| {
            named(
                name,
                &[
                    ".npmrc",
                    ".yarnrc.yml",
                    ".pypirc",
                    ".netrc",
                    "_netrc",
                    ".git-credentials",
                    ".dockercfg",
                    ".dockerconfigjson",
                    ".pgpass",
                    ".my.cnf",
                    ".s3cfg",
                    ".boto",
                    ".terraformrc",
                    "terraform.rc",
                    "credentials.tfrc.json",
                ],
            ) || [
                ".docker/config.json",
                ".aws/credentials",
                ".cargo/credentials.toml",
                ".cargo/credentials",
                ".gem/credentials",
            ]
            .iter()
            .any(|tail| path.strip_suffix(tail.as_bytes()).is_some_and(|to| to.is_empty() || to.ends_with(b"/")))
        },
        judge: any_secret,
    },
    Kind {
        code: "encryption-key",
        name: "the encryption key of a Windmill workspace: it opens every secret variable of it",
        help: "rotate the key in the workspace's settings, and leave it out of the sync (`includeKey: false` in wmill.yaml)",
        is: |name, _| named(name, &["encryption_key.yaml", "encryption_key.yml", "encryption_key"]),
        judge: single_value,
    },
    Kind {
        code: "vault-token",
        name: "a token or password of a vault",
        help: "revoke it (`vault token revoke`) or change it (`ansible-vault rekey`)",
        is: |name, _| {
            named(
                name,
                &[
                    ".vault-token",
                    ".vault_token",
                    ".vault_pass",
                    ".vault-pass",
                    ".vault_pass.txt",
                    "vault_pass.txt",
                    ".vault_password",
                ],
            )
        },
        judge: single_value,
    },
];

fn whole(severity: Severity) -> Judged {
    Judged { severity, mark: 0..0, hide: None }
}

/// `NAME=value` lines whose values are neither empty nor placeholders, references or ciphertext. One that says it is a
/// secret is an error, mere settings are a warning.
fn dotenv(bytes: &[u8], path: &BStr) -> Option<Judged> {
    let secret = any_secret(bytes, path);
    let mut at = 0;
    for line in bytes.split(|b| *b == b'\n') {
        let start = at;
        at += line.len() + 1;
        let Some(equals) = line.find_byte(b'=') else { continue };
        let name = line[..equals].trim();
        let value = line[equals + 1..].trim_with(|c| c.is_whitespace() || matches!(c, '"' | '\''));
        if name.starts_with(b"#") || !literal_value(value) {
            continue;
        }
        let key = line.find(name).map_or(start, |lead| start + lead);
        let settings = Judged {
            severity: Severity::Warning,
            mark: key..key + name.len(),
            hide: Some(start + equals + 1..start + line.len()),
        };
        return Some(secret.unwrap_or(settings));
    }
    secret
}

/// Anything that a detector finds with some confidence.
fn any_secret(bytes: &[u8], path: &BStr) -> Option<Judged> {
    let hits = built_in().scan(bytes, Some(path));
    let hit = hits.iter().max_by_key(|h| (h.confidence, std::cmp::Reverse(h.secret.start)))?;
    let line = text::line_around(bytes, hit.range.start);
    let mark = if hit.secret.end <= line.end { hit.secret.clone() } else { hit.range.start..line.end };
    let severity = if hit.confidence > Confidence::Low { Severity::Error } else { Severity::Warning };
    Some(Judged { severity, mark, hide: Some(hit.secret.clone()) })
}

/// A private key in armour or in DER; what is only public is fine. An encrypted one is a warning.
fn private_key(bytes: &[u8], _: &BStr) -> Option<Judged> {
    if let Some(at) = bytes.find("PRIVATE KEY-----") {
        let line = text::line_around(bytes, at);
        let front = &bytes[line.start..bytes.len().min(line.end + 256)];
        let encrypted = front.contains_str("ENCRYPTED");
        let severity = if encrypted { Severity::Warning } else { Severity::Error };
        return Some(Judged { severity, mark: line, hide: None });
    }
    if bytes.starts_with(b"PuTTY-User-Key-File-") {
        let encrypted = !bytes.contains_str("Encryption: none");
        return Some(whole(if encrypted { Severity::Warning } else { Severity::Error }));
    }
    // PKCS#1, PKCS#8 and SEC 1: a sequence that begins with the version, 0 or 1.
    let body = match bytes {
        [0x30, 0x82, _, _, rest @ ..] | [0x30, 0x81, _, rest @ ..] => rest,
        [0x30, length, rest @ ..] if *length < 0x80 => rest,
        _ => return None,
    };
    matches!(body, [2, 1, 0 | 1, ..]).then(|| whole(Severity::Error))
}

/// A file whose whole content is the secret, possibly quoted or behind one key.
fn single_value(bytes: &[u8], _: &BStr) -> Option<Judged> {
    let line = bytes.lines().find(|l| !l.trim().is_empty() && !l.trim_start().starts_with(b"#") && *l != b"---")?;
    let start = bytes.find(line)?;
    let value = line.rsplit_once_str(": ").map_or(line, |(_, value)| value);
    let value = value.trim_with(|c| c.is_whitespace() || matches!(c, '"' | '\''));
    literal_value(value).then(|| Judged {
        severity: Severity::Error,
        mark: start..start + line.len(),
        hide: Some(start..start + line.len()),
    })
}
