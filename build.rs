//! Turns `policies/secrets/*.yml` into static tables, so that start-up parses no YAML and adding a detector touches
//! YAML only. A bad definition stops the build with its file and id. Also says how the binary is linked.

// A build script talks to cargo on standard output and ends the build by its exit code.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Class, Hir, HirKind};

#[path = "src/rules/secrets/detectors/definition.rs"]
mod definition;
#[path = "src/rules/secrets/scan/trigrams.rs"]
#[allow(dead_code)] // the prefilter needs more of it than this program
mod trigrams;

use definition::Definition;

fn main() {
    for watched in [
        "build.rs",
        "policies/secrets",
        "src/rules/secrets/scan/trigrams.rs",
        "src/rules/secrets/detectors/definition.rs",
    ] {
        println!("cargo::rerun-if-changed={watched}");
    }
    link();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    match read(Path::new("policies/secrets")).and_then(|definitions| write(&definitions, &out)) {
        Ok(()) => {}
        Err(why) => {
            println!("cargo::error={why}");
            std::process::exit(1);
        }
    }
}

/// At a fixed address on Linux: forty thousand pointers of a relocatable binary are mended page by page before `main`,
/// which is as long as all that a hook does after it. The heap, the stack and the libraries move as ever.
fn link() {
    let target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    let is_static = target("FEATURE").split(',').any(|f| f == "crt-static");
    if target("OS") == "linux" && target("ENV") == "gnu" && !is_static {
        // The gate alone: the service talks to the network, and nobody waits for its start.
        println!("cargo::rustc-link-arg-bin=portcullis=-no-pie");
    }
}

