//! The last step before any renderer: nothing in a report shows a secret that a detector or a finding of the run knows.

use crate::finding::{Mask, Origin};

use super::{Report, Undecided};

impl Report {
    /// Masks every text of the report.
    pub fn masked(mut self, mask: &Mask<'_>) -> Self {
        self.findings.iter_mut().for_each(|finding| mask.finding(finding));
        self.errors.iter_mut().for_each(|undecided| undecided.mask(mask));
        self.notes.iter_mut().for_each(|note| *note = mask.words(note));
        self
    }
}

impl Undecided {
    fn mask(&mut self, mask: &Mask<'_>) {
        self.error.message = mask.words(&self.error.message);
        self.error.hint = self.error.hint.as_deref().map(|hint| mask.words(hint));
        if let Some(name) = self.origin.as_mut().and_then(Origin::name_mut) {
            *name = mask.bytes(name).into();
        }
    }
}
