//! detect-secrets: `.secrets.baseline`, of which the filters are settings; its findings are accepted as they stand.

use super::{Source, texts};
use crate::yaml::Node;

pub fn baseline(source: &mut Source<'_>) {
    let Some(root) = source.document() else { return };
    source.took();
    // Old forms have one pattern for files and one for lines.
    if let Some(old) = root.get("exclude") {
        texts(old.get("files")).iter().for_each(|pattern| source.exclude(pattern));
        texts(old.get("lines")).iter().for_each(|pattern| source.allow(pattern));
    }
    for filter in root.get("filters_used").map_or(&[][..], Node::items) {
        let path = filter.get("path").and_then(Node::text).unwrap_or_default();
        let patterns = texts(filter.get("pattern"));
        match path.rsplit('.').next().unwrap_or_default() {
            "should_exclude_file" => patterns.iter().for_each(|pattern| source.exclude(pattern)),
            "should_exclude_line" | "should_exclude_secret" => {
                patterns.iter().for_each(|pattern| source.allow(pattern))
            }
            _ if path.starts_with("detect_secrets.") => {}
            _ => source.leave(format!("the filter {path}"), "it is a program"),
        }
    }
    for plugin in root.get("plugins_used").map_or(&[][..], Node::items) {
        let name = plugin.get("name").and_then(Node::text).unwrap_or_default();
        if plugin.get("path").is_some() {
            source.leave(format!("the plugin {name}"), "it is a program: write its pattern under detectors");
        }
    }
    let found: usize = root.get("results").map_or(0, |r| r.entries().iter().map(|(_, list)| list.items().len()).sum());
    if found > 0 {
        source.leave(format!("{found} accepted findings"), "what stands today is accepted as it is");
    }
}