fn read(folder: &Path) -> Result<Vec<Definition>, String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .collect();
    files.sort();
    let mut all: Vec<Definition> = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let definitions: Vec<Definition> =
            serde_yaml::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))?;
        for definition in definitions {
            if let Some((field, why)) = definition.problems(true).into_iter().next() {
                return Err(format!("{}: {}: {field}: {why}", file.display(), definition.id));
            }
            if all.iter().any(|s| s.id == definition.id) {
                return Err(format!("{}: {}: there is another detector of this id", file.display(), definition.id));
            }
            all.push(definition);
        }
    }
    if let Some(s) = all.iter().find(|s| s.pair.as_ref().is_some_and(|p| !all.iter().any(|o| o.id == *p))) {
        return Err(format!("{}: pair: there is no such detector", s.id));
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

fn write(definitions: &[Definition], out: &Path) -> Result<(), String> {
    let mut keywords: Vec<&str> = definitions.iter().flat_map(|s| s.keywords.iter().map(String::as_str)).collect();
    keywords.extend(definition::GENERIC);
    keywords.sort_unstable();
    keywords.dedup();
    let mut code = String::new();
    let mut sets: Vec<[u64; 4]> = Vec::new();
    let _ = writeln!(code, "pub static DETECTORS: [Detector; {}] = [", definitions.len());
    for s in definitions {
        let offsets = offsets(s)?;
        let hir = parse(&s.id, &s.pattern)?;
        let mut number = |set: [u64; 4]| {
            sets.iter().position(|s| *s == set).unwrap_or_else(|| {
                sets.push(set);
                sets.len() - 1
            })
        };
        let front: Vec<String> = front(&hir)
            .into_iter()
            .map(|(set, least, most)| format!("Step {{ set: {}, least: {least}, most: {most} }}", number(set)))
            .collect();
        let front = front.join(", ");
        let (run_of, run) = run(&hir).map_or((0, 0), |(set, length)| (number(set), length));
        let checks: Vec<String> = s.checks.iter().map(|c| format!("validators::{}", c.replace('-', "_"))).collect();
        let pair = s.pair.as_ref().map_or("None".into(), |p| format!("Some(Cow::Borrowed({p:?}))"));
        let borrowed =
            |list: &[String]| list.iter().map(|k| format!("Cow::Borrowed({k:?})")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            code,
            "Detector {{ id: Cow::Borrowed({:?}), name: Cow::Borrowed({:?}), provider: Cow::Borrowed({:?}), \
             keywords: Cow::Borrowed(&[{}]), pattern: Cow::Borrowed({:?}), offsets: &{offsets:?}, front: &[{front}], run: ({run_of}, {run}), entropy: {:?}, \
             checks: Cow::Borrowed(&[{}]), paths: Cow::Borrowed(&[{}]), severity: Severity::{}, confidence: Confidence::{}, \
             revoke: Cow::Borrowed({:?}), docs: Cow::Borrowed({:?}), window: {}, pair: {pair}, broad: {}, matcher: OnceLock::new(), scope: OnceLock::new() }},",
            s.id,
            s.name,
            s.provider,
            borrowed(&s.keywords),
            s.pattern,
            s.entropy,
            checks.join(", "),
            borrowed(&s.paths),
            title(&s.severity),
            title(&s.confidence),
            s.revoke,
            s.docs,
            // No more than a match can take, and one byte to see its end by.
            hir.properties().maximum_len().map_or(s.window, |most| s.window.min(most as u32 + 1)),
            s.broad,
        );
    }
    code.push_str("];\n");
    let _ = writeln!(code, "static SETS: [[u64; 4]; {}] = {sets:?};", sets.len());

    let _ = writeln!(code, "static KEYWORDS: [Cow<'static, str>; {}] = [", keywords.len());
    for k in &keywords {
        let _ = writeln!(code, "Cow::Borrowed({k:?}),");
    }
    code.push_str("];\n");
    let _ = writeln!(code, "static WANTED_BY: [&[u16]; {}] = [", keywords.len());
    for k in &keywords {
        let of: Vec<usize> =
            (0..definitions.len()).filter(|i| definitions[*i].keywords.iter().any(|w| w == k)).collect();
        let _ = writeln!(code, "&{of:?},");
    }
    code.push_str("];\n");

    let generic: Vec<bool> = keywords.iter().map(|k| definition::GENERIC.contains(k)).collect();
    let _ = writeln!(code, "static GENERIC: [bool; {}] = {generic:?};", keywords.len());

    let bytes: Vec<&[u8]> = keywords.iter().map(|k| k.as_bytes()).collect();
    let tables = trigrams::tables(&bytes);
    let _ = writeln!(code, "static ANCHORS: [Anchor; {}] = [", tables.anchors.len());
    for a in &tables.anchors {
        let _ = writeln!(code, "{a:?},");
    }
    code.push_str("];\n");
    let _ = writeln!(code, "static SLOTS: [u16; {}] = {:?};", tables.slots.len(), tables.slots);
    code.push_str("static FILTER: [u8; trigrams::FILTER] = *include_bytes!(\"filter.bin\");\n");
    fs::write(out.join("filter.bin"), &tables.filter).map_err(|e| e.to_string())?;
    fs::write(out.join("detectors.rs"), code).map_err(|e| e.to_string())
}

/// Where in a match a keyword stands, if every match begins with a literal that holds one: then the pattern runs at
/// the keyword only, and nothing has to be searched. Empty: it must be searched for in a window.
fn offsets(s: &Definition) -> Result<Vec<usize>, String> {
    // Keywords are found in either case, so is their place in a pattern.
    let hir = parse(&s.id, &s.pattern.replace("(?i)", "").replace("(?i:", "(?:"))?;
    let mut found = Vec::new();
    let prefixes = Extractor::new().limit_total(2048).limit_class(64).extract(&hir);
    for literal in prefixes.literals().unwrap_or_default() {
        let text = literal.as_bytes().to_ascii_lowercase();
        let at = s.keywords.iter().filter_map(|k| text.windows(k.len()).position(|w| w == k.as_bytes())).min();
        let Some(at) = at else { return Ok(Vec::new()) };
        found.push(at);
    }
    found.sort_unstable();
    found.dedup();
    Ok(if found.len() <= 4 { found } else { Vec::new() })
}

/// Bytes of one set, so many of them at least and at most: a step of the way into a match.
type Step = ([u64; 4], u32, u32);

/// What the front of a match is made of, as far as it can be walked without turning back: a cheap question to ask before a
/// pattern is compiled and run.
fn front(hir: &Hir) -> Vec<Step> {
    let mut steps = Vec::new();
    let _ = walk(hir, &mut steps);
    let mut out = Vec::new();
    for (at, &(set, least, most)) in steps.iter().enumerate() {
        // Where the next step takes none of these bytes, as many as there are belong to this one.
        let ends = |next: &Step| next.1 > 0 && next.0.iter().zip(set).all(|(a, b)| a & b == 0);
        if least == most || steps.get(at + 1).is_some_and(ends) {
            out.push((set, least, most));
            continue;
        }
        out.push((set, least, least));
        break;
    }
    out.retain(|(_, _, most)| *most > 0);
    out.truncate(FRONT);
    out
}

/// Steps into a match that are looked at.
const FRONT: usize = 24;

/// Appends the steps of an expression; `false`: what follows it cannot be said.
fn walk(hir: &Hir, out: &mut Vec<Step>) -> bool {
    if out.len() >= FRONT {
        return false;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            out.extend(literal.0.iter().map(|b| (set(std::iter::once(*b)), 1, 1)));
            true
        }
        HirKind::Class(Class::Bytes(class)) => {
            out.push((set(class.iter().flat_map(|r| r.start()..=r.end())), 1, 1));
            true
        }
        HirKind::Class(Class::Unicode(_)) => false,
        HirKind::Capture(capture) => walk(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().all(|part| walk(part, out)),
        HirKind::Repetition(repetition) => match repetition.sub.kind() {
            HirKind::Class(Class::Bytes(class)) => {
                let set = set(class.iter().flat_map(|r| r.start()..=r.end()));
                out.push((set, repetition.min, repetition.max.unwrap_or(u32::MAX)));
                true
            }
            _ => {
                (0..repetition.min.min(FRONT as u32)).all(|_| walk(&repetition.sub, out))
                    && repetition.max == Some(repetition.min)
            }
        },
        HirKind::Alternation(branches) => {
            let fronts: Vec<(Vec<[u64; 4]>, bool)> = branches.iter().map(places).collect();
            let shortest = fronts.iter().map(|(f, _)| f.len()).min().unwrap_or(0);
            let fixed = fronts.iter().all(|(f, fixed)| *fixed && f.len() == shortest);
            for place in 0..shortest {
                let union = |all: [u64; 4], (front, _): &(Vec<[u64; 4]>, bool)| {
                    std::array::from_fn(|word| all[word] | front[place][word])
                };
                out.push((fronts.iter().fold([0; 4], union), 1, 1));
            }
            fixed
        }
    }
}

/// The bytes that can stand at each place of the front of an expression, and whether that is all of it.
fn places(hir: &Hir) -> (Vec<[u64; 4]>, bool) {
    let mut steps = Vec::new();
    let mut whole = walk(hir, &mut steps);
    let mut out = Vec::new();
    for (set, least, most) in steps {
        out.extend((0..least.min(FRONT as u32)).map(|_| set));
        if least != most || least > FRONT as u32 {
            whole = false;
            break;
        }
    }
    (out, whole)
}

/// The longest run of bytes of one set that every match must hold: the value itself, mostly. A mention of a provider's name
/// without such a run near it is only a mention.
fn run(hir: &Hir) -> Option<([u64; 4], u32)> {
    match hir.kind() {
        HirKind::Capture(capture) => run(&capture.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(run).max_by_key(|(_, length)| *length),
        HirKind::Repetition(repetition) if repetition.min > 0 => match repetition.sub.kind() {
            HirKind::Class(Class::Bytes(class)) => {
                Some((set(class.iter().flat_map(|r| r.start()..=r.end())), repetition.min))
            }
            _ => run(&repetition.sub),
        },
        HirKind::Alternation(branches) => {
            let runs: Option<Vec<_>> = branches.iter().map(run).collect();
            runs?.into_iter().reduce(|(a, short), (b, long)| (std::array::from_fn(|w| a[w] | b[w]), short.min(long)))
        }
        _ => None,
    }
}

fn set(bytes: impl Iterator<Item = u8>) -> [u64; 4] {
    let mut set = [0; 4];
    bytes.for_each(|b| set[b as usize >> 6] |= 1u64 << (b & 63));
    set
}

fn parse(id: &str, pattern: &str) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    parser.parse(pattern).map_err(|e| format!("{id}: pattern: {e}"))
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}
