//! The end of the service, in the middle of a job: nothing half is pushed, nothing is left.

use std::fs;
use std::process::Stdio;

use super::{Service, World, files, has_no_folders, http, is_empty, lives, only_lock, until};

/// A service with a job in the middle of its work, and what its caller will be told.
fn in_the_middle(world: &World, more: &[&str]) -> (Service, std::thread::JoinHandle<Option<u16>>) {
    let (mark, go) = (world.sandbox.path().join("child"), world.sandbox.path().join("go"));
    let wmill = world.fake_wmill(&format!(
        "cat \"$profile\" >/dev/null\necho $$ >{0}.new && mv {0}.new {0}\nwhile ! [ -e {1} ]; do sleep 0.05; done\n\
         mkdir -p f/a && echo 'export const n = 1;' >f/a/x.ts",
        mark.display(),
        go.display()
    ));
    let service = world.serve(&wmill, more);
    let (address, body) = (service.address, world.body("a.git").to_string());
    let caller = std::thread::spawn(move || http::ask(address, "POST", "/sync", "", body.as_bytes()).map(|a| a.0));
    until(|| mark.exists(), || format!("the tool does not start\n{}", service.log()));
    (service, caller)
}

#[test]
fn sigterm_lets_a_job_finish() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let (mut service, caller) = in_the_middle(&world, &["--grace", "100"]);
    service.signal("TERM");
    service.logged("stopping: no new syncs");
    fs::write(world.sandbox.path().join("go"), "").expect("a mark");
    assert_eq!(caller.join().expect("no panic"), Some(200));
    assert_eq!(service.ended(), Some(0), "{}", service.log());
    assert!(files(&repository, "main").contains(&"f/a/x.ts".to_owned()));
    assert!(has_no_folders(&world.work()));
}

#[test]
fn sigterm_abandons_a_job_that_takes_too_long() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let (mut service, caller) = in_the_middle(&world, &["--grace", "0"]);
    service.signal("TERM");
    assert_eq!(caller.join().expect("no panic"), Some(503));
    assert_eq!(service.ended(), Some(0), "{}", service.log());
    until(|| !lives(&world.sandbox.path().join("child")), || "the tool lives on".to_owned());
    assert!(is_empty(&repository) && has_no_folders(&world.work()));
}

#[test]
fn once_can_be_interrupted() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let mark = world.sandbox.path().join("child");
    let wmill = world.fake_wmill(&format!("echo $$ >{0}.new && mv {0}.new {0}\nsleep 1000", mark.display()));
    let mut command = world.sandbox.command(super::BINARY, world.sandbox.path());
    command.arg("once").args(world.arguments(&wmill)).env("WINDMILL_BASE_URL", world.windmill.url());
    let input = world.body("a.git").to_string();
    let request = world.sandbox.path().join("request");
    fs::write(&request, input).expect("a file");
    let mut child = command
        .stdin(fs::File::open(request).expect("a file"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    until(|| mark.exists(), || "the tool does not start".to_owned());
    super::signal(child.id(), "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    until(|| !lives(&mark), || "the tool lives on".to_owned());
    assert!(is_empty(&repository) && has_no_folders(&world.work()));
}

#[test]
fn sigkill_leaves_no_job_and_no_token_and_the_next_start_removes_the_folder() {
    let world = World::new();
    let repository = world.remote.repository("a.git");
    let (mut service, caller) = in_the_middle(&world, &[]);
    assert_eq!(super::leaks::below(&world.work()), Vec::<String>::new(), "no token even while the job runs");
    service.signal("KILL");
    service.ended();
    assert_eq!(caller.join().expect("no panic"), None, "nobody answers");
    until(|| !lives(&world.sandbox.path().join("child")), || "the tool lives on".to_owned());
    until(|| only_lock(&world), || "the job's folder stands".to_owned());
    assert!(is_empty(&repository));
    fs::write(world.sandbox.path().join("go"), "").expect("a mark");
    let wmill = world.sandbox.path().join("fake-wmill");
    let (code, _) = world.once(&wmill, &world.body("a.git"));
    assert_eq!(code, 0);
    assert!(has_no_folders(&world.work()));
}
