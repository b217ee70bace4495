//! Names of files that Windmill writes, and of files that look like them.

use portcullis::rules::windmill_paths::is_windmill_path;

#[test]
fn paths_that_windmill_writes() {
    for path in [
        "f/app/x.script.yaml",
        "f/app/x.ts",
        "f/app/x.bun.ts",
        "f/app/x.script.lock",
        "windmill/u/alice/y.py",
        "f/a/b.flow/flow.yaml",
        "f/a/b__flow/step.ts",
        "f/a/b.app/app.yaml",
        "f/a/b__raw_app/index.tsx",
        "f/a/s3.variable.yaml",
        "f/a/s3.staging.variable.yaml",
        "f/a/db.resource.json",
        "c_x.resource-type.yaml",
        "f/a/x.schedule.yaml",
        "f/a/folder.meta.yaml",
        "f/a/folder.prod.meta.yaml",
        "wmill.yaml",
        "ops/wmill-lock.yaml",
        "settings.yaml",
        "settings.staging.yaml",
        "encryption_key.yaml",
        "users/a@b.user.yaml",
        "f/a/c.resource.file.ini",
        "f/a/play.playbook.yml",
    ] {
        assert!(is_windmill_path(path.into()), "{path}");
    }
    for path in [
        "",
        "README.md",
        "src/main.rs",
        ".github/workflows/deploy.yaml",
        "f/x.ts",
        "lib/app/x.ts",
        ".flow/x",
        "script.yaml",
        "f/a/.ts",
        "x.variable.yml",
        "f/../f/a/x.ts",
        "wmill.yml",
        "f/a/notes.md",
        "my-settings.yaml",
        "settings.a.b.yaml",
        "g/f",
    ] {
        assert!(!is_windmill_path(path.into()), "{path}");
    }
}
