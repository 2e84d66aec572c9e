//! What a change of plan writes at Stripe.

use serde::{Deserialize, Serialize};
use usher_stripe::{
    Client, Error, Kind, Request, StoredRequest,
    requests::{
        subscription_schedules::{self as schedules, NextPhase, PhaseItem},
        subscriptions::{self as ask, ItemPrice},
    },
    views,
};

use crate::areas::{billing::outbox::Step, plans::OP};

/// The item that gets the price, by Stripe's id: the one that was named, or the only one; else which there are.
pub fn choose_item(view: &views::Subscription, named: Option<&str>) -> Result<String, String> {
    let ids: Vec<&str> = view.items.data.iter().filter_map(|item| item.id.as_deref()).collect();
    match (named, ids.as_slice()) {
        (Some(named), _) if ids.contains(&named) => Ok(named.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (Some(_), _) => Err(format!("The subscription has no such item. Its items at Stripe: {}.", listed(view))),
        (None, _) => Err(format!(
            "The subscription has several items; name one as `item`. Its items at Stripe: {}.",
            listed(view)
        )),
    }
}

fn listed(view: &views::Subscription) -> String {
    let each = view.items.data.iter().map(|item| {
        let price = item.price.as_ref().map_or("no price", |price| price.id.as_str());
        format!("{} ({price})", item.id.as_deref().unwrap_or("no id"))
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Whether an item has a price; without an item, whether any has.
pub fn has_price(view: &views::Subscription, item: Option<&str>, price: &str) -> bool {
    view.items.data.iter().any(|one| {
        let is_it = item.is_none_or(|item| one.id.as_deref() == Some(item));
        is_it && one.price.as_ref().is_some_and(|known| known.id == price)
    })
}

/// The price is given now.
pub struct ChangeNow<'a> {
    pub subscription: &'a str,
    /// Empty once it may have been sent: what was sent says it.
    pub item: &'a str,
    pub price: &'a str,
    /// In seconds since 1970.
    pub proration_date: Option<i64>,
}

/// What is kept of a change.
#[derive(Serialize, Deserialize)]
pub struct ChangeMade {
    /// Stripe's id of what has changed: the subscription, or its schedule.
    pub id: String,
}

impl Step for ChangeNow<'_> {
    const NAME: &'static str = "change";
    const LOOKS_FIRST: bool = true;
    type View = views::Subscription;
    type Made = ChangeMade;

    fn request(&self, _: &str) -> Request<views::Subscription> {
        let change = ItemPrice { item: self.item, price: self.price, proration_date: self.proration_date };
        ask::change_price(self.subscription, &change)
    }

    /// The price says whether it was done.
    async fn find(&self, client: &Client, _: &str, sent: &StoredRequest) -> Result<Option<views::Subscription>, Error> {
        let view = match client.read(&ask::get(self.subscription)).await {
            Ok(answer) => answer.value,
            Err(error) if error.kind() == Kind::Missing => return Ok(None),
            Err(error) => return Err(error),
        };
        let item = sent.parameter("items[0][id]");
        Ok(Some(view).filter(|view| has_price(view, item.as_deref(), self.price)))
    }

    fn made(&self, view: views::Subscription) -> ChangeMade {
        ChangeMade { id: view.id }
    }
}

/// The subscription is put under a schedule.
pub struct MakeSchedule<'a> {
    pub subscription: &'a str,
}

impl Step for MakeSchedule<'_> {
    const NAME: &'static str = "schedule";
    const LOOKS_FIRST: bool = true;
    type View = views::SubscriptionSchedule;
    type Made = ChangeMade;

    fn request(&self, _: &str) -> Request<views::SubscriptionSchedule> {
        schedules::from_subscription(self.subscription)
    }

    /// A subscription has one schedule at a time.
    async fn find(
        &self,
        client: &Client,
        _: &str,
        _: &StoredRequest,
    ) -> Result<Option<views::SubscriptionSchedule>, Error> {
        let view = match client.read(&ask::get(self.subscription)).await {
            Ok(answer) => answer.value,
            Err(error) if error.kind() == Kind::Missing => return Ok(None),
            Err(error) => return Err(error),
        };
        match view.schedule_id() {
            Some(schedule) => Ok(Some(client.read(&schedules::get(schedule)).await?.value)),
            None => Ok(None),
        }
    }

    fn made(&self, view: views::SubscriptionSchedule) -> ChangeMade {
        ChangeMade { id: view.id }
    }
}

/// The schedule is told what the subscription becomes.
pub struct SetNext<'a> {
    pub schedule: &'a str,
    pub now: &'a [PhaseItem],
    pub then: &'a [PhaseItem],
    /// When the current phase began and ends, in seconds since 1970.
    pub span: (i64, i64),
    pub price: &'a str,
    pub duration: (&'a str, u32),
}

impl Step for SetNext<'_> {
    const NAME: &'static str = "next";
    const LOOKS_FIRST: bool = true;
    type View = views::SubscriptionSchedule;
    type Made = ChangeMade;

    fn request(&self, op: &str) -> Request<views::SubscriptionSchedule> {
        let next = NextPhase {
            now: self.now,
            start: self.span.0,
            end: self.span.1,
            then: self.then,
            duration: self.duration,
            metadata: (OP, op),
        };
        schedules::set_next(self.schedule, &next)
    }

    async fn find(
        &self,
        client: &Client,
        op: &str,
        _: &StoredRequest,
    ) -> Result<Option<views::SubscriptionSchedule>, Error> {
        let view = client.read(&schedules::get(self.schedule)).await?.value;
        let is_ours = view.metadata.get(OP).is_some_and(|known| known == op);
        Ok(Some(view).filter(|view| is_ours && view.is_live() && view.leads_to(self.price)))
    }

    fn made(&self, view: views::SubscriptionSchedule) -> ChangeMade {
        ChangeMade { id: view.id }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_item_is_needed_where_there_are_several() {
        let view = |items: serde_json::Value| -> views::Subscription {
            serde_json::from_value(json!({ "id": "sub_1", "status": "active", "items": { "data": items } })).unwrap()
        };
        let item = |id: &str| json!({ "id": id, "price": { "id": format!("price_{id}") } });
        let (one, two) = (view(json!([item("si_1")])), view(json!([item("si_1"), item("si_2")])));
        assert_eq!(choose_item(&one, None).unwrap(), "si_1");
        assert_eq!(choose_item(&two, Some("si_2")).unwrap(), "si_2");
        assert!(choose_item(&two, None).unwrap_err().ends_with("si_1 (price_si_1), si_2 (price_si_2)."));
        assert!(choose_item(&one, Some("si_2")).is_err());
        assert!(has_price(&two, Some("si_2"), "price_si_2") && !has_price(&two, Some("si_1"), "price_si_2"));
    }
}
