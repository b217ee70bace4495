//! Any bytes as the event file of GitHub or Gitea, and as the variables of every CI platform: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis::command::ci::platforms::PLATFORMS;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let variable = |name: &str| match name {
        "GITHUB_EVENT_PATH" => Some("event.json".to_owned()),
        // Variables are lines `NAME=value`; those that are not there have the last line's text.
        _ => {
            let named = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            named.or(text.lines().last()).filter(|v| !v.is_empty()).map(str::to_owned)
        }
    };
    for platform in PLATFORMS {
        let _ = (platform.read)(&variable, &|_| Ok(bytes.to_vec()));
    }
});
