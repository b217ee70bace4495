//! What a kustomization changes on every object: namespaces, prefixes and suffixes, labels, annotations, replicas,
//! images. Owns where each is written; in which order they run is the builder's.

use crate::manifests::edit;
use crate::manifests::object::{Object, is_cluster_wide};
use crate::yaml::{Node, Value};

pub fn namespace(objects: &mut [Object], to: &Node) {
    let Some(name) = to.text().filter(|t| !t.is_empty()) else { return };
    for object in objects {
        if matches!(object.kind(), "RoleBinding" | "ClusterRoleBinding")
            && let Some(Value::Seq(subjects)) = edit::get_mut(&mut object.node, "subjects").map(|n| &mut n.value)
        {
            for subject in subjects {
                let text = |key: &str| subject.get(key).and_then(Node::text);
                if text("kind") == Some("ServiceAccount") && text("name") == Some("default") {
                    edit::set(subject, "namespace", edit::string(name, to.span.clone()));
                }
            }
        }
        if object.kind() == "Namespace" && object.group().is_empty() {
            // The object is the namespace itself.
            object.remember();
            if let Some(metadata) = edit::make(&mut object.node, &["metadata"], &to.span) {
                edit::set(metadata, "name", edit::string(name, to.span.clone()));
            }
            continue;
        }
        if is_cluster_wide(object.kind(), object.group()) {
            continue;
        }
        object.remember();
        if let Some(metadata) = edit::make(&mut object.node, &["metadata"], &to.span) {
            edit::set(metadata, "namespace", edit::string(name, to.span.clone()));
        }
    }
}

/// `namePrefix` and `nameSuffix`.
pub fn rename(objects: &mut [Object], prefix: Option<&Node>, suffix: Option<&Node>) {
    let text = |node: Option<&Node>| node.and_then(Node::text).unwrap_or_default().to_owned();
    let (before, after) = (text(prefix), text(suffix));
    if before.is_empty() && after.is_empty() {
        return;
    }
    for object in objects {
        if matches!(object.kind(), "Namespace" | "CustomResourceDefinition" | "APIService") || object.name().is_empty()
        {
            continue;
        }
        object.remember();
        let name = format!("{before}{}{after}", object.name());
        if let Some(node) = edit::at_mut(&mut object.node, &["metadata", "name"]) {
            node.value = edit::string(name, 0..0).value;
        }
    }
}

/// `labels` and `commonLabels`.
pub fn labels(objects: &mut [Object], root: &Node) {
    for one in root.get("labels").map_or(&[][..], Node::items) {
        let flag = |key: &str| one.get(key).and_then(Node::as_bool) == Some(true);
        if let Some(pairs) = one.get("pairs") {
            add_labels(objects, pairs, flag("includeSelectors"), flag("includeTemplates") || flag("includeSelectors"));
        }
    }
    if let Some(pairs) = root.get("commonLabels") {
        add_labels(objects, pairs, true, true);
    }
}

fn add_labels(objects: &mut [Object], pairs: &Node, selectors: bool, templates: bool) {
    for object in objects {
        put_all(&mut object.node, &["metadata", "labels"], pairs);
        let group = object.group().to_owned();
        let kind = object.kind().to_owned();
        let node = &mut object.node;
        let workload = matches!(group.as_str(), "apps" | "extensions")
            && matches!(kind.as_str(), "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet");
        if templates {
            match kind.as_str() {
                "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "ReplicationController" | "Job" => {
                    put_all(node, &["spec", "template", "metadata", "labels"], pairs);
                }
                "CronJob" => {
                    put_all(node, &["spec", "jobTemplate", "metadata", "labels"], pairs);
                    put_all(node, &["spec", "jobTemplate", "spec", "template", "metadata", "labels"], pairs);
                }
                _ => {}
            }
            if kind == "StatefulSet"
                && let Some(Value::Seq(claims)) =
                    edit::at_mut(node, &["spec", "volumeClaimTemplates"]).map(|n| &mut n.value)
            {
                claims.iter_mut().for_each(|claim| put_all(claim, &["metadata", "labels"], pairs));
            }
        }
        if selectors {
            match kind.as_str() {
                "Service" | "ReplicationController" if group.is_empty() => put_all(node, &["spec", "selector"], pairs),
                _ if workload => put_all(node, &["spec", "selector", "matchLabels"], pairs),
                "PodDisruptionBudget" | "Job" => put_existing(node, &["spec", "selector", "matchLabels"], pairs),
                "NetworkPolicy" => put_existing(node, &["spec", "podSelector", "matchLabels"], pairs),
                _ => {}
            }
        }
    }
}

