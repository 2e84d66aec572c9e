//! Plans from what the owner sells at Stripe already.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_db::{Change, Tx};
use usher_jobs::{Fail, Job, Queue, Run};
use usher_stripe::{
    Client, Error, Pager,
    requests::prices,
    views::{Price, Unreadable},
};

use super::{
    store,
    types::{Every, Opens, Plan, Pricing},
};
use crate::{
    app::App,
    areas::billing::job::{failed, to_read},
    clock::Clock,
    values::{PlanId, SiteId, Time, Title},
};

/// Pages of prices that are read, a hundred on each.
const MAX_PAGES: u32 = 50;

/// The wait between two pages: five a second of the hundred that an account may ask for, or the 25 in test mode.
const PAUSE: Duration = Duration::from_millis(200);

/// Makes plans of Stripe's prices.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {}

impl Job for Import {
    const KIND: &'static str = "plans.importFromStripe";
    const QUEUE: Queue = Queue::Fast;
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(10 * 60);
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// Prices at Stripe.
    total: usize,
    done: usize,
    /// Plans that were made.
    created: usize,
    /// Plans whose name or description is another.
    updated: usize,
    /// Prices of which no plan can be: by tiers, by use, of parts of a cent, or archived and not known here.
    skipped: usize,
    /// Prices that say something which cannot be read; the server's log names them.
    unreadable: usize,
}

/// What an account sells.
#[derive(Debug, Default)]
pub struct Offered {
    /// Prices, the newest first.
    pub prices: Vec<Price>,
    /// How many more there are that cannot be read.
    pub unreadable: usize,
}

/// Applies [`Import`].
pub async fn import(app: &App, _: Import, run: &Run) -> Result<(), Fail> {
    let site = SiteId::new(run.site);
    let (_, client) = to_read(app, site).await?;
    let offered = match prices(&client).await {
        Ok(offered) => offered,
        Err(error) => return Err(failed(app, run, error).await),
    };
    let mut tx = app.db.begin().await?;
    let counts = apply(&mut tx, site, &offered, &app.clock).await?;
    run.finish(&mut tx, &counts, &counts).await?;
    tx.commit().await?;
    Ok(())
}

/// Every price of the account, with its product.
pub async fn prices(client: &Client) -> Result<Offered, Error> {
    let mut pager = Pager::new(prices::list(&prices::PriceFilter::default()), PAUSE, MAX_PAGES);
    let mut all = Offered::default();
    while let Some(page) = pager.next(client).await? {
        all.prices.extend(page.value.data);
        for Unreadable { id, why } in page.value.unreadable {
            tracing::warn!(price = id, why, "a price of Stripe's cannot be read");
            all.unreadable += 1;
        }
    }
    Ok(all)
}

/// Makes private plans of the prices that are not known, and gives those that are Stripe's names.
pub async fn apply(tx: &mut Tx, site: SiteId, offered: &Offered, clock: &Clock) -> usher_db::Result<Counts> {
    let total = offered.prices.len() + offered.unreadable;
    let mut counts = Counts { total, done: total, unreadable: offered.unreadable, ..Counts::default() };
    // Stripe gives the newest first; their plans are to be in the same order.
    for price in offered.prices.iter().rev() {
        let now = clock.now();
        let product = price.product.as_ref().and_then(|product| product.whole());
        let name = price.nickname.as_deref().or_else(|| product?.name.as_deref());
        let mut seen = of_price(price, name, clock.id(), now);
        seen.description = product.and_then(|product| product.description.clone());
        match store::by_price(tx.conn(), site, &price.id).await? {
            // What was made here is named here.
            Some(known) if known.is_ours() => {}
            Some(known) if known.name != seen.name || known.description != seen.description => {
                let after = Plan { name: seen.name, description: seen.description, updated_at: now, ..known.clone() };
                store::update(tx.conn(), site, &after).await?;
                tx.note(Change::updated("plan", after.id.as_str(), known.json(), after.json()));
                counts.updated += 1;
            }
            Some(_) => {}
            None if price.active && is_plan(price) && price.lookup_key.as_deref().is_none_or(is_no_plan) => {
                store::insert(tx.conn(), site, &seen).await?;
                tx.note(Change::created("plan", seen.id.as_str(), seen.json()));
                counts.created += 1;
            }
            None => counts.skipped += 1,
        }
    }
    Ok(counts)
}

/// Whether a lookup key is not that of a plan of Usher's: one that is gets its price by the job that makes it.
fn is_no_plan(key: &str) -> bool {
    PlanId::parse(key).is_err()
}

/// Whether a price is one amount, once or every so often.
fn is_plan(price: &Price) -> bool {
    price.amount().is_some()
        && pricing(price).is_none()
        && price.every().is_none_or(|every| Every::stored(&every.interval).is_some())
}

fn pricing(price: &Price) -> Option<Pricing> {
    match price.every() {
        _ if price.billing_scheme.as_deref() == Some("tiered") => Some(Pricing::Tiered),
        Some(every) if every.usage_type.as_deref() == Some("metered") => Some(Pricing::Metered),
        _ => None,
    }
}

/// A plan as Stripe's price says; private, as nobody here has offered it, and opening nothing, as nobody has said that it does.
pub fn of_price(price: &Price, name: Option<&str>, id: PlanId, now: Time) -> Plan {
    let every = price.every();
    let title = |text: &str| Title::parse(text).ok();
    let name = name.and_then(title).or_else(|| title(&format!("Stripe {}", price.id)));
    Plan {
        id,
        name: name.unwrap_or_else(Title::unknown),
        description: None,
        pricing: pricing(price),
        amount: price.amount().unwrap_or_default(),
        currency: price.currency.clone().unwrap_or_default().to_ascii_uppercase(),
        every: every
            .as_ref()
            .map_or(Some(Every::OneTime), |every| Every::stored(&every.interval))
            .unwrap_or(Every::Month),
        every_n: every.as_ref().and_then(|every| u32::try_from(every.interval_count).ok()).unwrap_or(1),
        trial_days: 0,
        public: false,
        opens: Opens::Nothing,
        needs_review: Some(true),
        archived_at: (!price.active).then_some(now),
        product_id: price.product.as_ref().map(|product| product.id().to_owned()),
        price_id: Some(price.id.clone()),
        created_at: now,
        updated_at: now,
    }
}
