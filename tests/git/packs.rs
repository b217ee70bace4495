//! History read by delta trees finds what reading every blob where it stands finds, however git has packed it; damage is
//! never a pass.

use std::io::Write as _;
use std::process::Stdio;

use portcullis::engine::{self, BlobReading};
use portcullis::error::{Kind, Result};
use portcullis::finding::{Finding, Origin};
use portcullis::git::{Excluded, Push, Quarantine, Source, discover};
use portcullis::policy::{self, Policy};
use portcullis::report::{Report, Verdict};
use portcullis::subject::{Oid, Update};

use crate::rules::secrets::{BASE62, Numbers, github_token};
use crate::support::engine::run_config;
use crate::support::{Hash, TestRepo};

fn judge(repo: &TestRepo, reading: BlobReading, all: bool, only: &[&str]) -> Result<Report> {
    let policy = Policy::load(Vec::new()).expect("the defaults");
    let source = Source::History { all };
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let compiled = policy.compile(engine::kinds(&source), &only).expect("compiles");
    let config = run_config(&compiled, reading);
    let outcome = engine::run(&discover(repo.path())?.expect("a repository"), &source, &config)?;
    let run = policy::Run::new(jiff::civil::date(2026, 1, 1));
    Ok(policy.settle(outcome.batches, outcome.errors, outcome.stats, &run))
}

/// Both ways agree; gives how many findings there are and how many blobs came by delta trees.
fn agree(repo: &TestRepo, what: &str) -> (usize, u64) {
    let mut counts = (0, 0);
    for (only, all) in [(&["secrets"][..], false), (&["secrets"], true), (&[], false)] {
        let sifted = judge(repo, BlobReading::Prescan, all, only).expect("is judged");
        let whole = judge(repo, BlobReading::OneByOne, all, only).expect("is judged");
        let told = |r: &Report| {
            // What tells one secret from another within a run is keyed anew in each.
            let alone = |f: &Finding| {
                let mut f = f.clone();
                f.same = None;
                format!("{f:?}")
            };
            r.findings.iter().map(alone).collect::<Vec<_>>()
        };
        let (here, there) = (told(&sifted), told(&whole));
        let differs = here.iter().zip(&there).find(|(a, b)| a != b);
        assert!(differs.is_none(), "{what}, all: {all}, only: {only:?}: {differs:#?}");
        assert_eq!(here.len(), there.len(), "{what}, all: {all}, only: {only:?}");
        assert_eq!(sifted.notes, whole.notes, "{what}");
        assert!(sifted.errors.is_empty() && whole.errors.is_empty(), "{what}: {:?}", sifted.errors);
        assert_eq!(whole.stats.blobs_resolved, 0);
        counts = (sifted.findings.len(), sifted.stats.blobs_resolved);
    }
    counts
}

/// Feeds a stream to `git fast-import`, which leaves one pack.
fn import(repo: &TestRepo, stream: &[u8], options: &[&str]) {
    let mut command = repo.command("git");
    command.args(["-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--force"]).args(options);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("git runs");
    child.stdin.take().expect("it is piped").write_all(stream).expect("git reads");
    assert!(child.wait().expect("git ends").success());
}

fn data(stream: &mut Vec<u8>, bytes: &[u8]) {
    stream.extend(format!("data {}\n", bytes.len()).bytes());
    stream.extend_from_slice(bytes);
    stream.push(b'\n');
}

/// Commits that change a few files each: lines come, go, and hold secrets for a while.
struct World {
    numbers: Numbers,
    files: Vec<(&'static str, Vec<String>)>,
    commits: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let paths = ["deploy/app.yaml", "src/main.go", "README.md", "go.sum", "conf/.env", "tests/a.json", "big.txt"];
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let files = paths.map(|p| (p, (0..40).map(|_| line(&mut numbers)).collect())).into();
        Self { numbers, files, commits: 0 }
    }

    fn commits(&mut self, count: usize) -> Vec<u8> {
        let mut stream = Vec::new();
        for number in 0..count {
            self.commits += 1;
            let time = 1_767_225_600 + self.commits * 60;
            stream.extend(format!("commit refs/heads/main\ncommitter T <t@example.org> {time} +0000\n").bytes());
            data(&mut stream, b"feat: a change\n");
            if self.commits > 1 && number == 0 {
                stream.extend(b"from refs/heads/main^0\n");
            }
            for _ in 0..2 {
                let n = &mut self.numbers;
                let file = n.below(self.files.len());
                let (path, lines) = &mut self.files[file];
                for _ in 0..1 + n.below(3) {
                    let place = n.below(lines.len() + 1);
                    match n.below(3) {
                        0 if place < lines.len() => drop(lines.remove(place)),
                        1 if place < lines.len() => {
                            let moved = lines.remove(place);
                            lines.insert(n.below(lines.len() + 1), moved);
                        }
                        _ => lines.insert(place, line(n)),
                    }
                }
                stream.extend(format!("M 100644 inline {path}\n").bytes());
                data(&mut stream, lines.concat().as_bytes());
            }
        }
        stream
    }
}

