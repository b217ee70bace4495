//! Stages of Kargo: the branches that their promotions check out are the environment's.

use super::Scene;
use crate::finding::Severity;
use crate::yaml::Node;

const CODE: &str = "deployments/kargo-branch";

pub fn check(scene: &mut Scene<'_, '_, '_>, root: &Node) {
    let group = root.get("apiVersion").and_then(Node::text).unwrap_or_default();
    if !group.starts_with("kargo.akuity.io/") || root.get("kind").and_then(Node::text) != Some("Stage") {
        return;
    }
    let text = |path: &[&str]| root.at(path).and_then(Node::text);
    // A stage is an environment: its own name says which, before the file that may hold several.
    let environments = &scene.rules.environments;
    let by_name = text(&["metadata", "name"]).and_then(|n| crate::rules::structured::environment_in(n, environments));
    let Some(environment) = by_name.or_else(|| scene.environment(root, [text(&["metadata", "namespace"])])) else {
        return;
    };
    let steps = root.at(&["spec", "promotionTemplate", "spec", "steps"]).map_or(&[][..], Node::items);
    for (n, step) in steps.iter().enumerate() {
        if !step.get("uses").and_then(Node::text).is_some_and(|u| u.starts_with("git-clone")) {
            continue;
        }
        for (m, checkout) in step.at(&["config", "checkout"]).map_or(&[][..], Node::items).iter().enumerate() {
            for key in ["branch", "tag"] {
                let Some(node) = checkout.get(key) else { continue };
                let Some(revision) = node.text().filter(|t| !t.contains("${{")) else { continue };
                // A branch that Kargo writes to (`stage/production`) is nobody's but its own.
                if !scene.rules.revisions.belongs_to_another(environment, revision) {
                    continue;
                }
                let name = scene.rules.environments[environment].name.clone();
                let shown = scene.rules.revisions.shown(environment);
                let message =
                    format!("the stage of {name} checks out a {key} of another environment (its own: {shown})");
                let key = format!("spec.promotionTemplate.spec.steps[{n}].config.checkout[{m}].{key}");
                let help = "check out the environment's own branch, or a commit that its freight names";
                scene.tell(CODE, Severity::Error, node.span.clone(), &key, (message, help));
            }
        }
    }
}
