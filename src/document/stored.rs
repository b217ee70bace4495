//! A file's bytes with a cache of its parsed documents, so that all rules share one parse.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use super::{Document, Format};

/// A file's bytes and its parsed documents.
#[derive(Debug)]
pub struct Stored {
    bytes: Vec<u8>,
    /// `None` to keep no documents.
    documents: Option<RefCell<Vec<(Format, Rc<Document>)>>>,
}

impl Stored {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, documents: Some(RefCell::default()) }
    }

    /// For one of many files: keeps no documents, which are ten times as large as the bytes.
    pub fn uncached(bytes: Vec<u8>) -> Self {
        Self { bytes, documents: None }
    }

    /// The file parsed in this format; parsed once if documents are kept.
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
