//! The lines of invoices.

use serde::Deserialize;

use super::lenient::{flag, or_default};
use super::{Metadata, Period, Price, Ref};

/// One line of an invoice.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct InvoiceLine {
    /// `il_…`, or other letters in old shapes.
    pub id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How much, tax not counted unless it is part of the price; less than 0 where something is given back.
    #[serde(default)]
    pub amount: i64,
    /// Of what, in small letters.
    pub currency: Option<String>,
    /// How many.
    pub quantity: Option<i64>,
    /// What time it is for.
    pub period: Option<Period>,
    /// What it costs, before 2025-03-31; see [`InvoiceLine::price_id`].
    pub price: Option<Price>,
    /// What it costs, in shapes older than prices; see [`InvoiceLine::price_id`].
    pub plan: Option<Price>,
    pricing: Option<Pricing>,
    subscription: Option<String>,
    parent: Option<Parent>,
    #[serde(default, deserialize_with = "flag")]
    proration: bool,
    /// What was kept with it.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Pricing {
    price_details: Option<PriceDetails>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct PriceDetails {
    price: Option<Ref<Price>>,
    product: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Parent {
    subscription_item_details: Option<Origin>,
    invoice_item_details: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Origin {
    subscription: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    proration: bool,
}

impl InvoiceLine {
    /// The id of what it costs, in all shapes.
    pub fn price_id(&self) -> Option<&str> {
        let new = || self.details()?.price.as_ref().map(Ref::id);
        let old = || self.price.as_ref().or(self.plan.as_ref()).map(|price| price.id.as_str());
        new().or_else(old)
    }

    /// The id of what is sold, in all shapes.
    pub fn product_id(&self) -> Option<&str> {
        let new = || self.details()?.product.as_deref();
        let old = || self.price.as_ref().or(self.plan.as_ref())?.product.as_ref().map(Ref::id);
        new().or_else(old)
    }

    /// The subscription that it comes from, in all shapes.
    pub fn subscription_id(&self) -> Option<&str> {
        let new = || self.origins().find_map(|origin| origin.subscription.as_deref());
        self.subscription.as_deref().or_else(new)
    }

    /// Whether it makes up for a change in the middle of a period.
    pub fn is_proration(&self) -> bool {
        self.proration || self.origins().any(|origin| origin.proration)
    }

    fn details(&self) -> Option<&PriceDetails> {
        self.pricing.as_ref()?.price_details.as_ref()
    }

    fn origins(&self) -> impl Iterator<Item = &Origin> {
        let parent = self.parent.as_ref();
        let of_item = parent.and_then(|parent| parent.subscription_item_details.as_ref());
        of_item.into_iter().chain(parent.and_then(|parent| parent.invoice_item_details.as_ref()))
    }
}
