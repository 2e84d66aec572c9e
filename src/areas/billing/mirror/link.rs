//! Who a subscription's member is, and what its plan.

use usher_stripe::{
    requests::{customers, products},
    views::{Metadata, Price, Ref},
};

use super::{Failed, Reader, Result, store, there};
use crate::{
    areas::plans::{self, Every, Plan},
    values::{MemberId, Time, Title},
};

/// The name of what Usher keeps with customers, sessions and subscriptions: the member's id.
pub const MEMBER: &str = "usher_member";

impl Reader<'_> {
    /// Whose a customer is: as is known here; else as what was kept with the object, or with the customer, says. A member
    /// who is gone is nobody.
    pub(super) async fn member(&self, customer: Option<&str>, metadata: &Metadata) -> Result<Option<MemberId>> {
        let site = self.site();
        if let Some(customer) = customer
            && let Some(member) = store::member_of_customer(self.app.db.read(), site, customer).await?
        {
            return Ok(Some(member));
        }
        if let Some(member) = self.named(metadata).await? {
            return Ok(Some(member));
        }
        let Some(customer) = customer else { return Ok(None) };
        let customer = there(self.client.read(&customers::get(customer)).await)?;
        match customer.filter(|customer| !customer.deleted) {
            Some(customer) => self.named(&customer.metadata).await,
            None => Ok(None),
        }
    }

    async fn named(&self, metadata: &Metadata) -> Result<Option<MemberId>> {
        let Some(id) = metadata.get(MEMBER).and_then(|text| MemberId::parse(text).ok()) else { return Ok(None) };
        let member = crate::areas::members::store::by_id(self.app.db.read(), self.site(), &id).await?;
        Ok(member.filter(|member| member.deleting_since.is_none()).map(|member| member.id))
    }

    /// The plan of a price: as is known here, else made from what Stripe says of it.
    pub(super) async fn plan(&self, price: &Price) -> Result<Plan> {
        let site = self.site();
        if let Some(plan) = plans::store::by_price(self.app.db.read(), site, &price.id).await? {
            return Ok(plan);
        }
        let product = match &price.product {
            Some(product) => match product.whole() {
                Some(product) => Some(product.clone()),
                None => there(self.client.read(&products::get(product.id())).await)?,
            },
            None => None,
        };
        let name = price.nickname.as_deref().or_else(|| product.as_ref()?.name.as_deref());
        let now = self.now();
        let plan = adopted(price, name, self.app.clock.id(), now)?;
        let mut tx = self.app.db.begin().await?;
        plans::store::insert(tx.conn(), site, &plan).await?;
        let kept = plans::store::by_price(tx.conn(), site, &price.id).await?;
        let kept = kept.ok_or_else(|| usher_db::Error::Protocol("a plan that was written is not there".into()))?;
        if kept.id == plan.id {
            self.record(&mut tx, "plan", None, &[usher_db::Change::created("plan", kept.id.as_str(), kept.json())])
                .await?;
        }
        tx.commit().await?;
        Ok(kept)
    }
}

/// A plan as Stripe's price says; private, as nobody here has offered it.
fn adopted(price: &Price, name: Option<&str>, id: crate::values::PlanId, now: Time) -> Result<Plan> {
    let every = price.every();
    let title = |text: &str| Title::parse(text).ok();
    let name = name.and_then(title).or_else(|| title(&format!("Stripe {}", price.id)));
    let name = name.ok_or_else(|| Failed::Database(usher_db::Error::Protocol("a price without a name".into())))?;
    Ok(Plan {
        id,
        name,
        description: None,
        amount: price.amount().unwrap_or_default(),
        currency: price.currency.clone().unwrap_or_default().to_ascii_uppercase(),
        every: every
            .as_ref()
            .map_or(Some(Every::OneTime), |every| Every::stored(&every.interval))
            .unwrap_or(Every::Month),
        every_n: every.as_ref().and_then(|every| u32::try_from(every.interval_count).ok()).unwrap_or(1),
        trial_days: 0,
        public: false,
        archived_at: (!price.active).then_some(now),
        product_id: price.product.as_ref().map(|product| Ref::id(product).to_owned()),
        price_id: Some(price.id.clone()),
        created_at: now,
        updated_at: now,
    })
}
