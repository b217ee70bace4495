//! Any bytes as YAML: the fast path agrees with the library, and every span is inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::yaml::{is_quick, parse, parse_by_library};

fuzz_target!(|bytes: &[u8]| {
    let found = parse(bytes);
    for mistake in &found.mistakes {
        assert!(mistake.span.start <= mistake.span.end && mistake.span.end <= bytes.len(), "{mistake:?}");
    }
    if is_quick(bytes) {
        let whole = parse_by_library(bytes);
        assert_eq!(found.roots, whole.roots);
        assert_eq!(found.mistakes, whole.mistakes);
    }
});
