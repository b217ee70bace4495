//! `semver-tags`: release tags have valid names, are annotated, grow in version, never change, and are on allowed branches.
//! Owns the options and the order of the checks; each check has its own file.

mod branches;
mod object;
mod order;
pub mod proposal;
mod series;

use bstr::{BStr, ByteSlice as _};

use self::series::RefsAfterPush;
use super::branch_topology::BranchPatterns;
use super::branch_topology::leak::Stance;
use super::branch_topology::remedies::quote;
use super::release_tags::format::{self, ParsedTag, TagFormat};
use super::release_tags::version::{Version, VersionError};
use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::{Findings, Severity, Violation};
use crate::options::Options;
use crate::options::scope::{self, Globs, RefNames};
use crate::subject::{Kinds, Oid, RefUpdate};
use crate::yaml::Value;

pub static RULE: Rule = Rule {
    id: "semver-tags",
    looks_at: Kinds::REF,
    policy: include_str!("../../../policies/semver-tags.yml"),
    compile,
};

/// A tag that may move, such as `prod-stable`.
pub struct MovingTag {
    /// Short name or glob.
    pub tag: RefNames,
    /// The branches that it may point to.
    pub branches: BranchPatterns,
}

/// A requirement on tag objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagRequirement {
    Annotated,
    /// A signature is present; it is not verified here.
    Signed,
}

/// The family's options, read.
pub struct TagSettings {
    /// Formats of release tags, with the stage that each releases to.
    pub formats: Vec<(TagFormat, ReleaseStage)>,
    pub branches: BranchPatterns,
    pub moving: Vec<MovingTag>,
    pub ignore: Globs,
    pub needs: Vec<TagRequirement>,
    /// Whether prereleases are allowed under formats that release to production.
    pub prerelease: Stance,
    /// Whether build metadata is allowed.
    pub build: Stance,
    pub bump: Option<Severity>,
    pub moving_to: MovingTagTarget,
}

/// The stage that a format releases to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseStage {
    Production,
    Other,
}

/// Which commits of its branch a moving tag may point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovingTagTarget {
    Any,
    Released,
}

/// The compiled rule.
pub struct SemverTags {
    settings: TagSettings,
    formats: Vec<TagFormat>,
}

/// A release tag that the push creates.
struct CreatedTag<'c> {
    update: &'c RefUpdate<'c>,
    /// Short name.
    name: &'c BStr,
    format: &'c TagFormat,
    release: ParsedTag,
    commit: Oid,
}

fn compile(options: &Options<'_>) -> Checks {
    let words = options.vocabulary();
    let own = options.strings("formats");
    let last = words.environments.len().saturating_sub(1);
    let mut texts: Vec<(String, ReleaseStage)> = own.into_iter().map(|f| (f, ReleaseStage::Production)).collect();
    if texts.is_empty() {
        for (i, environment) in words.environments.iter().enumerate() {
            let stage = if i == last { ReleaseStage::Production } else { ReleaseStage::Other };
            texts.extend(environment.tags.iter().map(|f| (f.clone(), stage)));
        }
    }
    if texts.is_empty() {
        texts.push(("v{semver}".into(), ReleaseStage::Production));
    }
    let record_mistake = |key: &'static str, message: String| {
        if let Some(place) = options.node(key) {
            options.mistake(place.source, place.node.span.clone(), message);
        }
    };
    let formats = texts.iter().filter_map(|(text, stage)| {
        TagFormat::parse(text).map_err(|e| record_mistake("formats", e)).ok().map(|f| (f, *stage))
    });
    let branches = |key: &'static str, names: Vec<String>| {
        BranchPatterns::new(&names).unwrap_or_else(|e| {
            record_mistake(key, e);
            BranchPatterns::default()
        })
    };
    let mut allowed = options.strings("branches");
    if allowed.is_empty() {
        allowed = words.environments.iter().flat_map(|e| e.branches.clone()).collect();
    }
    let mut production: Vec<String> = words.environments.last().map(|e| e.branches.clone()).unwrap_or_default();
    if production.is_empty() {
        production = allowed.clone();
    }
    let mut moving = Vec::new();
    if let Some(list) = options.node("moving") {
        let items = match &list.node.value {
            Value::Seq(items) => items.as_slice(),
            _ => std::slice::from_ref(list.node),
        };
        for item in items {
            let tag = item.get("tag").unwrap_or(item).text();
            let Some(tag) = tag else {
                let message = "a moving tag is a name, or a map with `tag` and `branch`";
                options.mistake(list.source, item.span.clone(), message);
                continue;
            };
            if !item.entries().is_empty() {
                options.known_keys(crate::options::Located { source: list.source, node: item }, &["tag", "branch"]);
            }
            let branch = item.get("branch").and_then(|b| b.text()).map(|b| vec![b.to_owned()]);
            moving.push(MovingTag {
                tag: RefNames::new(&[tag.to_owned()]).unwrap_or_else(|e| {
                    options.mistake(list.source, item.span.clone(), e);
                    RefNames::default()
                }),
                branches: branches("moving", branch.unwrap_or_else(|| production.clone())),
            });
        }
    }
    let stance = |key| if options.choice(key, &["allow", "deny"]) == "allow" { Stance::Allow } else { Stance::Deny };
    let needs =
        [(TagRequirement::Annotated, options.flag("annotated")), (TagRequirement::Signed, options.flag("signed"))];
    let settings = TagSettings {
        formats: formats.collect(),
        branches: branches("branches", allowed),
        moving,
        ignore: options.globs("ignore"),
        needs: needs.into_iter().filter(|(_, on)| *on).map(|(need, _)| need).collect(),
        prerelease: stance("prerelease"),
        build: stance("build"),
        bump: options.code_severity("bump", None),
        moving_to: match options.choice("moving-to", &["any", "release"]) {
            "release" => MovingTagTarget::Released,
            _ => MovingTagTarget::Any,
        },
    };
    Checks { refs: vec![Box::new(SemverTags::new(settings))], ..Checks::default() }
}

