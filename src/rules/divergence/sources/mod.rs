//! Reads the variables of an environment from its files, one module per format. Owns [`SourceFormat`], [`Variable`] and
//! collecting variables; `settings` owns which files to read.

mod compose;
mod flat;
mod k8s;
mod values;
mod windmill;

use std::ops::Range;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};

use super::classify::{self, Placeholders};
use super::model::{ComparedValue, ValueKind};
use crate::document;
use crate::error::Result;
use crate::manifests::{Files, SourceFile, Unseen};
use crate::yaml::{Mistake, Node, Value as Yaml};

pub use compose::project;
pub use values::defaults;
pub use windmill::is_item;

/// The format of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
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

const FORMATS: [(&str, SourceFormat); 9] = [
    ("windmill", SourceFormat::Windmill),
    ("dotenv", SourceFormat::Dotenv),
    ("k8s-config", SourceFormat::K8sConfig),
    ("yaml", SourceFormat::Yaml),
    ("helm-values", SourceFormat::HelmValues),
    ("json", SourceFormat::Json),
    ("toml", SourceFormat::Toml),
    ("tfvars", SourceFormat::Tfvars),
    ("compose", SourceFormat::Compose),
];

impl SourceFormat {
    pub fn named(name: &str) -> Option<Self> {
        FORMATS.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
    }

    pub fn names() -> Vec<&'static str> {
        FORMATS.iter().map(|(n, _)| *n).collect()
    }

    /// The document format of a file with this name; `None` if such a file does not belong to the source.
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
    /// The object that it belongs to, without the environment's name: `ConfigMap/app`, a service, a file. May be empty.
    pub object: Rc<str>,
    pub name: String,
    /// The key in policies: `name`, or `object/name` if there are several objects. Set after all sides are read.
    pub key: Rc<str>,
    /// The file that contains it.
    pub file: Rc<SourceFile>,
    pub key_span: Range<usize>,
    pub span: Range<usize>,
    pub value: ComparedValue,
    /// Must be equal whatever the value: whether it is secret, its type.
    pub attribute: Option<String>,
    /// May differ or be missing unless the policy says otherwise: an image's tag, values of a chart.
    pub free: bool,
    /// A default that is not in the environment's own files.
    pub inherited: bool,
}

/// Collects the variables of one environment.
pub struct VariableReader<'r, 's> {
    pub files: &'r Files<'s>,
    /// Words that name the environment.
    pub words: &'r [String],
    pub placeholders: &'r Placeholders,
    /// Prefix of all objects: the file's path, if there are several files.
    prefix: String,
    free: bool,
    inherited: bool,
    pub found: Vec<Variable>,
    /// Every file that can contain variables.
    pub read: Vec<Rc<SourceFile>>,
    pub unseen: Vec<Unseen>,
    pub mistakes: Vec<(Rc<SourceFile>, Mistake)>,
    /// The object of the last variable: its name in the file and its [`Variable::object`].
    last: (String, Rc<str>),
}

/// The files of an environment in policy order.
pub struct SourceInputs<'p> {
    pub paths: &'p [BString],
    /// Later files override earlier ones; else each is read independently.
    pub in_order: bool,
    /// Some environment has several independent files.
    pub several: bool,
    /// Maps a path to one relative to the source's root.
    pub inner: &'p dyn Fn(&BStr) -> BString,
}

impl<'r, 's> VariableReader<'r, 's> {
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
    pub fn read_all(&mut self, format: SourceFormat, inputs: &SourceInputs<'_>) -> Result<()> {
        match format {
            SourceFormat::K8sConfig => k8s::read(self, inputs),
            SourceFormat::Compose => compose::read(self, inputs),
            SourceFormat::HelmValues => values::helm(self, inputs),
            SourceFormat::Dotenv | SourceFormat::Tfvars => values::with_defaults(self, format, inputs),
            _ => inputs.paths.iter().try_for_each(|path| {
                self.begin(inputs.several && format != SourceFormat::Windmill, path.as_ref());
                let Some(file) = self.load(format, path.as_ref())? else { return Ok(()) };
                match format {
                    SourceFormat::Windmill => {
                        let inner = (inputs.inner)(path.as_ref());
                        let result = windmill::read(self, inner.as_ref(), &file.roots);
                        self.mistakes.extend(result.err().map(|m| (Rc::clone(&file), m)));
                    }
                    _ => self.flat(&file, &file.roots),
                }
                Ok(())
            }),
        }
    }

