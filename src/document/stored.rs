//! A file that was read. Owns that it is parsed once for all who ask; how, is each format's matter.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use super::{Document, Format};

/// Bytes as stored, and the documents that were asked of them.
#[derive(Debug)]
pub struct Stored {
    bytes: Vec<u8>,
    /// `None`: they are not kept.
    documents: Option<RefCell<Vec<(Format, Rc<Document>)>>>,
}

impl Stored {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, documents: Some(RefCell::default()) }
    }

    /// Of many: documents, which are ten times their bytes, go when nobody needs them.
    pub fn in_passing(bytes: Vec<u8>) -> Self {
        Self { bytes, documents: None }
    }

    /// What the file holds, read in this format: parsed at the first call where documents are kept.
    pub fn document(&self, format: Format) -> Rc<Document> {
        let Some(documents) = &self.documents else { return Rc::new(Document::read(format, &self.bytes)) };
        let mut documents = documents.borrow_mut();
        if let Some((_, document)) = documents.iter().find(|(f, _)| *f == format) {
            return Rc::clone(document);
        }
        let document = Rc::new(Document::read(format, &self.bytes));
        documents.push((format, Rc::clone(&document)));
        document
    }
}

impl Deref for Stored {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