fn line(n: &mut Numbers) -> String {
    let word = n.word(BASE62, 14);
    match n.below(20) {
        0 => format!("token: {}\n", github_token(1 + n.below(9) as u64)),
        1 => format!("password: {word}4\n"),
        2 => "kind: Secret\n".into(),
        3 => "---\n".into(),
        4 => format!("stringData:\n  password: {word}\n"),
        5 => format!("postgres://user:{word}@db.internal/app\n"),
        6 => format!("API_TOKEN={word}{word}\n"),
        _ => format!("{} {}\n", n.word(b"abcdefgh :-_", 30), n.below(100)),
    }
}

#[test]
fn every_way_to_pack_gives_the_same_findings() {
    every_way_to_pack(Hash::Sha1, 1);
}

#[test]
fn every_way_to_pack_gives_the_same_findings_with_long_ids() {
    every_way_to_pack(Hash::Sha256, 2);
}

fn every_way_to_pack(hash: Hash, seed: u64) {
    let repo = TestRepo::init_with(hash);
    let mut world = World::new(seed);
    import(&repo, &world.commits(12), &[]);
    let (found, resolved) = agree(&repo, "as imported");
    assert!(found > 3 && resolved > 12, "{found} findings, {resolved} blobs");

    // Three packs, and deltas in each of them.
    import(&repo, &world.commits(12), &[]);
    import(&repo, &world.commits(12), &["--depth=3"]);
    let (_, three) = agree(&repo, "three packs");
    assert!(three > resolved);
    repo.git(["multi-pack-index", "write"]);
    assert_eq!(agree(&repo, "a multi-pack index").1, three);
    // What a commit wrote twice is gone from now on.
    repo.git(["repack", "-adq"]);
    let (_, reachable) = agree(&repo, "one pack");

    for (what, options) in [
        ("offsets", &["-c", "repack.useDeltaBaseOffset=true", "repack", "-adfq", "--depth=50", "--window=50"][..]),
        ("ids", &["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=20", "--window=20"]),
        ("shallow", &["repack", "-adFq", "--depth=1", "--window=4"]),
        ("none", &["repack", "-adfq", "--depth=0"]),
    ] {
        repo.git(options);
        assert_eq!(agree(&repo, what).1, reachable, "{what}: each blob once");
    }

    // Every object twice, in two packs.
    repo.git(["repack", "-adfq"]);
    let pack = "git rev-list --objects --all | git pack-objects -q --window=3 .git/objects/pack/pack >/dev/null";
    assert!(repo.command("sh").args(["-c", pack]).status().expect("a shell").success());
    assert_eq!(agree(&repo, "twice").1, reachable, "each blob once");

    // Another repository that borrows all this, and has loose objects of its own.
    let url = repo.path().to_str().expect("a plain path").to_owned();
    repo.sandbox().init("elsewhere", Hash::Sha1).git(["clone", "-q", "--shared", &url, "borrower"]);
    let borrower = repo.sandbox().at("elsewhere/borrower");
    borrower.write("own.yaml", format!("password: q8Zr{}\n", world.numbers.word(BASE62, 12)));
    borrower.commit("feat: own");
    let (more, borrowed) = agree(&borrower, "alternates");
    assert_eq!(borrowed, reachable);
    assert!(more > 3);

    let unpack = "mkdir ../p && mv .git/objects/pack/* ../p && for p in ../p/*.pack; do git unpack-objects -q <$p; done; rm -r ../p";
    assert!(repo.command("sh").args(["-c", unpack]).status().expect("a shell").success());
    assert_eq!(agree(&repo, "loose").1, 0);
}

