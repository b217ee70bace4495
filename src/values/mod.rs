//! What a value is, whatever rule asks: a placeholder, a reference, ciphertext, a digest, an identifier, or something random.
//! One list of each for secrets, windmill and divergence.

pub mod base64;
pub mod entropy;
pub mod placeholder;

use bstr::ByteSlice;

use entropy::entropy;

/// Whether a short text holds a part: building a searcher for each of many parts would cost more than it saves.
pub fn contains(text: &[u8], part: &str) -> bool {
    let part = part.as_bytes();
    text.windows(part.len()).any(|w| w[0] == part[0] && w == part)
}

/// A UUID in its usual form.
pub fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// Hexadecimal of the length of an object id or a digest.
pub fn is_digest(value: &[u8]) -> bool {
    matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128) && value.iter().all(u8::is_ascii_hexdigit)
}

/// Points to a secret kept elsewhere, or is filled in later.
pub fn is_reference(value: &[u8]) -> bool {
    const STARTS: &[&str] = &[
        "${",
        "$(",
        "{{",
        "{%",
        "#{",
        "%{",
        "%(",
        "%s",
        "<",
        "@@",
        "__",
        "[[",
        "op://",
        "vault:",
        "vault://",
        "vault/",
        "ref+",
        "ref:",
        "secret://",
        "secretref",
        "awssm://",
        "azurekeyvault://",
        "akv://",
        "gcpsm://",
        "gcp-sm://",
        "sm://",
        "ssm://",
        "ssm:",
        "arn:",
        "keychain:",
        "env:",
        "env.",
        "env(",
        "env/",
        "file:",
        "file(",
        "process.env",
        "os.environ",
        "os.getenv",
        "getenv",
        "import.meta",
        "config.",
        "settings.",
        "var.",
        "local.",
        "data.",
        "module.",
        "self.",
        "this.",
        "secrets.",
        "args.",
        "params.",
        "!ref",
        "!sub",
        "!vault",
        "!secret",
        "!env",
        "!getatt",
        "*",
        "/",
        "./",
        "../",
        "~/",
        "@microsoft.keyvault",
        "keyvault:",
        "projects/",
        "infisical:",
        "doppler:",
        "bw://",
        "pass://",
        "k8s:",
        "kubernetes:",
        "jasypt:",
        "enc(",
        "resolve:",
        "dynamic_reference",
        "&lt;",
        "awskms:",
        "gcpkms:",
        "((",
        "@file",
    ];
    let start = value[..value.len().min(24)].to_ascii_lowercase();
    // `$uperman!` is somebody's idea of a password.
    let value = value.trim_with(|c| matches!(c, '"' | '\''));
    let named = value.iter().skip(1).take_while(|b| b.is_ascii_uppercase() || **b == b'_').count() > 2;
    let variable = value.starts_with(b"$") && (named || value.find_byteset(b"!#^").is_none());
    variable
        || STARTS.iter().any(|s| start.starts_with_str(s))
        // `@DB_PASSWORD@` is filled in, `@secret.txt` is read.
        || value.starts_with(b"@") && (value.ends_with(b"@") || value[1..].contains(&b'.'))
        || value.contains_str("${")
        || value.contains_str("{{")
        || value.contains_str("$(")
        || value.starts_with(b"%") && value.ends_with(b"%")
        || value.starts_with(b"{") && value.ends_with(b"}")
        || value.starts_with(b"[") && value.ends_with(b"]")
        || value.starts_with(b"^")
        || is_file_name(value)
        || contains(value, "` + ")
        || contains(value, "\" + ")
        || contains(value, "' + ")
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
    ["[a-z", "[A-Z", "[0-9", "\\d", "\\w", "\\s", "required|", "nullable|", "|nullable", "|string", "|min:", "|max:"]
        .iter()
        .any(|part| contains(value, part))
}

