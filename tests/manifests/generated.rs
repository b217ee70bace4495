//! Generated overlay trees, document by document against the real kustomize.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use portcullis::yaml;

use super::{built, by_id};
use crate::support::tree::MemoryTree;

/// The program, where `tests/manifests/set-up.sh` has put it.
fn kubectl() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/kubectl/kubectl");
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("PORTCULLIS_TEST_KUBECTL").is_none(), "kubectl is required, and not in target/kubectl");
    eprintln!("skipped: no kubectl in target/kubectl; tests/manifests/set-up.sh fetches it");
    None
}

/// Numbers that are the same at every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

fn deployment(dice: &mut Dice, name: &str) -> String {
    let mut text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  labels: {{ app: {name} }}\nspec:\n  replicas: {}\n  selector: {{ matchLabels: {{ app: {name} }} }}\n  template:\n    metadata: {{ labels: {{ app: {name} }} }}\n    spec:\n      containers:\n",
        dice.roll(4) + 1
    );
    for n in 0..=dice.roll(2) {
        let _ = write!(
            text,
            "      - name: c{n}\n        image: registry.example.org/c{n}:1\n        args: [a, b]\n        env:\n        - {{ name: A, value: '{}' }}\n        - {{ name: B, valueFrom: {{ configMapKeyRef: {{ name: settings, key: B }} }} }}\n        ports:\n        - {{ containerPort: 80{n}, name: p{n} }}\n        volumeMounts: [{{ name: v, mountPath: /v }}]\n",
            dice.roll(9)
        );
    }
    text.push_str("      volumes:\n      - { name: v, configMap: { name: settings } }\n");
    text
}

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec:\n  selector: { app: web }\n  ports:\n  - { port: 80, targetPort: 8080, protocol: TCP }\n";
const APPLICATION: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: shop }\nspec:\n  source:\n    repoURL: https://git.example.org/a\n    path: charts/a\n    targetRevision: main\n    helm:\n      parameters:\n      - { name: a, value: '1' }\n";

fn base(dice: &mut Dice, files: &mut Vec<(String, String)>) {
    let mut root = String::from(
        "resources: [web.yaml, service.yaml, app.yaml, settings.yaml]\ngeneratorOptions: { disableNameSuffixHash: true }\n",
    );
    files.push(("base/web.yaml".into(), deployment(dice, "web")));
    files.push(("base/service.yaml".into(), SERVICE.into()));
    files.push(("base/app.yaml".into(), APPLICATION.into()));
    files.push((
        "base/settings.yaml".into(),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata:\n  A: '1'\n  B: two\n".into(),
    ));
    root.push_str("configMapGenerator:\n- name: made\n  literals: [K=1, L=two words, Q=\"quoted\"]\n");
    if dice.one_in(2) {
        root.push_str("  envs: [made.env]\n");
        files.push(("base/made.env".into(), "# comment\nE=1\nF=a=b\n".into()));
    }
    if dice.one_in(2) {
        root.push_str("  files: [made.txt, other=made.txt]\n");
        files.push(("base/made.txt".into(), "some\ntext\n".into()));
    }
    root.push_str("secretGenerator:\n- name: hidden\n  literals: [S=made-up]\n");
    if dice.one_in(3) {
        root.push_str("namePrefix: b-\n");
    }
    if dice.one_in(3) {
        root.push_str("commonLabels: { team: a }\n");
    }
    files.push(("base/kustomization.yaml".into(), root));
}

