//! Applications that an ApplicationSet of Argo CD makes: its generators evaluated as far as the repository tells, its
//! template filled in. A value that is nothing but a parameter has the place of the parameter.

use std::collections::BTreeMap;

use bstr::{BStr, ByteSlice as _};

use super::files::Files;
use super::{edit, inline, kustomize, paths};
use crate::document::Format;
use crate::error::Result;
use crate::yaml::{Node, Value};

/// Parameters of one Application, by dotted names.
type Parameters = BTreeMap<String, Node>;

/// Applications of one ApplicationSet.
#[derive(Default)]
pub struct Generated {
    pub applications: Vec<Node>,
    /// Generators that the repository alone cannot answer: clusters, pull requests, other repositories.
    pub unknown: Vec<Node>,
}

/// A glob over paths as Argo CD has it: a star stays in its directory.
fn glob(pattern: &str) -> Option<globset::GlobMatcher> {
    let pattern = pattern.trim_start_matches("./");
    Some(globset::GlobBuilder::new(pattern).literal_separator(true).build().ok()?.compile_matcher())
}

/// Parameter sets at most: a matrix multiplies.
const MAX_SETS: usize = 2_000;
const MAX_DEPTH: usize = 4;

/// Evaluates the generators of an ApplicationSet.
pub fn expand(files: &Files<'_>, root: &Node) -> Result<Generated> {
    let mut out = Generated::default();
    let Some(template) = root.at(&["spec", "template"]) else { return Ok(out) };
    for generator in root.at(&["spec", "generators"]).map_or(&[][..], Node::items) {
        let Some(sets) = parameters(files, generator, 0)? else {
            out.unknown.push(generator.clone());
            continue;
        };
        let own = generator.entries().iter().find_map(|(_, g)| g.get("template"));
        for set in sets {
            let mut application = filled(template, &set);
            if let Some(own) = own {
                kustomize::merge_custom(&mut application, &filled(own, &set));
            }
            if let Some(patch) = root.at(&["spec", "templatePatch"]) {
                let text = filled(patch, &set);
                if text.text().is_some_and(|t| !t.contains("{{")) {
                    for patch in inline::parse(&text, b"") {
                        kustomize::merge_custom(&mut application, &patch);
                    }
                }
            }
            edit::set(&mut application, "kind", edit::string("Application", template.span.clone()));
            let group = root.get("apiVersion").cloned().unwrap_or_else(|| edit::string("", 0..0));
            edit::set(&mut application, "apiVersion", group);
            out.applications.push(application);
        }
    }
    Ok(out)
}

/// The parameter sets of a generator; `None` where they cannot be known.
fn parameters(files: &Files<'_>, generator: &Node, depth: usize) -> Result<Option<Vec<Parameters>>> {
    if depth > MAX_DEPTH {
        return Ok(None);
    }
    let nested = |node: &Node| -> Result<Option<Vec<Vec<Parameters>>>> {
        let mut all = Vec::new();
        for one in node.get("generators").map_or(&[][..], Node::items) {
            match parameters(files, one, depth + 1)? {
                Some(sets) => all.push(sets),
                None => return Ok(None),
            }
        }
        Ok(Some(all))
    };
    if let Some(list) = generator.get("list") {
        let Some(elements) = list.get("elements") else { return Ok(None) };
        return Ok(Some(elements.items().iter().map(flat).collect()));
    }
    if let Some(git) = generator.get("git") {
        return self::git(files, git);
    }
    if let Some(matrix) = generator.get("matrix") {
        let Some(all) = nested(matrix)? else { return Ok(None) };
        let mut sets = vec![Parameters::new()];
        for one in all {
            let each = |set: &Parameters| -> Vec<Parameters> {
                one.iter().map(|more| set.iter().chain(more).map(|(k, v)| (k.clone(), v.clone())).collect()).collect()
            };
            sets = sets.iter().flat_map(each).take(MAX_SETS).collect();
        }
        return Ok(Some(sets));
    }
    if let Some(merge) = generator.get("merge") {
        let keys: Vec<&str> =
            merge.get("mergeKeys").map_or(&[][..], Node::items).iter().filter_map(Node::text).collect();
        let Some(all) = nested(merge)? else { return Ok(None) };
        let mut all = all.into_iter();
        let mut sets = all.next().unwrap_or_default();
        let value = |set: &Parameters, key: &str| set.get(key).and_then(Node::text).map(ToOwned::to_owned);
        for more in all {
            for set in &mut sets {
                let same = |m: &&Parameters| keys.iter().all(|k| value(set, k) == value(m, k));
                if let Some(found) = more.iter().find(same).cloned() {
                    set.extend(found);
                }
            }
        }
        return Ok(Some(sets));
    }
    Ok(None)
}

