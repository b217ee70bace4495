//! `docs/portcullis.schema.json` (the policy file) and `docs/report.schema.json` (`--format json`). The first is made of
//! the keys and default options that the program has; the second lets nothing through that it does not name, so that
//! a report of another shape fails here.

use std::collections::BTreeSet;

use portcullis::policy::{KEYS, PRESETS};
use portcullis::rules::RULES;
use portcullis::rules::secrets::FIELDS;
use portcullis::yaml;
use serde_json::{Map, Value, json};

use super::fresh;
use crate::support::TestRepo;

/// YAML editors read a bare `off` as false.
fn severity() -> Value {
    json!({ "enum": ["error", "warning", "note", "off", false] })
}

fn strings() -> Value {
    json!({ "type": ["array", "string"], "items": { "type": "string" } })
}

/// What a default value lets one guess of the option.
fn option(default: &Value) -> Value {
    let shape = match default {
        Value::Null => json!({}),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(_) => json!({ "type": ["integer", "null"], "minimum": 0 }),
        Value::String(word) if ["error", "warning", "note", "off"].contains(&word.as_str()) => severity(),
        Value::String(_) => json!({ "type": ["string", "null"] }),
        Value::Array(_) => json!({ "type": ["array", "string", "null"] }),
        Value::Object(_) => json!({ "type": ["object", "null"] }),
    };
    let mut shape = shape.as_object().cloned().unwrap_or_default();
    shape.insert("default".into(), default.clone());
    Value::Object(shape)
}

fn rules() -> Value {
    let mut families = Map::new();
    for rule in RULES {
        let about = rule.about().expect("the embedded file is good");
        let mut properties = Map::new();
        for (key, value) in
            [("severity", severity()), ("include", strings()), ("exclude", strings()), ("branches", strings())]
        {
            properties.insert(key.into(), value);
        }
        let defaults: Value = yaml::from_str(yaml::first_document(rule.policy)).expect("defaults are good");
        for (key, default) in defaults.as_object().into_iter().flatten() {
            properties.insert(key.clone(), option(default));
        }
        families.insert(
            rule.id.into(),
            json!({ "type": "object", "description": about.summary, "additionalProperties": false, "properties": properties }),
        );
    }
    json!({
        "type": "object",
        "properties": families,
        "patternProperties": {
            "^[a-z-]+/[A-Za-z0-9_.-]+$": {
                "type": "object",
                "additionalProperties": false,
                "properties": { "severity": severity(), "include": strings(), "exclude": strings(), "branches": strings() },
            },
        },
        "additionalProperties": false,
    })
}

fn policy() -> Value {
    let text = json!({ "type": "string" });
    let detector = json!({
        "type": "object",
        "required": ["id", "name", "provider", "keywords", "pattern", "matches", "near-misses"],
        "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "pattern": "^[a-z0-9-]+$" }, "name": text, "provider": text,
            "keywords": { "type": "array", "items": { "type": "string", "minLength": 3, "maxLength": 64 } },
            "pattern": { "type": "string", "description": "a regular expression with the named group `secret`" },
            "entropy": { "type": "number", "minimum": 0, "maximum": 8 },
            "checks": { "type": "array", "items": { "enum": portcullis::rules::secrets::CHECKS } },
            "paths": { "type": "array", "items": text },
            "severity": { "enum": ["error", "warning", "note"] }, "confidence": { "enum": ["high", "medium", "low"] },
            "revoke": text, "docs": text, "window": { "type": "integer", "minimum": 16, "maximum": 65536 }, "pair": text,
            "broad": { "type": "boolean", "default": false, "description": "at the same place another detector knows better" },
            "matches": { "type": "array", "minItems": 2, "items": text },
            "near-misses": { "type": "array", "minItems": 2, "items": text },
        },
    });
    let known: BTreeSet<&str> = FIELDS.iter().copied().collect();
    assert_eq!(
        detector["properties"].as_object().expect("a map").keys().map(String::as_str).collect::<BTreeSet<_>>(),
        known
    );
    let wanted = ["equals", "one-of", "matches", "present", "absent"].map(|key| json!({ "required": [key] }));
    let assertion = json!({
        "type": "object",
        "required": ["id", "files", "path"],
        "additionalProperties": false,
        "oneOf": wanted,
        "properties": {
            "id": { "type": "string", "pattern": "^[A-Za-z0-9._-]+$" }, "files": strings(),
            "path": { "type": "string", "description": "a key path: spec.source.targetRevision, containers.*.image" },
            "on": { "enum": ["files", "effective"], "default": "files", "description": "what is written, or what is deployed" },
            "format": { "enum": portcullis::document::Format::NAMES },
            "where": { "type": "object", "description": "key paths and the texts that documents must have there" },
            "equals": { "type": ["string", "number", "boolean"] },
            "one-of": { "type": "array", "items": { "type": ["string", "number", "boolean"] } },
            "matches": { "type": "string", "description": "a regular expression" },
            "present": { "type": "boolean" }, "absent": { "type": "boolean" },
            "environment": text, "severity": severity(), "message": text, "help": text,
        },
    });
    let presets: Vec<&str> = PRESETS.iter().map(|p| p.0).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "portcullis.yaml",
        "description": "The policy of portcullis. docs/configuration.md explains every key.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1 },
            "extends": { "type": ["array", "string"], "items": { "enum": presets } },
            "mode": { "enum": ["enforce", "report"], "default": "enforce" },
            "environments": {
                "type": "object",
                "description": "lowest first: changes are promoted downwards, the last one is production",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": { "branch": text, "branches": strings(), "aliases": strings(), "tags": strings() },
                },
            },
            "protected": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["branch"],
                    "additionalProperties": false,
                    "properties": {
                        "branch": text, "direct-push": strings(), "non-ff": severity(), "delete": severity(),
                        "linear": severity(), "signed": severity(),
                    },
                },
            },
            "approvers": strings(),
            "policy-changes": { "enum": ["approvers", "anyone"], "default": "approvers" },
            "exceptions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["rule", "reason"],
                    "additionalProperties": false,
                    "properties": {
                        "rule": text, "path": strings(), "fingerprint": text, "reason": text,
                        "commit": { "type": "string", "pattern": "^[0-9a-fA-F]{40}([0-9a-fA-F]{24})?$" }, "ref": strings(), "key": text,
                        "until": { "type": "string", "format": "date" },
                    },
                },
            },
            "inline": { "type": "object", "additionalProperties": false, "properties": { "deny": strings() } },
            "budgets": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "time": { "type": ["string", "integer"] }, "paths": { "type": "integer" },
                    "content-comparisons": { "type": "integer" }, "blob-window": { "type": ["string", "integer"] },
                },
            },
            "rules": rules(),
            "detectors": { "type": "array", "items": detector },
            "assertions": { "type": "array", "items": assertion },
        },
    })
}