impl SemverTags {
    pub fn new(settings: TagSettings) -> Self {
        Self { formats: settings.formats.iter().map(|(f, _)| f.clone()).collect(), settings }
    }

    fn check_created(
        &self,
        update: &RefUpdate<'_>,
        name: &BStr,
        format: &TagFormat,
        release: ParsedTag,
        new: Oid,
        out: &mut Findings<'_>,
    ) -> Result<()> {
        self.check_version_parts(update, name, format, &release, out);
        let Some(commit) = object::check(&self.settings.needs, update, name, new, out)? else { return Ok(()) };
        let created = CreatedTag { update, name, format, release, commit };
        self.check_monotonic(&created, out)?;
        self.check_branch(&created, out)?;
        match self.settings.bump {
            Some(severity) => self.check_bump(&created, severity, out),
            None => Ok(()),
        }
    }

    /// Checks for parts of a valid version that the policy forbids.
    fn check_version_parts(
        &self,
        update: &RefUpdate<'_>,
        name: &BStr,
        format: &TagFormat,
        release: &ParsedTag,
        out: &mut Findings<'_>,
    ) {
        let line = update.line();
        let stage = self.settings.formats.iter().find(|(f, _)| f == format).map(|(_, stage)| *stage);
        let bare = |v: Version| format.name(release.component.as_bstr(), &v);
        if self.settings.prerelease == Stance::Deny
            && stage == Some(ReleaseStage::Production)
            && release.version.is_prerelease()
        {
            let mark = part_offset(name, b'-', &release.version.to_string());
            // Prefer the same prerelease under a format of another stage.
            let other = self
                .settings
                .formats
                .iter()
                .find(|(f, stage)| *stage == ReleaseStage::Other && f.has_same_parts(format));
            let wanted = match other {
                Some((other, _)) => other.name(release.component.as_bstr(), &release.version),
                None => bare(Version { prerelease: Vec::new(), ..release.version.clone() }),
            };
            let range = line.name.start + "refs/tags/".len() + mark..line.name.end;
            out.push(
                Violation::on_ref("semver-tags/prerelease", Severity::Error, update, &line, range)
                    .message(format!("{name} is a prerelease, but its format releases to production"))
                    .note("anything that deploys release tags would deploy it")
                    .help(retag(name, &wanted, update.new)),
            );
        }
        if self.settings.build == Stance::Deny && !release.version.build.is_empty() {
            let mark = part_offset(name, b'+', &release.version.to_string());
            let wanted = bare(Version { build: Vec::new(), ..release.version.clone() });
            let range = line.name.start + "refs/tags/".len() + mark..line.name.end;
            out.push(
                Violation::on_ref("semver-tags/name", Severity::Error, update, &line, range)
                    .message(format!("{name} has build metadata, which this policy does not allow"))
                    .note("build metadata does not count for precedence: it does not say which tag is newer")
                    .help(retag(name, &wanted, update.new)),
            );
        }
    }

    fn report_misnamed(
        &self,
        update: &RefUpdate<'_>,
        name: &BStr,
        best: Option<(&TagFormat, VersionError)>,
        new: Oid,
        out: &mut Findings<'_>,
    ) {
        let line = update.line();
        let meant = proposal::nearest(&self.formats, name);
        // Report the error under the format that was probably meant.
        let flaw = meant.as_ref().and_then(|m| m.format.parse_name(name).err()).or(best.map(|(_, flaw)| flaw));
        let Some(flaw) = flaw else { return };
        let at = line.name.start + "refs/tags/".len() + flaw.at;
        let end =
            (at + name.get(flaw.at..).and_then(|r| r.chars().next()).map_or(0, char::len_utf8)).min(line.name.end);
        let formats: Vec<String> = self.formats.iter().map(|f| format!("`{}`", f.as_str())).collect();
        let has_build = |m: &proposal::Proposal<'_>| !m.version.build.is_empty();
        let nearest = meant.filter(|m| self.settings.build == Stance::Allow || !has_build(m)).map(|m| m.name);
        let mut violation = Violation::on_ref("semver-tags/name", Severity::Error, update, &line, at..end)
            .message(format!("the tag {name} is not a release tag: {}", flaw.what))
            .note(format!(
                "release tags are named {}; list other tags under `moving` or `ignore` in the policy",
                formats.join(" or ")
            ));
        // Suggest nothing for a name that contains a secret: the suggestion would repeat it.
        if let Some(nearest) = nearest.filter(|_| !out.holds_secret(name)) {
            violation = violation.help(retag(name, &nearest, Some(new)));
        }
        out.push(violation);
    }

