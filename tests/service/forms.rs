//! Requests and remotes as they are read: required fields, defaults, and everything that must not get through.

use clap::Parser as _;
use portcullis::service::options::{Cli, Command, SyncSettings};
use portcullis::service::remote::{Remote, may_reach};
use portcullis::service::request::{LIMIT, Request};
use portcullis::service::scrub::{Scrub, Token};
use serde_json::{Value, json};

fn settings(arguments: &[&str]) -> SyncSettings {
    match Cli::parse_from([&["portcullis-sync", "once"], arguments].concat()).command {
        Command::Once(once) => once.settings,
        other => panic!("{other:?}"),
    }
}

fn with(more: Value) -> Vec<u8> {
    let mut body = json!({ "windmill_token": "w", "git_remote_url": "https://example.org/a/b.git", "git_token": "g" });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body.to_string().into_bytes()
}

#[test]
fn the_defaults_are_those_of_the_service_it_replaces() {
    let request = Request::parse(&with(json!({}))).expect("it is complete");
    assert_eq!(request.workspace, "admins");
    assert_eq!(request.git_branch, "main");
    assert_eq!(request.git_user_name, "Windmill Git Sync");
    assert_eq!(request.git_user_email, "windmill@example.com");
    assert_eq!((request.path.as_str(), request.message), ("", None));
    // As for a caller who sends everything, and what it does not know.
    let request = Request::parse(&with(json!({ "workspace": null, "git_branch": "", "extra": [1] }))).expect("fine");
    assert_eq!((request.workspace.as_str(), request.git_branch.as_str()), ("admins", "main"));
}

