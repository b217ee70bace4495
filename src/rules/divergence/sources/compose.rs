//! `environment` of the services of a compose file, as a map or as a list of `NAME=value`.

use super::Reader;
use crate::document::Document;
use crate::yaml::Node;

pub fn read(reader: &mut Reader<'_>, document: &Document) {
    for root in &document.roots {
        for (name, service) in root.get("services").map_or(&[][..], Node::entries) {
            let object = name.text().unwrap_or("?");
            let Some(environment) = service.get("environment") else { continue };
            for (key, node) in environment.entries() {
                let name = key.text().unwrap_or("?");
                let value = if node.is_null() && node.span.is_empty() {
                    // Handed on from the shell that starts it.
                    super::reference(name, vec![name.to_owned()])
                } else {
                    reader.value(node)
                };
                reader.push(object, name, key, node, value);
            }
            environment.items().iter().for_each(|item| reader.assignment(object, item));
        }
    }
}
