//! The type of a scalar by the YAML 1.2 core schema: `yes` is a string, `True` a boolean, `0o17` a number.

use super::{Node, Value};

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'n> {
    Null,
    Bool(bool),
    Int(i64),
    /// Also whole numbers that do not fit into 64 bits.
    Float(f64),
    Str(&'n str),
}

const CORE: &str = "tag:yaml.org,2002:";

impl Node {
    /// `None` for maps, lists and aliases. Unknown tags make strings; `!!bool "true"` is a boolean.
    pub fn scalar(&self) -> Option<Scalar<'_>> {
        let Value::Scalar { text, plain, tag } = &self.value else { return None };
        Some(match tag.as_deref().map(|t| t.strip_prefix(CORE).unwrap_or("str")) {
            None if *plain => core(text),
            None | Some("str") => Scalar::Str(text),
            Some(wanted) => match core(text) {
                s @ Scalar::Null if wanted == "null" => s,
                s @ Scalar::Bool(_) if wanted == "bool" => s,
                s @ Scalar::Int(_) if wanted == "int" => s,
                Scalar::Int(n) if wanted == "float" => Scalar::Float(n as f64),
                s @ Scalar::Float(_) if wanted == "float" => s,
                _ => Scalar::Str(text),
            },
        })
    }

    pub fn is_null(&self) -> bool {
        self.scalar() == Some(Scalar::Null)
    }

    /// Only `true`, `True`, `TRUE` and their opposites, not quoted.
    pub fn as_bool(&self) -> Option<bool> {
        if let Some(Scalar::Bool(b)) = self.scalar() { Some(b) } else { None }
    }

    pub fn as_int(&self) -> Option<i64> {
        if let Some(Scalar::Int(n)) = self.scalar() { Some(n) } else { None }
    }

    /// A string, not a number or boolean that is written like one.
    pub fn as_str(&self) -> Option<&str> {
        if let Some(Scalar::Str(s)) = self.scalar() { Some(s) } else { None }
    }

    /// For messages: `a map`, `a list`, `a string`, `a number`, `a boolean`, `nothing`, `an alias`.
    pub fn kind(&self) -> &'static str {
        match (&self.value, self.scalar()) {
            (Value::Seq(_), _) => "a list",
            (Value::Map(_), _) => "a map",
            (_, Some(Scalar::Null)) => "nothing",
            (_, Some(Scalar::Bool(_))) => "a boolean",
            (_, Some(Scalar::Int(_) | Scalar::Float(_))) => "a number",
            (_, Some(Scalar::Str(_))) => "a string",
            (_, None) => "an alias",
        }
    }
}

fn core(text: &str) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Scalar::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Scalar::Float(f64::NAN);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix).filter(|d| d.chars().all(|c| c.is_digit(radix))) {
            return i64::from_str_radix(digits, radix).map_or(Scalar::Str(text), Scalar::Int);
        }
    }
    let number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !number {
        return Scalar::Str(text);
    }
    match text.parse() {
        Ok(n) => Scalar::Int(n),
        Err(_) => text.parse().map_or(Scalar::Str(text), Scalar::Float),
    }
}
