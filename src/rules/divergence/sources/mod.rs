//! How the variables of an environment are read from its files, one reader per format. Owns [`Format`] and
//! [`Variable`]; which files they are is `settings`' matter.

mod compose;
mod flat;
mod k8s;
mod windmill;

use std::ops::Range;
use std::rc::Rc;

use bstr::BStr;

use super::markers::{self, Placeholders};
use super::model::{Kind, Value};
use crate::document::{self, Document};
use crate::yaml::{Mistake, Node, Value as Yaml};

pub use windmill::is_item;

/// How a source is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Windmill,
    Dotenv,
    K8sConfig,
    Yaml,
    HelmValues,
    Json,
    Toml,
    Tfvars,
    Compose,
}

const FORMATS: [(&str, Format); 9] = [
    ("windmill", Format::Windmill),
    ("dotenv", Format::Dotenv),
    ("k8s-config", Format::K8sConfig),
    ("yaml", Format::Yaml),
    ("helm-values", Format::HelmValues),
    ("json", Format::Json),
    ("toml", Format::Toml),
    ("tfvars", Format::Tfvars),
    ("compose", Format::Compose),
];

impl Format {
    pub fn named(name: &str) -> Option<Self> {
        FORMATS.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
    }

    pub fn names() -> Vec<&'static str> {
        FORMATS.iter().map(|(n, _)| *n).collect()
    }

    /// How a file of this name is written; `None` where such a file is none of the source's.
    pub fn document(self, path: &BStr) -> Option<document::Format> {
        let by_name = document::Format::of(path);
        match self {
            Self::Dotenv => Some(document::Format::Dotenv),
            Self::Toml => Some(document::Format::Toml),
            Self::Tfvars if path.ends_with(b".tfvars.json") => Some(document::Format::Json),
            Self::Tfvars => Some(document::Format::Tfvars),
            Self::Json => Some(document::Format::Json),
            _ => by_name.filter(|f| matches!(f, document::Format::Yaml | document::Format::Json)),
        }
    }
}

/// One variable of one environment.
pub struct Variable {
    /// What it belongs to, the environment's own name taken out: `ConfigMap/app`, a service, a file. May be empty.
    pub object: Rc<str>,
    pub name: String,
    /// As policies name it: `name`, or `object/name` where there are several objects. Set when all sides are read.
    pub key: Rc<str>,
    /// Index of the text that it stands in.
    pub text: usize,
    pub key_span: Range<usize>,
    pub span: Range<usize>,
    pub value: Value,
    /// What must be the same whatever the value: whether it is secret, its type.
    pub attribute: Option<String>,
}

/// Collects variables of one file.
pub struct Reader<'r> {
    /// Words that name the environment.
    pub words: &'r [String],
    pub placeholders: &'r Placeholders,
    /// Set on everything: the file, where there are several.
    prefix: String,
    text: usize,
    pub found: Vec<Variable>,
    /// The object of the last variable as its file calls it, and as [`Variable::object`] does.
    last: (String, Rc<str>),
}

impl<'r> Reader<'r> {
    pub fn new(words: &'r [String], placeholders: &'r Placeholders) -> Self {
        let nothing = (String::new(), Rc::from(""));
        Self { words, placeholders, prefix: String::new(), text: 0, found: Vec::new(), last: nothing }
    }

    /// The file that is read next. `prefix`: what tells its variables from those of the others; may be empty.
    pub fn begin(&mut self, text: usize, prefix: String) {
        self.text = text;
        self.last = (String::new(), prefix.as_str().into());
        self.prefix = prefix;
    }

    /// The file, where there are several, and the object in it.
    fn object(&mut self, name: &str) -> Rc<str> {
        if self.last.0 != name {
            let own = neutral(name, self.words);
            let colon = if self.prefix.is_empty() || own.is_empty() { "" } else { ":" };
            self.last = (name.to_owned(), format!("{}{colon}{own}", self.prefix).into());
        }
        Rc::clone(&self.last.1)
    }

    /// Reads a file. `Err`: it has more keys than can be listed.
    pub fn read(&mut self, format: Format, path: &BStr, document: &Document) -> Result<(), Mistake> {
        match format {
            Format::K8sConfig => k8s::read(self, document),
            Format::Compose => compose::read(self, document),
            Format::Windmill => return windmill::read(self, path, document),
            _ => return flat::read(self, document),
        }
        Ok(())
    }

    /// A value that stands at a node.
    fn push(&mut self, object: &str, name: &str, key: &Node, node: &Node, value: Value) {
        let object = self.object(object);
        self.found.push(Variable {
            key: Rc::clone(&object),
            object,
            name: name.to_owned(),
            text: self.text,
            key_span: key.span.clone(),
            span: node.span.clone(),
            value,
            attribute: None,
        });
    }

    /// A file that nobody here can read is one variable.
    pub fn whole_file(&mut self, span: Range<usize>, value: Value) {
        let (object, name) = (self.object(""), "(the whole file)".to_owned());
        let key = Rc::clone(&object);
        let text = self.text;
        self.found.push(Variable { object, name, key, text, key_span: 0..0, span, value, attribute: None });
    }

    /// What a leaf holds: a scalar by its marks, a list by its items, an alias as a reference within the file.
    fn value(&self, node: &Node) -> Value {
        match &node.value {
            Yaml::Scalar { tag: Some(tag), text, .. } if tag.ends_with("vault") => {
                Value { kind: Kind::Randomised, text: text.trim().to_owned(), targets: Vec::new() }
            }
            Yaml::Scalar { .. } => markers::of_node(node, self.placeholders),
            Yaml::Alias => reference("*", vec!["*".to_owned()]),
            Yaml::Map(entries) if entries.is_empty() => plain("{}"),
            _ => {
                let mut parts = String::new();
                node.walk(&mut |steps, node| {
                    if node.text().is_some() {
                        parts.push_str(&crate::yaml::dotted(steps));
                        parts.push('=');
                        parts.push_str(&markers::of_node(node, self.placeholders).text);
                        parts.push('\n');
                    }
                });
                plain(&parts)
            }
        }
    }

    /// A `NAME=value` text.
    fn assignment(&mut self, object: &str, node: &Node) {
        let Some(text) = node.text() else { return };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, markers::of_text(value, self.placeholders)),
            None => (text, reference(text, vec![text.to_owned()])),
        };
        self.push(object, name.trim(), node, node, value);
    }
}

fn plain(text: &str) -> Value {
    Value { kind: Kind::Plain, text: text.to_owned(), targets: Vec::new() }
}

fn reference(text: &str, targets: Vec<String>) -> Value {
    Value { kind: Kind::Reference, text: text.to_owned(), targets }
}

/// A name with the environment's words taken out, so that `app-staging` and `app-production` are one.
pub fn neutral(name: &str, words: &[String]) -> String {
    let mut out = String::new();
    let mut rest = name;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(if words.iter().any(|w| w.eq_ignore_ascii_case(word)) { "{environment}" } else { word });
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

/// `kind/name` of a Kubernetes object, or nothing.
fn object_of(root: &Node) -> Option<String> {
    let kind = root.get("kind")?.text()?;
    let name = root.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
    Some(format!("{kind}/{name}"))
}
