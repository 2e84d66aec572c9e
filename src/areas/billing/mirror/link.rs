//! Who a subscription's member is, and what its plan.

use usher_db::Tx;
use usher_stripe::{
    requests::{customers, products},
    views::{Metadata, Price},
};

use super::{Reader, Result, store, there};
use crate::{
    areas::plans::{self, Plan},
    values::{Email, MemberId, PlanId},
};

/// The name of what Usher keeps with customers, sessions and subscriptions: the member's id.
pub const MEMBER: &str = "usher_member";

/// Whose something at Stripe is.
#[derive(Default)]
pub(super) struct Whose {
    /// The member, if anything says so.
    pub(super) member: Option<MemberId>,
    /// The customer's address, if it had to be asked for.
    pub(super) email: Option<Email>,
}

impl Whose {
    pub(super) fn of(member: MemberId) -> Self {
        Self { member: Some(member), email: None }
    }
}

impl Reader<'_> {
    /// Whose a customer is: as is known here; else as what was kept with the object, or with the customer, says. A member
    /// who is gone is nobody.
    pub(super) async fn whose(&self, customer: Option<&str>, metadata: &Metadata) -> Result<Whose> {
        let site = self.site();
        if let Some(customer) = customer
            && let Some(member) = store::member_of_customer(self.app.db.read(), site, customer).await?
        {
            return Ok(Whose::of(member));
        }
        if let Some(member) = self.named(metadata).await? {
            return Ok(Whose::of(member));
        }
        let Some(customer) = customer else { return Ok(Whose::default()) };
        let customer = there(self.client.read(&customers::get(customer)).await)?;
        let Some(customer) = customer.filter(|customer| !customer.deleted) else { return Ok(Whose::default()) };
        let email = customer.email.and_then(|email| Email::parse(&email).ok());
        Ok(Whose { member: self.named(&customer.metadata).await?, email })
    }

    /// Notes with which address somebody pays, who may have signed up with another.
    pub(super) async fn pays_as(&self, tx: &mut Tx, customer: Option<&str>, email: Option<&str>) -> Result<()> {
        if let (Some(customer), Some(email)) = (customer, email.and_then(|email| Email::parse(email).ok())) {
            store::pays_as(tx.conn(), self.site(), customer, email.key()).await?;
        }
        Ok(())
    }

    async fn named(&self, metadata: &Metadata) -> Result<Option<MemberId>> {
        self.member_by_id(metadata.get(MEMBER).map(String::as_str)).await
    }

    /// The member of an id that was kept at Stripe, if there is one who stays.
    pub(super) async fn member_by_id(&self, id: Option<&str>) -> Result<Option<MemberId>> {
        let Some(id) = id.and_then(|text| MemberId::parse(text).ok()) else { return Ok(None) };
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
        let plan = plans::of_price(price, name, self.app.clock.id(), now);
        let mut tx = self.app.db.begin().await?;
        // One that was made here, and whose price is there before it is known here.
        let own = price.lookup_key.as_deref().and_then(|key| PlanId::parse(key).ok());
        if let (Some(own), Some(product)) = (own, &price.product) {
            plans::store::set_price(tx.conn(), site, &own, product.id(), &price.id).await?;
        }
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