#[test]
fn missing_fields_are_listed() {
    let read = |body: &str| Request::parse(body.as_bytes()).expect_err("it is incomplete");
    assert_eq!(read("{}"), "Missing required fields: windmill_token, git_remote_url, git_token");
    assert_eq!(
        read(r#"{"git_remote_url":"https://example.org/a","git_token":""}"#),
        "Missing required fields: windmill_token, git_token"
    );
    for body in ["", "[]", "null", "\"x\"", "{", "{\"a\":1}}", "\u{0}"] {
        assert!(read(body).contains("is not a JSON object"), "{body}");
    }
    assert!(Request::parse(&vec![b' '; LIMIT + 1]).expect_err("too long").contains("larger"));
}

#[test]
fn invalid_fields_are_named() {
    let hostile = [
        ("workspace", vec!["a b", "../x", "--help", "a/b", "a\nb", "ä"]),
        (
            "git_branch",
            vec![
                "--force",
                "a..b",
                "a b",
                "refs/heads/x",
                "HEAD",
                "a.lock",
                "/a",
                "a/",
                "a//b",
                ".a",
                "a:b",
                "a\n",
                "@{-1}",
                "to\u{202e}pic",
                "to\u{2066}pic",
                "to\u{200b}pic",
            ],
        ),
        ("git_user_name", vec!["<x>", "a\nb", "...", "\u{7}", "A\u{202e}nn"]),
        ("git_user_email", vec!["a\n", "<a@b>"]),
        (
            "path",
            vec![
                "..",
                "a/../b",
                ".git",
                "a/.GIT/hooks",
                ".git.",
                "git~1",
                "a\\b",
                "-x",
                "a//b",
                "a/./b",
                "C:",
                "a\u{200b}b",
            ],
        ),
        ("message", vec!["a\0b"]),
        ("git_token", vec!["a\r\nX-Header: b", "a b"]),
        ("windmill_token", vec!["a\nb"]),
    ];
    for (field, values) in hostile {
        for value in values {
            let told = Request::parse(&with(json!({ field: value })));
            assert!(told.expect_err(value).contains(&format!("Invalid field: {field}")), "{field} {value}");
        }
        let told = Request::parse(&with(json!({ field: 7 }))).expect_err("a number");
        assert_eq!(told, format!("Invalid field: {field} is not a string"));
    }
    for branch in ["main", "wm_deploy/staging/script/f__a__b", "feature/ünï", "a@b"] {
        assert!(Request::parse(&with(json!({ "git_branch": branch }))).is_ok(), "{branch}");
    }
    assert_eq!(Request::parse(&with(json!({ "path": "/windmill/prod/" }))).expect("fine").path, "windmill/prod");
}

#[test]
fn hostile_remotes_are_refused_without_being_repeated() {
    let secret = "hunter2hunter2";
    let hostile = [
        "ext::sh -c touch% /tmp/x",
        "file:///etc",
        "http://example.org/a.git",
        "ssh://git@example.org/a.git",
        "git@example.org:a/b.git",
        "git://example.org/a.git",
        "--upload-pack=touch /tmp/x",
        "-uhttps://example.org/a.git",
        "https://--upload-pack=x/a.git",
        concat!("https://user:", "hunter2hunter2@example.org/a.git"),
        "https://hunter2hunter2@example.org/a.git",
        "https://example.org@evil.example/a.git",
        "https://example.org\\@evil.example/a.git",
        "https://example.org:443:80/a.git",
        "https://example.org:0/a.git",
        "https://example.org:99999/a.git",
        "https://example.org:/a.git",
        "https:///a.git",
        "https://example.org",
        "https://example.org/",
        "https://example.org//a.git",
        "https://example.org/../a.git",
        "https://example.org/a/%2e%2e/b",
        "https://example.org/a.git?x=1",
        "https://example.org/a.git#x",
        "https://example.org/a b.git",
        "https://example.org/a.git\nhttp.proxy=x",
        "https://example.org/a\u{0}.git",
        "https://exämple.org/a.git",
        "https://2130706433/a.git",
        "https://0x7f000001/a.git",
        "https://127.1/a.git",
        "https://[::1/a.git",
        "https://[::1]x/a.git",
        "https://example.org./a.git",
        "HTTPS://example.org/a.git",
        "",
    ];
    for url in hostile {
        let told = Remote::parse(url, &settings(&[])).expect_err(url);
        assert!(told.starts_with("Invalid field: git_remote_url "), "{told}");
        assert!(!told.contains(secret) && !told.contains("evil"), "{told}");
    }
}

#[test]
fn remotes_are_read_and_compared() {
    let read = |url: &str| Remote::parse(url, &settings(&[])).expect(url);
    assert_eq!(read("https://Example.ORG/Team/repo.git/").to_string(), "https://example.org/Team/repo.git");
    assert_eq!(read("https://[2606:4700::1111]:8443/r").to_string(), "https://[2606:4700::1111]:8443/r");
    let same = ["https://example.org/a/b", "https://EXAMPLE.org:443/a/b.git", "https://example.org/A/b.git/"];
    assert!(same.iter().all(|url| read(url).key() == read(same[0]).key()));
    assert_ne!(read("https://example.org:8443/a/b").key(), read(same[0]).key());
}

#[test]
fn hosts_are_allowed_by_name() {
    let listed = settings(&["--allow-host", "git.example.org", "--allow-host", "*.corp.example"]);
    let allowed = |url: &str| Remote::parse(url, &listed).is_ok();
    assert!(allowed("https://git.example.org/a") && allowed("https://GIT.example.org:444/a"));
    assert!(allowed("https://a.corp.example/a") && allowed("https://a.b.corp.example/a"));
    for url in [
        "https://example.org/a",
        "https://corp.example/a",
        "https://evilcorp.example/a",
        "https://git.example.org.evil.example/a",
    ] {
        assert!(!allowed(url), "{url}");
    }
    assert!(Remote::parse("file:///srv/git/a.git", &settings(&["--allow-scheme", "file"])).is_ok());
    assert!(Remote::parse("file://host/srv/a.git", &settings(&["--allow-scheme", "file"])).is_err());
}

#[test]
fn forbidden_addresses_are_refused() {
    let reach = |address: &str, private: bool| may_reach(address.parse().expect(address), private);
    for address in ["1.1.1.1", "140.82.121.4", "2606:4700::1111", "172.32.0.1", "100.128.0.1"] {
        assert!(reach(address, false) && reach(address, true), "{address}");
    }
    let private = [
        "10.1.2.3",
        "127.0.0.1",
        "127.255.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "::1",
        "fc00::1",
        "fdff::1",
        "fec0::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::10.1.2.3",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "64:ff9b:1:a00:1:200::",
        "2001:0:7f00:1::f7f7:f7f7",
        // The client's address of Teredo has its bits inverted.
        "2001:0:808:808:0:0:80ff:fffe",
        "2606:4700::5efe:10.0.0.1",
        "2606:4700::200:5efe:127.0.0.1",
    ];
    for address in private {
        assert!(!reach(address, false) && reach(address, true), "{address}");
    }
    let never = [
        "169.254.169.254",
        "169.254.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.0.192",
        "fe80::1",
        "fd00:ec2::254",
        "::",
        "ff02::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "2001:0:a9fe:a9fe::",
        "2001:0:808:808:0:0:5601:5601",
        "2606:4700::5efe:169.254.169.254",
    ];
    for address in never {
        assert!(!reach(address, false) && !reach(address, true), "{address}");
    }
}

#[test]
fn secrets_are_masked_in_texts() {
    let token = Token::new("s3cr/t+value");
    let header = token.basic("oauth2");
    let encoded = header.expose().strip_prefix("Basic ").expect("basic").to_owned();
    let scrub = Scrub::new([token.clone(), header]);
    let said =
        format!("\u{1b}[31mfatal\u{1b}[0m: s3cr/t+value, s3cr%2Ft%2Bvalue, {encoded}, https://a:b@host/x 'ftp://u@h'");
    let shown = scrub.text(&said);
    for secret in ["s3cr", &encoded, "a:b", "u@", "\u{1b}"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.starts_with("fatal: ") && shown.contains("@host/x"), "{shown}");
    assert_eq!(format!("{token:?}"), "********");
    assert_eq!(scrub.last_line(b"one\ntwo s3cr/t+value\n\n"), "two ********");
    assert!(scrub.last_line(&b"x".repeat(100_000)).len() <= 200);
}
