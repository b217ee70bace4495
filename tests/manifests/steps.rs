//! Steps of kustomize by themselves, by expectations written by hand, and the places of what they write.

use portcullis::document::Format;
use portcullis::manifests::{Files, Gap, build};
use portcullis::yaml::Node;

use super::built;
use crate::support::tree::MemoryTree;

#[test]
fn every_value_has_the_place_where_it_was_written_last() {
    let tree = MemoryTree::of([
        ("base/cm.yaml", "kind: ConfigMap\nmetadata: { name: c }\ndata:\n  A: base\n  B: base\n"),
        ("base/kustomization.yaml", "resources: [cm.yaml]\nconfigMapGenerator: [{ name: g, literals: [X=1, Y=2] }]\n"),
        ("prod/p.yaml", "kind: ConfigMap\nmetadata: { name: c }\ndata:\n  A: prod\n"),
        (
            "prod/kustomization.yaml",
            "resources: [../base]\npatches: [{ path: p.yaml }]\nconfigMapGenerator:\n- name: g\n  behavior: merge\n  literals:\n  - 'X=9'\n",
        ),
    ]);
    let files = Files::new(&tree).unwrap();
    let built = build(&files, "prod".into()).unwrap().unwrap();
    let place = |name: &str, key: &str| {
        let object = built.objects.iter().find(|o| o.name() == name).unwrap();
        let node = object.node.at(&["data", key]).unwrap();
        let file = files.locate(&node.span).unwrap();
        let local = file.local(&node.span);
        format!("{} {}", file.path, String::from_utf8_lossy(&file.bytes[local]))
    };
    assert_eq!(place("c", "A"), "prod/p.yaml prod");
    assert_eq!(place("c", "B"), "base/cm.yaml base");
    assert_eq!(place("g", "X"), "prod/kustomization.yaml 9");
    assert_eq!(place("g", "Y"), "base/kustomization.yaml 2");
}

#[test]
fn what_cannot_be_seen_is_told() {
    let tree = MemoryTree::of([(
        "kustomization.yaml",
        "resources: [https://example.org/x.yaml, 'github.com/a/b//c?ref=v1', gone.yaml, ../outside]\ncomponents: [nowhere]\nhelmCharts: [{ name: x }]\npatches: [{ patch: \"kind: A\\nmetadata: { name: b }\" }]\n",
    )]);
    let gaps: Vec<Gap> = built(&tree, "").unseen.iter().map(|u| u.gap).collect();
    use Gap::*;
    assert_eq!(gaps, [Remote, Remote, Missing, Missing, Remote, Missing, Failed]);
}

#[test]
fn hostile_trees_end() {
    let mut tree = MemoryTree::of([("a0/x.yaml", "kind: A\nmetadata: { name: x }\n")]);
    tree = tree.with("a0/kustomization.yaml", "resources: [x.yaml]\n");
    for n in 1..40 {
        let text = format!("resources: [../a{0}, ../a{0}]\n", n - 1);
        tree = tree.with(&format!("a{n}/kustomization.yaml"), &text);
    }
    let built = built(&tree, "a39");
    assert!(!built.unseen.is_empty());
    assert!(built.objects.len() <= 20_000);
}

#[test]
fn aliases_and_merge_keys_are_followed_within_bounds() {
    let text = "a: &a { x: 1, y: 2 }\nb: { <<: *a, y: 3 }\nc: { <<: [*a, { z: 4 }], '<<': kept }\nd: *a\n";
    let tree = MemoryTree::of([("f.yaml", text)]);
    let files = Files::new(&tree).unwrap();
    let file = files.load("f.yaml".into(), Format::Yaml).unwrap().unwrap();
    let at = |path: &[&str]| file.roots[0].at(path).and_then(Node::text).map(ToOwned::to_owned);
    assert_eq!(at(&["b", "x"]).as_deref(), Some("1"));
    assert_eq!(at(&["b", "y"]).as_deref(), Some("3"));
    assert_eq!(at(&["c", "z"]).as_deref(), Some("4"));
    assert_eq!(at(&["c", "<<"]).as_deref(), Some("kept"));
    assert_eq!(at(&["d", "x"]).as_deref(), Some("1"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..60 {
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "));
    }
    let tree = MemoryTree::of([("f.yaml", &*bomb)]);
    let files = Files::new(&tree).unwrap();
    let file = files.load("f.yaml".into(), Format::Yaml).unwrap().unwrap();
    assert!(file.mistakes.iter().any(|m| m.message.contains("aliases")), "{:?}", file.mistakes);
}
