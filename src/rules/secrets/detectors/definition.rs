//! The shape of a detector as it is written in YAML, and what must hold of it.
//! Shared with `build.rs` and the tests; it must not name the rest of the crate.

/// The fields of a definition as they are written; the schema and the check of a policy's keys come from this list.
#[allow(dead_code)] // the build does not need it
pub const FIELDS: &[&str] = &[
    "id",
    "name",
    "provider",
    "keywords",
    "pattern",
    "entropy",
    "checks",
    "paths",
    "severity",
    "confidence",
    "revoke",
    "docs",
    "window",
    "pair",
    "broad",
    "matches",
    "near-misses",
];

/// One definition of `policies/secrets/*.yml`, or of `detectors` in a policy.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Definition {
    /// The part of the rule's name after `secrets/`.
    pub id: String,
    /// Completes "found ...": with its article, lower case but for names.
    pub name: String,
    pub provider: String,
    /// ASCII, lower case, three bytes at least. The pattern only runs near one.
    pub keywords: Vec<String>,
    /// Bytes, not Unicode; the named group `secret` is what gets hidden.
    pub pattern: String,
    /// Shannon entropy in bits per byte that the secret must have.
    #[serde(default)]
    pub entropy: f32,
    /// Names of structural checks, all of which must hold.
    #[serde(default)]
    pub checks: Vec<String>,
    /// Globs; empty: everywhere.
    #[serde(default)]
    pub paths: Vec<String>,
    #[serde(default = "error")]
    pub severity: String,
    #[serde(default = "high")]
    pub confidence: String,
    #[serde(default)]
    pub revoke: String,
    #[serde(default)]
    pub docs: String,
    /// How many bytes after the keyword the pattern may need.
    #[serde(default = "window")]
    pub window: u32,
    /// The detector of the other half: found near each other they are one finding.
    #[serde(default)]
    pub pair: Option<String>,
    /// The form is common to many: at the same place a detector that is not broad knows better.
    #[serde(default)]
    pub broad: bool,
    /// `<>` in examples breaks them up, so that no scanner takes our own files for leaks; it is removed before use.
    pub matches: Vec<String>,
    pub near_misses: Vec<String>,
}

fn error() -> String {
    "error".into()
}

fn high() -> String {
    "high".into()
}

fn window() -> u32 {
    1024
}

/// Names for `checks`, sorted; `validate.rs` has a function for each.
pub const CHECKS: &[&str] = &[
    "aws-key-id",
    "aws-secret",
    "base58check",
    "base64",
    "base64-32",
    "base64-48",
    "base64-64",
    "base64-file",
    "base64-json",
    "basic-auth",
    "bech32",
    "chosen",
    "discord",
    "github-crc32",
    "gitlab-crc32",
    "grafana-crc32",
    "hex",
    "jwt",
    "literal",
    "luhn",
    "mixed",
    "mixed-case",
    "not-hex",
    "not-identifier",
    "not-uuid",
    "npm-crc32",
    "pem",
    "slack",
    "stripe-mode",
    "url-credentials",
    "uuid",
    "wrapped-pem",
];

/// Keywords of the generic detector: where one of them ends a name, an assignment may follow.
#[allow(dead_code)] // only the build needs the list
#[rustfmt::skip]
pub const GENERIC: &[&str] = &[
    "passw", "passphrase", "passcode", "_pass", "pass:", "pass=", "pass\"", "pass ", "storepass", "keypass", "requirepass",
    "masterauth", "pwd", "_pw", "-pw", "pw:", "pw=", "pw\"", "bindpw", "rootpw", "userpw", "psk", "secret", "token", "credential",
    "cred:", "cred=", "creds", "identified by", "apikey", "api key", "api.key", "_auth", "_key", "-key", "key_material", "keymaterial", "key=", "accesskey",
    "authkey", "privatekey", "encryptionkey", "signingkey", "masterkey", "accountkey", "clientkey", "sharedkey", "sessionkey",
    "hmackey", "aeskey", "appkey", "storagekey", "unsealkey", "subscriptionkey", "functionkey", "deploykey", "tskey",
    "webhookkey", "jwtkey", "licensekey", "ingestkey",
    // Other languages; where capitals are no ASCII letters, without the first one.
    "kennwort", "mot_de_passe", "motdepasse", "mot-de-passe", "contrase", "senha", "parola", "wachtwoord", "haslo", "has\u{142}o",
    "heslo", "senord", "passord", "adgangskode", "salasana", "jelsz", "sifre", "\u{15f}ifre", "clave:", "clave=", "\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
    "\u{43e}\u{437}\u{438}\u{43d}\u{43a}\u{430}", "密码", "密碼", "口令", "パスワード", "暗証番号", "비밀번호",
];

/// What a field of a definition may be wrong about: the field, and why.
pub type Problem = (&'static str, String);

impl Definition {
    /// Everything that is wrong with the definition by itself, but for the pattern's syntax. `examples`: whether it must bring
    /// examples.
    pub fn problems(&self, examples: bool) -> Vec<Problem> {
        let mut out = Vec::new();
        let mut wrong = |field, why: &str| out.push((field, why.to_owned()));
        let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.id.is_empty() || !self.id.bytes().all(name) {
            wrong("id", "an id is lower case letters, digits and hyphens");
        }
        if self.name.is_empty() {
            wrong("name", "a name is needed: it completes `found ...`");
        }
        if self.keywords.is_empty() {
            wrong("keywords", "at least one keyword is needed");
        }
        if self.keywords.iter().any(|k| k.len() < 3 || k.len() > 64 || !k.is_ascii() || *k != k.to_ascii_lowercase()) {
            wrong("keywords", "a keyword has 3 to 64 bytes of lower case ASCII");
        }
        if !self.pattern.contains("(?P<secret>") && !self.pattern.contains("(?<secret>") {
            wrong("pattern", "the pattern needs a named group `secret`: (?P<secret>...)");
        }
        if !(0.0..=8.0).contains(&self.entropy) {
            wrong("entropy", "entropy is in bits per byte: 0 to 8");
        }
        for check in &self.checks {
            if CHECKS.binary_search(&check.as_str()).is_err() {
                wrong("checks", &format!("there is no check `{check}`; there are {}", CHECKS.join(", ")));
            }
        }
        if !["error", "warning", "note"].contains(&self.severity.as_str()) {
            wrong("severity", "a severity is error, warning or note");
        }
        if !["high", "medium", "low"].contains(&self.confidence.as_str()) {
            wrong("confidence", "a confidence is high, medium or low");
        }
        if !(16..=65536).contains(&self.window) {
            wrong("window", "a window has 16 to 65536 bytes");
        }
        if examples && self.matches.len() < 2 {
            wrong("matches", "at least two examples that match are needed");
        }
        if examples && self.near_misses.len() < 2 {
            wrong("near-misses", "at least two near misses are needed");
        }
        out
    }
}