    /// Starts the next file. `several`: prefix its objects with its path.
    fn begin(&mut self, several: bool, path: &BStr) {
        self.prefix = if several { without_environment(&path.to_string(), self.words) } else { String::new() };
        self.last = (String::new(), self.prefix.as_str().into());
    }

    /// Loads a file; an encrypted file becomes a single variable.
    fn load(&mut self, format: SourceFormat, path: &BStr) -> Result<Option<Rc<SourceFile>>> {
        let written = format.document(path).unwrap_or(document::Format::Yaml);
        let Some(bytes) =
            self.files.entry(path).filter(|e| !e.symlink).map(|_| self.files.read(path)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        let is_encrypted = classify::is_encrypted_file(&bytes);
        let file = match format {
            SourceFormat::Windmill => self.files.load_unresolved(path, written)?,
            // Parse ciphertext as dotenv, which reports no mistakes in it.
            _ if is_encrypted => self.files.load(path, document::Format::Dotenv)?,
            _ => self.files.load(path, written)?,
        };
        let Some(file) = file else { return Ok(None) };
        self.keep(&file);
        if is_encrypted {
            let text = file.bytes.to_str_lossy().into_owned();
            self.whole_file(&file, ComparedValue { kind: ValueKind::Randomised, text, targets: Vec::new() });
            return Ok(None);
        }
        Ok(Some(file))
    }

    /// Remembers a file that contains variables.
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

    /// The name of an object, prefixed with the file's path if there are several files.
    fn object(&mut self, name: &str) -> Rc<str> {
        if self.last.0 != name {
            let own = without_environment(name, self.words);
            let colon = if self.prefix.is_empty() || own.is_empty() { "" } else { ":" };
            self.last = (name.to_owned(), format!("{}{colon}{own}", self.prefix).into());
        }
        Rc::clone(&self.last.1)
    }

    /// Adds a variable whose value is at a node.
    fn push(&mut self, object: &str, name: &str, key: &Node, node: &Node, value: ComparedValue) {
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

    /// Like [`Self::push`], for a variable that may differ or be missing.
    fn push_free(&mut self, object: &str, name: &str, key: &Node, node: &Node, value: ComparedValue) {
        self.free = true;
        self.push(object, name, key, node, value);
        self.free = false;
    }

    /// Adds an encrypted file as one variable.
    fn whole_file(&mut self, file: &Rc<SourceFile>, value: ComparedValue) {
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

    /// The value of a leaf: a classified scalar, a list by its items, an unresolved alias as a reference.
    fn value(&self, node: &Node) -> ComparedValue {
        match &node.value {
            Yaml::Scalar { tag: Some(tag), text, .. } if tag.ends_with("vault") => {
                ComparedValue { kind: ValueKind::Randomised, text: text.trim().to_owned(), targets: Vec::new() }
            }
            Yaml::Scalar { .. } => classify::classify_node(node, self.placeholders),
            Yaml::Alias(_) => reference("*", vec!["*".to_owned()]),
            Yaml::Map(entries) if entries.is_empty() => plain("{}"),
            _ => {
                let mut parts = String::new();
                node.walk(&mut |steps, node| {
                    if node.text().is_some() {
                        parts.push_str(&crate::yaml::dotted(steps));
                        parts.push('=');
                        parts.push_str(&classify::classify_node(node, self.placeholders).text);
                        parts.push('\n');
                    }
                });
                plain(&parts)
            }
        }
    }
}

fn plain(text: &str) -> ComparedValue {
    ComparedValue { kind: ValueKind::Plain, text: text.to_owned(), targets: Vec::new() }
}

fn reference(text: &str, targets: Vec<String>) -> ComparedValue {
    ComparedValue { kind: ValueKind::Reference, text: text.to_owned(), targets }
}

/// Replaces the environment's words in a name, so that `app-staging` and `app-production` are equal.
pub fn without_environment(name: &str, words: &[String]) -> String {
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

/// `kind/name` of a Kubernetes object.
fn object_of(root: &Node) -> Option<String> {
    let kind = root.get("kind")?.text()?;
    let name = root.at(&["metadata", "name"]).and_then(Node::text).unwrap_or_default();
    Some(format!("{kind}/{name}"))
}
