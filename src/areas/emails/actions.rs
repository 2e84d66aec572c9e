use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use usher_mail::placeholders::Values;

use super::{
    compose::no_public_url,
    content::{Content, Draft},
    person::{self, check_placeholders},
    queue::{Letter, NOT_ON_TEST_SITE, check_connected, may_get_mail, queue},
    store::{self, Filter},
    types::{Kind, Mail, Recipient},
};
use crate::{
    areas::{
        blocklist::{self, Reason},
        members::{self, Member, MemberRef},
    },
    error::{Code, Error, Fix, Result},
    gate::{Cx, caps},
    paging,
    values::{Email, EmailId, MemberId, TemplateId},
};

/// Members that a send goes to at most.
pub const MOST_RECIPIENTS: usize = 20;

/// How long nobody is told the same again.
const REPEAT: Duration = Duration::from_secs(24 * 3600);

/// What is to be sent.
pub struct Message {
    /// What it says.
    pub draft: Draft,
    /// The template that it is from.
    pub template: Option<TemplateId>,
    /// What the template's own placeholders stand for.
    pub own: Values,
    /// Whether it may say what a member was told within a day.
    pub may_repeat: bool,
}

/// One member and what is to be said to them.
struct Said {
    member: Member,
    to: Email,
    subject: String,
    content: Content,
    hash: String,
    stays: Option<String>,
}

/// Sends a message to each of a few members: accepts a mail for each, all or none.
pub async fn send(cx: &mut Cx, to: Vec<MemberRef>, message: Message) -> Result<Vec<Recipient>> {
    if !cx.caller.site.settings.email_members {
        let text = "Members may not be written to: the site's operator has not switched it on. `usher sites update \
                    --email-members on` does.";
        return Err(Error::new(Code::EmailDisabled, text));
    }
    if to.len() > MOST_RECIPIENTS {
        let text = format!(
            "A send goes to at most {MOST_RECIPIENTS} members, and this one names {}. Nothing went out. Split it, or \
             write to fewer.",
            to.len()
        );
        return Err(Error::new(Code::TooManyRecipients, text));
    }
    check_placeholders(&message.draft, &message.own.keys().cloned().collect::<Vec<_>>())?;
    let people = hold(cx, &to).await?;
    check_connected(cx).await?;
    cx.caller.site.url().ok_or_else(no_public_url)?;
    let said = say(cx, people, &message).await?;
    if !message.may_repeat {
        refuse_repeats(cx, &said).await?;
    }
    let n_going = said.iter().filter(|said| said.stays.is_none()).count();
    caps::email(cx, u32::try_from(n_going).unwrap_or(u32::MAX)).await?;
    let mut recipients = Vec::with_capacity(said.len());
    for (at, said) in said.into_iter().enumerate() {
        let letter = Letter {
            member: &said.member.id,
            to: &said.to,
            kind: if message.template.is_some() { Kind::Template } else { Kind::Message },
            template: message.template.as_ref(),
            subject: &said.subject,
            content: &said.content,
            hash: Some(&said.hash),
            stays: said.stays,
            place: Some(format!("/recipients/{at}")),
        };
        recipients.push(queue(cx, letter).await?);
    }
    Ok(recipients)
}

/// The members that a call names, each once and in its order. Until it has ended, no other changes them, so that nobody is
/// told the same by two calls at once.
async fn hold(cx: &mut Cx, to: &[MemberRef]) -> Result<Vec<Member>> {
    let found = members::find_many(cx, to).await?;
    if let Some((who, _)) = to.iter().zip(&found.named).find(|(_, member)| member.is_none()) {
        members::found(cx, who, None)?;
    }
    let site = cx.site();
    let mut held: BTreeMap<MemberId, Member> = BTreeMap::new();
    for id in found.ids {
        members::store::hold(cx.conn(), site, &id).await?;
        let Some(member) = members::store::by_id(cx.conn(), site, &id).await? else {
            return Err(Error::new(
                Code::MemberNotFound,
                format!("Member {id} was deleted just now. Nothing went out."),
            ));
        };
        if member.deleting_since.is_some() {
            return Err(members::deleting(&id));
        }
        held.insert(id, member);
    }
    let mut seen = HashSet::new();
    let named: Vec<_> = found.named.into_iter().flatten().filter(|id| seen.insert(id.clone())).collect();
    Ok(named.into_iter().filter_map(|id| held.remove(&id)).collect())
}

/// What is said to each, and who gets no mail.
async fn say(cx: &mut Cx, people: Vec<Member>, message: &Message) -> Result<Vec<Said>> {
    let site = cx.site();
    let keys: Vec<_> = people.iter().map(Member::email_key).collect();
    let blocked = blocklist::find(cx, site, &keys).await?;
    let mut said = Vec::with_capacity(people.len());
    for member in people {
        let to = Email::stored(&member.email);
        let mut values = person::values(cx, &member).await?;
        values.extend(message.own.clone());
        // They were all found to be known.
        let (subject, content) = message.draft.fill(member.name.as_deref(), &values).map_err(Error::internal)?;
        let hash = content.hash(&member.id);
        let stays = match blocked.get(to.key()) {
            Some(entry) => Some(entry.reason.as_str().to_owned()),
            // One that was made before such addresses were refused.
            None if Email::parse(&member.email).is_err() => Some(Reason::Invalid.as_str().into()),
            None if !may_get_mail(&cx.caller.site, &to) => Some(NOT_ON_TEST_SITE.into()),
            None => None,
        };
        said.push(Said { member, to, subject, content, hash, stays });
    }
    Ok(said)
}

async fn refuse_repeats(cx: &mut Cx, said: &[Said]) -> Result<()> {
    let (site, since) = (cx.site(), cx.now - REPEAT);
    let mut told = Vec::new();
    for said in said.iter().filter(|said| said.stays.is_none()) {
        if store::said(cx.conn(), site, &said.member.id, &said.hash, since).await? {
            told.push(said.member.id.to_string());
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Within the last 24 hours the same text went to {}. Nothing went out. Leave them out, write something else, or \
         pass allowRepeat.",
        told.join(", ")
    );
    Err(Error::new(Code::RepeatedEmail, text))
}

/// A page of mails, newest first, and whether there are more.
pub(super) async fn list(cx: &mut Cx, filter: &Filter, before: &str, limit: u32) -> Result<(Vec<Mail>, bool)> {
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, filter, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// The newest mails to a member, and whether there are more.
pub async fn list_of(cx: &mut Cx, member: &MemberId, limit: u32) -> Result<(Vec<Mail>, bool)> {
    let filter = Filter { member: Some(member.clone()), ..Filter::default() };
    list(cx, &filter, paging::LAST, limit).await
}

/// One mail.
pub(super) async fn get(cx: &mut Cx, id: &EmailId) -> Result<Mail> {
    let site = cx.site();
    let mail = store::by_id(cx.conn(), site, id).await?.ok_or_else(|| {
        let fix = Fix { tool: "emails.list", args: serde_json::json!({}), scope: None };
        let text = format!("The site has sent no mail {id}, or it is forgotten. Find it with emails.list.");
        Error::new(Code::EmailNotFound, text).fixed_by(fix)
    })?;
    cx.touches(&mail.member);
    Ok(mail)
}
