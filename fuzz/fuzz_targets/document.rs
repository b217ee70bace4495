//! Any bytes as each format of structured files: no panic, and every span is inside the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::document::{Document, Format, leaves};

fuzz_target!(|bytes: &[u8]| {
    for name in Format::NAMES {
        let format = Format::named(name).expect("a name of the list");
        let document = Document::read(format, bytes);
        for mistake in &document.mistakes {
            assert!(mistake.span.end <= bytes.len(), "{name}: {mistake:?}");
        }
        for root in &document.roots {
            assert!(root.span.start <= root.span.end && root.span.end <= bytes.len(), "{name}: {root:?}");
            let _ = leaves(root);
        }
    }
});
