//! The printed sample of the README is what the program prints.

use crate::support::TestRepo;

#[test]
fn the_refusal_in_the_readme_is_what_is_printed() {
    let repo = TestRepo::init();
    // Assembled here, so that no line of this file holds a token.
    let token = ["glpat", "x7Kp2mQ9vR4tLw8ZbN3c"].join("-");
    repo.write("ops/deploy.sh", format!("#!/bin/sh\n# deploys\nexport TOKEN={token}\n"));
    let output = repo.command(env!("CARGO_BIN_EXE_portcullis")).arg("check").output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let readme = include_str!("../../README.md");
    assert!(readme.contains(printed.trim()), "the README shows something else than:\n{printed}");
}
