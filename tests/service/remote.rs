//! A git remote over HTTP with a password: `git http-backend` behind the least of a server.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;

use base64::Engine as _;

use super::http::{Request, Response, serve};
use crate::support::{Hash, Sandbox, TestRepo};

pub struct Remote {
    pub address: SocketAddr,
    sandbox: Arc<Sandbox>,
}

impl Remote {
    /// Serves the repositories below `served/` of a sandbox to whoever has the password.
    pub fn start(sandbox: &Arc<Sandbox>, password: &str) -> Self {
        std::fs::create_dir_all(sandbox.path().join("served")).expect("a folder");
        let inside = Arc::clone(sandbox);
        let password = password.to_owned();
        let address = serve(move |request| {
            if let Some(place) = moved(request.path()) {
                let mut response = Response::new(301, "text/plain", "");
                response.headers.push_str(&format!("Location: {place}?{}\r\n", request.query()));
                return response;
            }
            if password_of(&request).as_deref() == Some(&password) {
                return backend(&inside, &request);
            }
            let mut response = Response::new(401, "text/plain", "who are you?");
            response.headers.push_str("WWW-Authenticate: Basic realm=\"git\"\r\n");
            response
        });
        Self { address, sandbox: Arc::clone(sandbox) }
    }

    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// A bare repository that takes pushes.
    pub fn repository(&self, name: &str) -> TestRepo {
        self.repository_with(name, Hash::Sha1)
    }

    pub fn repository_with(&self, name: &str, hash: Hash) -> TestRepo {
        let repository = self.sandbox.init_bare(&format!("served/{name}"), hash);
        repository.git(["config", "http.receivepack", "true"]);
        repository
    }
}

/// `moved` is at `moved.git`, as some servers have it, and `away` is somewhere else altogether.
fn moved(path: &str) -> Option<String> {
    let rest = |name: &str| path.strip_prefix(name).filter(|rest| rest.starts_with('/'));
    rest("/moved").map(|rest| format!("/moved.git{rest}")).or(rest("/away").map(|rest| format!("/moved.git{rest}")))
}

fn password_of(request: &Request) -> Option<String> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let text = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    Some(String::from_utf8(text).ok()?.split_once(':')?.1.to_owned())
}

/// Calls git as a web server calls a CGI program.
fn backend(sandbox: &Sandbox, request: &Request) -> Response {
    let mut command = sandbox.command("git", sandbox.path());
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", sandbox.path().join("served"))
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "somebody")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", request.path())
        .env("QUERY_STRING", request.query())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let headers = [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ];
    for (header, variable) in headers {
        if let Some(value) = request.header(header) {
            command.env(variable, value);
        }
    }
    let mut child = command.spawn().expect("git runs");
    let (mut input, body) = (child.stdin.take().expect("a pipe"), request.body.clone());
    let feeder = std::thread::spawn(move || input.write_all(&body));
    let output = child.wait_with_output().expect("git ends");
    let _ = feeder.join().expect("no panic");
    let end = output.stdout.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&output.stdout[..end]).into_owned();
    let mut response = Response { status: 200, headers: String::new(), body: output.stdout[end + 4..].to_vec() };
    for line in head.lines() {
        match line.strip_prefix("Status: ") {
            Some(status) => response.status = status[..3].parse().expect("a status"),
            None => response.headers.push_str(&format!("{line}\r\n")),
        }
    }
    response
}
