//! A node of a policy, with the file it stands in.

use crate::yaml::Node;

/// A piece of a policy file: which file, and the node.
#[derive(Clone, Copy, Debug)]
pub struct Located<'p> {
    /// Index of the layer's file.
    pub source: usize,
    pub node: &'p Node,
}

impl<'p> Located<'p> {
    /// The value of a key of this map.
    pub fn get(self, key: &str) -> Option<Self> {
        self.node.get(key).map(|node| Self { node, ..self })
    }

    /// The items of this list.
    pub fn items(self) -> impl Iterator<Item = Self> {
        self.node.items().iter().map(move |node| Self { node, ..self })
    }

    /// Keys and values of this map.
    pub fn entries(self) -> impl Iterator<Item = (Self, Self)> {
        self.node.entries().iter().map(move |(k, v)| (Self { node: k, ..self }, Self { node: v, ..self }))
    }
}
