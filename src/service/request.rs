//! The fields of `POST /sync`, their defaults and validation. Names and defaults are those of the service that this one
//! replaces. Whether a remote is allowed is decided in `remote`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::scrub::Token;
use crate::text::is_unsafe;

/// Maximum size of a body in bytes.
pub const LIMIT: usize = 64 << 10;

/// A valid request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub windmill_token: Token,
    pub git_remote_url: String,
    pub git_token: Token,
    /// The workspace's id.
    pub workspace: String,
    /// A short branch name.
    pub git_branch: String,
    pub git_user_name: String,
    pub git_user_email: String,
    /// The workspace's folder in the repository, without leading and trailing slashes; empty for the root.
    pub path: String,
    /// Replaces the header of the commit message.
    pub message: Option<String>,
}

impl Request {
    /// Parses a body. The error is shown to the caller.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        if body.len() > LIMIT {
            return Err(format!("The request is larger than {LIMIT} bytes"));
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err("The request is not a JSON object".to_owned());
        };
        let required = ["windmill_token", "git_remote_url", "git_token"];
        let missing: Vec<&str> = required.into_iter().filter(|name| is_missing(&fields, name)).collect();
        if !missing.is_empty() {
            return Err(format!("Missing required fields: {}", missing.join(", ")));
        }
        let text = |name: &str, default: &str| match fields.get(name) {
            None | Some(Value::Null) => Ok(default.to_owned()),
            Some(Value::String(s)) if s.is_empty() => Ok(default.to_owned()),
            Some(Value::String(s)) => Ok(s.clone()),
            Some(_) => Err(format!("Invalid field: {name} is not a string")),
        };
        let token = |name: &str| {
            let text = text(name, "")?;
            // It becomes part of a header.
            let fits = text.bytes().all(|b| b.is_ascii_graphic());
            if fits { Ok(Token::new(text)) } else { Err(format!("Invalid field: {name} is not a token")) }
        };
        let request = Self {
            windmill_token: token("windmill_token")?,
            git_remote_url: text("git_remote_url", "")?,
            git_token: token("git_token")?,
            workspace: text("workspace", "admins")?,
            git_branch: text("git_branch", "main")?,
            git_user_name: text("git_user_name", "Windmill Git Sync")?,
            git_user_email: text("git_user_email", "windmill@example.com")?,
            path: text("path", "")?.trim_matches('/').to_owned(),
            message: Some(text("message", "")?).filter(|m| !m.trim().is_empty()),
        };
        let wrong = [
            (!is_workspace(&request.workspace), "workspace", "the id of a workspace"),
            (!is_branch(&request.git_branch), "git_branch", "the name of a branch"),
            (!is_name(&request.git_user_name), "git_user_name", "a name"),
            (!is_name(&request.git_user_email), "git_user_email", "a mail address"),
            (!is_folder(&request.path), "path", "a folder of the repository"),
            (request.message.as_ref().is_some_and(|m| m.contains('\0')), "message", "a commit message"),
        ];
        match wrong.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, name, what)) => Err(format!("Invalid field: {name} is not {what}")),
            None => Ok(request),
        }
    }
}

fn is_missing(fields: &Map<String, Value>, name: &str) -> bool {
    match fields.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(s)) => s.is_empty(),
        Some(_) => false,
    }
}

fn is_workspace(id: &str) -> bool {
    let part = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    !id.starts_with('-') && id.len() <= 50 && id.bytes().all(part)
}

/// A subset of git's branch names: nothing that needs quoting or looks like an option.
fn is_branch(name: &str) -> bool {
    let good = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.ends_with(".lock")
            && !part.contains("..")
            && !part.contains("@{")
    };
    let foreign = |c: char| is_unsafe(c) || c.is_whitespace() || "~^:?*[\\".contains(c);
    name.len() <= 200
        && !name.starts_with('-')
        && !name.starts_with("refs/")
        && !["HEAD", "@"].contains(&name)
        && !name.contains(foreign)
        && name.split('/').all(good)
}

/// A name without characters that git silently drops from a commit's headers.
fn is_name(name: &str) -> bool {
    let foreign = |c: char| is_unsafe(c) || c == '<' || c == '>';
    name.len() <= 200 && !name.contains(foreign) && name.chars().any(char::is_alphanumeric)
}

fn is_folder(path: &str) -> bool {
    let good = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && ![".", ".."].contains(&part)
            // Also in spellings that case-insensitive and Windows file systems treat as `.git`.
            && !part.to_ascii_lowercase().starts_with(".git")
            && !part.to_ascii_lowercase().starts_with("git~")
    };
    let foreign = |c: char| is_unsafe(c) || "\\:*?\"<>|".contains(c);
    path.is_empty() || (path.len() <= 500 && !path.contains(foreign) && path.split('/').all(good))
}
