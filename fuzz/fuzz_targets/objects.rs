//! Any bytes as a commit, a tag or a tree: `git-objects` judges them without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::finding::Findings;
use portcullis::policy::{Compiled, Policy};
use portcullis::rules::secrets::redactor;
use portcullis::subject::{Kinds, Object, ObjectKind, Oid};

thread_local! {
    static RULES: Compiled = {
        let policy = Policy::load(Vec::new()).expect("the defaults");
        policy.compile(Kinds::OBJECT, &[]).expect("the defaults")
    };
}

fuzz_target!(|bytes: &[u8]| {
    let id = Oid::from_hex(&[b'1'; 40]).expect("an id");
    RULES.with(|rules| {
        for kind in [ObjectKind::Commit, ObjectKind::Tag, ObjectKind::Tree] {
            let object = Object { id, kind, bytes, path: "".into(), before: &[] };
            let mut out = Findings::new(redactor(), 0);
            for scoped in &rules.objects {
                scoped.check.check(&object, &mut out).expect("decides");
            }
        }
    });
});
