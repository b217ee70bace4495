//! Variables and resources: no secret in plain text. Checks every file that a change introduces, so that a secret removed
//! again by the next commit is found too.

use std::sync::Arc;

use super::files;
use super::options::WindmillOptions;
use super::parsed_file::ParsedFile;
use super::words;
use super::{Check, TreeContext};
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::subject::File;
use crate::values;
use crate::yaml::{Node, Step, Value, dotted};

pub(super) struct ContentCheck {
    pub options: Arc<WindmillOptions>,
}

impl<'a> Check<File<'a>> for ContentCheck {
    fn check(&self, file: &File<'a>, out: &mut Findings<'_>) -> Result<()> {
        let (variable, resource) = (files::has_kind(file.path, "variable"), files::has_kind(file.path, "resource"));
        if file.symlink || !variable && !resource {
            return Ok(());
        }
        let text = ParsedFile::of_file(file, file.bytes()?);
        let name = files::item(file.path).map(|i| i.name).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        for root in &text.document.roots {
            let Some((_, value)) = root.entry("value") else { continue };
            if resource {
                self.resource(&text, name, value, out);
            } else if is_secret(root) {
                secret_variable(&text, value, out);
            } else {
                self.open_variable(&text, name, value, out);
            }
        }
        Ok(())
    }

    fn is_cacheable(&self) -> bool {
        true
    }
}

/// `is_secret` as Windmill reads it: any value but `false` and null.
fn is_secret(variable: &Node) -> bool {
    variable.get("is_secret").is_some_and(super::config::is_on)
}

/// The value of a secret variable that is ciphertext.
pub(super) fn ciphertext_in<'n>(text: &'n ParsedFile<'_>) -> Option<&'n Node> {
    let roots = text.document.roots.iter().filter(|r| is_secret(r));
    roots.filter_map(|r| r.get("value")).find(|v| v.text().is_some_and(words::is_ciphertext))
}

/// Reports ciphertext in a tree whose policy forbids secrets of any form.
pub(super) fn ciphertext(context: &TreeContext<'_>, text: &ParsedFile<'_>, out: &mut Findings<'_>) {
    if context.options.encrypted {
        return;
    }
    if let Some(value) = ciphertext_in(text) {
        let Some(violation) = text.masked("windmill/skip-secrets", Severity::Error, value.span.clone(), "value") else {
            return;
        };
        let help = format!(
            "git rm -- {}\n`skipSecrets` does not remove old files; to allow them: `windmill: {{ secrets: encrypted }}` in the policy",
            crate::shell::pathspec(&text.path)
        );
        out.push(violation.message("an encrypted secret is in the tree").help(help));
    }
}

fn secret_variable(text: &ParsedFile<'_>, value: &Node, out: &mut Findings<'_>) {
    let is_safe = |t: &str| {
        words::is_reference(t)
            || words::is_external(t)
            || words::is_ciphertext(t)
            || values::is_ciphertext(t.as_bytes())
    };
    if value.is_null() || value.text().is_some_and(is_safe) {
        return;
    }
    let Some(violation) = text.masked("windmill/plaintext-secret", Severity::Error, value.span.clone(), "value") else {
        return;
    };
    let help =
        "revoke it where it is used: git keeps the old value\nthen set it in Windmill and pull without `plainSecrets`";
    out.push(violation.secret(value.span.clone()).message("a secret variable is stored here in plain text").help(help));
}

impl ContentCheck {
    fn open_variable(&self, text: &ParsedFile<'_>, name: &str, value: &Node, out: &mut Findings<'_>) {
        let Some(literal) = value.text().filter(|t| !words::is_reference(t) && !is_boolean_word(t)) else { return };
        let why = if words::names_secret(name, &self.options.names) && !words::stands_for_secret(literal) {
            format!("the variable `{name}` is named like a secret but not marked as one")
        } else if let Some(form) = words::secret_value(literal) {
            format!("the variable `{name}` is not marked as a secret, but its value has {form}")
        } else {
            return;
        };
        let Some(violation) = text.masked("windmill/secret-in-variable", Severity::Error, value.span.clone(), "value")
        else {
            return;
        };
        let help = "revoke it where it is used: git keeps the old value\nthen make it a secret variable (`is_secret: true`) in Windmill";
        out.push(violation.secret(value.span.clone()).message(why).help(help));
    }

    fn resource(&self, text: &ParsedFile<'_>, name: &str, value: &Node, out: &mut Findings<'_>) {
        value.walk(&mut |steps, node| {
            let Value::Scalar { text: literal, tag, .. } = &node.value else { return };
            // `!inline path` names a file next to this one.
            let is_inline = tag.as_deref().is_some_and(|t| t.contains("inline")) || literal.starts_with("!inline");
            if is_inline || words::is_reference(literal) || is_boolean_word(literal) || node.is_null() {
                return;
            }
            let key = steps.iter().rev().find_map(|s| if let Step::Key(k) = s { Some(*k) } else { None });
            let key = key.unwrap_or(name);
            let why = if words::names_secret(key, &self.options.names) && !words::stands_for_secret(literal) {
                format!("`{key}` holds a literal: Windmill never encrypts resources")
            } else if let Some(form) = words::secret_value(literal) {
                format!("`{key}` has {form}: Windmill never encrypts resources")
            } else {
                return;
            };
            let at = format!("value.{}", dotted(steps));
            let Some(violation) = text.masked("windmill/secret-in-resource", Severity::Error, node.span.clone(), &at) else { return };
            let help = "revoke it: git keeps the old value\nthen put it into a secret variable and write `$var:f/<folder>/<name>` here";
            out.push(violation.secret(node.span.clone()).message(why).help(help));
        });
    }
}

/// Switches have names like `use_token`; their values are not secrets.
fn is_boolean_word(text: &str) -> bool {
    ["true", "false", "yes", "no"].iter().any(|w| text.trim().eq_ignore_ascii_case(w))
}
