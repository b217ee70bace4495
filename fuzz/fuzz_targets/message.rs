//! Any bytes as a commit message: no panic, every offset inside the message, and what is right is read back when it is
//! printed. The suite holds the same over seeded messages: `tests/rules/conventional_commits/properties.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::rules::conventional_commits::cleanup::{CommentChar, Mode, cleanup};
use portcullis::rules::conventional_commits::convention::Convention;
use portcullis::rules::conventional_commits::parse::{REMOVED, parse};
use portcullis::rules::conventional_commits::{characters, validate};

fuzz_target!(|text: &[u8]| {
    assert_eq!(cleanup(text, Mode::Strip, &CommentChar::Auto, true).len(), text.len());
    let types = ["feat", "fix"].map(str::to_owned).to_vec();
    let convention = Convention { types, header_max: Some(20), ..Convention::default() };
    let mut mistakes = validate::validate(text, &convention);
    mistakes.extend(characters::check(text, false));
    validate::add_suggestions(text, &convention, &mut mistakes);
    for mistake in &mistakes {
        assert!(mistake.range.start <= mistake.range.end && mistake.range.end <= text.len(), "{mistake:?}");
    }
    let Some(message) = parse(text) else { return };
    let header = &message.header;
    let ranges =
        [&header.line, &header.kind, &header.description].into_iter().chain(&header.scope).chain(&message.body);
    for range in ranges.chain(message.footers.iter().flat_map(|f| [&f.token, &f.value])) {
        assert!(range.start <= range.end && range.end <= text.len(), "{range:?}");
    }
    let loose = message.footers.iter().any(|f| f.value.is_empty()) || text.contains(&REMOVED);
    if message.errors.is_empty() && !loose && std::str::from_utf8(text).is_ok() {
        let parts = message.parts();
        assert_eq!(parse(parts.to_string().as_bytes()).map(|m| m.parts()), Some(parts));
    }
});