pub fn annotations(objects: &mut [Object], pairs: &Node) {
    for object in objects {
        let kind = object.kind().to_owned();
        put_all(&mut object.node, &["metadata", "annotations"], pairs);
        let template: &[&str] = match kind.as_str() {
            "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "ReplicationController" | "Job" => {
                &["spec", "template", "metadata", "annotations"]
            }
            "CronJob" => {
                put_all(&mut object.node, &["spec", "jobTemplate", "metadata", "annotations"], pairs);
                &["spec", "jobTemplate", "spec", "template", "metadata", "annotations"]
            }
            _ => continue,
        };
        put_all(&mut object.node, template, pairs);
    }
}

fn put_all(node: &mut Node, path: &[&str], pairs: &Node) {
    if let Some(map) = edit::make(node, path, &pairs.span) {
        for (key, value) in pairs.entries() {
            let text = value.text().unwrap_or_default();
            edit::set_with(map, key.clone(), edit::string(text, value.span.clone()));
        }
    }
}

fn put_existing(node: &mut Node, path: &[&str], pairs: &Node) {
    if node.at(path).is_some() {
        put_all(node, path, pairs);
    }
}

pub fn replicas(objects: &mut [Object], list: &[Node]) {
    for one in list {
        let (Some(name), Some(count)) = (one.get("name").and_then(Node::text), one.get("count")) else { continue };
        for object in objects.iter_mut() {
            let scales = matches!(object.kind(), "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet");
            if scales
                && object.ids().any(|(n, _)| n == name)
                && let Some(spec) = edit::make(&mut object.node, &["spec"], &count.span)
            {
                edit::set(spec, "replicas", count.clone());
            }
        }
    }
}

/// `images`: other names, tags and digests.
pub fn images(objects: &mut [Object], list: &[Node]) {
    for one in list {
        let text = |key: &str| one.entry(key).map(|(_, v)| v).filter(|v| v.text().is_some_and(|t| !t.is_empty()));
        let Some(name) = text("name").and_then(Node::text) else { continue };
        let change = |node: &mut Node| {
            let Some(written) = node.text() else { return };
            let (image, tag, digest) = image_parts(written);
            if image != name {
                return;
            }
            let new_name = text("newName").and_then(Node::text).unwrap_or(image);
            let last = text("digest").or(text("newTag")).or(text("newName"));
            let new = match (text("digest").and_then(Node::text), text("newTag").and_then(Node::text)) {
                (Some(digest), _) => format!("{new_name}@{digest}"),
                (None, Some(tag)) => format!("{new_name}:{tag}"),
                (None, None) => {
                    let tag = tag.map(|t| format!(":{t}")).unwrap_or_default();
                    let digest = digest.map(|d| format!("@{d}")).unwrap_or_default();
                    format!("{new_name}{tag}{digest}")
                }
            };
            let span = last.map_or(node.span.clone(), |n| n.span.clone());
            *node = edit::string(new, span);
        };
        for object in objects.iter_mut() {
            if object.kind() == "CustomResourceDefinition" {
                continue;
            }
            edit::each_map(&mut object.node, &mut |map| {
                for key in ["containers", "initContainers", "ephemeralContainers"] {
                    if let Some(Value::Seq(containers)) = edit::get_mut(map, key).map(|n| &mut n.value) {
                        for container in containers {
                            if let Some(node) = edit::get_mut(container, "image") {
                                change(node);
                            }
                        }
                    }
                }
            });
        }
    }
}

/// Name, tag and digest of an image: `registry:5000/a/b:1@sha256:0`.
pub fn image_parts(image: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    let last = rest.rfind('/').map_or(0, |at| at + 1);
    match rest[last..].find(':') {
        Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..]), digest),
        None => (rest, None, digest),
    }
}
