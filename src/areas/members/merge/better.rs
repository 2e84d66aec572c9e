//! Which of two rights wins: at each moment from now on, who has either has at least as much afterwards.

use std::cmp::Ordering;

use super::super::types::Span;
use crate::values::Time;

/// What entitlements are compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The entitlement's bundle.
    pub bundle: String,
    pub source: Option<String>,
    pub job: Option<String>,
    pub granted_at: Time,
    pub expires_at: Option<Time>,
    pub revoked_at: Option<Time>,
    /// A grant without an order that holds it.
    pub direct: Option<Span>,
    pub created_at: Time,
}

impl Right {
    fn span(&self) -> Span {
        Span { since: self.granted_at, expires_at: self.expires_at }
    }

    /// Whether it gives access now or later.
    pub fn lives(&self, now: Time) -> bool {
        self.revoked_at.is_none() && is_open(&self.span(), now)
    }
}

/// The right that stands for two to the same bundle: one that lives beats one that does not, for life beats until a day,
/// a later day an earlier one. Of two that live, the sooner beginning counts too.
pub fn right(winner: Right, loser: Right, now: Time) -> Right {
    let created_at = winner.created_at.min(loser.created_at);
    let better = match (winner.lives(now), loser.lives(now)) {
        (true, true) => {
            let granted_at = winner.granted_at.min(loser.granted_at);
            let direct = span(winner.direct, loser.direct, now);
            let better = if ends(&winner.span(), &loser.span()) == Ordering::Less { loser } else { winner };
            Right { granted_at, direct, ..better }
        }
        (false, true) => loser,
        _ => winner,
    };
    Right { created_at, ..better }
}

/// The span that stands for two, of free access or of a trial.
pub fn span(winner: Option<Span>, loser: Option<Span>, now: Time) -> Option<Span> {
    let (Some(a), Some(b)) = (winner, loser) else { return winner.or(loser) };
    match (is_open(&a, now), is_open(&b, now)) {
        (true, true) => {
            let expires_at = if ends(&a, &b) == Ordering::Less { b.expires_at } else { a.expires_at };
            Some(Span { since: a.since.min(b.since), expires_at })
        }
        (false, true) => Some(b),
        (true, false) => Some(a),
        (false, false) => Some(if ends(&a, &b) == Ordering::Less { b } else { a }),
    }
}

fn is_open(span: &Span, now: Time) -> bool {
    span.expires_at.is_none_or(|end| now < end)
}

/// Which ends sooner; never is last.
fn ends(a: &Span, b: &Span) -> Ordering {
    let end = |span: &Span| span.expires_at.unwrap_or(Time::MAX);
    end(a).cmp(&end(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Right {
        fn holds(&self, at: Time) -> bool {
            self.revoked_at.is_none() && self.span().holds(at)
        }
    }

    fn time() -> impl Strategy<Value = Time> {
        (0i64..12).prop_map(Time::from_micros)
    }

    prop_compose! {
        fn a_span()(since in time(), expires_at in proptest::option::of(time())) -> Span {
            Span { since, expires_at }
        }
    }

    prop_compose! {
        fn a_right()(span in a_span(), revoked_at in proptest::option::of(time()), created_at in time()) -> Right {
            Right {
                bundle: "bun".into(), source: None, job: None, direct: Some(span), granted_at: span.since,
                expires_at: span.expires_at, revoked_at, created_at,
            }
        }
    }

    proptest! {
        #[test]
        fn a_merge_takes_no_right_away(a in a_right(), b in a_right(), now in time()) {
            let merged = right(a.clone(), b.clone(), now);
            for at in (now.micros()..14).map(Time::from_micros) {
                prop_assert!(merged.holds(at) || !a.holds(at) && !b.holds(at), "{:?} {:?} {:?}", a, b, at);
            }
            // Nor does it give any that neither had or was to have.
            if !a.lives(now) && !b.lives(now) {
                prop_assert!((now.micros()..14).all(|at| !merged.holds(Time::from_micros(at))));
            }
        }

        #[test]
        fn a_merge_takes_no_free_access_away(
            a in proptest::option::of(a_span()), b in proptest::option::of(a_span()), now in time(),
        ) {
            let merged = span(a, b, now);
            let holds = |span: &Option<Span>, at| span.is_some_and(|span| span.holds(at));
            for at in (now.micros()..14).map(Time::from_micros) {
                prop_assert!(holds(&merged, at) || !holds(&a, at) && !holds(&b, at), "{:?} {:?} {:?}", a, b, at);
            }
        }
    }
}
