//! Tokens: where they must not be, while a job runs and afterwards; and who may ask at all.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

use super::{GIT_TOKEN, WINDMILL_TOKEN, World, http, push, real_wmill, until};

/// The tokens, and the Git one as it stands in a header.
fn secrets() -> [String; 3] {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("oauth2:{GIT_TOKEN}"));
    [WINDMILL_TOKEN.to_owned(), GIT_TOKEN.to_owned(), encoded]
}

fn holds(bytes: &[u8]) -> bool {
    secrets().iter().any(|s| bytes.windows(s.len()).any(|w| w == s.as_bytes()))
}

/// Files below a folder with a token in them, or in their names. What goes away meanwhile held nothing.
pub fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        let named = holds(path.as_os_str().as_encoded_bytes());
        if kind.is_dir() {
            found.extend(below(&path));
        }
        if named || (kind.is_file() && fs::read(&path).is_ok_and(|bytes| holds(&bytes))) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Command lines of all processes.
fn command_lines() -> Vec<Vec<u8>> {
    let output = std::process::Command::new("ps").args(["axww", "-o", "args="]).output().expect("ps runs");
    output.stdout.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn the_search_for_leaked_tokens_finds_a_planted_one() {
    let world = World::new();
    let folder = world.work();
    assert_eq!(below(&folder).len(), 0);
    fs::create_dir(folder.join("deep")).expect("a folder");
    for (n, secret) in secrets().iter().enumerate() {
        fs::write(folder.join(format!("deep/{n}")), format!("x{secret}y")).expect("a file");
    }
    assert_eq!(below(&folder).len(), 3);
    let mut child = std::process::Command::new("sh")
        .args(["-c", "read x", WINDMILL_TOKEN])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("a shell");
    until(|| command_lines().iter().any(|l| holds(l)), || "a token in a command line is not seen".to_owned());
    drop(child.stdin.take());
    child.wait().expect("it ends");
}

#[test]
fn tokens_are_in_no_file_no_command_line_no_log_and_no_answer() {
    let Some(wmill) = real_wmill() else { return };
    let world = World::new();
    let repository = world.remote.repository("shop.git");
    let service = world.serve(&wmill, &[]);
    let done = Arc::new(AtomicBool::new(false));
    let (ended, work) = (Arc::clone(&done), world.work());
    let watcher = std::thread::spawn(move || {
        let (mut found, mut pulls, mut clones) = (Vec::new(), 0, 0);
        while !ended.load(Ordering::Relaxed) {
            let lines = command_lines();
            pulls += lines.iter().filter(|l| l.windows(10).any(|w| w == b"sync\x20pull\x20") && !l.is_empty()).count();
            // Another test's processes are as innocent as ours, except for the one that plants a token.
            found.extend(
                lines
                    .into_iter()
                    .filter(|l| holds(l) && !l.starts_with(b"sh -c read x"))
                    .map(|l| String::from_utf8_lossy(&l).into_owned()),
            );
            found.extend(below(&work));
            clones += fs::read_dir(&work)
                .into_iter()
                .flatten()
                .flatten()
                .filter(|e| e.path().join("0/tree/.git").exists())
                .count();
            std::thread::sleep(Duration::from_millis(5));
        }
        (found, pulls, clones)
    });
    let mut answers = vec![service.post(&world.body("shop.git"))];
    push(&world.sandbox, &repository, "main", &[("wmill.yaml", "skipSecrets: true\nincludeKey: true\n")]);
    answers.push(service.post(&world.body("shop.git")));
    let mut wrong = world.body("gone.git");
    answers.push(service.post(&wrong));
    wrong["git_remote_url"] = json!(format!("http://x:{GIT_TOKEN}@127.0.0.1/a.git"));
    answers.push(service.post(&wrong));
    done.store(true, Ordering::Relaxed);
    let (found, pulls, clones) = watcher.join().expect("no panic");
    assert_eq!(answers.iter().map(|a| a.0).collect::<Vec<_>>(), [200, 422, 500, 400], "{answers:?}");
    assert!(pulls > 0 && clones > 0, "something was watched: {pulls} {clones}");
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(below(&world.sandbox.path()), Vec::<String>::new(), "afterwards");
    assert!(!holds(repository.git(["log", "-p", "--all"]).as_bytes()));
    assert!(!holds(service.log().as_bytes()), "{}", service.log());
    assert!(!holds(format!("{answers:?}").as_bytes()));
    assert!(!holds(service.get("/metrics").1.as_bytes()));
    // What Windmill heard it in is a header.
    let asked = world.windmill.asked.lock().expect("no panic").join("\n");
    assert!(asked.contains("/api/w/admins/workspaces/tarball?") && !holds(asked.as_bytes()), "{asked}");
}

#[test]
fn a_token_in_the_output_of_wmill_is_masked() {
    let world = World::new();
    world.remote.repository("a.git");
    let wmill = world.fake_wmill("cat \"$profile\" >&2; exit 1");
    let service = world.serve(&wmill, &[]);
    let (status, answer) = service.post(&world.body("a.git"));
    let told = answer["message"].as_str().expect("a message");
    assert_eq!(status, 500);
    assert!(told.contains("********") && told.contains(&world.windmill.url()), "it was the profile: {told}");
    assert!(!holds(told.as_bytes()) && !holds(service.log().as_bytes()));
}

#[test]
fn children_get_nothing_of_the_services_environment() {
    let world = World::new();
    world.remote.repository("a.git");
    let out = world.sandbox.path().join("environment");
    let wmill = world.fake_wmill(&format!("env >{}\npwd >>{0}\nexit 5", out.display()));
    let service = world.serve_with(
        &wmill,
        &[],
        &[("PORTCULLIS_SYNC_TOKEN", "caller-caller"), ("AWS_SECRET_ACCESS_KEY", "of-the-host")],
    );
    let headers = "Authorization: Bearer caller-caller\r\n";
    let body = world.body("a.git").to_string();
    let (status, _) = http::ask(service.address, "POST", "/sync", headers, body.as_bytes()).expect("an answer");
    assert_eq!(status, 500);
    let seen = fs::read_to_string(out).expect("it was written");
    assert!(seen.contains("PATH=") && seen.contains("/tree\n"), "{seen}");
    for hidden in ["caller-caller", "of-the-host", "GIT_CONFIG_VALUE", "WINDMILL_BASE_URL"] {
        assert!(!seen.contains(hidden), "{seen}");
    }
    assert!(!holds(seen.as_bytes()), "{seen}");
}

#[test]
fn only_callers_with_the_token_are_served() {
    let world = World::new();
    world.remote.repository("a.git");
    let wmill = world.fake_wmill("exit 5");
    let service = world.serve_with(&wmill, &[], &[("PORTCULLIS_SYNC_TOKEN", "caller-caller")]);
    let body = world.body("a.git").to_string();
    let ask =
        |headers: &str| http::ask(service.address, "POST", "/sync", headers, body.as_bytes()).expect("an answer").0;
    for headers in [
        "",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer caller-calle\r\n",
        "Authorization: Bearer caller-callers\r\n",
        "Authorization: Basic caller-caller\r\n",
        "Authorization: caller-caller\r\n",
    ] {
        assert_eq!(ask(headers), 401, "{headers}");
    }
    assert_eq!(ask("Authorization: Bearer caller-caller\r\n"), 500, "the job ran");
    assert_eq!(service.get("/health").0, 200, "a probe needs no token");
}

#[test]
fn invalid_bodies_and_unknown_routes_are_refused() {
    let world = World::new();
    let wmill = world.fake_wmill("exit 5");
    let service = world.serve(&wmill, &[]);
    let ask = |body: &[u8]| http::ask(service.address, "POST", "/sync", "", body).expect("an answer");
    let missing = r#"{"message":"Missing required fields: windmill_token, git_remote_url, git_token","success":false}"#;
    assert_eq!(ask(b"{}"), (400, missing.to_owned()));
    assert_eq!(ask(b"{\"a\":").0, 400);
    assert_eq!(ask(&[0xff; 40]).0, 400);
    assert_eq!(ask(&b" ".repeat(60 << 10)).0, 400);
    let mut body = world.body("a.git");
    for url in
        ["ext::sh -c id", "file:///etc", "--upload-pack=id", "https://a:b@example.org/x", "https://169.254.169.254/x"]
    {
        body["git_remote_url"] = json!(url);
        let (status, answer) = service.post(&body);
        assert_eq!((status, &answer["success"]), (400, &json!(false)), "{url}: {answer}");
    }
    assert_eq!(service.get("/sync").0, 405);
    assert_eq!(service.get("/nowhere").0, 404);
}
