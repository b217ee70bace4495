//! Passwords as generators draw them: whatever printable characters they hold, they are refused in every format.

use bstr::BStr;
use portcullis::finding::Confidence;
use portcullis::rules::secrets::built_in;

use super::Numbers;

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const MARKS: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const DRAWS: usize = 400;
/// Of a thousand draws so many may be missed: in quotes, and without them, where some draws look like code or two settings.
const MISSED: usize = 10;
const MISSED_UNQUOTED: usize = 40;

/// Name, alphabet and length of what each tool draws by default.
fn generators() -> [(&'static str, String, usize); 9] {
    [
        ("terraform random_password", format!("{LETTERS}!@#$%&*()-_=+[]{{}}<>:?"), 20),
        ("aws get-random-password", format!("{LETTERS}{MARKS}"), 32),
        ("openssl rand -base64 24", format!("{LETTERS}+/"), 32),
        ("pwgen -y", format!("{LETTERS}{MARKS}"), 16),
        ("1password", format!("{LETTERS}!@.-_*"), 20),
        ("keepass", format!("{LETTERS}{MARKS}"), 20),
        ("bitwarden", format!("{LETTERS}!@#$%^&*"), 14),
        ("pwgen 16", LETTERS.to_owned(), 16),
        ("random_password without upper case and marks", LETTERS[26..].to_owned(), 20),
    ]
}

type Format = (&'static str, &'static str, fn(&str) -> String);

fn formats() -> [Format; 8] {
    fn double(p: &str) -> String {
        format!("\"{}\"", p.replace('\\', "\\\\").replace('"', "\\\""))
    }
    [
        ("yaml", "app/values.yaml", |p| format!("db:\n  password: '{}'\n", p.replace('\'', "''"))),
        ("json", "app/config.json", |p| format!("{{\"db\": {{\"password\": {}}}}}\n", double(p))),
        ("dotenv", "app/prod.env", |p| format!("DB_PASSWORD={}\n", double(p))),
        ("hcl", "infra/main.tf", |p| format!("  password = {}\n", double(p))),
        ("secret", "app/secret.yaml", |p| {
            format!("kind: Secret\nstringData:\n  password: '{}'\n", p.replace('\'', "''"))
        }),
        ("properties", "app/prod.properties", |p| format!("db.password={p}\n")),
        ("ini", "app/prod.ini", |p| format!("[db]\npassword = {p}\n")),
        ("shell", "run.sh", |p| format!("export DB_PASSWORD='{}'\n", p.replace('\'', "'\\''"))),
    ]
}

#[test]
fn passwords_of_every_generator_are_refused_in_every_format() {
    for (tool, alphabet, length) in generators() {
        let mut numbers = Numbers(length as u64 + alphabet.len() as u64);
        let draws: Vec<String> = (0..DRAWS).map(|_| numbers.word(alphabet.as_bytes(), length)).collect();
        for (format, path, write) in formats() {
            let is_missed = |password: &&String| {
                let text = write(password);
                let hits = built_in().scan(text.as_bytes(), Some(BStr::new(path)));
                !hits.iter().any(|hit| hit.confidence > Confidence::Low)
            };
            let missed: Vec<_> = draws.iter().filter(is_missed).collect();
            let most = if matches!(format, "properties" | "ini") { MISSED_UNQUOTED } else { MISSED };
            assert!(missed.len() * 1000 <= most * DRAWS, "{tool} in {format}: {} missed: {missed:?}", missed.len());
        }
    }
}
