//! How a person is taken out of texts that stay: the log, answers that were kept, jobs that have ended.
//!
//! The address is found wherever it stands in a text, whatever its case and its way of writing, and never as a part
//! of another address. Beside it, what is said of the person in the same object goes too: name, note and comment.

use serde_json::{Map, Value, json};

use crate::{
    areas::activity::store::escape,
    values::{MemberId, email_key},
};

/// What stands in the place of a person's words.
const ERASED: &str = "erased";

/// The longest address, in characters; no part of a text further from an `@` belongs to one.
const LONGEST: usize = 254;

/// The sign at the end of a text that the log has cut.
const CUT: char = '…';

/// Whose traces are erased.
pub struct Person {
    id: MemberId,
    key: String,
    /// The keys of addresses that the member had.
    former: Vec<String>,
    mark: String,
}

impl Person {
    /// A member with an address.
    pub fn new(id: &MemberId, email: &str) -> Self {
        Self { id: id.clone(), key: email_key(email), former: Vec::new(), mark: mark(id) }
    }

    /// The same who had other addresses before, given by their keys.
    pub fn with_former(self, former: Vec<String>) -> Self {
        Self { former, ..self }
    }

    fn keys(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.key).chain(&self.former)
    }

    /// Whether a text is an address of the person's.
    fn has(&self, text: &str) -> bool {
        let key = email_key(text);
        self.keys().any(|own| *own == key)
    }

    /// The member.
    pub fn id(&self) -> &MemberId {
        &self.id
    }

    /// What the address is looked up by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What stands in the address's place.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// What `LIKE` finds an ASCII text by, in lower case and with `!` to escape: each address as it stands in JSON.
    pub fn patterns(&self) -> Vec<String> {
        let pattern = |key: &String| {
            let plain = key.rsplit_once('@').filter(|(local, _)| local.contains(['"', '\\']));
            let part = plain.map_or(key.clone(), |(_, domain)| format!("@{domain}"));
            format!("%{}%", escape(&part))
        };
        self.keys().map(pattern).collect()
    }

    /// A plain text without the person; `None` if the person is not in it.
    pub fn out_of_text(&self, text: &str) -> Option<String> {
        if !text.contains('@') {
            return None;
        }
        if self.has(text) {
            return Some(self.mark.clone());
        }
        let chars: Vec<_> = text.char_indices().collect();
        let (mut out, mut copied) = (String::new(), 0);
        for at in (0..chars.len()).filter(|at| chars[*at].1 == '@') {
            let Some((from, to)) = self.around(text, &chars, at).filter(|(from, _)| *from >= copied) else { continue };
            out.extend([&text[copied..from], &self.mark]);
            copied = to;
        }
        (copied > 0).then(|| out + &text[copied..])
    }

    /// The bytes of the address around an `@`, if it is this one.
    fn around(&self, text: &str, chars: &[(usize, char)], at: usize) -> Option<(usize, usize)> {
        let byte = |n: usize| chars.get(n).map_or(text.len(), |(byte, _)| *byte);
        let starts = (at.saturating_sub(LONGEST)..at).rev().filter(|from| is_start(chars, *from));
        let ends: Vec<_> = (at + 2..=chars.len().min(at + LONGEST)).filter(|to| is_end(chars, *to)).collect();
        for from in starts {
            // A space ends what can be an address, unless it is a quoted one.
            if chars[from].1.is_whitespace() && chars[at - 1].1 != '"' {
                break;
            }
            for to in &ends {
                let part = &text[byte(from)..byte(*to)];
                if part.chars().any(char::is_whitespace) && !part.starts_with('"') {
                    break;
                }
                if self.has(part) {
                    return Some((byte(from), byte(*to)));
                }
            }
            let is_cut = chars.last().is_some_and(|(_, last)| *last == CUT);
            let rest = &text[byte(from)..chars.last().map_or(0, |(byte, _)| *byte)];
            let begins = |key: &String| key.starts_with(&email_key(rest));
            if is_cut && rest.contains('@') && self.keys().any(begins) {
                return Some((byte(from), text.len() - CUT.len_utf8()));
            }
        }
        None
    }

    /// JSON without the person; `None` if the person is not in it. What is no JSON counts as a plain text.
    pub fn out_of_json(&self, text: &str) -> Option<String> {
        self.out_of(text, |_| false)
    }

    /// The same for the arguments of a call that was about the member: what it calls the member by is an address that
    /// the member had.
    pub fn out_of_own_args(&self, text: &str) -> Option<String> {
        self.out_of(text, |args| {
            let Some(args) = args.as_object_mut() else { return false };
            let mut has_changed = self.replace(args, "email", &self.mark);
            if let Some(Value::Object(member)) = args.get_mut("member") {
                has_changed |= self.replace(member, "email", &self.mark);
            }
            has_changed | self.silence(args, &["name", "note", "text", "externalId"])
        })
    }

    fn out_of(&self, text: &str, first: impl FnOnce(&mut Value) -> bool) -> Option<String> {
        let Ok(mut value) = serde_json::from_str::<Value>(text) else { return self.out_of_text(text) };
        let has_changed = first(&mut value) | self.walk(&mut value);
        has_changed.then(|| value.to_string())
    }

    /// Takes the person out of a value; whether there was anything.
    fn walk(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => self.out_of_text(text).map(|without| *text = without).is_some(),
            Value::Array(items) => items.iter_mut().fold(false, |has_changed, item| has_changed | self.walk(item)),
            Value::Object(fields) => {
                let mut has_changed = self.about(fields);
                for (_, value) in fields.iter_mut() {
                    has_changed |= self.walk(value);
                }
                let named: Vec<_> =
                    fields.keys().filter_map(|name| Some((name.clone(), self.out_of_text(name)?))).collect();
                for (name, without) in &named {
                    if let Some(value) = fields.remove(name) {
                        fields.insert(without.clone(), value);
                    }
                }
                has_changed || !named.is_empty()
            }
            _ => false,
        }
    }

    /// Takes out what an object says of the person, if it is about the person.
    fn about(&self, fields: &mut Map<String, Value>) -> bool {
        let is = |value: Option<&Value>, text: &str| value.and_then(Value::as_str) == Some(text);
        let has_address = |fields: &Map<String, Value>| {
            let email = fields.get("email").and_then(Value::as_str);
            email.is_some_and(|email| email == self.mark || self.has(email))
        };
        let id = self.id.as_str();
        let is_member = is(fields.get("id"), id);
        let is_own = is(fields.get("member"), id);
        let names = fields.get("member").and_then(Value::as_object);
        let names = names.is_some_and(|member| is(member.get("id"), id) || has_address(member));
        let mut has_changed = false;
        if is_member {
            has_changed |= self.replace(fields, "email", &self.mark);
        }
        // A note on a list of addresses is about all of them.
        let alone = fields.get("emails").and_then(Value::as_array).is_some_and(|emails| {
            let is_own = |email: &str| email == self.mark || self.has(email);
            !emails.is_empty() && emails.iter().all(|email| email.as_str().is_some_and(is_own))
        });
        if is_member || names || alone || has_address(fields) {
            has_changed |= self.silence(fields, &["name", "note", "text", "externalId"]);
        } else if is_own {
            has_changed |= self.silence(fields, &["text"]);
        }
        has_changed
    }

    fn silence(&self, fields: &mut Map<String, Value>, names: &[&str]) -> bool {
        let has_changed =
            names.iter().fold(false, |has_changed, name| has_changed | self.replace(fields, name, ERASED));
        // What an integrator keeps goes with its keys, which are the integrator's words too.
        let is_kept = |kept: &Value| kept.as_object().is_some_and(|kept| !kept.is_empty());
        match fields.get_mut("metadata").filter(|kept| is_kept(kept)) {
            Some(kept) if names.contains(&"name") => {
                *kept = json!({});
                true
            }
            _ => has_changed,
        }
    }

    /// Puts another text in the place of one that is not empty.
    fn replace(&self, fields: &mut Map<String, Value>, name: &str, with: &str) -> bool {
        match fields.get_mut(name) {
            Some(value) if value.as_str().is_some_and(|text| !text.is_empty() && text != with) => {
                *value = json!(with);
                true
            }
            _ => false,
        }
    }
}

