//! The object of a release tag: an annotated tag with the same name as its ref, which names a commit.
//! Owns the findings that point into tag objects. Signatures are looked for, not verified.

use bstr::{BStr, ByteSlice as _};

use super::TagRequirement;
use crate::error::Result;
use crate::finding::{Findings, Origin, Severity, Violation};
use crate::rules::branch_topology::remedies::quote;
use crate::subject::{ObjectKind, Oid, RefUpdate, TagObject};

/// Checks the object of a created tag. Returns the commit that it names, if any.
pub fn check(
    needs: &[TagRequirement],
    update: &RefUpdate<'_>,
    name: &BStr,
    new: Oid,
    out: &mut Findings<'_>,
) -> Result<Option<Oid>> {
    let line = update.line();
    let kind = update.graph.kind(new)?;
    let word = quote(name);
    let again =
        |flag: &str| format!("git tag {flag} -f {word} '{}^{{}}' -m {word}\ngit push origin {word}", new.short());
    if kind == ObjectKind::Tag {
        let tag = update.graph.tag(new)?;
        check_headers(update, name, &tag, out);
        if needs.contains(&TagRequirement::Signed) && !tag.signed {
            out.push(
                Violation::on_ref("semver-tags/signed", Severity::Error, update, &line, line.new.clone())
                    .message(format!("the release tag {name} is not signed"))
                    .note("only the presence of a signature is checked; `git verify-tag` verifies it")
                    .help(again("-s")),
            );
        }
    } else if kind == ObjectKind::Commit && !needs.is_empty() {
        let signed = needs.contains(&TagRequirement::Signed);
        let code =
            if needs.contains(&TagRequirement::Annotated) { "semver-tags/annotated" } else { "semver-tags/signed" };
        out.push(
            Violation::on_ref(code, Severity::Error, update, &line, line.new.clone())
                .message(format!("the release tag {name} is lightweight: it points at the commit {} itself", new.short()))
                .note("an annotated tag records who released, when and why; `git describe` and `git push --follow-tags` use it")
                .help(again(if signed { "-s" } else { "-a" })),
        );
    }
    let commit = update.graph.peel(new)?;
    if commit.is_none() {
        out.push(
            Violation::on_ref("semver-tags/object", Severity::Error, update, &line, line.new.clone())
                .message(format!("the release tag {name} names a tree or file, not a commit"))
                .help(format!("git tag -a -f {word} COMMIT -m {word}\ngit push origin {word}")),
        );
    }
    Ok(commit)
}

/// Checks the headers of a tag object.
fn check_headers(update: &RefUpdate<'_>, name: &BStr, tag: &TagObject, out: &mut Findings<'_>) {
    let word = quote(name);
    let origin = Origin::Tag { name: name.to_owned(), oid: tag.oid };
    let id = tag.oid.to_string();
    let mut report = |range, what: &str, message: String, help: String| {
        out.push(
            Violation::new("semver-tags/object", Severity::Error, origin.clone(), &tag.raw, range)
                .identity([update.name.as_slice(), id.as_bytes(), what.as_bytes()])
                .message(message)
                .help(help),
        );
    };
    if tag.name != name {
        let message = format!("the tag object is named {}, but its ref is {name}", tag.name);
        let help = format!("git tag -a -f {word} '{}^{{}}' -m {word}\ngit push origin {word}", tag.oid.short());
        report(header_span(&tag.raw, "tag "), "name", message, help);
    }
    if tag.tagger.is_none() {
        let message = format!("the tag object of {name} has no tagger, so it does not say who released");
        let help = format!("git tag -a -f {word} '{}^{{}}' -m {word}\ngit push origin {word}", tag.oid.short());
        report(header_span(&tag.raw, "tagger "), "tagger", message, help);
    }
}

/// The span of a header's value, or the end of the headers if it is missing.
fn header_span(raw: &[u8], key: &str) -> std::ops::Range<usize> {
    let mut at = 0;
    for line in raw.split_str("\n") {
        if line.starts_with(key.as_bytes()) {
            return at + key.len()..at + line.len();
        }
        if line.is_empty() {
            break;
        }
        at += line.len() + 1;
    }
    let end = at.saturating_sub(1).min(raw.len());
    end..end
}
