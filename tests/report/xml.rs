//! The least XML parser that can say "not well-formed".

/// An element's start tag: name and attributes, decoded. Elements come in document order.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// Character data directly inside, decoded.
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(n, _)| n == name).map_or_else(|| panic!("{self:?} has no {name}"), |(_, v)| v)
    }
}

/// All elements, or a panic that says what is wrong.
pub fn parse(text: &str) -> Vec<Element> {
    let mut rest = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").expect("a declaration");
    let mut all: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some(at) = rest.find('<') {
        characters(&rest[..at], &open, &mut all);
        rest = &rest[at + 1..];
        let end = tag_end(rest);
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop().expect("something is open");
            assert_eq!(all[last].name, name, "closed in order");
        } else {
            assert!(all.is_empty() || !open.is_empty(), "one root");
            let empty = tag.ends_with('/');
            all.push(start(tag.trim_end_matches('/')));
            if !empty {
                open.push(all.len() - 1);
            }
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "all closed, nothing behind");
    all
}

fn characters(text: &str, open: &[usize], all: &mut [Element]) {
    assert!(!text.contains("]]>"), "]]> in character data");
    match open.last() {
        Some(last) => all[*last].text.push_str(&decode(text)),
        None => assert!(text.trim().is_empty(), "text outside the root"),
    }
}

/// `>` may stand in attributes.
fn tag_end(text: &str) -> usize {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return at,
            '<' => panic!("< inside a tag"),
            _ => {}
        }
    }
    panic!("a tag without an end")
}

fn start(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "a name: {name}");
    let mut attributes: Vec<(String, String)> = Vec::new();
    while !rest.trim().is_empty() {
        let (key, value) = rest.trim_start().split_once("=\"").expect("name=\"value\"");
        let (value, after) = value.split_once('"').expect("a closing quote");
        assert!(attributes.iter().all(|(k, _)| k != key), "{key} twice");
        attributes.push((key.to_owned(), decode(value)));
        rest = after;
    }
    Element { name: name.to_owned(), attributes, text: String::new() }
}

fn decode(text: &str) -> String {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, after) = part.split_once(';').expect("an entity ends");
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "#10" => '\n',
            "#35" => '#',
            other => panic!("unknown entity {other}"),
        });
        out.push_str(after);
    }
    out
}