fn report() -> Value {
    let (text, some_text) = (json!({ "type": "string" }), json!({ "type": ["string", "null"] }));
    let count = json!({ "type": "integer", "minimum": 0 });
    let level = json!({ "enum": ["error", "warning", "note"] });
    let object = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties });
    let origin = |kind: &str, required: &[&str], more: Value| {
        let mut properties = more.as_object().cloned().expect("a map");
        properties.insert("kind".into(), json!({ "const": kind }));
        object(&[&["kind"], required].concat(), Value::Object(properties))
    };
    let origins = json!([
        origin("file", &["path"], json!({ "path": text, "path_base64": text, "commit": text, "blob": text })),
        origin("message", &[], json!({ "commit": text })),
        origin(
            "ref",
            &["name", "old", "new"],
            json!({ "name": text, "name_base64": text, "old": some_text, "new": some_text })
        ),
        origin("tag", &["name", "oid"], json!({ "name": text, "name_base64": text, "oid": text })),
        origin("policy", &["path"], json!({ "path": text, "path_base64": text })),
    ]);
    let mut places = origins.as_array().cloned().expect("a list");
    places.push(object(&[], json!({})));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "portcullis check --format json",
        "type": "object",
        "required": ["version", "verdict", "enforced", "summary", "findings", "errors", "notes", "stats"],
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1 },
            "verdict": { "enum": ["pass", "fail", "undecided"] },
            "enforced": { "type": "boolean" },
            "summary": object(
                &["errors", "warnings", "notes", "suppressed", "not_decided"],
                json!({ "errors": count, "warnings": count, "notes": count, "suppressed": count, "not_decided": count }),
            ),
            "findings": {
                "type": "array",
                "items": object(
                    &["rule", "severity", "message", "origin", "span", "excerpt", "also", "fingerprint", "suppressed"],
                    json!({
                        "rule": { "type": "string", "pattern": "^[a-z-]+/.+$" },
                        "severity": level,
                        "confidence": { "enum": ["high", "medium", "low", null] },
                        "message": text, "help": some_text, "suggestion": some_text,
                        "notes": { "type": "array", "items": text },
                        "origin": { "oneOf": origins },
                        "span": object(
                            &["line", "column", "end_line", "end_column", "byte_start", "byte_end"],
                            json!({
                                "line": count, "column": count, "end_line": count, "end_column": count,
                                "byte_start": count, "byte_end": count,
                            }),
                        ),
                        "excerpt": { "type": "object", "required": ["first_line", "text"] },
                        "also": {
                            "type": "array",
                            "items": object(
                                &["path", "line"],
                                json!({ "path": text, "path_base64": text, "commit": text, "line": count }),
                            ),
                        },
                        "fingerprint": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
                        "suppressed": {
                            "oneOf": [{ "type": "null" }, object(&["by", "reason"], json!({ "by": text, "reason": text }))],
                        },
                    }),
                ),
            },
            "errors": {
                "type": "array",
                "items": object(
                    &["kind", "message", "hint", "origin"],
                    json!({
                        "kind": { "enum": ["usage", "undecided"] }, "message": text, "hint": some_text,
                        "origin": { "oneOf": places },
                    }),
                ),
            },
            "notes": { "type": "array", "items": text },
            "stats": object(
                &["policies_parsed", "commits_decoded", "trees_diffed", "blobs_read", "bytes_read", "patterns_compiled"],
                json!({
                    "policies_parsed": count, "commits_decoded": count, "trees_diffed": count, "blobs_read": count,
                    "bytes_read": count, "patterns_compiled": count, "blobs_skipped_binary": count,
                    "blobs_resolved": count, "bytes_inflated": count, "bytes_made": count, "bytes_sifted": count,
                    "blobs_sifted_whole": count, "blobs_seen": count,
                }),
            ),
        },
    })
}

