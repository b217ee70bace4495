//! The commands of `docs/windmill.md` that need a Windmill, against one.

use super::{GIT_TOKEN, WINDMILL_TOKEN, World, files, real_wmill};
use crate::docs::commands::blocks;

#[test]
fn the_commands_of_the_windmill_page_work() {
    let Some(wmill) = real_wmill() else { return };
    let world = World::new();
    let repository = world.remote.repository("team.git");
    let service = world.serve_with(&wmill, &[], &[("PORTCULLIS_SYNC_TOKEN", "of-the-page")]);
    let bin = world.sandbox.path().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    // As `portcullis-sync`, but with what loopback needs.
    let program = format!(
        "#!/bin/sh\ncommand=$1; shift\nexec {} \"$command\" {} \"$@\"\n",
        super::BINARY,
        world.arguments(&wmill).join(" ")
    );
    crate::support::write_program(&bin.join("portcullis-sync"), program.as_bytes(), 0o755);
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/windmill.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let ours =
        blocks(&page).into_iter().filter(|b| b.remark.as_deref().is_some_and(|r| r.contains("tests/service/page.rs")));
    let mut ran = 0;
    for block in ours {
        let text = block
            .text
            .replace("127.0.0.1:8080", &service.address.to_string())
            .replace("https://git.example.org/team/windmill.git", &world.remote.url("team.git"));
        let output = world
            .sandbox
            .command("sh", world.sandbox.path())
            .args(["-e", "-c", &text])
            .env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").expect("a search path")))
            .env("WINDMILL_BASE_URL", world.windmill.url())
            .env("PORTCULLIS_SYNC_TOKEN", "of-the-page")
            .env("WINDMILL_TOKEN", WINDMILL_TOKEN)
            .env("GIT_TOKEN", GIT_TOKEN)
            .output()
            .expect("a shell");
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "line {}: {text}\n{}\n{}",
            block.line,
            String::from_utf8_lossy(&said),
            service.log()
        );
        ran += 1;
    }
    assert_eq!(ran, 3, "health, a sync, and one without a server");
    assert!(files(&repository, "main").contains(&"f/shop/greet.ts".to_owned()));
}

/// The image and the tests have the same tool; what the page and compose name is there.
#[test]
fn the_image_has_the_tool_that_is_tested() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect(file);
    let set_up = read("tests/service/set-up.sh");
    let version = set_up.lines().find_map(|l| l.strip_prefix("version=")).expect("a version");
    assert!(read("service/Dockerfile").contains(&format!("windmill-cli@{version}")));
    assert!(read("service/compose.yaml").contains("dockerfile: service/Dockerfile"));
}