/// Directories or files of the repository itself.
fn git(files: &Files<'_>, git: &Node) -> Result<Option<Vec<Parameters>>> {
    let patterns = |key: &str, excluded: bool| -> Vec<globset::GlobMatcher> {
        let items = git.get(key).map_or(&[][..], Node::items).iter();
        let chosen = items.filter(|i| (i.get("exclude").and_then(Node::as_bool) == Some(true)) == excluded);
        chosen.filter_map(|i| glob(i.get("path")?.text()?)).collect()
    };
    let mut sets = Vec::new();
    let at = git.span.clone();
    let path_of = |directory: &BStr, set: &mut Parameters| {
        let text = directory.to_string();
        let name = paths::name(directory).to_string();
        for (key, value) in [("path", &text), ("path.path", &text), ("path.basename", &name)] {
            set.insert(key.to_owned(), edit::string(value.clone(), at.clone()));
        }
        for (n, part) in text.split('/').enumerate() {
            set.insert(format!("path[{n}]"), edit::string(part, at.clone()));
        }
    };
    if git.get("files").is_some() {
        let (wanted, not) = (patterns("files", false), patterns("files", true));
        for entry in files.entries() {
            let path = entry.path.to_str_lossy();
            if !wanted.iter().any(|g| g.is_match(&*path)) || not.iter().any(|g| g.is_match(&*path)) {
                continue;
            }
            let format = Format::of(entry.path.as_ref()).unwrap_or(Format::Yaml);
            let Some(file) = files.load(entry.path.as_ref(), format)? else { continue };
            let roots = file.roots.iter().flat_map(|r| if r.is_seq() { r.items() } else { std::slice::from_ref(r) });
            for root in roots {
                let mut set = flat(root);
                path_of(paths::directory(entry.path.as_ref()), &mut set);
                sets.push(set);
            }
        }
    } else if git.get("directories").is_some() {
        let (wanted, not) = (patterns("directories", false), patterns("directories", true));
        let mut directories: Vec<&BStr> = Vec::new();
        for entry in files.entries() {
            let mut path = paths::directory(entry.path.as_ref());
            while !path.is_empty() {
                directories.push(path);
                path = paths::directory(path);
            }
        }
        directories.sort_unstable();
        directories.dedup();
        for directory in directories {
            let text = directory.to_str_lossy();
            if wanted.iter().any(|g| g.is_match(&*text)) && !not.iter().any(|g| g.is_match(&*text)) {
                let mut set = Parameters::new();
                path_of(directory, &mut set);
                sets.push(set);
            }
        }
    } else {
        return Ok(None);
    }
    for set in &mut sets {
        for (key, value) in git.get("values").map_or(&[][..], Node::entries) {
            set.insert(format!("values.{}", key.text().unwrap_or_default()), value.clone());
        }
    }
    // No match: the files are in another repository.
    Ok(Some(sets).filter(|s| !s.is_empty()))
}

fn flat(element: &Node) -> Parameters {
    let mut out = Parameters::new();
    element.walk(&mut |steps, node| {
        if node.text().is_some() {
            out.insert(crate::yaml::dotted(steps), node.clone());
        }
    });
    out
}

/// A template with every parameter that is known put in.
fn filled(node: &Node, set: &Parameters) -> Node {
    let value = match &node.value {
        Value::Map(entries) => Value::Map(entries.iter().map(|(k, v)| (filled(k, set), filled(v, set))).collect()),
        Value::Seq(items) => Value::Seq(items.iter().map(|i| filled(i, set)).collect()),
        Value::Scalar { text, .. } if text.contains("{{") => return filled_text(node, text, set),
        other => other.clone(),
    };
    Node { span: node.span.clone(), value }
}

fn filled_text(node: &Node, text: &str, set: &Parameters) -> Node {
    let mut out = String::new();
    let mut rest = text;
    let mut span = node.span.clone();
    while let Some(at) = rest.find("{{") {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find("}}") else { break };
        let whole = &rest[at..at + end + 2];
        match parameter(whole[2..whole.len() - 2].trim_matches(['-', ' ']), set) {
            Some(value) => {
                out.push_str(value.text().unwrap_or_default());
                if whole == text.trim() {
                    span = value.span.clone();
                }
            }
            None => out.push_str(whole),
        }
        rest = &rest[at + end + 2..];
    }
    out.push_str(rest);
    edit::string(out, span)
}

/// `x`, `.x.y`, `index .path.segments 1`, `.x | default "main"`.
fn parameter<'p>(expression: &str, set: &'p Parameters) -> Option<&'p Node> {
    let first = expression.split('|').next().unwrap_or_default().trim();
    let rest = expression[first.len().min(expression.len())..].trim_matches([' ', '|']);
    // Other functions change the value.
    if !rest.is_empty() && !rest.starts_with("default") && !rest.starts_with("quote") {
        return None;
    }
    if let Some(arguments) = first.strip_prefix("index .path.segments") {
        return set.get(&format!("path[{}]", arguments.trim()));
    }
    set.get(first.trim_start_matches('.'))
}
