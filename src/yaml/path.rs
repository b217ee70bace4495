//! The path of a node in its document: `spec.containers[0].image`.

use super::{Node, Value};

/// One step from a node to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'n> {
    Key(&'n str),
    /// From 0.
    Item(usize),
}

/// Formats a path: `a.b[0]`. Empty keys and keys with a dot, bracket or quote are quoted: `a."b.c"`.
pub fn dotted(steps: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Item(n) => out.push_str(&format!("[{n}]")),
            Step::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                let odd = |c: char| matches!(c, '.' | '[' | ']' | '"') || c.is_whitespace();
                if key.is_empty() || key.contains(odd) {
                    out.push_str(&format!("{key:?}"));
                } else {
                    out.push_str(key);
                }
            }
        }
    }
    out
}

impl Node {
    /// The value under a chain of keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Calls `visit` with the path and node of this node and every value below it, parents first. A key that is not a scalar
    /// is shown as `?`.
    pub fn walk<'n>(&'n self, visit: &mut dyn FnMut(&[Step<'n>], &'n Node)) {
        self.walk_below(&mut Vec::new(), visit);
    }

    fn walk_below<'n>(&'n self, steps: &mut Vec<Step<'n>>, visit: &mut dyn FnMut(&[Step<'n>], &'n Node)) {
        visit(steps, self);
        let mut below = |step, child: &'n Node| {
            steps.push(step);
            child.walk_below(steps, visit);
            steps.pop();
        };
        match &self.value {
            Value::Map(entries) => entries.iter().for_each(|(k, v)| below(Step::Key(k.text().unwrap_or("?")), v)),
            Value::Seq(items) => items.iter().enumerate().for_each(|(n, v)| below(Step::Item(n), v)),
            _ => {}
        }
    }
}
