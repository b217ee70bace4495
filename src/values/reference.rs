//! References and templates: a value that says where another one comes from, or that is filled in later.

use bstr::ByteSlice as _;

use super::identifier::{is_digest, is_identifier, is_name, is_path};
use super::word_list::WordList;
use super::{contains, is_random};

/// What opens a reference, and what closes it at the end of the value. Between them stands a name, a path or code, never
/// something random.
const PAIRS: &[(&str, &str)] = &[
    ("${", "}"),
    ("$(", ")"),
    ("$[", "]"),
    ("{{", "}}"),
    ("{%", "%}"),
    ("#{", "}"),
    ("%{", "}"),
    ("@{", "}"),
    ("%(", ")s"),
    ("%", "%"),
    ("@@", "@@"),
    ("@", "@"),
    ("__", "__"),
    ("((", "))"),
    ("[[", "]]"),
    ("<<", ">>"),
    ("<", ">"),
    ("&lt;", "&gt;"),
    ("{", "}"),
    ("[", "]"),
    ("^", "$"),
    ("env(", ")"),
    ("file(", ")"),
    ("enc(", ")"),
    ("getenv(", ")"),
    ("$t(", ")"),
    ("t(", ")"),
    ("i18n(", ")"),
    ("gettext(", ")"),
];

/// How a reference to a store of secrets, or an expression, begins. None is a beginning that chance makes.
const STARTS: &str = "\
    $var: $res: $vault: $aws_sm: $azure_kv: op:// vault: vault/ ref+ ref: secret:// secretref awssm:// \
    azurekeyvault:// akv:// gcpsm:// gcp-sm:// sm:// ssm: arn: keychain: env: env. env/ file: process.env \
    os.environ os.getenv import.meta config. settings. var. local. data. module. self. this. secrets. args. \
    params. !ref !sub !vault !secret !env !getatt @microsoft.keyvault @file keyvault: infisical: doppler: bw:// \
    pass:// k8s: kubernetes: jasypt: resolve: dynamic_reference awskms: gcpkms:";

/// Points to a secret kept elsewhere, or is filled in later.
pub fn is_reference(value: &[u8]) -> bool {
    let value = value.trim_with(|c| matches!(c, '"' | '\'' | ' '));
    let start = value[..value.len().min(24)].to_ascii_lowercase();
    STARTS.split_ascii_whitespace().any(|s| start.starts_with_str(s))
        || is_enclosed(value, &start)
        || is_variable(value)
        || holds_template(value)
        || value.strip_prefix(b"*").is_some_and(is_name)
        || value.strip_prefix(b"@").is_some_and(|v| is_file_name(v) || v.starts_with(b"/"))
        || is_path(value)
        || is_file_name(value)
        || ["` + ", "\" + ", "' + "].iter().any(|joined| contains(value, joined))
}

/// `<your-password>`, `@@PASSWORD@@`, `{{ x }}`, `%(x)s`.
fn is_enclosed(value: &[u8], start: &[u8]) -> bool {
    PAIRS.iter().any(|(open, close)| {
        start.starts_with_str(open)
            && value.len() > open.len() + close.len()
            && value.ends_with_str(close)
            && (OPEN.contains(open) || !holds_random(value[open.len()..value.len() - close.len()].trim()))
    }) || OPEN.iter().any(|open| {
        // What reads a value to the next bracket leaves the closing one out.
        value.strip_prefix(open.as_bytes()).is_some_and(|rest| {
            let name = &rest[..rest.find_byteset(b":-?|").unwrap_or(rest.len())];
            !name.is_empty() && !is_random(name)
        })
    })
}

/// What opens code: nothing else begins so.
const OPEN: [&str; 5] = ["${", "$(", "{{", "#{", "%{"];

/// One random word: code has blanks, and words.
fn holds_random(inner: &[u8]) -> bool {
    is_random(inner) && !inner.contains(&b' ') && !inner.contains(&b'|')
}

