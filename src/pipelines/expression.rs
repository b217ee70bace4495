//! Expressions of GitHub Actions in three-valued logic: what is not known stays unknown, and nothing is an error.
//! See <https://docs.github.com/actions/reference/evaluate-expressions-in-workflows-and-actions>.

use super::event::Event;

/// GitHub refuses longer ones.
const LONGEST: usize = 21_000;
const DEEPEST: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Not known; whether it counts as true may be.
    Unknown(Option<bool>),
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<String>),
}

const UNKNOWN: Value = Value::Unknown(None);

impl Value {
    /// Whether a condition with this value holds.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Unknown(truth) => *truth,
            Self::Null => Some(false),
            Self::Bool(b) => Some(*b),
            Self::Number(n) => Some(*n != 0.0 && !n.is_nan()),
            Self::Text(text) => Some(!text.is_empty()),
            Self::List(_) => Some(true),
        }
    }

    fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(UNKNOWN, Self::Bool)
    }

    fn number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(b) => f64::from(u8::from(*b)),
            Self::Number(n) => *n,
            Self::Text(text) if text.is_empty() => 0.0,
            Self::Text(text) => text.parse().unwrap_or(f64::NAN),
            Self::Unknown(_) | Self::List(_) => f64::NAN,
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Null => Some(String::new()),
            Self::Bool(b) => Some(b.to_string()),
            Self::Number(n) => Some(n.to_string()),
            Self::Text(text) => Some(text.to_lowercase()),
            Self::Unknown(_) | Self::List(_) => None,
        }
    }

    /// Texts are compared without case, different types as numbers.
    fn equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Unknown(_), _) | (_, Self::Unknown(_)) => None,
            (Self::Text(a), Self::Text(b)) => Some(a.to_lowercase() == b.to_lowercase()),
            (Self::List(_), _) | (_, Self::List(_)) => Some(false),
            _ => Some(self.number() == other.number()),
        }
    }
}

/// Whether the condition of a job holds for an event. Text around `${{ }}` makes a string, which is always true.
pub fn holds(condition: &str, event: &Event) -> Option<bool> {
    let inner = match condition.find("${{") {
        None => condition,
        Some(_) => match condition.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) {
            Some(inner) if !inner.contains("${{") => inner,
            _ => return Some(true),
        },
    };
    evaluate(inner, event).truth()
}

/// Whether a condition replaces the `success()` that stands in front of every other.
pub fn ignores_skipped_needs(condition: &str) -> bool {
    let lower = condition.to_lowercase();
    ["always()", "failure()", "cancelled()"].iter().any(|function| lower.contains(function))
}

/// The texts that are written in an expression, and those in lists that are written as JSON.
pub fn literals(expression: &str) -> Vec<String> {
    let texts = |token| match token {
        Token::Text(text) => serde_json::from_str::<Vec<String>>(&text).unwrap_or_else(|_| vec![text]),
        _ => Vec::new(),
    };
    tokens(expression).unwrap_or_default().into_iter().flat_map(texts).collect()
}

pub fn evaluate(expression: &str, event: &Event) -> Value {
    if expression.len() > LONGEST {
        return UNKNOWN;
    }
    let Some(tokens) = tokens(expression) else { return UNKNOWN };
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, event };
    match parser.either() {
        Some(value) if parser.at == tokens.len() => value,
        _ => UNKNOWN,
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Text(String),
    Number(f64),
    Name(String),
    Sign(&'static str),
}

const SIGNS: &[&str] = &["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", ".", "*"];

fn tokens(expression: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let mut text = String::new();
            rest = &rest[1..];
            loop {
                let end = rest.find('\'')?;
                text.push_str(&rest[..end]);
                rest = &rest[end + 1..];
                // Two quotes stand for one.
                match rest.strip_prefix('\'') {
                    Some(next) => rest = next,
                    None => break,
                }
                text.push('\'');
            }
            found.push(Token::Text(text));
        } else if first.is_ascii_alphanumeric() || first == '_' {
            let number = first.is_ascii_digit();
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || (number && c == '.');
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            found.push(if number { Token::Number(word.parse().ok()?) } else { Token::Name(word.to_lowercase()) });
            rest = &rest[end..];
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        }
        rest = rest.trim_start();
    }
    Some(found)
}

/// Evaluates while it parses. `None`: not an expression, or nested too deeply.
struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    event: &'t Event,
}

