//! Secrets in names: of files, of branches, tags and other refs. A name is read like a message; everybody who lists a
//! tree or the refs has it.

use bstr::{BStr, ByteSlice as _};

use super::{Secrets, remedies};
use crate::error::Result;
use crate::finding::{Findings, Origin, Surroundings, Violation};
use crate::rules::Check;
use crate::subject::{File, RefUpdate};

impl Secrets {
    /// What stands in the path of a file.
    pub(super) fn check_path(&self, file: &File<'_>, out: &mut Findings<'_>) {
        for hit in self
            .hits(file.path, None)
            .iter()
            .filter(|hit| !self.allowed(file.path, hit, &mut Surroundings::new(file.path)))
        {
            let origin = Origin::File { path: file.path.to_owned(), commit: file.commit, blob: file.blob };
            out.push(
                Violation::new(self.code(hit), self.severity(hit), origin, file.path, hit.secret.clone())
                    .message(format!("found {} in the name of a file", hit.detector.name))
                    .confidence(hit.confidence)
                    .secret(hit.secret.clone())
                    .help(remedies::of_path(hit.detector, file.commit)),
            );
        }
    }

    /// Whether a name holds a secret, whatever the file has in it.
    pub(super) fn is_wanted_for_its_path(&self, path: &BStr) -> bool {
        !self.hits(path, None).is_empty()
    }
}

impl<'a> Check<RefUpdate<'a>> for Secrets {
    fn check(&self, update: &RefUpdate<'a>, out: &mut Findings<'_>) -> Result<()> {
        // A name that others brought, or one that is taken away, is nobody's fault today.
        if update.old.is_some() || update.new.is_none() {
            return Ok(());
        }
        let name = update.name.as_bstr();
        for hit in self.hits(name, None).iter().filter(|hit| !self.allowed(name, hit, &mut Surroundings::new(name))) {
            let line = update.line();
            let at = line.name.start;
            let secret = at + hit.secret.start..at + hit.secret.end;
            out.push(
                Violation::on_ref(self.code(hit), self.severity(hit), update, &line, secret.clone())
                    .identity([hit.detector.id.as_bytes(), b"name of a ref"])
                    .message(format!("found {} in the name of a ref", hit.detector.name))
                    .confidence(hit.confidence)
                    .secret(secret)
                    .help(remedies::of_ref(hit.detector)),
            );
        }
        Ok(())
    }
}
