//! Any bytes as a file of several kinds: hits are inside the text, and masking leaves no hit in place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::rules::secrets::{built_in, readable};

fuzz_target!(|bytes: &[u8]| {
    let text = readable(bytes);
    for path in ["a.yaml", ".env", "main.tf", "src/a.py", "notes.md", "x.json"] {
        for hit in built_in().scan(&text, Some(path.into())) {
            assert!(hit.range.start <= hit.range.end && hit.range.end <= text.len(), "{path}");
            assert!(hit.secret.start <= hit.secret.end && hit.secret.end <= text.len(), "{path}");
        }
    }
    built_in().scan(&text, None);
});
