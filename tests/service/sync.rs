//! Syncs with the real wmill: what lands in git, and what the gate keeps out.

use serde_json::{Value, json};

use super::{GIT_TOKEN, World, files, is_empty, push, real_wmill, rules};

fn extended(mut body: Value, more: Value) -> Value {
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

#[test]
fn a_workspace_becomes_a_repository_and_stays_in_step() {
    let Some(wmill) = real_wmill() else { return };
    let world = World::new();
    let repository = world.remote.repository("shop.git");
    let service = world.serve(&wmill, &[]);
    // As the script in Windmill sends it: the required fields only.
    let body = world.body("shop.git");

    let (status, answer) = service.post(&body);
    assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}\n{}", service.log());
    assert_eq!(answer["message"], "Successfully synced workspace 'admins' to Git");
    assert_eq!(answer["commit"], repository.rev("main"));
    let there = files(&repository, "main");
    for path in [
        "wmill.yaml",
        "wmill-lock.yaml",
        "f/shop/greet.ts",
        "f/shop/greet.script.yaml",
        "f/shop/bucket.variable.yaml",
        "u/admin/note.variable.yaml",
    ] {
        assert!(there.contains(&path.to_owned()), "{path} is not in {there:?}");
    }
    assert!(!there.iter().any(|f| f.contains("password") || f.contains("key")), "{there:?}");
    let told = repository.git(["log", "-1", "--format=%an <%ae> %cn%n%B", "main"]);
    assert!(
        told.starts_with(
            "Windmill Git Sync <windmill@example.com> Windmill Git Sync\nchore(windmill): sync workspace admins\n\n"
        ),
        "{told}"
    );
    assert!(
        told.contains("scripts\n- f/shop/greet (new)") && told.contains("variables\n- f/shop/bucket (new)"),
        "{told}"
    );

    let (status, answer) = service.post(&body);
    assert_eq!((status, answer), (200, json!({ "success": true, "message": "Sync completed - no changes to commit" })));

    let first = repository.rev("main");
    world.windmill.set("admins", "f/shop/greet.ts", Some("export async function main() { return 'good day'; }\n"));
    world.windmill.set("admins", "u/admin/note.variable.json", None);
    let (status, answer) = service.post(&extended(
        body.clone(),
        json!({ "message": "feat(shop): say good day", "git_user_name": "Ada", "git_user_email": "ada@example.org" }),
    ));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(repository.rev("main~1"), first, "the history goes on");
    let told = repository.git(["log", "-1", "--format=%an <%ae>%n%B", "main"]);
    assert!(told.starts_with("Ada <ada@example.org>\nfeat(shop): say good day\n\n"), "{told}");
    assert!(told.contains("- u/admin/note (removed)") && told.contains("- f/shop/greet\n"), "{told}");
    assert!(repository.git(["show", "main:f/shop/greet.ts"]).contains("good day"));

    // Another branch begins where the default one stands; a folder of the repository is left alone.
    let (status, answer) = service.post(&extended(
        body,
        json!({ "workspace": "staging", "git_branch": "sync/staging", "path": "windmill/staging" }),
    ));
    assert_eq!(status, 200, "{answer}\n{}", service.log());
    assert_eq!(repository.rev("sync/staging~1"), repository.rev("main"));
    let there = files(&repository, "sync/staging");
    assert!(
        there.contains(&"windmill/staging/wmill.yaml".to_owned()) && there.contains(&"wmill.yaml".to_owned()),
        "{there:?}"
    );
    assert!(there.contains(&"windmill/staging/u/admin/note.variable.yaml".to_owned()), "{there:?}");

    let (_, metrics) = service.get("/metrics");
    for line in [
        "portcullis_sync_total{outcome=\"pushed\"} 3",
        "portcullis_sync_total{outcome=\"unchanged\"} 1",
        "portcullis_sync_total{outcome=\"refused\"} 0",
        "portcullis_sync_duration_seconds_count 4",
        "portcullis_sync_requests 0",
    ] {
        assert!(metrics.contains(&format!("{line}\n")), "{line} is not in\n{metrics}");
    }
    assert_eq!(service.get("/health"), (200, r#"{"status":"healthy"}"#.to_owned()));
    assert_eq!(service.logged("wmill")["version"], "1.819.0");
}

#[test]
fn keys_and_secrets_stay_out_of_git() {
    let Some(wmill) = real_wmill() else { return };
    let world = World::new();
    let repository = world.remote.repository("shop.git");
    let service = world.serve(&wmill, &[]);
    let refused = |settings: &str, expected: &str| {
        let before = push(&world.sandbox, &repository, "main", &[("wmill.yaml", settings)]);
        let (status, answer) = service.post(&world.body("shop.git"));
        assert_eq!((status, &answer["success"]), (422, &json!(false)), "{answer}\n{}", service.log());
        assert!(rules(&answer).contains(&expected), "{answer}");
        assert_eq!(repository.rev("main"), before, "nothing was pushed");
        let text = answer.to_string();
        assert!(!text.contains("k3Y9k3Y9") && !text.contains("battery"), "{text}");
        assert!(service.log().contains(expected), "the log names the rule");
    };
    refused("skipSecrets: true\nincludeKey: true\n", "windmill/key-file");
    refused(
        "skipSecrets: true\nincludeKey: false\nworkspaces:\n  admins:\n    overrides:\n      includeKey: true\n",
        "windmill/key-file",
    );
    refused("skipSecrets: false\nplainSecrets: true\nincludeKey: false\n", "windmill/plaintext-secret");
    let secret = super::windmill::variable("correct horse battery", true).to_string();
    world.windmill.set("admins", "f/shop/bucket.variable.json", Some(&secret));
    refused("skipSecrets: false\nincludeKey: false\n", "windmill/plaintext-secret");

    let (_, metrics) = service.get("/metrics");
    assert!(metrics.contains("portcullis_sync_total{outcome=\"refused\"} 4\n"), "{metrics}");
    assert!(metrics.contains("portcullis_sync_refusals_total{rule=\"windmill/key-file\"} 2\n"), "{metrics}");
}

#[test]
fn every_wrong_credential_has_an_answer_of_its_own() {
    let Some(wmill) = real_wmill() else { return };
    let world = World::new();
    let repository = world.remote.repository("shop.git");
    let wrong = |more: Value, expected: &str| {
        let (code, answer) = world.once(&wmill, &extended(world.body("shop.git"), more));
        assert_eq!((code, &answer["success"]), (3, &json!(false)), "{answer}");
        assert_eq!(answer["message"], expected);
    };
    wrong(json!({ "windmill_token": "wrong-wrong-wrong" }), "Windmill sync failed: authentication error");
    wrong(json!({ "workspace": "nowhere" }), "Windmill sync failed: unknown workspace 'nowhere'");
    wrong(json!({ "git_token": "wrong-wrong-wrong" }), "Git pull failed: authentication error");
    wrong(json!({ "git_remote_url": world.remote.url("gone.git") }), "Git pull failed: repository not found");
    wrong(json!({ "git_remote_url": "http://127.0.0.1:9/gone.git" }), "Git pull failed: network error");
    assert!(is_empty(&repository));
    let (code, answer) = world.once(&wmill, &json!({ "git_token": GIT_TOKEN }));
    assert_eq!(
        (code, answer["message"].as_str()),
        (2, Some("Missing required fields: windmill_token, git_remote_url"))
    );
}
