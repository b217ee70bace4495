//! Masks secrets in every text of a plan, whatever field it is in.

use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::plan::Plan;
use crate::error::{Error, Result};
use crate::finding::Mask;

/// Masks every text of a plan, a status, notes and their like. Ids and numbers are as they were.
pub fn masked<T: Serialize + DeserializeOwned>(told: &T, mask: &Mask<'_>) -> Result<T> {
    let wrong = |e: serde_json::Error| Error::undecided(format!("the answer cannot be masked: {e}"));
    let mut value = serde_json::to_value(told).map_err(wrong)?;
    mask_texts(&mut value, mask);
    serde_json::from_value(value).map_err(wrong)
}

fn mask_texts(value: &mut Value, mask: &Mask<'_>) {
    match value {
        Value::String(text) => *text = mask.words(text),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_texts(item, mask)),
        Value::Object(members) => members.values_mut().for_each(|member| mask_texts(member, mask)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A proposal has a whole file in it, whose kind says how its values are read: what is a secret there is one everywhere.
pub fn learn_from_proposals(plan: &Plan, mask: &mut Mask<'_>, secrets_of: impl Fn(&str, &[u8]) -> Vec<Range<usize>>) {
    for proposal in plan.steps.iter().flat_map(|step| &step.proposals) {
        let text = proposal.text.as_bytes();
        mask.learn(text, secrets_of(&proposal.path, text));
    }
}
