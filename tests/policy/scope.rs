//! Globs mean what they mean in `.gitignore`, in both shapes of the set.

use bstr::BStr;
use portcullis::options::scope::{Branches, Paths, glob_set, is_match};

/// (glob, paths inside, paths outside), as `git check-ignore` answers.
const CASES: &[(&str, &[&str], &[&str])] = &[
    ("docs", &["docs", "docs/a", "x/docs", "x/docs/a/b"], &["docs.md", "xdocs/a", "x/adocs"]),
    ("docs/", &["docs/a", "x/docs/a/b"], &["docs", "x/docs"]),
    ("/docs", &["docs", "docs/a"], &["x/docs", "x/docs/a"]),
    ("/docs/", &["docs/a"], &["docs", "x/docs/a"]),
    ("a/b.txt", &["a/b.txt", "a/b.txt/c"], &["a/b.txt2", "x/a/b.txt", "a"]),
    ("a/b/", &["a/b/c"], &["a/b", "x/a/b/c"]),
    ("*.md", &["a.md", "x/y.md", "x.md/z", ".md"], &["a.mdx", "md"]),
    ("*.tar.gz", &["a.tar.gz", "x/a.tar.gz"], &["a.gz", "a.tar"]),
    ("docs/*.md", &["docs/a.md"], &["x/docs/a.md", "docs/x/a.md"]),
    ("docs/**", &["docs/a", "docs/a/b"], &["docs", "x/docs/a"]),
    ("**/docs/a", &["docs/a", "x/y/docs/a", "docs/a/b"], &["docs/b"]),
    ("a/**/b", &["a/b", "a/x/b", "a/x/y/b/c"], &["b", "x/a/b"]),
    ("**", &["a", "a/b"], &[]),
    ("te?t_*", &["test_a", "x/text_b/c"], &["test", "te/t_a"]),
    (
        "charts/*/values-{dev,prod}.yaml",
        &["charts/a/values-dev.yaml"],
        &["charts/values-dev.yaml", "charts/a/b/values-dev.yaml"],
    ),
    (r"a\*b", &["a*b"], &["axb"]),
    ("./a", &["a", "a/b"], &["x/a"]),
];

#[test]
fn as_git_reads_them() {
    for (glob, inside, outside) in CASES {
        let patterns = [(*glob).to_owned()];
        let (paths, set) = (Paths::new(&patterns).unwrap(), glob_set(&patterns).unwrap());
        for path in *inside {
            assert!(paths.is_match(BStr::new(path)), "{glob} {path}");
            assert!(is_match(&set, BStr::new(path)), "{glob} {path} as a set");
        }
        for path in *outside {
            assert!(!paths.is_match(BStr::new(path)), "{glob} {path}");
            assert!(!is_match(&set, BStr::new(path)), "{glob} {path} as a set");
        }
    }
}

#[test]
fn a_set_of_all_is_the_union() {
    let patterns: Vec<_> = CASES.iter().filter(|c| c.0 != "**").map(|c| c.0.to_owned()).collect();
    let paths = Paths::new(&patterns).unwrap();
    for (_, inside, _) in CASES.iter().filter(|c| c.0 != "**") {
        inside.iter().for_each(|path| assert!(paths.is_match(BStr::new(path)), "{path}"));
    }
    assert!(!paths.is_match(BStr::new("src/main.rs")));
    let wider = Paths::new(&["docs/".into(), "docs".into(), "docs/".into()]).unwrap();
    assert!(wider.is_match(BStr::new("docs")));
}

#[test]
fn bytes_that_are_not_text_are_matched() {
    let paths = Paths::new(&["*.md".into(), "/é?/x".into()]).unwrap();
    assert!(paths.is_match(BStr::new(b"\xff\xfe.md")));
    assert!(!Paths::default().is_match(BStr::new("x")));
}

#[test]
fn what_is_no_glob_is_said() {
    for wrong in ["!a", "", "/", "[", "{a"] {
        assert!(Paths::new(&[wrong.into()]).is_err() && glob_set(&[wrong.into()]).is_err(), "{wrong}");
    }
}

#[test]
fn branches_have_short_and_full_names() {
    let branches = Branches::new(&["main".into(), "release/*".into(), "wm_deploy/**".into()]).unwrap();
    for name in ["main", "refs/heads/main", "release/1", "wm_deploy/a/b/c"] {
        assert!(branches.is_match(BStr::new(name)), "{name}");
    }
    for name in ["refs/tags/main", "x/main", "mainly", "release/1/2", "release"] {
        assert!(!branches.is_match(BStr::new(name)), "{name}");
    }
    assert!(Branches::new(&["".into()]).is_err() && Branches::new(&["[".into()]).is_err());
}

#[test]
fn a_set_too_large_to_compile_is_told_when_it_is_read() {
    // Compiled late it would have no place to be told.
    let huge: Vec<String> = (0..6000).map(|n| format!("{n}-{}/?*[a-z]?*", "[!a]".repeat(200))).collect();
    assert!(glob_set(&huge).is_err());
}
