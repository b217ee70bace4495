//! Every detector's own examples, run through the whole engine, prefilter included.

use bstr::BStr;
use portcullis::finding::Severity;
use portcullis::rules::secrets::{
    CHECKS, DETECTORS, Definition, FIELDS, Scanner, anchors_at_text, built_in, content, detectors::validators,
};

pub fn definitions() -> Vec<Definition> {
    let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies/secrets"))
        .expect("the folder is part of the repository")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    files
        .into_iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(&file).expect("readable");
            serde_yaml::from_str::<Vec<Definition>>(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
        })
        .collect()
}

/// A path that the detector looks at.
pub fn path_for(definition: &Definition) -> String {
    definition.paths.first().map_or("some/file.yaml".into(), |glob| glob.replace("**/", "a/").replace('*', "x"))
}

pub fn found(scanner: &Scanner, text: &str, path: &str) -> Vec<String> {
    let text = content(text.as_bytes()).text;
    let hits = scanner.scan(&text, Some(BStr::new(path)));
    // A token whose checksum does not hold is a note, and no match.
    hits.iter()
        .filter(|hit| hit.severity > Severity::Note || hit.detector.severity == Severity::Note)
        .map(|hit| hit.detector.id.to_string())
        .collect()
}

#[test]
fn the_list_of_fields_is_that_of_the_definition() {
    let unknown = serde_yaml::from_str::<Definition>("no-such-field: 1\n").expect_err("a mistake").to_string();
    let named: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
    assert_eq!(named, FIELDS, "{unknown}");
}

#[test]
fn every_example_matches_and_no_near_miss_does() {
    let mut wrong = Vec::new();
    for definition in definitions() {
        let path = path_for(&definition);
        for example in &definition.matches {
            let ids = found(built_in(), &example.replace("<>", ""), &path);
            if ids != [definition.id.as_str()] {
                wrong.push(format!("{}: must match, and only itself: {example}\n    found {ids:?}", definition.id));
            }
        }
        for example in &definition.near_misses {
            if found(built_in(), &example.replace("<>", ""), &path).contains(&definition.id) {
                wrong.push(format!("{}: must not match: {example}", definition.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_detector_says_how_to_revoke_and_where_that_is_written() {
    for detector in &DETECTORS {
        assert!(detector.revoke.len() > 10, "{}", detector.id);
        assert!(detector.docs.starts_with("https://"), "{}", detector.id);
    }
}

#[test]
fn no_pattern_takes_the_start_of_the_file_for_that_of_a_line() {
    for definition in definitions() {
        assert!(!anchors_at_text(&definition.pattern), "{}", definition.id);
    }
    for (pattern, bare) in [
        ("^key=(?P<secret>x)", true),
        ("(?i:^|;)key=(?P<secret>x)", true),
        ("(?m:^)key=(?P<secret>x)", false),
        ("(?im)^key=(?P<secret>x)", false),
        (r"key\^=(?P<secret>[^\s^]+)", false),
        ("key=(?P<secret>[]^]+)", false),
    ] {
        assert_eq!(anchors_at_text(pattern), bare, "{pattern}");
    }
}

#[test]
fn the_built_in_table_is_what_the_files_say() {
    let mut ids: Vec<String> = definitions().into_iter().map(|s| s.id).collect();
    ids.sort();
    assert_eq!(DETECTORS.iter().map(|d| d.id.as_ref()).collect::<Vec<_>>(), ids);
    for check in CHECKS {
        assert!(validators::by_name(check).is_some(), "{check}");
    }
    assert!(CHECKS.is_sorted());
}