/// A string with places to fill in, or the address of an action at a commit.
pub fn is_template(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(open) = rest.find_byte(b'{') {
        rest = &rest[open + 1..];
        let inner = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
        if inner > 1 && rest.get(inner) == Some(&b'}') {
            return true;
        }
    }
    // `constant.$0` of a grammar
    if value.windows(3).any(|w| w[0] == b'.' && w[1] == b'$' && w[2].is_ascii_alphanumeric()) {
        return true;
    }
    value.rsplit_once_str("@").is_some_and(|(_, commit)| commit.len() == 40 && is_digest(commit))
}

/// Encrypted or hashed: fit to be committed, or at least no secret in the clear.
pub fn is_ciphertext(value: &[u8]) -> bool {
    const STARTS: &[&str] = &[
        "ENC[",
        "ENC(",
        "PKCS7[",
        "encrypted:",
        "$ANSIBLE_VAULT",
        "vault:v",
        "$2a$",
        "$2b$",
        "$2x$",
        "$2y$",
        "$argon2",
        "$pbkdf2",
        "$scrypt",
        "$1$",
        "$5$",
        "$6$",
        "$y$",
        "$7$",
        "$apr1$",
        "{SSHA",
        "{SHA",
        "{MD5}",
        "{CRYPT}",
        "{bcrypt}",
        "pbkdf2",
        "scrypt:",
        "SCRAM-SHA-",
        "sha1:",
        "sha256:",
        "sha512:",
        "sha1-",
        "sha256-",
        "sha384-",
        "sha512-",
        "md5:",
        "age1",
        "age-encryption.org",
        "-----BEGIN AGE",
        "-----BEGIN PGP MESSAGE",
        "-----BEGIN PUBLIC",
        "-----BEGIN CERTIFICATE",
        "ssh-rsa ",
        "ssh-ed25519 ",
        "ecdsa-sha2",
        "AQICAHh",
    ];
    // A sealed secret: a version, the length of an RSA key's session key, and a lot of base64.
    let sealed = value.len() > 300 && value.starts_with(b"Ag") && value.iter().all(|b| is_base64(*b));
    // With the name of the user before it, as in an htpasswd file.
    let entry =
        value.splitn_str(2, ":").nth(1).is_some_and(|hash| hash.starts_with(b"$2") || hash.starts_with(b"$apr1$"));
    sealed || entry || STARTS.iter().any(|s| value.starts_with_str(s))
}

pub fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// Words in camel, snake or kebab case, dotted names, paths and calls: what code and configuration refer to things by.
pub fn is_identifier(value: &[u8]) -> bool {
    if value.iter().any(|b| !(b.is_ascii_alphanumeric() || b"_-.:/()[]*&".contains(b))) {
        return false;
    }
    if is_constant(value) {
        return true;
    }
    let (mut runs, mut letters, mut numbers) = (0, 0, 0);
    let (mut pairs, mut usual) = (0, 0);
    for word in words(value) {
        if word[0].is_ascii_digit() {
            numbers += 1;
            continue;
        }
        runs += 1;
        letters += word.len();
        // Short runs are abbreviations: `db`, `k8s`, `id`.
        if word.len() > 2 {
            pairs += word.len() - 1;
            usual += word.windows(2).filter(|p| is_usual(p[0], p[1])).count();
        }
    }
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    letters > 0 && digits * 3 <= letters && numbers <= 3 && letters >= runs * 3 && usual * 4 >= pairs * 3
}

/// `minio123`: a word, and a number of a few digits.
pub fn is_numbered_word(value: &[u8]) -> bool {
    let word = value.iter().take_while(|b| b.is_ascii_lowercase()).count();
    (4..=12).contains(&word)
        && value.len() <= word + 4
        && value[word..].iter().all(u8::is_ascii_digit)
        && is_wordy(&value[..word])
}