#[test]
fn a_large_push_is_sifted_in_its_quarantine() {
    let client = TestRepo::init();
    client.commit("feat: base");
    let server = client.bare_remote("origin");
    client.git(["push", "-q", "origin", "main"]);
    let old = client.rev("HEAD");
    for n in 0..1100 {
        client.write(&format!("apps/{}/{n}.yaml", n / 40), format!("name: app{n}\nreplicas: {}\n", n % 7));
    }
    client.write("apps/secret.yaml", format!("token: {}\n", github_token(7)));
    let new = client.commit("feat: a thousand");
    // As git receives it: one pack in a directory of its own, and no ref moved yet.
    let waiting = server.path().join("objects/tmp_objdir-incoming-x");
    std::fs::create_dir_all(waiting.join("pack")).expect("a directory");
    let make = format!(
        "printf '{new}\\n^{old}\\n' | git pack-objects -q --revs --stdout >../pushed && \
         git index-pack -o {0}/pack/pack-1.idx ../pushed >/dev/null && cp ../pushed {0}/pack/pack-1.pack",
        waiting.display()
    );
    assert!(client.command("sh").args(["-c", &make]).status().expect("a shell").success());

    let id = |hex: &str| Oid::from_hex(hex.as_bytes());
    let judge = |reading| {
        let variable = |name: &str| match name {
            "GIT_QUARANTINE_PATH" => Some(waiting.clone().into()),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES" => Some(server.path().join("objects").into()),
            _ => None,
        };
        let quarantine = Quarantine::from_environment(variable, server.path()).expect("a quarantine");
        let repo = discover(server.path()).expect("opens").expect("a repository");
        let repo = repo.with_quarantine(quarantine).expect("unites");
        let update = Update { name: "refs/heads/main".into(), old: id(&old), new: id(&new) };
        let source = Source::Push(Push { updates: vec![update], known: Excluded::Quarantine, ..Push::default() });
        let policy = Policy::load(Vec::new()).expect("the defaults");
        let compiled = policy.compile(engine::kinds(&source), &[]).expect("compiles");
        let config = run_config(&compiled, reading);
        let outcome = engine::run(&repo, &source, &config).expect("is judged");
        let run = policy::Run::new(jiff::civil::date(2026, 1, 1));
        policy.settle(outcome.batches, outcome.errors, outcome.stats, &run)
    };
    let (sifted, whole) = (judge(BlobReading::Prescan), judge(BlobReading::OneByOne));
    let told = |r: &Report| r.findings.iter().map(|f| (f.rule.clone(), f.fingerprint.clone())).collect::<Vec<_>>();
    assert_eq!(told(&sifted), told(&whole));
    assert!(told(&sifted).iter().any(|(rule, _)| rule.starts_with("secrets/")), "{:?}", told(&sifted));
    assert_eq!((sifted.stats.blobs_resolved, whole.stats.blobs_resolved), (1101, 0));
    assert_eq!((sifted.stats.blobs_read, whole.stats.blobs_read), (1, 1101));
}

#[test]
fn a_damaged_pack_is_never_a_pass() {
    let repo = TestRepo::init();
    let mut stream = Vec::new();
    for version in 0..12u64 {
        stream.extend(format!("commit refs/heads/main\ncommitter T <t@example.org> {version} +0000\n").bytes());
        data(&mut stream, b"feat: x\n");
        stream.extend(b"M 100644 inline a/b.txt\n");
        let text: String = (0..60).map(|n| format!("{}\n", if n == version { 1 << n } else { n * 977 })).collect();
        data(&mut stream, text.as_bytes());
    }
    import(&repo, &stream, &[]);
    repo.git(["repack", "-adfq"]);
    assert_eq!(judge(&repo, BlobReading::Prescan, false, &["secrets"]).expect("is judged").verdict(), Verdict::Pass);
    let packs = repo.path().join(".git/objects/pack");
    let pack = std::fs::read_dir(packs).expect("packs").map(|e| e.expect("an entry").path());
    let pack = pack.into_iter().find(|p| p.extension().is_some_and(|e| e == "pack")).expect("a pack");
    let good = std::fs::read(&pack).expect("reads");
    std::fs::remove_file(&pack).expect("read-only files can be removed");
    let decided = |bytes: &[u8]| {
        std::fs::write(&pack, bytes).expect("writes");
        match judge(&repo, BlobReading::Prescan, false, &["secrets"]) {
            Ok(report) => report.verdict() != Verdict::Undecided,
            Err(error) => {
                assert_eq!(error.kind, Kind::Undecided, "{error}");
                false
            }
        }
    };
    assert!(decided(&good));
    // Behind the header, before the checksum of the whole.
    for at in (12..good.len() - 20).step_by(11) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(!decided(&bad), "a flipped bit at {at} of {}", good.len());
    }
    for end in [0, 11, 40, good.len() / 2, good.len() - 21] {
        assert!(!decided(&good[..end]), "cut at {end}");
    }
}

