//! Staged paths are those of git, for every index layout that git writes.

use portcullis::git::{ChangeQuery, discover};
use portcullis::subject::Kinds;

use crate::support::{Hash, TestRepo};

fn staged(repo: &TestRepo) -> Result<Vec<String>, portcullis::error::Error> {
    let query = ChangeQuery { kinds: Kinds::FILE, path_budget: 100_000, threads: 2 };
    let opened = discover(repo.path()).expect("opens").expect("a repository");
    let changes = opened.staged_changes(&[], &query)?;
    let mut paths: Vec<String> =
        changes.blobs.iter().flat_map(|j| &j.occurrences).map(|p| p.path.to_string()).collect();
    paths.sort();
    Ok(paths)
}

fn git_says(repo: &TestRepo) -> Vec<String> {
    let out = repo.git(["diff", "--cached", "--name-only", "--no-renames", "--diff-filter=AM"]);
    let mut paths: Vec<String> = out.lines().map(str::to_owned).collect();
    paths.sort();
    paths
}

/// Directories and files whose order in the index differs from their order in a tree.
fn build(hash: Hash) -> TestRepo {
    let repo = TestRepo::init_with(hash);
    for n in 0..60 {
        repo.write(&format!("d{}/e{}/f{n}", n % 5, n % 3), format!("{n}"));
    }
    for path in ["d0-x", "d0.y/a", "d00/b", "e/e/e/e/deep", "top"] {
        repo.write(path, path);
    }
    repo.commit("first");
    repo
}

fn stage(repo: &TestRepo) {
    repo.write("d1/e2/new", "n");
    repo.write("d3/e0/f18", "changed");
    repo.write("d0.y/a", "changed");
    repo.write("zz/new", "n");
    repo.git(["add", "d1", "d3", "d0.y", "zz"]);
    repo.git(["rm", "-q", "-r", "--cached", "d4/e1", "e"]);
}

#[test]
fn staged_paths_equal_gits_in_every_index_layout() {
    let layouts: [(&str, &[&[&str]]); 8] = [
        ("version 2", &[&["update-index", "--index-version=2"]]),
        ("version 3", &[&["update-index", "--skip-worktree", "top", "d2/e1/f7"]]),
        ("version 4", &[&["update-index", "--index-version=4"]]),
        ("no checksum", &[&["config", "index.skipHash", "true"], &["update-index", "--force-write-index"]]),
        ("offset table", &[&["config", "index.threads", "2"], &["update-index", "--force-write-index"]]),
        ("split", &[&["update-index", "--split-index"]]),
        ("untracked cache", &[&["update-index", "--untracked-cache"]]),
        ("sparse", &[&["sparse-checkout", "set", "--cone", "--sparse-index", "d1", "d3", "d0.y", "zz"]]),
    ];
    for hash in [Hash::Sha1, Hash::Sha256] {
        for (layout, commands) in layouts {
            let repo = build(hash);
            for command in commands {
                repo.git(*command);
            }
            assert!(staged(&repo).expect("reads").is_empty(), "{layout}");
            if layout == "sparse" {
                repo.write("d1/e2/new", "n");
                repo.write("d3/e0/f18", "changed");
                repo.git(["add", "d1", "d3"]);
            } else {
                stage(&repo);
            }
            assert!(!git_says(&repo).is_empty());
            assert_eq!(staged(&repo).expect("reads"), git_says(&repo), "{layout}");
            // And with what the next command makes of the cache-tree.
            repo.try_git(["write-tree"]);
            assert_eq!(staged(&repo).expect("reads"), git_says(&repo), "{layout}, cache-tree written");
        }
    }
}

#[test]
fn paths_longer_than_their_length_field_are_read() {
    let repo = build(Hash::Sha1);
    let blob = repo.git(["rev-parse", "HEAD:top"]);
    // 4,095 is where the field says "longer"; each length around it pads differently.
    for length in 4090..4100 {
        let path = format!("m/{}", "x".repeat(length - 2));
        repo.git(["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
    }
    repo.git(["update-index", "--add", "--cacheinfo", &format!("100644,{blob},zz")]);
    assert_eq!(staged(&repo).expect("reads"), git_says(&repo));
}

#[test]
fn truncated_index_is_an_error() {
    let repo = build(Hash::Sha1);
    stage(&repo);
    let file = repo.path().join(".git/index");
    let whole = std::fs::read(&file).expect("an index");
    for length in [0, 5, 12, 100, whole.len() / 2] {
        std::fs::write(&file, &whole[..length]).expect("writes");
        let error = staged(&repo).expect_err("an index cut short is not read as an empty one");
        assert!(error.message.contains("index"), "{}", error.message);
    }
}

#[test]
fn cache_tree_with_a_wrong_entry_count_is_an_error() {
    let repo = build(Hash::Sha1);
    repo.write("zz", "staged");
    repo.git(["add", "zz"]);
    let file = repo.path().join(".git/index");
    let mut index = std::fs::read(&file).expect("an index");
    // `d1`: twelve entries, three subtrees; one entry more would hide the first of `d2`.
    let at = index.windows(8).position(|w| w == b"d1\x0012 3\n").expect("the node of d1");
    index[at + 4] = b'3';
    std::fs::write(&file, &index).expect("writes");
    let error = staged(&repo).expect_err("not believed");
    assert!(error.message.contains("cache-tree"), "{}", error.message);
}