/// One patch of each kind, by number.
fn patch(dice: &mut Dice, n: usize, root: &mut String, files: &mut Vec<(String, String)>, directory: &str) {
    let value = dice.roll(100);
    let merges = [
        format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: web }}\nspec:\n  replicas: {value}\n"),
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: web }}\nspec:\n  template:\n    spec:\n      containers:\n      - name: c0\n        args: [x]\n        env:\n        - {{ name: A, value: 'v{value}' }}\n        - {{ name: NEW, value: 'n' }}\n        ports:\n        - {{ containerPort: 800, name: renamed }}\n        volumeMounts: [{{ name: w, mountPath: /w }}]\n"
        ),
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec:\n  template:\n    spec:\n      containers:\n      - name: c0\n        env:\n        - { name: A, $patch: delete }\n".to_owned(),
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec:\n  replicas: null\n  template:\n    metadata:\n      annotations: { other: x }\n".to_owned(),
        "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec:\n  ports:\n  - { port: 443, targetPort: 8443 }\n".to_owned(),
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{ name: shop }}\nspec:\n  source:\n    targetRevision: r{value}\n    helm:\n      parameters:\n      - {{ name: b, value: '2' }}\n"
        ),
        "$patch: delete\napiVersion: v1\nkind: Service\nmetadata: { name: web }\n".to_owned(),
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec:\n  template:\n    spec:\n      containers:\n      - $patch: replace\n      - { name: only, image: x }\n".to_owned(),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata:\n  A: null\n  C: c\n".to_owned(),
    ];
    let operations = [
        format!("- {{ op: replace, path: /spec/replicas, value: {value} }}\n"),
        "- { op: add, path: /metadata/annotations, value: { a/b: x } }\n- { op: add, path: /metadata/annotations/c~1d, value: 'y' }\n".to_owned(),
        "- { op: add, path: /spec/template/spec/containers/0/args/-, value: z }\n- { op: remove, path: /spec/template/spec/containers/0/env/0 }\n".to_owned(),
        "- { op: copy, from: /metadata/labels/app, path: /metadata/labels/copy }\n- { op: test, path: /kind, value: Deployment }\n- { op: move, from: /metadata/labels/copy, path: /metadata/labels/moved }\n".to_owned(),
    ];
    let indented = |text: &str| text.lines().map(|l| format!("    {l}\n")).collect::<String>();
    match dice.roll(4) {
        0 => {
            let text = &merges[dice.roll(merges.len() as u64) as usize];
            let _ = write!(root, "- patch: |-\n{}", indented(text));
        }
        1 => {
            let text = &merges[dice.roll(merges.len() as u64) as usize];
            let _ = writeln!(root, "- path: patch{n}.yaml");
            files.push((format!("{directory}/patch{n}.yaml"), text.clone()));
        }
        2 => {
            let text = &operations[dice.roll(4) as usize];
            let target = ["kind: Deployment", "kind: Deployment, name: w.*", "group: apps, labelSelector: app=web"];
            let _ = write!(root, "- target: {{ {} }}\n  patch: |-\n{}", target[dice.roll(3) as usize], indented(text));
        }
        _ => {
            let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: any }\nspec: { paused: true }\n";
            let _ = write!(root, "- target: {{ kind: Deployment }}\n  patch: |-\n{}", indented(text));
        }
    }
}

