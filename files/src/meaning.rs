//! What a column is taken for, in the words of those who have the file.

use crate::evidence::{EvidenceKind, FlagColumn};
use crate::mapping::{Field, Mapping};
use crate::reason::{Reason, Verdict};

impl Reason {
    /// What it is, for people: `unsubscribed`.
    pub fn text(self) -> &'static str {
        match self {
            Self::Manual => "blocked by hand",
            Self::Unsubscribe => "unsubscribed",
            Self::Invalid => "no valid address",
            Self::HardBounce => "bounced for good",
            Self::Complaint => "complained about spam",
        }
    }
}

impl Mapping {
    /// What a column is taken for, from 0; `None` if it is not used.
    pub fn meaning(&self, column: usize) -> Option<String> {
        let field = self.columns.get(column)?.field;
        if field == Some(Field::Email) {
            return Some("the address".to_owned());
        }
        if let Some(evidence) = self.evidence.iter().find(|evidence| evidence.column == column) {
            return Some(said(evidence.kind));
        }
        let text = match field? {
            Field::Email | Field::Reason => "why an address gets no mail",
            Field::Source => "where it comes from",
            Field::Note => "the note",
            Field::FirstSeen => "since when",
            Field::VendorCode => "the mail provider's code",
            Field::Own(code) => return Some(code.replace('_', " ")),
        };
        Some(text.to_owned())
    }
}

fn said(kind: EvidenceKind) -> String {
    match kind {
        EvidenceKind::Words(_) => "says in words who gets no mail, and why".to_owned(),
        EvidenceKind::YesOrNo(FlagColumn { yes: Verdict::Suppressed(reason), takes_text: false, .. }) => {
            format!("says who gets no mail: a yes or a date there means {}", reason.text())
        }
        EvidenceKind::YesOrNo(FlagColumn { yes: Verdict::Suppressed(reason), takes_text: true, .. }) => {
            format!("says who gets no mail: whatever stands there means {}", reason.text())
        }
        EvidenceKind::YesOrNo(FlagColumn { yes: Verdict::Sendable, .. }) => {
            "says who wants mail: a no there means unsubscribed".to_owned()
        }
        EvidenceKind::StatusCodes => "the mail server's codes, which say what bounced for good".to_owned(),
        EvidenceKind::SoftBounces => "says whose mail came back for a trouble that passes".to_owned(),
        EvidenceKind::Asked { .. } => "the reasons, as you said".to_owned(),
    }
}
