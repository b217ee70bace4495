//! Kustomizations: one environment's is not made of another's files.

use bstr::ByteSlice as _;

use super::Scene;
use crate::finding::Severity;
use crate::manifests;
use crate::options::Environment;
use crate::rules::structured::environment_in;
use crate::yaml::Node;

const CODE: &str = "deployments/foreign-file";

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let path = scene.path().to_owned();
    let directory = manifests::directory(path.as_ref());
    let environments = &scene.rules.environments;
    let Some(own) = environment_in(&directory.to_str_lossy(), environments) else { return };
    // Where environments have directories of their own, a longer name (`base/namespaces/shop-dev`) is about something else.
    let is_plain = environment_of_file(&directory.to_str_lossy(), environments) == Some(own);
    let mut found: Vec<(&Node, String, usize)> = Vec::new();
    let foreign = |node: &Node| -> Option<usize> {
        let text = node.text().filter(|t| !t.contains('\n') && !manifests::is_remote(t))?;
        let text = text.split_once('=').map_or(text, |(_, path)| path);
        let other = match manifests::join(directory, text)? {
            below if below.starts_with(directory) => environment_of_file(text, environments)?,
            apart if is_plain => environment_of_file(&apart.to_str_lossy(), environments)?,
            apart => environment_in(&apart.to_str_lossy(), environments)?,
        };
        (other != own).then_some(other)
    };
    let list = |key: &str| root.get(key).map_or(&[][..], Node::items);
    for key in ["resources", "bases", "components", "patchesStrategicMerge"] {
        for (n, item) in list(key).iter().enumerate() {
            if let Some(other) = foreign(item) {
                found.push((item, format!("{key}[{n}]"), other));
            }
        }
    }
    for key in ["patches", "patchesJson6902", "configMapGenerator", "secretGenerator"] {
        for (n, item) in list(key).iter().enumerate() {
            let lists = ["files", "envs"].into_iter().flat_map(|k| item.get(k).map_or(&[][..], Node::items));
            for node in ["path", "env"].into_iter().filter_map(|k| item.get(k)).chain(lists) {
                if let Some(other) = foreign(node) {
                    found.push((node, format!("{key}[{n}]"), other));
                }
            }
        }
    }
    for (node, key, other) in found {
        let names = [own, other].map(|n| scene.rules.environments[n].name.clone());
        let message = format!("the kustomization of {} uses a file of {}", names[0], names[1]);
        let help = "move what both use into a base, or use the environment's own file";
        scene.tell(CODE, Severity::Warning, node.span.clone(), &key, (message, help));
    }
}

/// The environment that a file of one's own directory is for: `staging.env`, `patch.staging.yaml`. A word in a longer
/// name (`dev-tools.yaml`) says what a file is about, not whose it is.
fn environment_of_file(path: &str, environments: &[Environment]) -> Option<usize> {
    let is_part = |alias: &String| path.split(['/', '.']).any(|part| part.eq_ignore_ascii_case(alias));
    let mut named = environments.iter().enumerate().filter(|(_, e)| e.aliases.iter().any(is_part));
    let (first, _) = named.next()?;
    named.next().is_none().then_some(first)
}
