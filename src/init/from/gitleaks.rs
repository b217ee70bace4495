//! gitleaks: `.gitleaks.toml` in its old and new forms, and `.gitleaksignore`.

use bstr::ByteSlice as _;

use super::super::draft::quoted;
use super::{Source, list, texts};
use crate::yaml::Node;

pub fn configuration(source: &mut Source<'_>) {
    let Some(root) = source.document() else { return };
    source.took();
    if let Some(extend) = root.get("extend") {
        for key in ["path", "url"] {
            if let Some(other) = extend.get(key).and_then(Node::text) {
                source
                    .leave(format!("extend.{key} = {other}"), "translate that file, too: portcullis init --from FILE");
            }
        }
        for id in texts(extend.get("disabledRules")) {
            source.leave(
                format!("disabled rule {id}"),
                "detectors here have other names: switch one off with secrets/NAME: { severity: off }",
            );
        }
    }
    for list in [root.get("allowlist"), root.get("allowlists")].into_iter().flatten() {
        let items = if list.is_seq() { list.items() } else { std::slice::from_ref(list) };
        items.iter().for_each(|item| allowlist(source, item));
    }
    for rule in root.get("rules").map_or(&[][..], Node::items) {
        detector(source, rule);
    }
}

fn allowlist(source: &mut Source<'_>, list: &Node) {
    let kinds = ["paths", "regexes", "stopwords", "commits"].iter().filter(|k| list.get(k).is_some()).count();
    let both = list.get("condition").and_then(Node::text).is_some_and(|c| c.eq_ignore_ascii_case("and") || c == "&&");
    if both && kinds > 1 {
        source.leave("an allowlist with condition AND", "paths and patterns count one by one here");
        return;
    }
    if let Some(rules) = list.get("targetRules") {
        let what = format!("an allowlist for {}", texts(Some(rules)).join(", "));
        source.leave(what, "detectors here have other names: write rules: secrets/NAME: { exclude: [...] }");
        return;
    }
    for path in texts(list.get("paths")) {
        source.exclude(&path);
    }
    for pattern in texts(list.get("regexes")) {
        source.allow(&pattern);
    }
    for word in texts(list.get("stopwords")) {
        source.allow(&format!("(?i){}", regex::escape(&word)));
    }
    for commit in texts(list.get("commits")) {
        let is_whole = matches!(commit.len(), 40 | 64) && commit.bytes().all(|b| b.is_ascii_hexdigit());
        if is_whole {
            let exception =
                format!("{{ rule: secrets, commit: {}, reason: \"allowed for gitleaks\" }}", quoted(&commit));
            source.out.exceptions.insert(exception);
        } else {
            source.leave(format!("allowed commit {commit}"), "an exception needs the whole id");
        }
    }
}

/// `[[rules]]`: a detector, where it has keywords and a pattern that is known here.
fn detector(source: &mut Source<'_>, rule: &Node) {
    let text = |key: &str| rule.get(key).and_then(Node::text);
    let id = text("id").unwrap_or_default();
    let what = format!("rule {id}");
    if rule.get("allowlist").is_some() || rule.get("allowlists").is_some() {
        source.leave(format!("{what}: its allowlists"), "write rules: secrets/NAME: { exclude: [...] }");
    }
    let Some(pattern) = text("regex") else {
        let why = if text("path").is_some() { "files are forbidden by their kind here" } else { "it has no pattern" };
        return source.leave(what, why);
    };
    let keywords: Vec<String> = texts(rule.get("keywords")).iter().map(|k| k.to_lowercase()).collect();
    if keywords.is_empty() || keywords.iter().any(|k| k.len() < 3 || k.len() > 64 || !k.is_ascii()) {
        return source.leave(what, "a detector needs keywords of 3 to 64 letters that stand near its values");
    }
    let group = rule.get("secretGroup").and_then(Node::as_int).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let Some(pattern) = with_secret(pattern, group) else {
        return source.leave(what, "the syntax of its pattern is not known here");
    };
    let slug: String = id.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = text("description").unwrap_or(id);
    let mut fields = vec![
        format!("id: own-{}", slug.trim_matches('-')),
        format!("name: {}", quoted(if name.is_empty() { "a secret of our own" } else { name })),
        format!("keywords: {}", list(&keywords)),
        format!("pattern: {}", quoted(&pattern)),
    ];
    fields.extend(text("entropy").map(|entropy| format!("entropy: {entropy}")));
    if text("path").is_some() {
        source.leave(format!("{what}: its path"), "the detector looks everywhere; bind it with paths: [globs]");
    }
    let other = format!("{{ {},", fields[0]);
    if source.out.detectors.iter().any(|detector| detector.starts_with(&other)) {
        return source.leave(what, "another rule has the same name here");
    }
    source.out.detectors.push(format!("{{ {} }}", fields.join(", ")));
}

/// The pattern with its secret in the group `secret`: the group that the rule names, else the first one, else all.
fn with_secret(pattern: &str, group: usize) -> Option<String> {
    let count = regex::Regex::new(pattern).ok()?.captures_len() - 1;
    let wanted = if group > 0 { group } else { 1 };
    if wanted > count {
        return Some(format!("(?P<secret>{pattern})"));
    }
    let mut at = 0;
    let (mut class, mut escaped) = (false, false);
    for (offset, c) in pattern.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if !class => class = true,
            ']' if class => class = false,
            '(' if !class => {
                let rest = &pattern[offset + 1..];
                let named = rest.strip_prefix("?P<").or(rest.strip_prefix("?<")).filter(|r| !r.starts_with(['=', '!']));
                if !rest.starts_with('?') || named.is_some() {
                    at += 1;
                }
                if at == wanted {
                    let inner = named.and_then(|r| r.split_once('>')).map_or(rest, |(_, inner)| inner);
                    let changed = format!("{}(?P<secret>{inner}", &pattern[..offset]);
                    return regex::Regex::new(&changed).ok().map(|_| changed);
                }
            }
            _ => {}
        }
    }
    None
}

/// `.gitleaksignore`: what stands today is accepted by `init` itself.
pub fn ignored(source: &mut Source<'_>) {
    let lines = source.bytes.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(b"#")).count();
    if lines > 0 {
        source.took();
        source.leave(
            format!("{lines} ignored findings"),
            "what stands today is accepted as it is; for old commits: portcullis check --history --write-exceptions",
        );
    }
}
