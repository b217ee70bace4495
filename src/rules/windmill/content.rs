//! Variables and resources, one file at a time: nothing secret in clear. What a change introduces is judged, so that a
//! secret that is gone again in the next commit is found as well.

use std::sync::Arc;

use super::files;
use super::setup::Setup;
use super::text::Text;
use super::words;
use super::{Check, Ground};
use crate::error::Result;
use crate::finding::{Findings, Severity};
use crate::subject::File;
use crate::values;
use crate::yaml::{Node, Step, Value, dotted};

pub(super) struct Content {
    pub setup: Arc<Setup>,
}

impl<'a> Check<File<'a>> for Content {
    fn check(&self, file: &File<'a>, out: &mut Findings<'_>) -> Result<()> {
        let (variable, resource) = (files::has_kind(file.path, "variable"), files::has_kind(file.path, "resource"));
        if file.symlink || !variable && !resource {
            return Ok(());
        }
        let text = Text::of_file(file, file.bytes()?);
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

    fn judges_alone(&self) -> bool {
        true
    }
}

/// `is_secret` as Windmill takes it: everything but `false` and nothing.
fn is_secret(variable: &Node) -> bool {
    variable.get("is_secret").is_some_and(super::config::is_on)
}

/// Whether a file of the tree or of a change is a variable with ciphertext, and where.
pub(super) fn ciphertext_in<'n>(text: &'n Text<'_>) -> Option<&'n Node> {
    let roots = text.document.roots.iter().filter(|r| is_secret(r));
    roots.filter_map(|r| r.get("value")).find(|v| v.text().is_some_and(words::is_ciphertext))
}

/// Ciphertext that stands in a tree where the policy wants no secrets.
pub(super) fn ciphertext(ground: &Ground<'_>, text: &Text<'_>, out: &mut Findings<'_>) {
    if ground.setup.encrypted {
        return;
    }
    if let Some(value) = ciphertext_in(text) {
        let Some(violation) = text.masked("windmill/skip-secrets", Severity::Error, value.span.clone(), "value") else {
            return;
        };
        let help = format!(
            "git rm -- {}: switching `skipSecrets` on leaves old files; or allow them with `windmill: {{ secrets: encrypted }}`",
            crate::shell::pathspec(&text.path)
        );
        out.push(violation.message("an encrypted secret is in the tree").help(help));
    }
}

fn secret_variable(text: &Text<'_>, value: &Node, out: &mut Findings<'_>) {
    let fine = |t: &str| {
        words::is_reference(t)
            || words::is_external(t)
            || words::is_ciphertext(t)
            || values::is_ciphertext(t.as_bytes())
    };
    if value.is_null() || value.text().is_some_and(fine) {
        return;
    }
    let Some(violation) = text.masked("windmill/plaintext-secret", Severity::Error, value.span.clone(), "value") else {
        return;
    };
    let help =
        "revoke it where it is used, since git keeps it; then set it in Windmill and pull without `plainSecrets`";
    out.push(violation.secret(value.span.clone()).message("a secret variable stands here in clear").help(help));
}

impl Content {
    fn open_variable(&self, text: &Text<'_>, name: &str, value: &Node, out: &mut Findings<'_>) {
        let Some(said) = value.text().filter(|t| !words::is_reference(t) && !is_word_of_logic(t)) else { return };
        let why = if words::names_secret(name, &self.setup.names) && !words::stands_for_secret(said) {
            format!("the variable `{name}` is named like a secret and is none for Windmill")
        } else if let Some(form) = words::secret_value(said) {
            format!("the variable `{name}` is no secret for Windmill, but its value has {form}")
        } else {
            return;
        };
        let Some(violation) = text.masked("windmill/secret-in-variable", Severity::Error, value.span.clone(), "value")
        else {
            return;
        };
        let help = "revoke it where it is used, since git keeps it; then make it a secret variable (`is_secret: true`) in Windmill";
        out.push(violation.secret(value.span.clone()).message(why).help(help));
    }

    fn resource(&self, text: &Text<'_>, name: &str, value: &Node, out: &mut Findings<'_>) {
        value.walk(&mut |steps, node| {
            let Value::Scalar { text: said, tag, .. } = &node.value else { return };
            // `!inline path` names a file beside this one.
            let elsewhere = tag.as_deref().is_some_and(|t| t.contains("inline")) || said.starts_with("!inline");
            if elsewhere || words::is_reference(said) || is_word_of_logic(said) || node.is_null() {
                return;
            }
            let key = steps.iter().rev().find_map(|s| if let Step::Key(k) = s { Some(*k) } else { None });
            let key = key.unwrap_or(name);
            let why = if words::names_secret(key, &self.setup.names) && !words::stands_for_secret(said) {
                format!("`{key}` holds a literal: Windmill never encrypts resources")
            } else if let Some(form) = words::secret_value(said) {
                format!("`{key}` has {form}: Windmill never encrypts resources")
            } else {
                return;
            };
            let at = format!("value.{}", dotted(steps));
            let Some(violation) = text.masked("windmill/secret-in-resource", Severity::Error, node.span.clone(), &at) else { return };
            let help = "revoke it, since git keeps it; then put it into a secret variable and write `$var:f/<folder>/<name>` here";
            out.push(violation.secret(node.span.clone()).message(why).help(help));
        });
    }
}

/// Switches have names like `use_token`; what they say is no secret.
fn is_word_of_logic(text: &str) -> bool {
    ["true", "false", "yes", "no"].iter().any(|w| text.trim().eq_ignore_ascii_case(w))
}