    fn report_changed(&self, update: &RefUpdate<'_>, name: &BStr, old: Oid, out: &mut Findings<'_>) -> Result<()> {
        let line = update.line();
        let word = quote(name);
        let (range, what) = match update.new {
            Some(new) => {
                (line.new.clone(), format!("the release tag {name} would move from {} to {}", old.short(), new.short()))
            }
            None => (line.name.clone(), format!("the release tag {name} would be deleted")),
        };
        let next = self.next_free(update, name)?.unwrap_or_default();
        let next = quote(next.as_str().into());
        let help = match update.new {
            Some(new) => format!(
                "restore the released tag:\n    git fetch origin --force refs/tags/{word}:refs/tags/{word}\n\
                 release the change under a new name:\n    git tag -a {next} '{}^{{}}' -m {next}\n    git push origin {next}\n\
                 pushing a tag again does not redeploy it; instead:\n    portcullis promote rollback {word}",
                new.short()
            ),
            None => format!(
                "restore the tag, if it is gone here:\n    git fetch origin refs/tags/{word}:refs/tags/{word}\n\
                 to take a bad release out of production, go back to the one before it:\n    portcullis promote rollback TAG"
            ),
        };
        out.push(
            Violation::on_ref("semver-tags/immutable", Severity::Error, update, &line, range)
                .message(what)
                .note("clones and deployments keep the old tag silently: one name would mean two commits")
                .help(help),
        );
        Ok(())
    }

    /// The next free tag name after this one, with the same component and kind.
    fn next_free(&self, update: &RefUpdate<'_>, name: &BStr) -> Result<Option<String>> {
        let Ok((format, release)) = format::parse_tag(&self.formats, name) else { return Ok(None) };
        let series = RefsAfterPush::of(update)?.series(update, format, &release.component)?;
        let next = series.next_free(release.version.after(&release.version));
        Ok(Some(format.name(release.component.as_bstr(), &next)))
    }
}

impl<'a> Check<RefUpdate<'a>> for SemverTags {
    fn is_release_tag(&self, name: &BStr) -> bool {
        let Some(name) = name.strip_prefix(b"refs/tags/").map(BStr::new) else { return false };
        !scope::is_match(&self.settings.ignore, name)
            && (self.settings.moving.iter().any(|m| m.tag.is_match(name))
                || format::parse_tag(&self.formats, name).is_ok())
    }

    fn check(&self, update: &RefUpdate<'a>, out: &mut Findings<'_>) -> Result<()> {
        let Some(name) = update.name.strip_prefix(b"refs/tags/").map(BStr::new) else { return Ok(()) };
        if update.old == update.new || scope::is_match(&self.settings.ignore, name) {
            return Ok(());
        }
        if let Some(moving) = self.settings.moving.iter().find(|m| m.tag.is_match(name)) {
            return update.new.map_or(Ok(()), |new| self.check_moving(update, name, moving, new, out));
        }
        match (format::parse_tag(&self.formats, name), update.old, update.new) {
            (Ok(_), Some(old), _) => return self.report_changed(update, name, old, out),
            (Ok((format, release)), None, Some(new)) => {
                return self.check_created(update, name, format, release, new, out);
            }
            (Err(best), _, Some(new)) => self.report_misnamed(update, name, best, new, out),
            // Deleting a misnamed tag is fine.
            (_, _, None) => {}
        }
        Ok(())
    }
}

/// Offset in `name` of the part of its version that begins with `mark`.
fn part_offset(name: &BStr, mark: u8, version: &str) -> usize {
    let start = name.rfind(version).unwrap_or(0);
    start + version.bytes().position(|b| b == mark).unwrap_or(0)
}

/// The commands that rename a tag.
fn retag(name: &BStr, wanted: &str, target: Option<Oid>) -> String {
    let (name, wanted) = (quote(name), quote(wanted.into()));
    // `^{}` peels, so that the new tag names the commit and not the old tag object.
    let target = target.map_or_else(|| "COMMIT".into(), |t| format!("'{}^{{}}'", t.short()));
    format!("git tag -a {wanted} {target} -m {wanted}\ngit push origin {wanted}\ngit tag -d {name}")
}
