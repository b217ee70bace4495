//! The JSON contract.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis::finding::{Finding, Origin, Severity};
use portcullis::report::{Context, Report, Undecided, json, jsonl};
use serde_json::{Value, json};

use super::corpus::{HOSTILE, at, file, hostile, oid, report};
use super::text;

fn told(report: &Report) -> Value {
    serde_json::from_str(&text(json::render, report, &Context::default())).expect("JSON")
}

fn origin(finding: Finding) -> Value {
    told(&report(vec![finding]))["findings"][0]["origin"].clone()
}

fn from(origin: Origin) -> Finding {
    at("a/b", Severity::Error, origin, b"x", b"x")
}

#[test]
fn the_shape_is_the_contract() {
    let finding = at("a/b", Severity::Error, file("ops/deploy.sh"), b"one\ntoken = x\n", b"x");
    let told = told(&report(vec![finding.clone()]));
    let expected = json!({
        "version": 1,
        "verdict": "fail",
        "enforced": true,
        "summary": { "errors": 1, "warnings": 0, "notes": 0, "suppressed": 0, "not_decided": 0 },
        "findings": [{
            "rule": "a/b", "severity": "error", "confidence": null, "message": "found by a/b", "help": null, "notes": [],
            "origin": { "kind": "file", "path": "ops/deploy.sh", "commit": oid(0x0f).to_string(), "blob": oid(0x9a).to_string() },
            "span": { "line": 2, "column": 9, "end_line": 2, "end_column": 10, "byte_start": 12, "byte_end": 13 },
            "excerpt": { "first_line": 2, "text": "token = x" },
            "also": [], "fingerprint": finding.fingerprint, "suggestion": null, "suppressed": null,
        }],
        "errors": [],
        "notes": [],
        "stats": {
            "policies_parsed": 0, "commits_decoded": 0, "trees_diffed": 0, "blobs_read": 0, "bytes_read": 0,
            "patterns_compiled": 0, "blobs_skipped_binary": 0, "blobs_resolved": 0, "bytes_inflated": 0,
            "bytes_made": 0, "bytes_sifted": 0, "blobs_sifted_whole": 0, "blobs_seen": 0,
        },
    });
    assert_eq!(told, expected);
}

#[test]
fn stats_stand_in_the_order_of_the_contract() {
    let out = text(json::render, &report(Vec::new()), &Context::default());
    let at = |key: &str| out.find(&format!("\"{key}\"")).expect("there");
    let keys =
        ["policies_parsed", "commits_decoded", "trees_diffed", "blobs_read", "bytes_read", "patterns_compiled"].map(at);
    assert!(keys.is_sorted(), "{out}");
}

#[test]
fn every_origin_has_its_kind() {
    let name = || "refs/tags/v1".into();
    assert_eq!(origin(from(Origin::Message { commit: None })), json!({ "kind": "message" }));
    assert_eq!(
        origin(from(Origin::Message { commit: Some(oid(1)) })),
        json!({ "kind": "message", "commit": oid(1).to_string() })
    );
    assert_eq!(
        origin(from(Origin::Ref { name: name(), old: None, new: Some(oid(2)) })),
        json!({ "kind": "ref", "name": "refs/tags/v1", "old": null, "new": oid(2).to_string() })
    );
    assert_eq!(
        origin(from(Origin::Tag { name: "v1".into(), oid: oid(3) })),
        json!({ "kind": "tag", "name": "v1", "oid": oid(3).to_string() })
    );
    assert_eq!(
        origin(from(Origin::Policy { path: "portcullis.yaml".into() })),
        json!({ "kind": "policy", "path": "portcullis.yaml" })
    );
}

#[test]
fn paths_come_back_to_the_byte() {
    let raw = b"d\\x\xff\\\xc3.txt";
    let told = origin(from(Origin::File { path: raw[..].into(), commit: None, blob: None }));
    assert_eq!(told["path"], "d\\\\x\\xff\\\\\\xc3.txt");
    assert_eq!(STANDARD.decode(told["path_base64"].as_str().expect("text")).expect("base64"), raw);
    // What is UTF-8 is itself, escaped by JSON alone.
    let told = origin(from(Origin::File { path: HOSTILE.into(), commit: None, blob: None }));
    assert_eq!(told, json!({ "kind": "file", "path": HOSTILE }));
}

#[test]
fn an_error_without_a_place_has_an_empty_origin() {
    let undecided = |origin| Undecided { error: portcullis::error::Error::undecided("shallow"), origin };
    let told = told(&Report {
        errors: vec![undecided(None), undecided(Some(Origin::Message { commit: None }))],
        ..report(Vec::new())
    });
    assert_eq!(told["verdict"], "undecided");
    assert_eq!(told["errors"][0], json!({ "kind": "undecided", "message": "shallow", "hint": null, "origin": {} }));
    assert_eq!(told["errors"][1]["origin"], json!({ "kind": "message" }));
}

#[test]
fn lines_hold_the_same_objects() {
    let whole = told(&hostile());
    let out = text(jsonl::render, &hostile(), &Context::default());
    let mut records: Vec<Value> = out.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let last = records.pop().expect("a summary");
    assert_eq!((&last["summary"], &last["verdict"]), (&whole["summary"], &whole["verdict"]));
    let plain = |kind: &str| -> Vec<Value> {
        let mut of: Vec<_> = records.iter().filter(|r| r["type"] == kind).cloned().collect();
        of.iter_mut().for_each(|r| drop(r.as_object_mut().expect("an object").remove("type")));
        of
    };
    assert_eq!(Value::from(plain("finding")), whole["findings"]);
    assert_eq!(Value::from(plain("error")), whole["errors"]);
}
