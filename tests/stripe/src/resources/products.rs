//! `/v1/products`.

use serde_json::{Value, json};

use crate::{
    account::Account,
    error::{ApiError, Result},
    form::{Metadata, MetadataPatch, Params, Patch, patch},
    table::{Page, Record},
};

/// A product.
#[derive(Debug)]
pub struct Product {
    id: String,
    created: i64,
    updated: i64,
    name: String,
    description: Option<String>,
    active: bool,
    metadata: Metadata,
    default_price: Option<String>,
    statement_descriptor: Option<String>,
    unit_label: Option<String>,
    url: Option<String>,
    images: Vec<String>,
    deleted: bool,
}

impl Product {
    /// A product of which only the name matters.
    pub fn named(id: String, name: &str, now: i64) -> Self {
        Self {
            id,
            created: now,
            updated: now,
            name: name.to_owned(),
            description: None,
            active: true,
            metadata: Metadata::new(),
            default_price: None,
            statement_descriptor: None,
            unit_label: None,
            url: None,
            images: vec![],
            deleted: false,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Record for Product {
    const WHAT: &'static str = "product";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }

    fn hidden(&self) -> bool {
        self.deleted
    }

    fn render(&self, _: &Account) -> Value {
        json!({
            "id": self.id,
            "object": "product",
            "active": self.active,
            "created": self.created,
            "default_price": self.default_price,
            "description": self.description,
            "images": self.images,
            "livemode": false,
            "marketing_features": [],
            "metadata": self.metadata,
            "name": self.name,
            "package_dimensions": null,
            "shippable": null,
            "statement_descriptor": self.statement_descriptor,
            "tax_code": null,
            "type": "service",
            "unit_label": self.unit_label,
            "updated": self.updated,
            "url": self.url,
        })
    }
}

/// What create and update have in common.
struct Changes {
    description: Patch<String>,
    active: Option<bool>,
    metadata: MetadataPatch,
    statement_descriptor: Patch<String>,
    unit_label: Patch<String>,
    url: Patch<String>,
    images: Vec<String>,
}

impl Changes {
    fn take(params: &mut Params) -> Result<Self> {
        Ok(Self {
            description: params.patch("description")?,
            active: params.boolean("active")?,
            metadata: params.metadata("metadata")?,
            statement_descriptor: params.patch("statement_descriptor")?,
            unit_label: params.patch("unit_label")?,
            url: params.patch("url")?,
            images: params.list("images")?,
        })
    }

    fn apply(self, product: &mut Product) {
        patch(&mut product.description, self.description);
        patch(&mut product.statement_descriptor, self.statement_descriptor);
        patch(&mut product.unit_label, self.unit_label);
        patch(&mut product.url, self.url);
        product.active = self.active.unwrap_or(product.active);
        self.metadata.apply(&mut product.metadata);
        if !self.images.is_empty() {
            product.images = self.images;
        }
    }
}

/// `POST /v1/products`
pub fn create(account: &mut Account, mut params: Params) -> Result<Value> {
    let id = params.text("id")?;
    let name = params.required("name")?;
    let changes = Changes::take(&mut params)?;
    params.ignore(&["type"]);
    params.finish()?;
    if let Some(id) = &id
        && account.products.get(id).is_some()
    {
        let error = ApiError::request(400, format!("Product already exists with the ID: {id}."));
        return Err(error.code("resource_already_exists"));
    }
    let id = id.unwrap_or_else(|| account.rng.id("prod"));
    let mut product = Product::named(id, &name, account.now);
    changes.apply(&mut product);
    let shown = product.render(account);
    account.products.insert(product);
    account.emit("product.created", &shown, None);
    Ok(shown)
}

/// `POST /v1/products/{id}`
pub fn update(account: &mut Account, id: &str, mut params: Params) -> Result<Value> {
    let name = params.text("name")?;
    let default_price = params.patch("default_price")?;
    let changes = Changes::take(&mut params)?;
    params.finish()?;
    let before = find(account, id)?.render(account);
    if let Some(Some(price)) = &default_price {
        account.prices.find(price, "default_price")?;
    }
    let now = account.now;
    if let Some(product) = account.products.get_mut(id) {
        changes.apply(product);
        patch(&mut product.default_price, default_price);
        product.name = name.unwrap_or_else(|| product.name.clone());
        product.updated = now;
    }
    let after = account.shown(|account| &account.products, id);
    account.emit_change("product.updated", &before, &after);
    Ok(after)
}

/// `GET /v1/products/{id}`
pub fn get(account: &Account, id: &str) -> Result<Value> {
    Ok(find(account, id)?.render(account))
}

/// `DELETE /v1/products/{id}`
pub fn delete(account: &mut Account, id: &str) -> Result<Value> {
    let shown = find(account, id)?.render(account);
    if account.prices.of(id).next().is_some() {
        let message = "This product cannot be deleted because it has one or more user-created prices.";
        return Err(ApiError::request(400, message));
    }
    if let Some(product) = account.products.get_mut(id) {
        product.deleted = true;
    }
    account.emit("product.deleted", &shown, None);
    Ok(json!({ "id": id, "object": "product", "deleted": true }))
}

/// `GET /v1/products`
pub fn list(account: &Account, mut params: Params) -> Result<Value> {
    let page = Page::take(&mut params)?;
    let active = params.boolean("active")?;
    let ids = params.list("ids")?;
    params.finish()?;
    page.list(account, &account.products, None, "/v1/products", |product| {
        active.is_none_or(|active| product.active == active) && (ids.is_empty() || ids.contains(&product.id))
    })
}

fn find<'a>(account: &'a Account, id: &str) -> Result<&'a Product> {
    account.products.find(id, "id").and_then(|product| match product.deleted {
        true => Err(ApiError::no_such("product", id, "id")),
        false => Ok(product),
    })
}
