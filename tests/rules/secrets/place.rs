//! What the place of a secret changes: how sure we are of it, never whether it is told.

use bstr::BStr;
use portcullis::finding::Confidence::{self, High, Low, Medium};
use portcullis::rules::secrets::built_in;

use super::github_token;

fn hits(path: &str, text: &str) -> Vec<(String, Confidence)> {
    let hits = built_in().scan(text.as_bytes(), Some(BStr::new(path)));
    hits.iter().map(|hit| (hit.detector.id.to_string(), hit.confidence)).collect()
}

fn one(path: &str, text: &str) -> (String, Confidence) {
    let mut found = hits(path, text);
    assert_eq!(found.len(), 1, "{path}: {found:?}");
    found.remove(0)
}

const TRIALS: [&str; 7] = [
    "pkg/client_test.go",
    "test/fixtures/app.yaml",
    "docs/setup.py",
    "vendor/github.com/x/y/z.go",
    "web/node_modules/x/config.json",
    ".env.example",
    "database/seeders/Users.php",
];

#[test]
fn a_test_lowers_what_anybody_can_make_up_and_keeps_what_was_issued() {
    let assigned = concat!("password: \"v7Kq", "2mZ0tRb4\"");
    let key = concat!(
        "-----BEGIN EC",
        " PRIVATE KEY-----\nMHcCAQEEIIHf5mWpfyW8xRLRrr6ocv0TZE3kHSNYm6dlBcIuI9pOoAoGCCqGSM49\nAwEHoUQDQgAEa4f0yWrzPjN1ZS9dVTz1r6mhWT6kXU2aBzcPpF4CrYOEUZuv4U0B\n-----END EC PRIVATE KEY-----\n"
    );
    let issued = format!("x = \"{}\"", github_token(11));
    assert_eq!(one("app/config.yaml", assigned), ("generic-assignment".into(), Medium));
    assert_eq!(one("app/tls.yaml", key), ("private-key".into(), High));
    for path in TRIALS {
        assert_eq!(one(path, assigned), ("generic-assignment".into(), Low), "{path}");
        let code = path.ends_with(".go") || path.ends_with(".php") || path.ends_with(".py");
        assert_eq!(one(path, key), ("private-key".into(), if code { Low } else { High }), "{path}");
        assert_eq!(one(path, &issued), ("github-pat".into(), High), "{path}");
    }
}

#[test]
fn a_providers_prefix_is_told_in_every_folder_and_its_name_beside_a_value_is_not() {
    let token = concat!("x = \"glpat-", "q4T0cS1vYhJm0rW8uKxg\"");
    let named = concat!("sentry_auth_token = \"9b7d3f1a5c8e2046", "7f1d3b9c5e2a8064\"");
    for path in TRIALS.into_iter().chain(["docs/a.md", "examples/e.yaml", "src/test/resources/a.properties"]) {
        assert_eq!(one(path, token), ("gitlab-pat".into(), Medium), "{path}");
        assert!(hits(path, named).iter().all(|(_, confidence)| *confidence == Low), "{path}");
    }
    for shown in ["glpat-xxxxxxxxxxxxxxxxxxxx", "glpat-your-token-goes-here"] {
        assert!(hits("tests/a.go", &format!("x = \"{shown}\"")).iter().all(|(_, c)| *c == Low), "{shown}");
    }
}

#[test]
fn names_that_only_begin_like_a_test_are_none() {
    for path in ["app/latest.yaml", "attestation/config.yaml", "contest/app.yaml", "app/protest.ini"] {
        assert_eq!(one(path, concat!("password: \"v7Kq", "2mZ0tRb4\"")).1, Medium, "{path}");
    }
}

#[test]
fn prose_shows_how_it_is_done_but_messages_are_about_the_change() {
    let text = concat!("password: \"v7Kq", "2mZ0tRb4\"");
    let url = concat!("git clone https://deploy:v7Kq", "2mZ0tRb4@git.corp.internal/infra.git");
    assert_eq!(one("README.md", text).1, Low);
    assert_eq!(one("README.md", url), ("url-credentials".into(), Low));
    assert_eq!(one("run.sh", url), ("url-credentials".into(), Medium));
    let message = built_in().scan(url.as_bytes(), None);
    assert_eq!(message.iter().map(|h| h.confidence).collect::<Vec<_>>(), [Medium]);
}

#[test]
fn lock_files_translations_and_minified_code_are_quiet() {
    let quiet = [
        ("package-lock.json", concat!("\"token\": \"q4T0cS1vYhJm0r", "W8uKxg2Zb7pLdN5e\"")),
        ("src/i18n/de.json", "\"password_new\": \"NeuesPasswort!7\""),
        ("app/messages_de.properties", "login.password=Passwort2024"),
        ("locale/fr.po", "msgid \"password\"\nmsgstr \"MotDePasse!1\""),
        ("web/app.min.js", "n.token=\"t.a1/b2\",password:\"Passw:rt9\",secret:\"a,b.c1$\""),
    ];
    for (path, text) in quiet {
        assert_eq!(hits(path, text), [], "{path}");
    }
    let minified = format!("{};password:\"r4:t.x9,q\"", "function(a,b){return a+b}".repeat(400));
    assert_eq!(hits("web/bundle.js", &minified), []);
    // What has a form of its own is found wherever it stands.
    let token = format!("{minified};t=\"{}\"", github_token(3));
    for path in ["web/bundle.js", "web/app.min.js", "src/i18n/de.json", "package-lock.json"] {
        assert_eq!(one(path, &token), ("github-pat".into(), High), "{path}");
    }
}

#[test]
fn one_secret_is_one_hit_however_many_detectors_know_it() {
    let token = github_token(5);
    for text in [
        format!("github_token: {token}"),
        format!("export GITHUB_TOKEN={token}"),
        format!("git clone https://x-access-token:{token}@github.com/a/b"),
        format!("curl -H \"Authorization: token {token}\" https://api.github.com"),
        format!("{{\"name\": \"GITHUB_TOKEN\", \"value\": \"{token}\"}}"),
        format!("kind: Secret\nstringData:\n  token: {token}\n"),
    ] {
        assert_eq!(one("app/run.sh", &text).0, "github-pat", "{text}");
    }
}

#[test]
fn halves_of_a_credential_are_one_hit() {
    let sid = format!("A{}{}", "C", "4f1c9d7b3a5e8260f7d1b9c3e5a70284");
    let cases = [
        format!("TWILIO_ACCOUNT_SID={sid}\nTWILIO_AUTH_TOKEN={}{}\n", "9b7d3f1a5c8e2046", "7f1d3b9c5e2a8064"),
        format!(
            "export AWS_ACCESS_KEY_ID={}{}\nexport AWS_SECRET_ACCESS_KEY={}{}\n",
            "AKI", "AQYLPMN5HFIQR7XYA", "kR4mZ7vQ1xLw9TnYp2Hd", "Ua5FgEs8BcJo0iXeVtNz"
        ),
    ];
    for text in cases {
        let found = hits("deploy/run.sh", &text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1 == High, "{found:?}");
    }
}
