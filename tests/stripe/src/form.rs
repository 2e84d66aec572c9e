//! Form-encoded parameters with nested brackets, as Stripe takes them: `items[0][price]=…&metadata[a]=b&expand[]=c`.
//!
//! A handler *takes* what it knows out of [`Params`]; [`Params::finish`] then refuses whatever is left, so that a
//! parameter nobody reads is never passed over in silence.

use crate::error::{ApiError, Result};

/// One value, or the values below a name.
#[derive(Debug, Clone)]
enum Node {
    Text(String),
    Branch(Vec<(String, Node)>),
}

/// Parameters that have not been taken yet.
#[derive(Debug, Default)]
pub struct Params {
    /// The full name of what these are parts of, such as `items[0]`; empty at the top.
    within: String,
    nodes: Vec<(String, Node)>,
}

/// A field to be changed: `None` leaves it, `Some(None)` clears it (an empty text was sent).
pub type Patch<T> = Option<Option<T>>;

/// Applies such a change.
pub fn patch<T>(field: &mut Option<T>, change: Patch<T>) {
    if let Some(value) = change {
        *field = value;
    }
}

/// Bounds of a time, such as `created[gte]`.
#[derive(Debug, Default, Clone, Copy)]
pub struct Range {
    from: Option<i64>,
    until: Option<i64>,
}

impl Range {
    /// Whether `at` is within the bounds.
    pub fn holds(&self, at: i64) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at <= until)
    }
}

impl Params {
    /// The parameters of a query or a body.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(text) {
            let path =
                split(&name).ok_or_else(|| ApiError::invalid(&name, format!("Invalid parameter name: {name}")))?;
            insert(&mut params.nodes, &path, value.into_owned())
                .ok_or_else(|| ApiError::invalid(&name, format!("Invalid value for {name}: both a text and a hash")))?;
        }
        Ok(params)
    }

    /// The full name of one of these, as error messages have it.
    pub fn name(&self, key: &str) -> String {
        if self.within.is_empty() { key.to_owned() } else { format!("{}[{key}]", self.within) }
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        let at = self.nodes.iter().position(|(name, _)| name == key)?;
        Some(self.nodes.remove(at).1)
    }

    /// A text; an empty one counts as not given.
    pub fn text(&mut self, key: &str) -> Result<Option<String>> {
        Ok(self.patch(key)?.flatten())
    }

    /// A text that may also be cleared.
    pub fn patch(&mut self, key: &str) -> Result<Patch<String>> {
        match self.take(key) {
            None => Ok(None),
            Some(Node::Text(text)) if text.is_empty() => Ok(Some(None)),
            Some(Node::Text(text)) => Ok(Some(Some(text))),
            Some(Node::Branch(_)) => Err(ApiError::invalid(&self.name(key), "Invalid string: {...}")),
        }
    }

    /// A text that has to be there.
    pub fn required(&mut self, key: &str) -> Result<String> {
        self.text(key)?.ok_or_else(|| ApiError::missing(&self.name(key)))
    }

    /// A whole number.
    pub fn int(&mut self, key: &str) -> Result<Option<i64>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError::invalid(&self.name(key), format!("Invalid integer: {text}"))
                .code("parameter_invalid_integer")),
        }
    }

    /// A number.
    pub fn number(&mut self, key: &str) -> Result<Option<f64>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError::invalid(&self.name(key), format!("Invalid decimal: {text}"))),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, key: &str) -> Result<Option<bool>> {
        match self.text(key)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::invalid(&self.name(key), format!("Invalid boolean: {other}"))),
        }
    }

    /// One of a few words.
    pub fn word(&mut self, key: &str, words: &[&str]) -> Result<Option<String>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        if words.contains(&text.as_str()) {
            return Ok(Some(text));
        }
        let name = self.name(key);
        Err(ApiError::invalid(&name, format!("Invalid {name}: must be one of {}", words.join(", "))))
    }

    /// A list of texts: `a[]=x&a[]=y` or `a[0]=x&a[1]=y`.
    pub fn list(&mut self, key: &str) -> Result<Vec<String>> {
        let name = self.name(key);
        match self.take(key) {
            None => Ok(vec![]),
            Some(Node::Text(text)) if text.is_empty() => Ok(vec![]),
            Some(Node::Text(_)) => Err(ApiError::invalid(&name, "Invalid array")),
            Some(Node::Branch(nodes)) => nodes
                .into_iter()
                .map(|(_, node)| match node {
                    Node::Text(text) => Ok(text),
                    Node::Branch(_) => Err(ApiError::invalid(&name, "Invalid string: {...}")),
                })
                .collect(),
        }
    }

    /// What is below a name. An empty text clears it: `Some(None)`.
    pub fn branch(&mut self, key: &str) -> Result<Patch<Params>> {
        let within = self.name(key);
        match self.take(key) {
            None => Ok(None),
            Some(Node::Branch(nodes)) => Ok(Some(Some(Params { within, nodes }))),
            Some(Node::Text(text)) if text.is_empty() => Ok(Some(None)),
            Some(Node::Text(_)) => Err(ApiError::invalid(&within, "Invalid object")),
        }
    }

    /// A list of hashes: `items[0][price]=…`.
    pub fn branches(&mut self, key: &str) -> Result<Patch<Vec<Params>>> {
        let Some(branch) = self.branch(key)? else { return Ok(None) };
        let Some(Params { within, nodes }) = branch else { return Ok(Some(None)) };
        let each = nodes.into_iter().map(|(index, node)| {
            let within = format!("{within}[{index}]");
            match node {
                Node::Branch(nodes) => Ok(Params { within, nodes }),
                Node::Text(_) => Err(ApiError::invalid(&within, "Invalid object")),
            }
        });
        Ok(Some(Some(each.collect::<Result<_>>()?)))
    }

    /// `metadata[…]`: what to set, or with `None` to clear; an empty text for all of it clears all.
    pub fn metadata(&mut self, key: &str) -> Result<MetadataPatch> {
        let Some(branch) = self.branch(key)? else { return Ok(MetadataPatch::default()) };
        let Some(Params { within, nodes }) = branch else { return Ok(MetadataPatch { clear: true, set: vec![] }) };
        let each = nodes.into_iter().map(|(name, node)| match node {
            Node::Text(text) => Ok((name, text)),
            Node::Branch(_) => Err(ApiError::invalid(&format!("{within}[{name}]"), "Metadata values must be strings")),
        });
        Ok(MetadataPatch { clear: false, set: each.collect::<Result<_>>()? })
    }

    /// Bounds of a time; a plain number is that very second.
    pub fn range(&mut self, key: &str) -> Result<Range> {
        let is_text = matches!(self.nodes.iter().find(|(name, _)| name == key), Some((_, Node::Text(_))));
        if is_text {
            let at = self.int(key)?;
            return Ok(Range { from: at, until: at });
        }
        let Some(Some(mut bounds)) = self.branch(key)? else { return Ok(Range::default()) };
        let from = bounds.int("gte")?.max(bounds.int("gt")?.map(|at| at + 1));
        let until = match (bounds.int("lte")?, bounds.int("lt")?.map(|at| at - 1)) {
            (Some(lte), Some(lt)) => Some(lte.min(lt)),
            (lte, lt) => lte.or(lt),
        };
        bounds.finish()?;
        Ok(Range { from, until })
    }

    /// Takes parameters that Stripe knows and that change nothing here.
    pub fn ignore(&mut self, keys: &[&str]) {
        self.nodes.retain(|(name, _)| !keys.contains(&name.as_str()));
    }

    /// Refuses what has not been taken.
    pub fn finish(self) -> Result<()> {
        let left: Vec<String> = self.nodes.iter().map(|(key, _)| self.name(key)).collect();
        match &left[..] {
            [] => Ok(()),
            [one] => {
                Err(ApiError::invalid(one, format!("Received unknown parameter: {one}")).code("parameter_unknown"))
            }
            [first, ..] => Err(ApiError::invalid(first, format!("Received unknown parameters: {}", left.join(", ")))
                .code("parameter_unknown")),
        }
    }
}

