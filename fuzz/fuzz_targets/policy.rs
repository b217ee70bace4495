//! Any bytes as a policy: it is loaded and compiled, or every mistake has a place inside it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::options::PolicyFile;
use portcullis::policy::Policy;
use portcullis::subject::Kinds;

fuzz_target!(|bytes: &[u8]| {
    let file = PolicyFile { path: "portcullis.yaml".into(), bytes: bytes.to_vec(), ..PolicyFile::default() };
    let mistakes = match Policy::load(vec![file]) {
        Ok(policy) => policy.compile(Kinds::ALL, &[]).err().unwrap_or_default(),
        Err(mistakes) => mistakes,
    };
    for mistake in mistakes.iter().filter(|m| m.file.path == "portcullis.yaml") {
        assert!(mistake.wrong.span.start <= mistake.wrong.span.end && mistake.wrong.span.end <= bytes.len());
    }
});
