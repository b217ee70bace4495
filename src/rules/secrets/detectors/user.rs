//! The user's own detectors: `detectors` of a policy, the same shape as the built-in ones and held to the same.

use std::collections::BTreeSet;

use crate::options::{Located, Options};
use crate::rules::secrets::detectors::definition::{Definition, FIELDS};
use crate::rules::secrets::detectors::table::{DETECTORS, Detector};
use crate::rules::secrets::scan::scanner::Scanner;
use crate::text;

/// The scanner of the built-in detectors and those of a policy; whatever is wrong with these is recorded as a mistake.
pub fn scanner(options: &Options<'_>) -> Scanner {
    let items = options.shared("detectors");
    if items.is_empty() {
        return Scanner::new(Vec::new());
    }
    let mut ids: BTreeSet<String> = DETECTORS.iter().map(|d| d.id.to_string()).collect();
    let mut own = Vec::new();
    let mut examples = Vec::new();
    for item in items {
        options.known_keys(item, FIELDS);
        let Some(definition) = definition(options, item) else { continue };
        let at = |key: &str| item.get(key).unwrap_or(item);
        let mistake = |key: &str, why: String| options.mistake(item.source, at(key).node.span.clone(), why);
        let problems = definition.problems(false);
        for (field, why) in &problems {
            mistake(field, why.clone());
        }
        if !ids.insert(definition.id.clone()) {
            mistake("id", format!("there is another detector `{}`", definition.id));
            continue;
        }
        if !problems.is_empty() {
            continue;
        }
        examples.push((item, definition.clone()));
        match Detector::from_definition(definition) {
            Ok(detector) => own.push(detector),
            Err(why) => {
                // The last line of a pattern's error says what; the others draw it.
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                mistake("pattern", format!("the pattern is wrong: {why}"));
            }
        }
    }
    let scanner = Scanner::new(own);
    for (item, definition) in examples {
        if let Some(pair) = definition.pair.as_ref().filter(|pair| !ids.contains(*pair)) {
            let near = text::nearest(pair, ids.iter().map(String::as_str));
            let near = near.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            let span = item.get("pair").unwrap_or(item).node.span.clone();
            options.mistake(item.source, span, format!("there is no detector `{pair}`{near}"));
        }
        try_examples(options, &scanner, item, &definition);
    }
    scanner
}

/// Whether a pattern has a `^` that means the start of the whole text, where its writer most likely meant that of a line.
pub fn anchors_at_text(pattern: &str) -> bool {
    let bytes = pattern.as_bytes();
    let (mut class, mut at) = (false, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' if !class => {
                class = true;
                // `[^...]` and `[]...]`
                at += usize::from(bytes.get(at + 1) == Some(&b'^'));
                at += usize::from(bytes.get(at + 1) == Some(&b']'));
            }
            b']' => class = false,
            b'(' if !class && bytes.get(at + 1) == Some(&b'?') => {
                let flags = bytes[at + 2..].iter().take_while(|b| b.is_ascii_alphabetic());
                if flags.clone().any(|b| *b == b'm') {
                    return false;
                }
                at += flags.count();
            }
            b'^' if !class => return true,
            _ => {}
        }
        at += 1;
    }
    false
}

fn definition(options: &Options<'_>, item: Located<'_>) -> Option<Definition> {
    // One by one, so that everything missing is told at once.
    let id = options.required::<String>(item, "id");
    let name = options.required::<String>(item, "name");
    let keywords = options.required::<Vec<String>>(item, "keywords");
    let pattern = options.required::<String>(item, "pattern");
    let text = |key, default: &str| options.field::<String>(item, key).unwrap_or_else(|| default.to_owned());
    let list = |key| options.field::<Vec<String>>(item, key).unwrap_or_default();
    let number = |key: &str, default: f32| match item.get(key) {
        None => default,
        Some(at) => at.node.text().and_then(|t| t.parse().ok()).unwrap_or_else(|| {
            options.mistake(at.source, at.node.span.clone(), "a number is needed here");
            default
        }),
    };
    let rest = Definition {
        provider: text("provider", "own"),
        entropy: number("entropy", 0.0),
        checks: list("checks"),
        paths: list("paths"),
        severity: text("severity", "error"),
        confidence: text("confidence", "high"),
        revoke: text("revoke", ""),
        docs: text("docs", ""),
        window: number("window", 1024.0) as u32,
        pair: options.field(item, "pair"),
        broad: options.field(item, "broad").unwrap_or_default(),
        matches: list("matches"),
        near_misses: list("near-misses"),
        ..Definition::default()
    };
    Some(Definition { id: id?, name: name?, keywords: keywords?, pattern: pattern?, ..rest })
}

/// An example that does not do what it is there for shows a pattern that does not either.
fn try_examples(options: &Options<'_>, scanner: &Scanner, item: Located<'_>, definition: &Definition) {
    // Detectors bound to paths cannot be tried without one.
    if !definition.paths.is_empty() {
        return;
    }
    let found = |example: &str| {
        scanner.scan(example.replace("<>", "").as_bytes(), None).iter().any(|h| h.detector.id == definition.id)
    };
    for (key, wanted) in [("matches", true), ("near-misses", false)] {
        for example in item.get(key).into_iter().flat_map(Located::items) {
            if example.node.text().is_some_and(|text| found(text) != wanted) {
                let why = if wanted { "this example is not found" } else { "this near miss is found" };
                options.mistake(example.source, example.node.span.clone(), format!("{why} by `{}`", definition.id));
            }
        }
    }
}