/// Changes of metadata.
#[derive(Debug, Default)]
pub struct MetadataPatch {
    clear: bool,
    set: Vec<(String, String)>,
}

impl MetadataPatch {
    /// Applies the changes: an empty value removes its name.
    pub fn apply(self, metadata: &mut Metadata) {
        if self.clear {
            metadata.clear();
        }
        for (name, value) in self.set {
            if value.is_empty() {
                metadata.remove(&name);
            } else {
                metadata.insert(name, value);
            }
        }
    }

    /// As the metadata of something new.
    pub fn fresh(self) -> Metadata {
        let mut metadata = Metadata::new();
        self.apply(&mut metadata);
        metadata
    }
}

/// Metadata of an object.
pub type Metadata = std::collections::BTreeMap<String, String>;

/// `a[b][]` as `a`, `b` and an empty text; `None` if the brackets do not match.
fn split(name: &str) -> Option<Vec<&str>> {
    let (first, rest) = name.split_at(name.find('[').unwrap_or(name.len()));
    let mut path = vec![first];
    let mut rest = rest;
    while !rest.is_empty() {
        let (part, after) = rest.strip_prefix('[')?.split_once(']')?;
        path.push(part);
        rest = after;
    }
    (!first.is_empty()).then_some(path)
}

fn insert(nodes: &mut Vec<(String, Node)>, path: &[&str], value: String) -> Option<()> {
    let (key, rest) = path.split_first()?;
    let key = if key.is_empty() { nodes.len().to_string() } else { (*key).to_owned() };
    let at = nodes.iter().position(|(name, _)| *name == key);
    if rest.is_empty() {
        match at.map(|at| &mut nodes[at].1) {
            Some(Node::Text(text)) => *text = value,
            Some(Node::Branch(_)) => return None,
            None => nodes.push((key, Node::Text(value))),
        }
        return Some(());
    }
    let at = at.unwrap_or_else(|| {
        nodes.push((key, Node::Branch(vec![])));
        nodes.len() - 1
    });
    match &mut nodes[at].1 {
        Node::Branch(nodes) => insert(nodes, rest, value),
        Node::Text(_) => None,
    }
}
