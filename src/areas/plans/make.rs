//! Making a plan at Stripe: a product and a price.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use usher_db::Tx;
use usher_jobs::Fail;
use usher_stripe::{
    Client, Error, Kind, Request, StoredRequest,
    money::{Currency, Money},
    requests::{prices, products},
    views,
};

use super::{
    store,
    types::{Every, Plan},
};
use crate::{
    areas::billing::outbox::{Outbox, Step, search},
    error::Code,
    values::SiteId,
};

/// The name of the plan's id among what is kept with what is made at Stripe.
pub const PLAN: &str = "usher_plan";

/// The name of the job and the step that made it.
pub const OP: &str = "usher_op";

/// Steps that it takes at most.
pub const N_STEPS: usize = 2;

/// Stripe's id of a plan's price, which is made if it is not known.
pub async fn ensure(outbox: &mut Outbox<'_>, plan: &Plan) -> Result<String, Fail> {
    if let Some(price) = &plan.price_id {
        return Ok(price.clone());
    }
    let product = outbox.make(&MakeProduct { plan }).await?.id;
    let price = Money {
        amount: plan.amount,
        currency: Currency::parse(&plan.currency)
            .map_err(|error| Fail::fatal(Code::StripeRefused.name(), error.to_string()))?,
    };
    let step = MakePrice { site: outbox.site, plan, product: &product, price };
    Ok(outbox.make(&step).await?.id)
}

/// What is kept of what was made.
#[derive(Serialize, Deserialize)]
struct Made {
    /// Stripe's.
    id: String,
}

fn metadata(plan: &Plan, op: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(PLAN.to_owned(), plan.id.to_string()), (OP.to_owned(), op.to_owned())])
}

struct MakeProduct<'a> {
    plan: &'a Plan,
}

impl Step for MakeProduct<'_> {
    const NAME: &'static str = "product";
    const LOOKS_FIRST: bool = true;
    type View = views::Product;
    type Made = Made;

    fn request(&self, op: &str) -> Request<views::Product> {
        products::create(&products::NewProduct {
            id: self.plan.id.as_str(),
            name: self.plan.name.as_str(),
            description: self.plan.description.as_deref(),
            metadata: &metadata(self.plan, op),
        })
    }

    async fn find(&self, client: &Client, _: &str, _: &StoredRequest) -> Result<Option<views::Product>, Error> {
        match client.read(&products::get(self.plan.id.as_str())).await {
            Ok(answer) => Ok(Some(answer.value).filter(|product| !product.deleted)),
            Err(error) if error.kind() == Kind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn made(&self, view: views::Product) -> Made {
        Made { id: view.id }
    }
}

struct MakePrice<'a> {
    site: SiteId,
    plan: &'a Plan,
    product: &'a str,
    price: Money,
}

impl Step for MakePrice<'_> {
    const NAME: &'static str = "price";
    const LOOKS_FIRST: bool = true;
    type View = views::Price;
    type Made = Made;

    fn request(&self, op: &str) -> Request<views::Price> {
        let n = u16::try_from(self.plan.every_n).unwrap_or(1);
        prices::create(&prices::NewPrice {
            product: self.product,
            price: self.price,
            every: match self.plan.every {
                Every::OneTime => prices::Every::Once,
                Every::Year => prices::Every::Years(n),
                // Of days and weeks are only plans whose price is at Stripe already.
                Every::Month | Every::Day | Every::Week => prices::Every::Months(n),
            },
            lookup_key: self.plan.id.as_str(),
            metadata: &metadata(self.plan, op),
        })
    }

    async fn find(&self, client: &Client, _: &str, _: &StoredRequest) -> Result<Option<views::Price>, Error> {
        let key = self.plan.id.as_str();
        let filter = prices::PriceFilter { lookup_key: Some(key), ..Default::default() };
        search(client, prices::list(&filter), |price| price.lookup_key.as_deref() == Some(key)).await
    }

    fn made(&self, view: views::Price) -> Made {
        Made { id: view.id }
    }

    async fn keep(&self, tx: &mut Tx, made: &Made) -> usher_db::Result<Result<(), Fail>> {
        store::set_price(tx.conn(), self.site, &self.plan.id, self.product, &made.id).await?;
        Ok(Ok(()))
    }
}
