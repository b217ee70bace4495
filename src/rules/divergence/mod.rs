//! Variables of the environments against each other, across files and across refs: what must differ, what must match,
//! what must exist in both. Owns when the comparison is made; `model` has the table, `tell` the words.
//! Values are read, compared and never shown.

mod compare;
mod keys;
mod markers;
mod model;
mod normalise;
mod settings;
mod side;
mod sources;
mod tell;

pub use compare::{Row, asked, rows, sides};
pub use markers::{Placeholders, names, of_text};
pub use model::{Kind, Requirement, Standing, Value, Verdict, judge};
pub use normalise::of_text as normalised;
pub use settings::{Opaque, Settings, Source};
pub use side::{Gap, Side, Views};
pub use sources::{Format, Variable};

use bstr::ByteSlice;
use jiff::civil::Date;

use super::{Check, Checks, Rule};
use crate::error::Result;
use crate::finding::Findings;
use crate::subject::{Kinds, Tree};
use tell::Tell;

pub static RULE: Rule = Rule {
    id: "divergence",
    looks_at: Kinds::TREE,
    policy: include_str!("../../../policies/divergence.yml"),
    compile: |options| {
        let settings = Settings::read(options, today());
        // Without sources there is nothing to compare, and the tree is not even listed.
        if settings.sources.is_empty() {
            return Checks::default();
        }
        Checks { trees: vec![Box::new(Divergence::new(settings))], ..Checks::default() }
    },
};

/// In UTC, so that every gate agrees on what has expired.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The compiled rule.
pub struct Divergence {
    settings: Settings,
}

impl Divergence {
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Check<Tree<'_>> for Divergence {
    fn check(&self, tree: &Tree<'_>, out: &mut Findings<'_>) -> Result<()> {
        let settings = &self.settings;
        let name = tree.name.as_ref().map(|n| n.as_bstr());
        let mut views = Views::new(tree.snapshot, name)?;
        let mut before = tree.before.map(|b| Views::new(b, name)).transpose()?;
        let mut touched = false;
        for source in &settings.sources {
            if !is_touched(settings, source, &views, before.as_ref()) {
                continue;
            }
            touched = true;
            let sides = sides(&mut views, source, settings)?;
            // Who took a key away, or brought the first reference to it, is asked only where one is missing.
            let earlier = match &mut before {
                Some(before) if lacks(&sides) => compare::sides(before, source, settings)?,
                _ => Vec::new(),
            };
            Tell { settings, source, earlier: &earlier, before: before.is_some() }.all(&sides, out);
        }
        if touched || before.is_none() {
            settings.keys.expired(settings.today).for_each(|key| out.push(tell::expired(key)));
        }
        Ok(())
    }
}

/// Whether any environment lacks what another has.
fn lacks(sides: &[Side]) -> bool {
    sides.windows(2).any(|pair| !pair[0].variables.keys().eq(pair[1].variables.keys()))
}

/// Whether the change brings, changes or removes a file of the source. Without a tree before it, everything is new.
fn is_touched(settings: &Settings, source: &Source, views: &Views<'_>, before: Option<&Views<'_>>) -> bool {
    let places = source.places.iter().zip(&settings.environments);
    places.filter_map(|(p, e)| Some((p.as_ref()?, e))).any(|(place, environment)| {
        if !views.is_here(place, &environment.branches) {
            return false;
        }
        let Some(before) = before else { return true };
        let (now, then) = (views.watched(place, source), before.watched(place, source));
        now.len() != then.len() || now.iter().zip(&then).any(|(a, b)| a != b || a.blob.is_none())
    })
}
