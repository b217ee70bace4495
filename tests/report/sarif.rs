//! What code scanning relies on beyond the schema.

use portcullis::finding::{Origin, Severity, Suppression};
use portcullis::report::{Context, Report, RuleInfo, sarif};
use serde_json::{Value, json};

use super::corpus::{at, file, hostile, report};
use super::text;

fn run(report: &Report, ctx: &Context<'_>) -> Value {
    let log: Value = serde_json::from_str(&text(sarif::render, report, ctx)).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    log["runs"][0].clone()
}

#[test]
fn results_name_rules_that_are_there() {
    let rules = [RuleInfo {
        id: "green/rule".into(),
        summary: "a rule".into(),
        why: "because".into(),
        help: "do this".into(),
        severity: Severity::Warning,
    }];
    let ctx = Context { rules: &rules, explain_base: "https://example.org/rules", ..Context::default() };
    let run = run(&hostile(), &ctx);
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(
        rules[0],
        json!({
            "id": "green/rule",
            "shortDescription": { "text": "a rule" },
            "fullDescription": { "text": "because" },
            "help": { "text": "do this\n\nportcullis explain green/rule" },
            "helpUri": "https://example.org/rules#greenrule",
            "defaultConfiguration": { "level": "warning" },
            "properties": { "tags": ["green"] },
        })
    );
    for result in run["results"].as_array().expect("results") {
        assert_eq!(rules[result["ruleIndex"].as_u64().expect("an index") as usize]["id"], result["ruleId"]);
        assert_eq!(result["partialFingerprints"]["portcullis/v1"].as_str().map(str::len), Some(32));
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(region["startLine"].as_u64() >= Some(1) && region["endLine"].as_u64().is_none_or(|l| l >= 1));
        assert!(result["suppressions"].is_array());
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_message_has_a_logical_location_and_stands_in_the_policy() {
    let finding = at("a/b", Severity::Error, Origin::Message { commit: None }, b"x\ny", b"y");
    let location = &run(&report(vec![finding]), &Context::default())["results"][0]["locations"][0];
    assert_eq!(
        location,
        &json!({
            "physicalLocation": {
                "artifactLocation": { "uri": "portcullis.yaml", "uriBaseId": "%SRCROOT%" },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "name": "pending", "fullyQualifiedName": "commit message", "kind": "message" }],
        })
    );
}

#[test]
fn columns_are_told_only_where_bytes_are_characters() {
    let region = |source: &str| {
        let finding = at("a/b", Severity::Error, file("f"), source.as_bytes(), b"needle");
        run(&report(vec![finding]), &Context::default())["results"][0]["locations"][0]["physicalLocation"]["region"]
            .clone()
    };
    let ascii = region("x needle é");
    assert_eq!((&ascii["startColumn"], &ascii["endColumn"]), (&json!(3), &json!(9)));
    let other = region("é needle");
    assert_eq!((&other["startColumn"], &other["byteOffset"]), (&Value::Null, &json!(3)));
}

#[test]
fn any_path_is_a_uri_that_leads_back() {
    let raw = b"a b%/\xff\xe2\x82\xac:\n#?.txt";
    let finding = at("a/b", Severity::Error, file(&raw[..]), b"x", b"x");
    let run = run(&report(vec![finding]), &Context::default());
    let uri = &run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "a%20b%25/%FF%E2%82%AC%3A%0A%23%3F.txt");
}

#[test]
fn suppressions_say_where_they_come_from() {
    let kind = |by: &'static str| {
        let mut finding = at("a/b", Severity::Error, file("f"), b"x", b"x");
        finding.suppressed = Some(Suppression { by, reason: "a fixture".into() });
        run(&report(vec![finding]), &Context::default())["results"][0]["suppressions"].clone()
    };
    assert_eq!(kind("inline"), json!([{ "kind": "inSource", "status": "accepted", "justification": "a fixture" }]));
    assert_eq!(kind("exception")[0]["kind"], "external");
}