/// `$DB_PASSWORD`, `$config.password`, `$1`: what follows is the name of something, not something random.
fn is_variable(value: &[u8]) -> bool {
    let Some(name) = value.strip_prefix(b"$") else { return false };
    let name = name.strip_prefix(b"env:").unwrap_or(name);
    let constant = name.iter().take_while(|b| b.is_ascii_uppercase() || **b == b'_').count();
    let marks = |b: &u8| !(b.is_ascii_alphanumeric() || b"_.-:/[]'\"@".contains(b));
    // `$DATABASE_PASSWORD/x` too, but not `$uperman!` or `$uper-9xQ2zLw5-Ny`.
    constant > 2 && name.get(constant).is_none_or(|b| !b.is_ascii_lowercase())
        || !name.iter().any(marks) && name.first().is_some_and(|b| !b.is_ascii_digit()) && is_name(name)
        || name.len() == 1 && name[0].is_ascii_digit()
}

/// `prefix-${NAME}-suffix`, `a{{ b }}c`, `x$(cat file)y`: closed, with the name of something inside.
fn holds_template(value: &[u8]) -> bool {
    [("${", "}"), ("{{", "}}"), ("$(", ")"), ("%{", "}"), ("#{", "}"), ("<%", "%>")].iter().any(|(open, close)| {
        let Some(at) = value.find(open) else { return false };
        let inner = &value[at + open.len()..];
        let Some(end) = inner.find(close) else { return false };
        let inner = inner[..end].trim();
        // `${NAME:-fallback}` is about the name.
        let inner = &inner[..inner.find_byteset(b":-?|").unwrap_or(inner.len())];
        !inner.is_empty() && !holds_random(inner) && inner.iter().any(u8::is_ascii_alphabetic)
    })
}

/// `service-account-1a2b3c4d.json`: where a secret is kept, or the key that a file of it gets.
fn is_file_name(value: &[u8]) -> bool {
    const ENDS: &[&str] = &[
        "json", "yaml", "yml", "toml", "ini", "conf", "cfg", "env", "pem", "crt", "cer", "key", "p12", "pfx", "jks",
        "txt",
    ];
    let Some((stem, extension)) = value.rsplit_once_str(".") else { return false };
    ENDS.iter().any(|e| extension.eq_ignore_ascii_case(e.as_bytes()))
        && !stem.is_empty()
        && stem.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
}

/// Describes values instead of being one: a regular expression, a validation rule.
pub fn is_pattern(value: &[u8]) -> bool {
    const PARTS: [&str; 9] =
        ["[a-z", "[A-Z", "[0-9", "required|", "nullable|", "|nullable", "|string", "|min:", "|max:"];
    let escapes = ["\\d", "\\w", "\\s", "\\S", "\\b"].iter().filter(|e| contains(value, e)).count();
    let repeated = ["\\d+", "\\d{", "\\w+", "\\w{", "\\s*", "\\s+", "\\S+", "\\w*"].iter().any(|e| contains(value, e));
    PARTS.iter().any(|part| contains(value, part)) || escapes > 1 || repeated || is_rule(value)
}

/// One rule of a validation, as `required`, `min:16` and `required_without:email` of Laravel.
fn is_rule(value: &[u8]) -> bool {
    static RULES: WordList = WordList::new(
        "\
        min max size between digits digits_between min_digits max_digits same different required_if required_unless \
        required_with required_with_all required_without required_without_all exclude_if exclude_unless unique exists \
        in not_in regex not_regex gt gte lt lte starts_with ends_with confirmed",
    );
    let is_argument = |b: &u8| b.is_ascii_alphanumeric() || b",._-".contains(b);
    match value.split_once_str(":") {
        Some((rule, arguments)) => {
            RULES.has(rule) && !arguments.is_empty() && arguments.iter().all(is_argument) && !is_random(arguments)
        }
        None => matches!(value, b"required" | b"nullable" | b"sometimes" | b"confirmed"),
    }
}

/// A string with places to fill in, or the address of an action at a commit.
pub fn is_template(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(open) = rest.find_byte(b'{') {
        rest = &rest[open + 1..];
        let inner = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
        if inner > 2 && rest.get(inner) == Some(&b'}') && is_identifier(&rest[..inner]) {
            return true;
        }
    }
    // `constant.$0` of a grammar
    let grammar = |w: &[u8]| w[0] == b'.' && w[1] == b'$' && w[2].is_ascii_alphanumeric();
    if value.windows(3).any(grammar) && value.iter().all(|b| b.is_ascii_alphanumeric() || b".$_".contains(b)) {
        return true;
    }
    value.rsplit_once_str("@").is_some_and(|(_, commit)| commit.len() == 40 && is_digest(commit))
}