/// What stands in the place of an erased member's address.
pub fn mark(id: &MemberId) -> String {
    format!("erased:{id}")
}

/// Whether an address can begin here: what stands before is no part of one.
fn is_start(chars: &[(usize, char)], at: usize) -> bool {
    let Some((_, before)) = at.checked_sub(1).map(|before| chars[before]) else { return true };
    match before {
        '.' | '+' | '-' | '_' => false,
        // In quotes, and not within a name such as o'brien.
        '\'' | '*' | '~' | '`' | '!' | '$' | '%' | '^' => {
            at.checked_sub(2).is_none_or(|earlier| !is_letter(chars[earlier].1))
        }
        other => !is_letter(other),
    }
}

/// Whether an address can end before here.
fn is_end(chars: &[(usize, char)], at: usize) -> bool {
    let letter = |at: usize| chars.get(at).is_some_and(|(_, c)| is_letter(*c));
    match chars.get(at) {
        None => true,
        Some((_, '.' | '-')) => !letter(at + 1),
        Some(_) => !letter(at),
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> Person {
        Person::new(&MemberId::parse("mem_01kan8v3t0e0rt8nfkzk1s7p4qs").unwrap(), "Anna@Example.com")
    }

    #[test]
    fn an_address_is_found_wherever_it_stands_and_never_in_another() {
        let anna = anna();
        for (text, left) in [
            ("ANNA@example.COM", "#"),
            ("to <anna@example.com>, or mailto:anna@example.com.", "to <#>, or mailto:#."),
            ("'anna@example.com'", "'#'"),
            ("a=anna@example.com&b", "a=#&b"),
            ("anna@example.com,anna@example.com", "#,#"),
            ("— anna@example.com— Zoë", "— #— Zoë"),
            ("mail anna@exam…", "mail #…"),
        ] {
            assert_eq!(anna.out_of_text(text), Some(left.replace('#', anna.mark())), "{text}");
        }
        for text in [
            "",
            "anna",
            "joanna@example.com",
            "jo.anna@example.com",
            "x+anna@example.com",
            "jo-anna@example.com",
            "d'anna@example.com",
            "anna@example.com.au",
            "anna@example.community",
            "anna@example.com-x.de",
            "éanna@example.com",
            "anna @example.com",
            "anna@",
            "@example.com",
            "@",
        ] {
            assert_eq!(anna.out_of_text(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_that_the_person_had_is_found_too() {
        let anna = anna().with_former(vec!["old@example.org".into()]);
        let left = anna.out_of_text("from old@example.org to \"Anna\"@example.com, not to gold@example.org");
        assert_eq!(left, Some(format!("from {0} to {0}, not to gold@example.org", anna.mark())));
        assert_eq!(anna.patterns(), ["%anna@example.com%", "%old@example.org%"]);
    }

    #[test]
    fn an_address_with_letters_is_found_however_it_is_written() {
        let id = MemberId::parse("mem_01kan8v3t0e0rt8nfkzk1s7p4qs").unwrap();
        let jose = Person::new(&id, "Jos\u{e9}@B\u{fc}cher.example");
        for text in
            ["JOSE\u{301}@b\u{fc}cher.example", "jos\u{e9}@xn--bcher-kva.example", "JOS\u{c9}@BU\u{308}CHER.EXAMPLE"]
        {
            for (before, after) in [("", ""), ("an ", " und"), ("<", ">"), ("(", ").")] {
                let found = jose.out_of_text(&format!("{before}{text}{after}"));
                assert_eq!(found, Some(format!("{before}{}{after}", jose.mark())), "{before}{text}{after}");
            }
        }
        let quoted = Person::new(&id, "\"Anna L\"@example.com");
        assert_eq!(quoted.out_of_text("x \"anna l\"@example.com y"), Some(format!("x {} y", quoted.mark())));
    }

    #[test]
    fn what_is_said_of_the_person_goes_and_the_rest_stays() {
        let anna = anna();
        let (id, mark) = (anna.id().as_str(), anna.mark().to_owned());
        let own = json!([{ "kind": "member", "id": id, "before": { "id": id, "email": "old@example.com", "name": "Anna" },
                           "after": { "id": id, "email": "anna@example.com", "name": "Anna", "note": "n\nanna@example.com" } }]);
        let left = anna.out_of_json(&own.to_string()).unwrap();
        assert!(!left.contains("Anna") && !left.contains("@"), "{left}");
        assert!(left.contains(&format!(r#"before":{{"id":"{id}","email":"{mark}","name":"erased"}}"#)), "{left}");
        let comment = json!({ "member": id, "text": "Which paper?", "name": "stays" });
        assert_eq!(
            anna.out_of_json(&comment.to_string()).unwrap(),
            json!({ "member": id, "text": "erased", "name": "stays" }).to_string()
        );
        let args = json!({ "member": { "email": "former@example.com" }, "name": "Anna", "tags": ["vip"] });
        assert_eq!(
            anna.out_of_own_args(&args.to_string()).unwrap(),
            json!({ "member": { "email": mark }, "name": "erased", "tags": ["vip"] }).to_string()
        );
        let other = json!({ "email": "ben@example.com", "name": "Ben", "n": 1.5 });
        assert_eq!(anna.out_of_json(&other.to_string()), None);
        // Safe to do twice.
        assert_eq!(anna.out_of_json(&left), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_stumble(text in "[aA@.+'\"é\u{301} <…-]{0,30}") {
            let person = Person::new(&MemberId::parse("mem_01kan8v3t0e0rt8nfkzk1s7p4qs").unwrap(), "a@a.a");
            if let Some(left) = person.out_of_text(&text) {
                proptest::prop_assert!(left.contains(person.mark()));
                proptest::prop_assert!(person.out_of_text(&left).is_none(), "{} {}", text, left);
            }
        }
    }
}