#[test]
fn a_chain_of_ten_thousand_deltas_is_followed() {
    let repo = TestRepo::init();
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    let depth = 10_000u32;
    pack.extend((depth + 1).to_be_bytes());
    let mut text = "line\n".repeat(10).into_bytes();
    entry(&mut pack, 3, &text, &[]);
    let mut last = 12;
    for version in 0..depth {
        // All but the last five bytes, and five others.
        let new = format!("{version:04}\n");
        assert_eq!(new.len(), 5);
        let size = |n: usize| [n as u8 & 0x7f | 0x80, (n >> 7) as u8];
        let made = text.len() - 5 + new.len();
        let mut delta = [size(text.len()), size(made)].concat();
        delta.extend([0xb0, (text.len() - 5) as u8, 0, new.len() as u8]);
        delta.extend(new.bytes());
        text.truncate(text.len() - 5);
        text.extend(new.bytes());
        let at = pack.len();
        let mut distance = vec![((at - last) & 0x7f) as u8];
        let mut rest = (at - last) >> 7;
        while rest > 0 {
            rest -= 1;
            distance.insert(0, (rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        entry(&mut pack, 6, &delta, &distance);
        last = at;
    }
    repo.write("../pack", &pack);
    let finish = r#"{ cat ../pack; printf "$(sha1sum <../pack | cut -c1-40 | sed 's/../\\x&/g')"; } >../whole &&
        git index-pack -o .git/objects/pack/pack-1.idx ../whole >/dev/null && cp ../whole .git/objects/pack/pack-1.pack"#;
    let done = repo.command("bash").args(["-c", finish]).status().expect("a shell");
    assert!(done.success());
    repo.commit("feat: something else");
    let report = judge(&repo, BlobReading::Prescan, true, &["secrets"]).expect("is judged");
    assert_eq!((report.verdict(), report.stats.blobs_resolved), (Verdict::Pass, u64::from(depth) + 1));
    assert_eq!(report.stats.blobs_sifted_whole, 1);
}

/// One entry of a pack, not compressed.
fn entry(pack: &mut Vec<u8>, kind: u8, bytes: &[u8], base: &[u8]) {
    let mut size = bytes.len() >> 4;
    let first = kind << 4 | (bytes.len() & 15) as u8;
    pack.push(if size > 0 { first | 0x80 } else { first });
    while size > 0 {
        let low = (size & 0x7f) as u8;
        size >>= 7;
        pack.push(if size > 0 { low | 0x80 } else { low });
    }
    pack.extend_from_slice(base);
    let length = bytes.len() as u16;
    pack.extend([0x78, 0x01, 0x01]);
    pack.extend(length.to_le_bytes());
    pack.extend((!length).to_le_bytes());
    pack.extend_from_slice(bytes);
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    pack.extend((b << 16 | a).to_be_bytes());
}

#[test]
fn a_delta_may_stand_on_an_object_of_another_pack() {
    let repo = TestRepo::init();
    repo.write("a.yaml", "name: base of a delta in another pack\n");
    repo.commit("feat: base");
    repo.git(["repack", "-adq"]);
    let (base, base_id) = (b"name: base of a delta in another pack\n", repo.rev("HEAD:a.yaml"));
    let line = format!("token: {}\n", github_token(5));
    let made = [base.as_slice(), line.as_bytes()].concat();
    repo.write("../made", &made);
    let made_id = repo.git(["hash-object", "../made"]);
    let raw = |hex: &str| Oid::from_hex(hex.trim().as_bytes()).expect("an id").as_bytes().to_vec();

    // All of the base, and a line more.
    let mut delta = vec![base.len() as u8, made.len() as u8, 0x90, base.len() as u8, line.len() as u8];
    delta.extend(line.bytes());
    let mut pack = b"PACK\0\0\0\x02\0\0\0\x01".to_vec();
    entry(&mut pack, 7, &delta, &raw(&base_id));
    let sum = crc32fast::hash(&pack[12..]);
    // `git index-pack` would refuse it, and nobody here reads the checksums of the whole.
    pack.extend([0; 20]);
    let id = raw(&made_id);
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    (0..=255u8).for_each(|first| index.extend(u32::from(first >= id[0]).to_be_bytes()));
    index.extend(&id);
    index.extend(sum.to_be_bytes());
    index.extend(12u32.to_be_bytes());
    index.extend([0; 40]);
    repo.write(".git/objects/pack/pack-2.pack", &pack);
    repo.write(".git/objects/pack/pack-2.idx", &index);

    let (_, resolved) = agree(&repo, "a base elsewhere");
    assert_eq!(resolved, 2, "the base and what stands on it");
    let found = judge(&repo, BlobReading::Prescan, true, &["secrets"]).expect("is judged").findings;
    assert_eq!(found.len(), 1, "{found:?}");
    let Origin::File { blob, .. } = &found[0].origin else { panic!("{found:?}") };
    assert_eq!(blob.map(|b| b.to_string()).as_deref(), Some(made_id.trim()));
}
