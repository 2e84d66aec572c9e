//! Names like one that no tool has.
//!
//! Somebody who guesses a name means a verb: it is looked for among the tools of the area that was named, by the words that
//! other APIs use for it. A name that asks for something leads to tools that only read, and no name leads to a tool that
//! cannot be undone.

use super::{Definition, Kind, Scopes, ToolInfo};

/// How many names are suggested.
const MOST: usize = 3;

/// How like areas and verbs must be, by Jaro-Winkler.
const LIKENESS: f64 = 0.85;

/// Letters in which a whole name may differ to be a slip of the hand.
const SLIP: usize = 2;

/// What the verbs of other APIs are called here, and whether they only ask.
const VERBS: &[(&str, &[&str], bool)] = &[
    ("search", &["list", "find"], true),
    ("find", &["find", "list", "get"], true),
    ("lookup", &["find", "get", "list"], true),
    ("query", &["list"], true),
    ("filter", &["list"], true),
    ("all", &["list"], true),
    ("index", &["list"], true),
    ("count", &["count", "list"], true),
    ("list", &["list"], true),
    ("get", &["get", "list"], true),
    ("fetch", &["get", "list"], true),
    ("read", &["get", "list"], true),
    ("show", &["get", "list"], true),
    ("view", &["get", "list"], true),
    ("retrieve", &["get", "list"], true),
    ("describe", &["describe", "get"], true),
    ("check", &["check"], true),
    ("status", &["syncStatus", "get"], true),
    ("why", &["whyPaywall"], true),
    ("add", &["create", "add"], false),
    ("new", &["create"], false),
    ("make", &["create"], false),
    ("insert", &["create"], false),
    ("register", &["create", "invite"], false),
    ("edit", &["update"], false),
    ("set", &["update", "set"], false),
    ("change", &["update"], false),
    ("modify", &["update"], false),
    ("patch", &["update"], false),
    ("rename", &["update"], false),
    ("tag", &["addTags"], false),
    ("untag", &["removeTags"], false),
    // What takes away is never guessed.
    ("delete", &[], false),
    ("remove", &[], false),
    ("erase", &[], false),
    ("destroy", &[], false),
    ("drop", &[], false),
];

/// What is asked of one area and done in another.
const ELSEWHERE: &[(&str, &str)] = &[
    ("block", "blocklist.add"),
    ("suppress", "blocklist.add"),
    ("unsubscribe", "blocklist.add"),
    ("unblock", "blocklist.remove"),
    ("unsuppress", "blocklist.remove"),
    ("resubscribe", "blocklist.remove"),
    ("grant", "access.grantFree"),
    ("gift", "access.grantFree"),
    ("email", "emails.send"),
    ("mail", "emails.send"),
    ("login", "members.createLoginLink"),
    ("refund", "invoices.get"),
];

/// The names most like `asked`, of tools that a key with these scopes may call; none rather than one that is not meant.
pub fn suggest(tools: &[ToolInfo], asked: &str, scopes: Option<Scopes>) -> Vec<&'static str> {
    let asked = asked.to_lowercase();
    let (area, verb) = asked.split_once(['.', '_']).unwrap_or(("", &asked));
    let known = VERBS.iter().filter(|(word, ..)| verb.starts_with(word)).max_by_key(|(word, ..)| word.len());
    let elsewhere = ELSEWHERE.iter().find(|(word, _)| *word == verb).map(|(_, name)| *name);
    let may = |tool: &Definition| scopes.is_none_or(|scopes| tool.access.scope.is_none_or(|scope| scopes.has(scope)));
    let score = |tool: &Definition| -> Option<f64> {
        let name = tool.name.to_lowercase();
        let (its_area, its_verb) = name.split_once('.')?;
        if tool.access.destructive || known.is_some_and(|(.., asks)| *asks) && tool.access.kind != Kind::Read {
            return None;
        }
        let slips = strsim::damerau_levenshtein(&asked.replace('_', "."), &name);
        if slips <= SLIP && (known.is_none() || slips < SLIP) {
            return Some(20.0 - f64::from(u8::try_from(slips).ok()?));
        }
        if elsewhere == Some(tool.name) {
            return Some(9.0);
        }
        let same_area = strsim::jaro_winkler(area, its_area);
        if same_area < LIKENESS {
            return None;
        }
        let meant = |words: &[&str]| words.iter().position(|word| its_verb.starts_with(&word.to_lowercase()));
        match known {
            Some((_, words, _)) => Some(5.0 + same_area - f64::from(u8::try_from(meant(words)?).ok()?)),
            None => Some(strsim::jaro_winkler(verb, its_verb)).filter(|like| *like >= LIKENESS),
        }
    };
    let tools = tools.iter().map(|tool| tool.definition).filter(|tool| may(tool));
    let mut found: Vec<_> = tools.filter_map(|tool| Some((score(tool)?, tool.name))).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.len().cmp(&b.1.len())).then(a.1.cmp(b.1)));
    found.into_iter().take(MOST).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::CATALOG, *};

    #[test]
    fn a_guess_leads_to_what_is_meant() {
        for (asked, first) in [
            ("members.search", "members.list"),
            ("members.find", "members.findByEmail"),
            ("members.lookup", "members.findByEmail"),
            ("member.get", "members.get"),
            ("members.fetch", "members.get"),
            ("Members.List", "members.list"),
            ("members_list", "members.list"),
            ("members.lst", "members.list"),
            ("members.unblock", "blocklist.remove"),
            ("members.unsubscribe", "blocklist.add"),
            ("members.block", "blocklist.add"),
            ("members.add", "members.create"),
            ("members.edit", "members.update"),
            ("members.status", "members.syncStatus"),
            ("video.show", "videos.get"),
            ("groups.new", "groups.create"),
            ("subscription.all", "subscriptions.list"),
        ] {
            assert_eq!(suggest(&CATALOG.tools, asked, None).first(), Some(&first), "{asked}");
        }
        for asked in
            ["nonsense", "pay.now", "members.frobnicate", "x.y", "", "members", "members.remove", "videos.destroy"]
        {
            assert_eq!(suggest(&CATALOG.tools, asked, None), [""; 0], "{asked}");
        }
    }

    #[test]
    fn a_question_never_leads_to_a_write_nor_any_guess_to_harm() {
        let verbs = VERBS.iter().map(|(verb, _, asks)| (*verb, *asks)).chain([
            ("remove", false),
            ("erase", false),
            ("drop", false),
        ]);
        for (verb, asks) in verbs {
            for area in crate::areas::AREAS {
                for name in suggest(&CATALOG.tools, &format!("{}.{verb}", area.name), None) {
                    let access = CATALOG.get(name).expect("a tool").definition.access;
                    assert!(!(access.destructive || asks && access.kind != Kind::Read), "{}.{verb}: {name}", area.name);
                }
            }
        }
    }

    #[test]
    fn only_what_the_key_may_call_is_named() {
        assert_eq!(suggest(&CATALOG.tools, "members.search", Some(Scopes::default())), [""; 0]);
    }
}
