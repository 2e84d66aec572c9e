use super::{
    store::{self, Filter},
    types::{Invoice, InvoiceRef},
};
use crate::{
    areas::members::{self, MemberRef},
    error::{Code, Error, Result},
    gate::Cx,
    paging,
    values::MemberId,
};

/// A page of invoices, newest first, and whether there are more.
pub async fn list(cx: &mut Cx, filter: &Filter, before: &str, limit: u32) -> Result<(Vec<Invoice>, bool)> {
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, filter, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// Whose invoices are asked for: also a member's who is gone, by the id.
pub async fn whose(cx: &mut Cx, who: &MemberRef) -> Result<MemberId> {
    let site = cx.site();
    match members::find(cx, who).await {
        Ok(member) => Ok(member.id),
        Err(error) => match who {
            MemberRef::Id(by) if error.code() == Code::MemberNotFound => {
                let filter = Filter { member: Some(by.id.clone()), ..Filter::default() };
                let any = store::list(cx.conn(), site, &filter, paging::LAST, 1).await?;
                if any.is_empty() { Err(error) } else { Ok(by.id.clone()) }
            }
            _ => Err(error),
        },
    }
}

/// The invoice that a call is about.
pub async fn find(cx: &mut Cx, which: &InvoiceRef) -> Result<Invoice> {
    let site = cx.site();
    let found = match which {
        InvoiceRef::Id(id) => store::by_id(cx.conn(), site, id).await?,
        InvoiceRef::Number(by) => store::by_number(cx.conn(), site, &by.number).await?,
        InvoiceRef::External(by) => store::by_external(cx.conn(), site, &by.external_id).await?,
    };
    found.ok_or_else(|| {
        let text = "The site has no such invoice, or Stripe has not told of it yet. Find it with invoices.list.";
        Error::new(Code::InvoiceNotFound, text)
    })
}