fn overlay(dice: &mut Dice, files: &mut Vec<(String, String)>, directory: &str, below: &str) {
    let mut root = format!("resources: [{below}]\ngeneratorOptions: {{ disableNameSuffixHash: true }}\n");
    if dice.one_in(3) {
        root.push_str("components: [../component]\n");
    }
    if dice.one_in(2) {
        let behavior = ["merge", "replace"][dice.roll(2) as usize];
        let _ = write!(
            root,
            "configMapGenerator:\n- name: made\n  behavior: {behavior}\n  literals: [K=9, M={}]\n",
            dice.roll(9)
        );
        let _ = write!(root, "secretGenerator:\n- name: hidden\n  behavior: merge\n  literals: [T=more]\n");
    }
    let patches = dice.roll(3);
    if patches > 0 {
        root.push_str("patches:\n");
        (0..patches).for_each(|n| patch(dice, n as usize, &mut root, files, directory));
    }
    if dice.one_in(4) {
        let _ = write!(
            root,
            "patchesStrategicMerge:\n- |-\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {{ name: settings }}\n  data: {{ P: '{}' }}\n",
            dice.roll(9)
        );
    }
    if dice.one_in(4) {
        root.push_str("patchesJson6902:\n- target: { version: v1, kind: ConfigMap, name: settings }\n  patch: '[{\"op\": \"add\", \"path\": \"/data/J\", \"value\": \"j\"}]'\n");
    }
    if dice.one_in(3) {
        let _ = writeln!(root, "namespace: n{}", dice.roll(3));
    }
    if dice.one_in(3) {
        root.push_str(["namePrefix: o-\n", "nameSuffix: -o\n"][dice.roll(2) as usize]);
    }
    if dice.one_in(3) {
        let change = ["newTag: '2'", "newName: other/c0", "digest: sha256:00", "newName: x/y, newTag: v3"];
        let _ = writeln!(root, "images: [{{ name: registry.example.org/c0, {} }}]", change[dice.roll(4) as usize]);
    }
    if dice.one_in(3) {
        let _ = writeln!(root, "replicas: [{{ name: web, count: {} }}]", dice.roll(9));
    }
    if dice.one_in(3) {
        let flags = ["", ", includeSelectors: true", ", includeTemplates: true"];
        let _ = writeln!(root, "labels: [{{ pairs: {{ tier: t }}{} }}]", flags[dice.roll(3) as usize]);
    }
    if dice.one_in(4) {
        root.push_str("commonAnnotations: { note: '1' }\n");
    }
    if dice.one_in(4) {
        root.push_str("replacements:\n- source: { kind: ConfigMap, name: settings, fieldPath: data.B }\n  targets:\n  - select: { kind: Deployment }\n    fieldPaths: ['spec.template.spec.containers.[name=c0].env.[name=A].value', 'metadata.annotations.b']\n    options: { create: true }\n");
    }
    files.push((format!("{directory}/kustomization.yaml"), root));
}

