//! How the variables of an environment are read from its files, one reader per format. Owns [`Format`], [`Variable`] and
//! the collecting of variables; which files they are is `settings`' matter.

mod compose;
mod flat;
mod k8s;
mod values;
mod windmill;

use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::markers::{self, Placeholders};
use super::model::{Kind, Value};
use crate::document;
use crate::error::Result;
use crate::manifests::{Files, SourceFile, Unseen};
use crate::yaml::{Mistake, Node, Value as Yaml};

pub use compose::project;
pub use values::defaults;
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
            Self::K8sConfig if path.ends_with(b"Kustomization") => Some(document::Format::Yaml),
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
    /// What it is written in, and where.
    pub file: Rc<SourceFile>,
    pub key_span: Range<usize>,
    pub span: Range<usize>,
    pub value: Value,
    /// What must be the same whatever the value: whether it is secret, its type.
    pub attribute: Option<String>,
    /// Environments may have their own, or none, unless the policy says otherwise: an image's tag, values of a chart.
    pub free: bool,
    /// A default that the environment's own files do not repeat.
    pub inherited: bool,
}

/// Collects the variables of one environment.
pub struct Reader<'r, 's> {
    pub files: &'r Files<'s>,
    /// Words that name the environment.
    pub words: &'r [String],
    pub placeholders: &'r Placeholders,
    /// Set on everything: the file, where there are several.
    prefix: String,
    free: bool,
    inherited: bool,
    pub found: Vec<Variable>,
    /// Every file that variables could stand in.
    pub read: Vec<Rc<SourceFile>>,
    pub unseen: Vec<Unseen>,
    pub mistakes: Vec<(Rc<SourceFile>, Mistake)>,
    /// The object of the last variable as its file calls it, and as [`Variable::object`] does.
    last: (String, Rc<str>),
}

/// The files of an environment, in the order in which the policy names them.
pub struct Inputs<'p> {
    pub paths: &'p [BString],
    /// They are laid over one another in this order; else each is read by itself.
    pub in_order: bool,
    /// Any environment has several that are read by themselves.
    pub several: bool,
    /// A path as the reader of the format knows it.
    pub inner: &'p dyn Fn(&BStr) -> BString,
}

impl<'r, 's> Reader<'r, 's> {
    pub fn new(files: &'r Files<'s>, words: &'r [String], placeholders: &'r Placeholders) -> Self {
        Self {
            files,
            words,
            placeholders,
            prefix: String::new(),
            free: false,
            inherited: false,
            found: Vec::new(),
            read: Vec::new(),
            unseen: Vec::new(),
            mistakes: Vec::new(),
            last: (String::new(), Rc::from("")),
        }
    }

    /// Reads all files of an environment.
    pub fn all(&mut self, format: Format, inputs: &Inputs<'_>) -> Result<()> {
        match format {
            Format::K8sConfig => k8s::read(self, inputs),
            Format::Compose => compose::read(self, inputs),
            Format::HelmValues => values::helm(self, inputs),
            Format::Dotenv | Format::Tfvars => values::with_defaults(self, format, inputs),
            _ => inputs.paths.iter().try_for_each(|path| {
                self.begin(inputs.several && format != Format::Windmill, path.as_ref());
                let Some(file) = self.load(format, path.as_ref())? else { return Ok(()) };
                match format {
                    Format::Windmill => {
                        let inner = (inputs.inner)(path.as_ref());
                        let told = windmill::read(self, inner.as_ref(), &file.roots);
                        self.mistakes.extend(told.err().map(|m| (Rc::clone(&file), m)));
                    }
                    _ => self.flat(&file, &file.roots),
                }
                Ok(())
            }),
        }
    }

    /// What is read next. `several`: its variables are told from those of other files by its path.
    fn begin(&mut self, several: bool, path: &BStr) {
        self.prefix = if several { neutral(&path.to_string(), self.words) } else { String::new() };
        self.last = (String::new(), self.prefix.as_str().into());
    }

    /// Loads a file; one that is all ciphertext becomes a variable.
    fn load(&mut self, format: Format, path: &BStr) -> Result<Option<Rc<SourceFile>>> {
        let written = format.document(path).unwrap_or(document::Format::Yaml);
        let Some(bytes) =
            self.files.entry(path).filter(|e| !e.symlink).map(|_| self.files.read(path)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        let sealed = markers::is_sealed(&bytes);
        let file = match format {
            Format::Windmill => self.files.load_unresolved(path, written)?,
            // No reader of text finds anything in ciphertext, mistakes included.
            _ if sealed => self.files.load(path, document::Format::Dotenv)?,
            _ => self.files.load(path, written)?,
        };
        let Some(file) = file else { return Ok(None) };
        self.keep(&file);
        if sealed {
            let text = file.bytes.to_str_lossy().into_owned();
            self.whole_file(&file, Value { kind: Kind::Randomised, text, targets: Vec::new() });
            return Ok(None);
        }
        Ok(Some(file))
    }

    /// Remembers a file that variables stand in.
    fn keep(&mut self, file: &Rc<SourceFile>) {
        if !self.read.iter().any(|f| f.path == file.path) {
            self.read.push(Rc::clone(file));
        }
    }

    fn flat(&mut self, file: &Rc<SourceFile>, roots: &[Node]) {
        if let Err(mistake) = flat::read(self, roots) {
            self.mistakes.push((Rc::clone(file), mistake));
        }
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

    /// A value that stands at a node.
    fn push(&mut self, object: &str, name: &str, key: &Node, node: &Node, value: Value) {
        let Some(file) = self.files.locate(&node.span) else { return };
        let object = self.object(object);
        let same = self.files.locate(&key.span).is_some_and(|f| f.path == file.path);
        let key_span = if same { file.local(&key.span) } else { file.local(&node.span) };
        self.found.push(Variable {
            key: Rc::clone(&object),
            object,
            name: name.to_owned(),
            key_span,
            span: file.local(&node.span),
            file,
            value,
            attribute: None,
            free: self.free,
            inherited: self.inherited,
        });
    }

    /// The same for one that environments may have or not, and may differ in.
    fn push_free(&mut self, object: &str, name: &str, key: &Node, node: &Node, value: Value) {
        self.free = true;
        self.push(object, name, key, node, value);
        self.free = false;
    }

    /// A file that nobody here can read is one variable.
    fn whole_file(&mut self, file: &Rc<SourceFile>, value: Value) {
        let (object, name) = (self.object(""), "(the whole file)".to_owned());
        self.found.push(Variable {
            key: Rc::clone(&object),
            object,
            name,
            key_span: 0..0,
            span: 0..file.bytes.len(),
            file: Rc::clone(file),
            value,
            attribute: None,
            free: false,
            inherited: false,
        });
    }

    /// What a leaf holds: a scalar by its marks, a list by its items, an alias to nowhere as a reference in the file.
    fn value(&self, node: &Node) -> Value {
        match &node.value {
            Yaml::Scalar { tag: Some(tag), text, .. } if tag.ends_with("vault") => {
                Value { kind: Kind::Randomised, text: text.trim().to_owned(), targets: Vec::new() }
            }
            Yaml::Scalar { .. } => markers::of_node(node, self.placeholders),
            Yaml::Alias(_) => reference("*", vec!["*".to_owned()]),
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
