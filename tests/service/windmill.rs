//! A stand-in for Windmill's API, as far as `wmill sync pull` asks it: one token, some workspaces, their items as a zip.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use serde_json::{Value, json};

use super::http::{Request, Response, serve};

/// What Windmill exports of a workspace: path to content; JSON as the API gives it.
type Items = BTreeMap<String, String>;

pub struct Windmill {
    pub address: SocketAddr,
    workspaces: Arc<Mutex<BTreeMap<String, Items>>>,
    /// `method target` of every request.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Windmill {
    /// With the workspaces `admins` and `staging`: a script, a resource, variables of all sorts.
    pub fn start(token: &'static str) -> Self {
        let workspaces = BTreeMap::from([("admins".to_owned(), items()), ("staging".to_owned(), items())]);
        let workspaces = Arc::new(Mutex::new(workspaces));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (inside, log) = (Arc::clone(&workspaces), Arc::clone(&asked));
        let address = serve(move |request| {
            log.lock().expect("no panic").push(format!("{} {}", request.method, request.target));
            let known = request.header("authorization") == Some(&format!("Bearer {token}"));
            answer(&request, known, &inside.lock().expect("no panic"))
        });
        Self { address, workspaces, asked }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets an item of a workspace; `None` takes it away.
    pub fn set(&self, workspace: &str, path: &str, content: Option<&str>) {
        let mut workspaces = self.workspaces.lock().expect("no panic");
        let items = workspaces.get_mut(workspace).expect("a workspace");
        match content {
            Some(content) => items.insert(path.to_owned(), content.to_owned()),
            None => items.remove(path),
        };
    }
}

fn items() -> Items {
    let script = json!({ "summary": "greets", "description": "", "lock": "", "kind": "script", "schema": {} });
    let resource = json!({ "description": "", "resource_type": "postgresql",
        "value": { "host": "db.example.org", "password": "$var:f/shop/password" } });
    [
        (
            "f/shop/folder.meta.json",
            json!({ "display_name": "shop", "owners": ["u/admin"], "extra_perms": {} }).to_string(),
        ),
        ("f/shop/greet.ts", "export async function main(name: string) { return `hello ${name}`; }\n".to_owned()),
        ("f/shop/greet.script.json", script.to_string()),
        ("f/shop/database.resource.json", resource.to_string()),
        ("f/shop/bucket.variable.json", variable("shop-staging", false).to_string()),
        ("f/shop/password.variable.json", variable(&cipher(), true).to_string()),
        ("u/admin/note.variable.json", variable("remember", false).to_string()),
    ]
    .map(|(path, content)| (path.to_owned(), content))
    .into()
}

pub fn variable(value: &str, secret: bool) -> Value {
    json!({ "value": value, "is_secret": secret, "description": "" })
}

/// Looks as Windmill's ciphertext does: whole blocks in base64.
fn cipher() -> String {
    base64::engine::general_purpose::STANDARD.encode(b"thirty-two bytes that say little")
}

fn answer(request: &Request, known: bool, workspaces: &BTreeMap<String, Items>) -> Response {
    let json = |value: Value| Response::new(200, "application/json", value.to_string());
    let no = |status: u16, text: &str| Response::new(status, "text/plain", text);
    if request.path() == "/api/version" {
        return Response::new(200, "text/plain", "CE v1.819.0");
    }
    if !known {
        return no(401, "Unauthorized");
    }
    if request.path() == "/api/users/whoami" {
        return json(
            json!({ "email": "a@example.org", "login_type": "password", "super_admin": false, "verified": true }),
        );
    }
    let place = request.path().strip_prefix("/api/w/").and_then(|rest| rest.split_once('/'));
    let Some((items, rest)) = place.and_then(|(name, rest)| Some((workspaces.get(name)?, rest))) else {
        return no(404, "not found");
    };
    match rest {
        "users/whoami" => json(json!({ "username": "a", "email": "a@example.org", "is_admin": true })),
        "workspaces/tarball" => Response::new(200, "application/zip", zip(&exported(items, request.query()))),
        "workspaces/get_settings" => json(json!({ "git_sync": null })),
        _ => no(404, "not found"),
    }
}

/// What the query asks for.
fn exported(items: &Items, query: &str) -> Items {
    let on = |name: &str| query.split('&').any(|q| q == format!("{name}=true"));
    let mut out = items.clone();
    out.retain(|path, content| {
        let secret = path.ends_with(".variable.json") && content.contains("\"is_secret\":true");
        let variable = path.ends_with(".variable.json");
        let skipped = on("skip_variables") && variable || on("skip_secrets") && secret;
        !skipped
    });
    if on("plain_secret") {
        out.retain(|_, c| !c.contains("\"is_secret\":true"));
        out.insert("f/shop/password.variable.json".to_owned(), variable("correct horse battery", true).to_string());
    }
    if on("include_key") {
        out.insert("encryption_key.json".to_owned(), format!("\"{}\"", "k3Y9".repeat(16)));
    }
    out
}

/// A zip archive of stored entries.
fn zip(items: &Items) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (path, content) in items {
        let size = u32::try_from(content.len()).expect("small").to_le_bytes();
        let name = u16::try_from(path.len()).expect("short").to_le_bytes();
        let sum = crc32fast::hash(content.as_bytes()).to_le_bytes();
        let at = u32::try_from(out.len()).expect("small").to_le_bytes();
        // Version, flags, method (stored), time, date, then what is told again in the directory.
        let common = [&[10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &sum, &size, &size, &name, &[0, 0]].concat();
        out.extend([b"PK\x03\x04", &common[..], path.as_bytes(), content.as_bytes()].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &at, path.as_bytes()].concat());
    }
    let count = u16::try_from(items.len()).expect("few").to_le_bytes();
    let (size, at) = (u32::try_from(directory.len()).expect("small"), u32::try_from(out.len()).expect("small"));
    out.extend(&directory);
    out.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &size.to_le_bytes(), &at.to_le_bytes(), &[0, 0]].concat());
    out
}
