//! Files of plain keys and values at any depth: dotenv, TOML, JSON, Terraform values, Helm values, any YAML.

use super::{VariableReader, object_of};
use crate::document::leaves;
use crate::yaml::{Mistake, Node};

/// `Err` if there are more keys than can be listed.
pub fn read(reader: &mut VariableReader<'_, '_>, roots: &[Node]) -> Result<(), Mistake> {
    for (n, root) in roots.iter().enumerate() {
        let object = match object_of(root) {
            Some(object) => object,
            None if n == 0 => String::new(),
            None => format!("document {}", n + 1),
        };
        for leaf in leaves(root)? {
            // Skip the metadata that SOPS writes.
            if leaf.path.is_empty() || leaf.path.starts_with("sops.") || leaf.path.starts_with("sops_") {
                continue;
            }
            let value = reader.value(leaf.value);
            reader.push(&object, &leaf.path, leaf.key.unwrap_or(leaf.value), leaf.value, value);
        }
    }
    Ok(())
}
