//! One Kubernetes object in the making. Owns its identity: what it is called now, and what it was called before names
//! were changed, since patches may use either.

use crate::yaml::{Node, Value};

#[derive(Clone, Debug)]
pub struct Object {
    pub node: Node,
    /// Name and namespace before each change, oldest first.
    pub former: Vec<(String, String)>,
    /// Made by a generator.
    pub generated: bool,
}

impl Object {
    pub fn new(node: Node) -> Self {
        Self { node, former: Vec::new(), generated: false }
    }

    pub fn kind(&self) -> &str {
        text(&self.node, &["kind"])
    }

    /// The part of `apiVersion` before the slash; empty for the core group.
    pub fn group(&self) -> &str {
        text(&self.node, &["apiVersion"]).rsplit_once('/').map_or("", |(group, _)| group)
    }

    pub fn version(&self) -> &str {
        let version = text(&self.node, &["apiVersion"]);
        version.rsplit_once('/').map_or(version, |(_, v)| v)
    }

    pub fn name(&self) -> &str {
        text(&self.node, &["metadata", "name"])
    }

    pub fn namespace(&self) -> &str {
        text(&self.node, &["metadata", "namespace"])
    }

    /// To be called before name or namespace change.
    pub fn remember(&mut self) {
        let id = (self.name().to_owned(), self.namespace().to_owned());
        if self.former.last() != Some(&id) {
            self.former.push(id);
        }
    }

    /// Every name and namespace it has or had.
    pub fn ids(&self) -> impl Iterator<Item = (&str, &str)> {
        let former = self.former.iter().map(|(name, namespace)| (name.as_str(), namespace.as_str()));
        former.chain([(self.name(), self.namespace())])
    }

    /// Whether it is the object that a patch or a generator names. A namespace counts where both have one.
    pub fn is(&self, kind: &str, group: &str, name: &str, namespace: &str) -> bool {
        self.kind() == kind
            && self.group() == group
            && self.ids().any(|(n, ns)| n == name && (ns == namespace || is_default(ns) && is_default(namespace)))
    }
}

fn is_default(namespace: &str) -> bool {
    matches!(namespace, "" | "default")
}

fn text<'n>(node: &'n Node, path: &[&str]) -> &'n str {
    node.at(path).and_then(Node::text).unwrap_or_default()
}

/// The items of a `List`, however deep, or the object itself.
pub fn unfold<'n>(root: &'n Node, out: &mut Vec<&'n Node>) {
    let is_list = root.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
    match root.get("items").map(|i| &i.value) {
        Some(Value::Seq(items)) if is_list => items.iter().for_each(|item| unfold(item, out)),
        _ => out.push(root),
    }
}

/// Whether Kubernetes itself defines a group, so that lists of its kinds merge by their keys.
pub fn is_builtin(group: &str) -> bool {
    !group.contains('.')
        || matches!(
            group,
            "networking.k8s.io"
                | "rbac.authorization.k8s.io"
                | "storage.k8s.io"
                | "admissionregistration.k8s.io"
                | "apiextensions.k8s.io"
                | "apiregistration.k8s.io"
                | "coordination.k8s.io"
                | "discovery.k8s.io"
                | "events.k8s.io"
                | "flowcontrol.apiserver.k8s.io"
                | "node.k8s.io"
                | "scheduling.k8s.io"
                | "authentication.k8s.io"
                | "authorization.k8s.io"
                | "certificates.k8s.io"
        )
}

/// Whether objects of a kind stand in no namespace.
pub fn is_cluster_wide(kind: &str, group: &str) -> bool {
    match group {
        "" => matches!(kind, "Namespace" | "Node" | "PersistentVolume" | "ComponentStatus"),
        "rbac.authorization.k8s.io" => matches!(kind, "ClusterRole" | "ClusterRoleBinding"),
        "storage.k8s.io" => kind != "CSIStorageCapacity",
        "apiextensions.k8s.io" | "apiregistration.k8s.io" | "admissionregistration.k8s.io" | "scheduling.k8s.io" => {
            true
        }
        "networking.k8s.io" => kind == "IngressClass",
        "certificates.k8s.io" | "node.k8s.io" | "flowcontrol.apiserver.k8s.io" => true,
        "policy" => kind == "PodSecurityPolicy",
        _ => false,
    }
}