/// `SOME_CONSTANT_1`.
fn is_constant(value: &[u8]) -> bool {
    let parts = || value.split(|b| *b == b'_');
    let upper = value.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    let letters = value.iter().filter(|b| b.is_ascii_uppercase()).count();
    upper && parts().count() > 1 && parts().all(|p| p.len() <= 16) && letters * 4 >= value.len() * 3
}

/// `2019-03-20T17:54:53Z`, and anything else that begins with a date.
pub fn is_timestamp(value: &[u8]) -> bool {
    value.len() >= 10
        && value[..10]
            .iter()
            .enumerate()
            .all(|(at, b)| if matches!(at, 4 | 7) { *b == b'-' } else { b.is_ascii_digit() })
}

/// Splits at separators, at changes between letters and digits, and before capitals that follow small letters.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|b| !b.is_ascii_alphanumeric())
        .flat_map(|part| {
            let mut rest = part;
            std::iter::from_fn(move || {
                if rest.is_empty() {
                    return None;
                }
                let kind = |a: u8, b: u8| {
                    a.is_ascii_digit() == b.is_ascii_digit() && !(a.is_ascii_lowercase() && b.is_ascii_uppercase())
                };
                let end = rest.windows(2).position(|p| !kind(p[0], p[1])).map_or(rest.len(), |at| at + 1);
                let (word, after) = rest.split_at(end);
                rest = after;
                Some(word)
            })
        })
        .filter(|word| !word.is_empty())
}

/// Whether most neighbours in a run of letters are such as words have.
fn is_wordy(word: &[u8]) -> bool {
    if !word[0].is_ascii_alphabetic() || word.len() < 3 {
        return true;
    }
    let pairs = word.len() - 1;
    let usual = word.windows(2).filter(|p| is_usual(p[0], p[1])).count();
    usual * 4 >= pairs * 3
}

/// Letter pairs that are frequent in English words and abbreviations of the trade.
fn is_usual(a: u8, b: u8) -> bool {
    const AFTER: [&str; 26] = [
        "bcdgiklmnprstuvwy",
        "aeilorsuy",
        "acehiklorstuy",
        "abdeiorsuvy",
        "abcdefgilmnpqrstuvwxy",
        "aefilortuy",
        "aehilnorsu",
        "aeiortuy",
        "abcdefgklmnoprstvz",
        "aeou",
        "aeilnosy",
        "adefiklmopstuvy",
        "abeimnopsuy",
        "acdefgijknorstuvy",
        "abcdfgiklmnoprstuvwx",
        "aehiloprstuy",
        "lu",
        "abcdegiklmnorstuvy",
        "acehiklmopqrstuvwy",
        "aehilorstuwy",
        "abcdegilmnprst",
        "aeioy",
        "aehinors",
        "acepty",
        "aeilmnops",
        "aeioz",
    ];
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    a.is_ascii_lowercase() && AFTER[(a - b'a') as usize].as_bytes().contains(&b)
}

/// Random, as far as its characters tell: mixed kinds, no words, entropy near what its length allows.
pub fn is_random(value: &[u8]) -> bool {
    let hex = value.iter().all(u8::is_ascii_hexdigit);
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let floor = match value.len() {
        0..8 => return false,
        8..12 => 2.6,
        12..16 => 2.9,
        16..20 => 3.1,
        20..32 if hex => 2.8,
        20..32 => 3.4,
        _ if hex => 3.0,
        _ => 3.6,
    };
    if letters == 0 || entropy(value) < floor || is_identifier(value) || is_numbered_word(value) {
        return false;
    }
    if digits > 0 {
        return true;
    }
    // Without digits: both cases in disorder, or letters that no word has.
    let turns = value.windows(2).filter(|p| p[0].is_ascii_lowercase() && p[1].is_ascii_uppercase()).count();
    turns * 5 >= value.len() && turns >= 2 || letters == value.len() && value.len() >= 10 && !words(value).all(is_wordy)
}