impl Parser<'_> {
    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self) -> Option<Value> {
        let mut left = self.both()?;
        while self.take("||") {
            let right = self.both()?;
            left = match left.truth() {
                Some(true) => left,
                Some(false) => right,
                None => Value::Unknown(right.truth().filter(|t| *t)),
            };
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Value> {
        let mut left = self.equality()?;
        while self.take("&&") {
            let right = self.equality()?;
            left = match left.truth() {
                Some(true) => right,
                Some(false) => left,
                None => Value::Unknown(right.truth().filter(|t| !t)),
            };
        }
        Some(left)
    }

    fn equality(&mut self) -> Option<Value> {
        let mut left = self.order()?;
        loop {
            let same = self.take("==");
            if !same && !self.take("!=") {
                return Some(left);
            }
            let right = self.order()?;
            left = Value::of_truth(left.equals(&right).map(|equal| equal == same));
        }
    }

    fn order(&mut self) -> Option<Value> {
        let left = self.unary()?;
        let Some(sign) = ["<=", ">=", "<", ">"].into_iter().find(|sign| self.take(sign)) else { return Some(left) };
        let right = self.unary()?;
        let (a, b) = match (&left, &right) {
            (Value::Unknown(_) | Value::Text(_) | Value::List(_), _) | (_, Value::Unknown(_) | Value::List(_)) => {
                return Some(UNKNOWN);
            }
            _ => (left.number(), right.number()),
        };
        Some(Value::Bool(match sign {
            "<=" => a <= b,
            ">=" => a >= b,
            "<" => a < b,
            _ => a > b,
        }))
    }

    fn unary(&mut self) -> Option<Value> {
        let mut negate = false;
        let mut any = false;
        while self.take("!") {
            negate = !negate;
            any = true;
        }
        let value = self.primary()?;
        Some(if any { Value::of_truth(value.truth().map(|truth| truth != negate)) } else { value })
    }

    fn primary(&mut self) -> Option<Value> {
        if self.take("(") {
            let value = self.nested()?;
            return self.take(")").then_some(value);
        }
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        match token {
            Token::Text(text) => Some(Value::Text(text.clone())),
            Token::Number(n) => Some(Value::Number(*n)),
            Token::Sign(_) => None,
            Token::Name(name) => match name.as_str() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                "null" => Some(Value::Null),
                _ if self.take("(") => self.call(name),
                _ => self.context(name),
            },
        }
    }

    fn nested(&mut self) -> Option<Value> {
        self.depth += 1;
        let value = if self.depth > DEEPEST { None } else { self.either() };
        self.depth -= 1;
        value
    }

    fn context(&mut self, first: &str) -> Option<Value> {
        let mut path = first.to_owned();
        let mut known = true;
        loop {
            if self.take(".") {
                let token = self.tokens.get(self.at)?;
                self.at += 1;
                match token {
                    Token::Name(name) => path = format!("{path}.{name}"),
                    Token::Sign("*") => known = false,
                    _ => return None,
                }
            } else if self.take("[") {
                if self.take("*") {
                    known = false;
                } else {
                    match self.nested()? {
                        Value::Text(key) => path = format!("{path}.{}", key.to_lowercase()),
                        _ => known = false,
                    }
                }
                if !self.take("]") {
                    return None;
                }
            } else {
                return Some(if known { self.event.value(&path) } else { UNKNOWN });
            }
        }
    }

    fn call(&mut self, name: &str) -> Option<Value> {
        let mut values = Vec::new();
        while !self.take(")") {
            if !values.is_empty() && !self.take(",") {
                return None;
            }
            values.push(self.nested()?);
        }
        Some(match (name, &values[..]) {
            // What a deployment waits for is taken to succeed.
            ("success" | "always", []) => Value::Bool(true),
            ("cancelled", []) => Value::Bool(false),
            ("startswith", [a, b]) => by_text(a, b, |a, b| a.starts_with(b)),
            ("endswith", [a, b]) => by_text(a, b, |a, b| a.ends_with(b)),
            ("contains", [Value::List(items), b]) => {
                Value::of_truth(b.text().map(|b| items.iter().any(|item| item.to_lowercase() == b)))
            }
            ("contains", [a, b]) => by_text(a, b, |a, b| a.contains(b)),
            ("fromjson", [Value::Text(text)]) => serde_json::from_str(text).map_or(UNKNOWN, Value::List),
            _ => UNKNOWN,
        })
    }
}

fn by_text(a: &Value, b: &Value, test: impl Fn(&str, &str) -> bool) -> Value {
    Value::of_truth(a.text().zip(b.text()).map(|(a, b)| test(&a, &b)))
}
