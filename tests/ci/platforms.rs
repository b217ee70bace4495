//! Each file of `tests/cases/ci` holds the variables and the event file of one platform's run, in the form that the
//! platform documents, and what is to be understood.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis::command::ci::change::{Change, Since};
use portcullis::command::ci::platforms::{PLATFORMS, detect};
use serde_json::Value;

fn understood(case: &Value) -> Result<Option<Change>, String> {
    let variable = |name: &str| case["env"][name].as_str().filter(|v| !v.is_empty()).map(str::to_owned);
    let read = |_: &str| Ok(case["event"].to_string().into_bytes());
    detect(&variable, &read).map_err(|e| e.message)
}

fn shown(change: &Change) -> Value {
    let since = match change.since {
        Since::Target(tip) => format!("target {}", tip.map_or("-".into(), |t| t.to_string())),
        Since::Before(old) => format!("before {old}"),
        Since::New => "new".into(),
        Since::Untold => "untold".into(),
        Since::Standing => "standing".into(),
    };
    serde_json::json!({
        "platform": change.platform.id,
        "since": since,
        "head": change.head.map(|h| h.to_string()),
        "target": change.target,
        "default_branch": change.default_branch,
        "pull_head": change.pull.head.map(|h| h.to_string()),
        "head_ref": change.pull.head_ref,
        "title": change.pull.title,
        "actor": change.actor,
    })
}

#[test]
fn every_platform_is_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/ci");
    let mut seen = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the cases").map(|f| f.expect("a file").path()) {
        let case: Value = serde_json::from_slice(&std::fs::read(&file).expect("reads")).expect("is JSON");
        let change = understood(&case).expect("can be read").expect("is a platform");
        assert_eq!(shown(&change), case["expect"], "{}", file.display());
        seen.insert(change.platform.id);
    }
    for platform in PLATFORMS {
        assert!(seen.contains(platform.id), "no case of {}", platform.name);
    }
}

#[test]
fn a_laptop_is_no_platform_and_a_broken_event_file_is_no_answer() {
    assert_eq!(understood(&serde_json::json!({ "env": { "CI": "true" } })), Ok(None));
    let variable = |name: &str| match name {
        "GITHUB_ACTIONS" => Some("true".to_owned()),
        "GITHUB_EVENT_PATH" => Some("e".to_owned()),
        _ => None,
    };
    let error = detect(&variable, &|_| Ok(b"{\"before\": 1".to_vec())).expect_err("is not understood");
    assert!(error.message.contains("cannot be understood"), "{}", error.message);
}
