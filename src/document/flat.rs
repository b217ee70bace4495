//! Flattens a tree into leaves, each with a path that does not change when list items move: items are identified by their
//! `name` or `id`, never by their index.

use crate::yaml::{Mistake, Node, Value};

/// A value without children to compare.
#[derive(Clone, Debug)]
pub struct Leaf<'n> {
    /// In the grammar of [`super::Path`]: `containers[name=app].image`, `a."b.c"`.
    pub path: String,
    /// The nearest key above.
    pub key: Option<&'n Node>,
    /// A scalar, an alias, an empty map, or a list whose items have no names.
    pub value: &'n Node,
}

/// Maximum number of bytes of all paths of one tree.
const MAX_PATH_BYTES: usize = 64 << 20;

/// The leaves in file order. `Err` if the keys are so long and deep that listing them would exhaust memory.
pub fn leaves(root: &Node) -> Result<Vec<Leaf<'_>>, Mistake> {
    let mut walk = Walk { path: String::new(), bytes: 0, leaves: Vec::new() };
    walk.visit(None, root)?;
    Ok(walk.leaves)
}

struct Walk<'n> {
    path: String,
    bytes: usize,
    leaves: Vec<Leaf<'n>>,
}

impl<'n> Walk<'n> {
    fn visit(&mut self, key: Option<&'n Node>, node: &'n Node) -> Result<(), Mistake> {
        match &node.value {
            Value::Map(entries) if !entries.is_empty() => {
                for (k, v) in entries {
                    let name = k.text().unwrap_or("?");
                    let dot = if self.path.is_empty() { "" } else { "." };
                    self.below(&format!("{dot}{}", quote_step(name, ['.', '['])), Some(k), v)?;
                }
            }
            Value::Seq(items) if !items.is_empty() && items.iter().all(|i| name_of(i).is_some()) => {
                for item in items {
                    let Some((by, name)) = name_of(item) else { continue };
                    self.below(&format!("[{by}={}]", quote_step(name, [']', '='])), key, item)?;
                }
            }
            _ => {
                self.bytes += self.path.len();
                if self.bytes > MAX_PATH_BYTES {
                    return Err(Mistake { span: node.span.clone(), message: "the keys are too long to list".into() });
                }
                self.leaves.push(Leaf { path: self.path.clone(), key, value: node });
            }
        }
        Ok(())
    }

    fn below(&mut self, step: &str, key: Option<&'n Node>, node: &'n Node) -> Result<(), Mistake> {
        let length = self.path.len();
        self.path.push_str(step);
        self.visit(key, node)?;
        self.path.truncate(length);
        Ok(())
    }
}

/// The name of a list item.
fn name_of(item: &Node) -> Option<(&'static str, &str)> {
    ["name", "id"].into_iter().find_map(|by| Some((by, item.get(by)?.text()?)))
}

/// A step in the grammar of [`super::Path`]: quoted if it contains a separator.
fn quote_step(name: &str, ends: [char; 2]) -> String {
    if name.is_empty() || name == "*" || name.starts_with('"') || name.contains(ends) {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        name.to_owned()
    }
}
