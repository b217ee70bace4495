//! How the content of a file is judged: text, binary content, the files of an archive, and what is too large to be held.
//! Owns which of it is passed over, and says so where an archive cannot be opened.

use bstr::{BStr, ByteSlice as _};

use super::scan::chunks::Chunks;
use super::{Hit, PrescanState, Secrets, archive, content, detectors, encoding};
use crate::error::Result;
use crate::finding::{Confidence, Findings, Origin, Violation};
use crate::subject::File;
use crate::text::Before;

impl Secrets {
    pub(super) fn file(&self, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        let Some(bytes) = file.content.whole()? else { return self.in_chunks(file, out) };
        let inside = match archive::kind(bytes) {
            Some(kind) => self.in_archive(kind, bytes, file, out),
            None => Vec::new(),
        };
        self.in_content(bytes, None, file, &inside, out);
        Ok(())
    }

    /// The trace of content that the scanner does not see as it is.
    pub(super) fn outside(&self, bytes: &[u8]) -> Option<PrescanState> {
        if bytes.len() > self.settings.window.min(u32::MAX as usize / 2) {
            return Some(PrescanState::Unread);
        }
        if archive::kind(bytes).is_some() {
            return Some(PrescanState::Unread);
        }
        if encoding::is_plain(bytes) {
            return None;
        }
        if self.passes_over(bytes) {
            return Some(PrescanState::Ignored);
        }
        let content = content(bytes);
        let found = || self.hits(&content.text, None).iter().any(|hit| self.counts_in_binary(hit));
        Some(if content.binary && !found() { PrescanState::Ignored } else { PrescanState::Unread })
    }

    fn passes_over(&self, bytes: &[u8]) -> bool {
        !self.settings.binary && encoding::is_media(bytes)
    }

    /// Strings of a program look like assignments everywhere: what has a provider's own form counts there, and what has a
    /// common one if that is asked for.
    fn counts_in_binary(&self, hit: &Hit<'_>) -> bool {
        let most = if self.settings.binary { 1 } else { 0 };
        hit.confidence > Confidence::Low
            && hit.detector.paths.is_empty()
            && detectors::table::rank(hit.detector) <= most
    }

    /// Judges a file's content, or that of an entry of an archive; secrets that are `known` are told of already.
    /// Returns the secrets found.
    fn in_content(
        &self,
        bytes: &[u8],
        entry: Option<&BStr>,
        file: &File<'_>,
        known: &[Vec<u8>],
        out: &mut Findings<'_>,
    ) -> Vec<Vec<u8>> {
        let origin = || Origin::File { path: file.path.to_owned(), commit: file.commit, blob: file.blob };
        let path = entry.unwrap_or(file.path);
        if self.passes_over(bytes) {
            return Vec::new();
        }
        let content = content(bytes);
        let mut hits = self.hits(&content.text, Some(path));
        hits.retain(|hit| !content.binary || self.counts_in_binary(hit));
        hits.retain(|hit| !known.iter().any(|known| *known == content.text[hit.secret.clone()]));
        self.report_in(&content.text, entry, &hits, origin, out);
        let mut found: Vec<Vec<u8>> = hits.iter().map(|hit| content.text[hit.secret.clone()].to_vec()).collect();
        if let Some(joined) = &content.joined {
            let mut hits = self.hits(joined, Some(path));
            hits.retain(|hit| !content.text.contains_str(&joined[hit.secret.clone()]));
            self.report_in(joined, entry, &hits, origin, out);
            found.extend(hits.iter().map(|hit| joined[hit.secret.clone()].to_vec()));
        }
        found
    }

    /// Judges the files of an archive; what cannot be opened is a finding. Returns the secrets found.
    fn in_archive(&self, kind: archive::Kind, bytes: &[u8], file: &File<'_>, out: &mut Findings<'_>) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let read = archive::read(kind, bytes, file.path, &mut |name, content| {
            found.extend(self.in_content(content, Some(name), file, &[], out));
        });
        if let Err(why) = read {
            self.unread(&why, file, out);
        }
        found
    }

    fn unread(&self, why: &str, file: &File<'_>, out: &mut Findings<'_>) {
        let origin = Origin::File { path: file.path.to_owned(), commit: file.commit, blob: file.blob };
        out.push(
            Violation::new("secrets/unread", self.settings.unread, origin, b"", 0..0)
                .message(format!("this archive is not searched for secrets: {why}"))
                .help("unpack it and search what it holds, or keep it out of the repository")
                .identity([file.path.as_bytes()]),
        );
    }

    /// Judges a file that is too large to be held, in chunks that overlap.
    fn in_chunks(&self, file: &File<'_>, out: &mut Findings<'_>) -> Result<()> {
        let origin = || Origin::File { path: file.path.to_owned(), commit: file.commit, blob: file.blob };
        let done = file.content.open(&mut |input| {
            let mut chunks = Chunks::new(input, self.settings.window)?;
            let binary = chunks.is_binary();
            if !self.settings.binary && chunks.is_media() {
                return Ok(());
            }
            if chunks.is_archive() {
                self.unread("it is too large", file, out);
            }
            while let Some(chunk) = chunks.next()? {
                out.in_part(chunk.before);
                let mut hits = self.hits(chunk.text, Some(file.path));
                hits.retain(|hit| chunk.own.contains(&hit.range.start) && (!binary || self.counts_in_binary(hit)));
                self.report(chunk.text, &hits, origin, out);
            }
            Ok(())
        });
        out.in_part(Before::default());
        done
    }
}
