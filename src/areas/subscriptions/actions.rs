use super::{
    store::{self, Filter},
    types::Subscription,
};
use crate::{
    error::{Code, Error, Result},
    gate::Cx,
    paging,
    values::SubscriptionId,
};

/// A page of subscriptions, newest first, and whether there are more.
pub async fn list(cx: &mut Cx, filter: &Filter, before: &str, limit: u32) -> Result<(Vec<Subscription>, bool)> {
    let site = cx.site();
    let mut items = store::list(cx.conn(), site, filter, before, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    Ok((items, more))
}

/// The subscription that a call is about.
pub async fn find(cx: &mut Cx, id: &SubscriptionId) -> Result<Subscription> {
    let site = cx.site();
    store::by_id(cx.conn(), site, id).await?.ok_or_else(|| not_found(id.as_str()))
}

/// The same by Stripe's id.
pub async fn find_external(cx: &mut Cx, external: &str) -> Result<Subscription> {
    let site = cx.site();
    store::by_external(cx.conn(), site, external).await?.ok_or_else(|| not_found(external))
}

fn not_found(id: &str) -> Error {
    let text = format!(
        "The site has no subscription {id}. Find it with subscriptions.list; if Stripe has it, subscriptions.resync of \
         its member reads it."
    );
    Error::new(Code::SubscriptionNotFound, text)
}
