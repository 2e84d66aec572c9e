//! Customers: only the address with which a member pays is kept of them. It never becomes the member's own.

use serde_json::json;
use usher_db::Change;
use usher_stripe::requests::customers;

use super::{Reader, Result, store, there};
use crate::values::Email;

impl Reader<'_> {
    pub(super) async fn customer(&self) -> Result<()> {
        let view = there(self.client.read(&customers::get(&self.dirty.object)).await)?;
        let site = self.site();
        let member = store::member_of_customer(self.app.db.read(), site, &self.dirty.object).await?;
        let mut tx = self.app.db.begin().await?;
        if let Some(view) = view.filter(|view| !view.deleted)
            && self.holds(&mut tx, member.as_ref()).await?
        {
            if store::member_of_customer(tx.conn(), site, &view.id).await? != member {
                // It has got another member meanwhile; it stays to be read.
                return Ok(());
            }
            let email = view.email.as_ref().and_then(|email| Email::parse(email).ok());
            let key = email.as_ref().map(Email::key);
            let before = store::address_of(tx.conn(), site, &view.id).await?;
            if store::customer_address(tx.conn(), site, &view.id, key, self.ticket).await? == 1
                && before.as_deref() != key
            {
                // Without the address, which may be another person's.
                let change = Change::created("customerAddress", &view.id, json!({ "customer": view.id }));
                self.record(&mut tx, "customer", member.as_ref(), &[change]).await?;
            }
        }
        self.end(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}
