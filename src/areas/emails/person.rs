//! What the placeholders of mails stand for.

use usher_mail::placeholders::{self, Values, Wrong};

use super::{content::Draft, store};
use crate::{
    areas::{members::Member, sites::Site},
    error::{Code, Error, Result},
    gate::Cx,
};

/// What every mail knows of its recipient and of the site.
pub const KNOWN: [&str; 5] = ["first_name", "name", "email", "plan_name", "site_name"];

/// The values for a member.
pub async fn values(cx: &mut Cx, member: &Member) -> Result<Values> {
    let site = cx.site();
    let plan = store::plan_name(cx.conn(), site, &member.id).await?;
    Ok(of(&cx.caller.site, member.name.as_deref(), &member.email, plan))
}

/// The values for somebody who does not exist, to show what a mail would look like.
pub fn sample(site: &Site) -> Values {
    of(site, Some("Anna Example"), "anna@example.com", Some("Yearly plan".into()))
}

fn of(site: &Site, name: Option<&str>, email: &str, plan: Option<String>) -> Values {
    let name = name.unwrap_or_default();
    let first = name.split_whitespace().next().unwrap_or_default();
    let all = [first.into(), name.into(), email.into(), plan.unwrap_or_default(), site.name.clone()];
    KNOWN.into_iter().map(str::to_owned).zip(all).collect()
}

/// Makes sure that a text can be filled: that each placeholder is one of every mail's or one of its own.
pub fn check_placeholders(draft: &Draft, own: &[String]) -> Result<()> {
    let known = |name: &str| KNOWN.contains(&name) || own.iter().any(|own| own == name);
    draft.parts().try_for_each(|(part, text)| {
        placeholders::check(text, &known).map_err(|wrong| {
            let braces = |name: &str| format!("{{{{{name}}}}}");
            let all: Vec<_> = KNOWN.into_iter().chain(own.iter().map(String::as_str)).map(braces).collect();
            let what = match &wrong {
                Wrong::Unknown(name) => format!("{} in the {part} stands for nothing", braces(name)),
                Wrong::Open(_) => format!("in the {part}, {wrong}"),
            };
            let text = format!("A placeholder is wrong: {what}. Nothing was done. There are {}.", all.join(", "));
            Error::new(Code::UnknownPlaceholder, text)
        })
    })
}