#[test]
fn generated_overlays_build_what_kustomize_builds() {
    let Some(kubectl) = kubectl() else { return };
    let count: u64 = std::env::var("PORTCULLIS_TEST_OVERLAYS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let mut compared = 0;
    let mut wrong: Vec<String> = Vec::new();
    for seed in 1..=count {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut files = Vec::new();
        base(&mut dice, &mut files);
        files.push((
            "component/kustomization.yaml".into(),
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator:\n- name: made\n  behavior: merge\n  literals: [C=component]\npatches:\n- target: { kind: Deployment }\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/minReadySeconds\", \"value\": 5}]'\n".into(),
        ));
        overlay(&mut dice, &mut files, "middle", "../base");
        let top = dice.one_in(2);
        if top {
            overlay(&mut dice, &mut files, "top", "../middle");
        }
        let directory = if top { "top" } else { "middle" };
        let folder = assert_fs::TempDir::new().unwrap();
        for (path, text) in &files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let out = Command::new(&kubectl).arg("kustomize").arg(folder.path().join(directory)).output().unwrap();
        let tree = MemoryTree::of(files.iter().map(|(p, t)| (p.as_str(), t.as_str())));
        let ours = built(&tree, directory);
        let shown = || files.iter().map(|(p, t)| format!("--- {p}\n{t}")).collect::<String>();
        if !out.status.success() {
            // It refuses what does not fit (a patch of an object that is gone), and we say so.
            let why = String::from_utf8_lossy(&out.stderr);
            if ours.unseen.is_empty() {
                wrong.push(format!("seed {seed}: kustomize refuses this, we do not: {why}\n{}", shown()));
            }
            continue;
        }
        if !ours.unseen.is_empty() {
            wrong.push(format!("seed {seed}: {:?}\n{}", ours.unseen, shown()));
        }
        let theirs = yaml::parse(&out.stdout);
        let (theirs, ours) = (by_id(&theirs.roots), by_id(ours.objects.iter().map(|o| &o.node)));
        if let Some((id, object)) = theirs.iter().find(|(id, object)| ours.get(*id) != Some(*object)) {
            let own = ours.get(id).map_or("nothing", String::as_str);
            wrong.push(format!("seed {seed}: {id}\ntheirs {object}\nours   {own}\n{}", shown()));
        } else if ours.len() != theirs.len() {
            wrong.push(format!("seed {seed}: we have more: {:?}\n{}", ours.keys(), shown()));
        }
        compared += 1;
    }
    let first: String = wrong.iter().take(4).map(|w| format!("{w}\n")).collect();
    assert!(wrong.is_empty(), "{} of {count} differ:\n{first}", wrong.len());
    assert!(compared * 2 > count, "only {compared} of {count} trees build");
}

/// Every kustomization of real repositories: `PORTCULLIS_TEST_TREES` names directories, with colons between them. What
/// differs is printed; a tool for whoever works on kustomize, not a test.
#[test]
fn real_trees_are_compared_where_they_are_named() {
    let (Some(kubectl), Ok(trees)) = (kubectl(), std::env::var("PORTCULLIS_TEST_TREES")) else { return };
    for root in trees.split(':') {
        let mut tree = MemoryTree::default();
        for entry in ignore::WalkBuilder::new(root).hidden(false).build().flatten() {
            let path = entry.path().strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let is_file = entry.file_type().is_some_and(|t| t.is_file());
            if let (true, false, Ok(bytes)) = (is_file, path.starts_with(".git/"), std::fs::read(entry.path())) {
                tree.files.insert(path.into(), bytes);
            }
        }
        let files = portcullis::manifests::Files::new(&tree).unwrap();
        let graph = portcullis::manifests::Graph::read(&files).unwrap();
        let [mut same, mut different, mut refused, mut remote] = [0; 4];
        for directory in graph.roots() {
            let ours = portcullis::manifests::build(&files, directory).unwrap().expect("a kustomization");
            if ours.unseen.iter().any(|u| u.gap == portcullis::manifests::Gap::Remote) {
                remote += 1;
                continue;
            }
            let path = std::path::Path::new(root).join(directory.to_string());
            let load = "--load-restrictor=LoadRestrictionsNone";
            let out = Command::new(&kubectl).arg("kustomize").arg(load).arg(path).output().unwrap();
            if !out.status.success() {
                refused += 1;
                if ours.unseen.is_empty() {
                    let why = String::from_utf8_lossy(&out.stderr);
                    println!("REFUSED {root} {directory}: {}", why.chars().take(300).collect::<String>());
                }
                continue;
            }
            let theirs = yaml::parse(&out.stdout);
            let plain = |text: String| without_hashes(&text);
            let (theirs, mine) = (by_id(&theirs.roots), by_id(ours.objects.iter().map(|o| &o.node)));
            let mine: std::collections::BTreeMap<_, _> = mine.into_iter().map(|(k, v)| (plain(k), plain(v))).collect();
            let theirs: std::collections::BTreeMap<_, _> =
                theirs.into_iter().map(|(k, v)| (plain(k), plain(v))).collect();
            match mine == theirs {
                true => same += 1,
                false => {
                    different += 1;
                    let odd = theirs.iter().find(|(k, v)| mine.get(*k) != Some(v));
                    let own = odd.and_then(|(k, _)| mine.get(k));
                    println!("DIFFERENT {root} {directory}: {:?}", ours.unseen);
                    println!("   theirs {}", odd.map_or("fewer".into(), |(k, v)| format!("{k} {v}")));
                    println!("   ours   {}", own.map_or("-", String::as_str));
                }
            }
        }
        println!("TREE {root}: {same} same, {different} different, {refused} refused, {remote} with remote parts");
    }
}

/// Without the hashes of content that kustomize puts behind the names of what it generates.
fn without_hashes(text: &str) -> String {
    let hash = regex::Regex::new("-[bcdfghkmt2456789]{10}(\\W|$)").unwrap();
    hash.replace_all(text, "$1").into_owned()
}