/// The first thing in which a value is not as the schema says: the words of JSON Schema that the two schemas use.
fn breach(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no such type: {other}"),
    };
    let fail = |why: &str| Some(format!("{at}: {why}: {value}"));
    match &schema["type"] {
        Value::String(name) if !is(name) => return fail(name),
        Value::Array(names) if !names.iter().any(|n| is(n.as_str().expect("a word"))) => {
            return fail("none of the types");
        }
        _ => {}
    }
    if schema.get("const").is_some_and(|c| c != value) || schema["enum"].as_array().is_some_and(|e| !e.contains(value))
    {
        return fail("not one of the values");
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !regex::Regex::new(pattern).expect("a pattern").is_match(text)
    {
        return fail(pattern);
    }
    if let Some(one_of) = schema["oneOf"].as_array()
        && one_of.iter().filter(|s| breach(s, value, at).is_none()).count() != 1
    {
        return fail("not exactly one of the shapes");
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        return list.iter().enumerate().find_map(|(n, v)| breach(items, v, &format!("{at}[{n}]")));
    }
    let map = value.as_object()?;
    if let Some(key) =
        schema["required"].as_array().into_iter().flatten().find(|k| !map.contains_key(k.as_str().unwrap_or("")))
    {
        return fail(&format!("{key} is missing"));
    }
    map.iter().find_map(|(key, v)| {
        let at = format!("{at}.{key}");
        let pattern = schema["patternProperties"].as_object().into_iter().flatten();
        let matching =
            pattern.filter(|(p, _)| regex::Regex::new(p).expect("a pattern").is_match(key)).map(|(_, s)| s).next();
        match schema["properties"].get(key).or(matching) {
            Some(own) => breach(own, v, &at),
            None => match &schema["additionalProperties"] {
                Value::Bool(false) => Some(format!("{at}: not a known key")),
                Value::Null | Value::Bool(_) => None,
                other => breach(other, v, &at),
            },
        }
    })
}

fn pretty(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).expect("JSON") + "\n"
}

#[test]
fn the_schema_of_policies_is_fresh_and_holds_for_what_the_program_reads() {
    let schema = policy();
    fresh("docs/portcullis.schema.json", &pretty(&schema));
    let mut keys: Vec<&str> = schema["properties"].as_object().expect("a map").keys().map(String::as_str).collect();
    let mut known = KEYS.to_vec();
    keys.sort_unstable();
    known.sort_unstable();
    assert_eq!(keys, known);
    for (name, text) in PRESETS {
        // A preset may speak of families that this build does not have.
        let mut value: Value = yaml::from_str(text).expect("a preset");
        if let Some(rules) = value.get_mut("rules").and_then(Value::as_object_mut) {
            rules.retain(|family, _| RULES.iter().any(|r| r.id == *family));
        }
        assert_eq!(breach(&schema, &value, name), None);
    }
    assert!(breach(&schema, &json!({ "verison": 1 }), "typo").is_some());
    assert!(breach(&schema, &json!({ "rules": { "secrets": { "exlude": [] } } }), "typo").is_some());
}

#[test]
fn the_schema_of_reports_is_fresh_and_holds_for_real_ones() {
    let schema = report();
    fresh("docs/report.schema.json", &pretty(&schema));
    let repo = TestRepo::init();
    repo.write("ok.txt", "fine\n");
    let first = repo.commit("feat: fine");
    repo.write("deploy.env", format!("password={}\n", ["Zk3!vQ9x", "Lr7mTq2W"].concat()));
    repo.commit("Wrong message");
    repo.git(["tag", "v1.0"]);
    let zero = "0".repeat(40);
    let lines = format!("{first} {} refs/heads/main\n{zero} {} refs/tags/v1.0\n", repo.rev("HEAD"), repo.rev("v1.0"));
    let push = repo.write("../push", lines);
    let runs: [&[&str]; 4] =
        [&["--push", push.to_str().expect("a path")], &["--range", "HEAD~1..HEAD"], &["--history"], &[]];
    let mut kinds = std::collections::BTreeSet::new();
    for args in runs {
        let mut check = repo.command(env!("CARGO_BIN_EXE_portcullis"));
        let output = check.args(["check", "--format", "json"]).args(args).output().expect("runs");
        let told: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(breach(&schema, &told, "report"), None, "{args:?}");
        for finding in told["findings"].as_array().expect("a list") {
            kinds.insert(finding["origin"]["kind"].as_str().expect("a kind").to_owned());
        }
    }
    assert!(kinds.is_superset(&["file", "message", "ref"].map(String::from).into()), "{kinds:?}");
    assert!(breach(&schema, &json!({ "version": 2 }), "other").is_some());
}
