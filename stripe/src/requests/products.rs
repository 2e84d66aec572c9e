//! Products: what a plan is, its name and description.

use stripe_product::product::{CreateProduct, ListProduct, RetrieveProduct, UpdateProduct};

use super::{MAX_PER_PAGE, Metadata, hashed, segment, typed};
use crate::request::Request;
use crate::views::{Page, Product};

/// A product to make.
#[derive(Clone, Debug)]
pub struct NewProduct<'a> {
    /// Its id, chosen here: making it twice is refused, and looking it up is one read.
    pub id: &'a str,
    /// Its name, which customers see.
    pub name: &'a str,
    /// Its description, which customers see.
    pub description: Option<&'a str>,
    /// What to keep with it.
    pub metadata: &'a Metadata,
}

/// What to change of a product; nothing is left as it is.
#[derive(Clone, Debug, Default)]
pub struct ProductChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Its description. An empty one removes it.
    pub description: Option<&'a str>,
    /// Whether it can be bought.
    pub active: Option<bool>,
    /// What to keep with it besides.
    pub metadata: Option<&'a Metadata>,
}

/// Makes a product.
pub fn create(new: &NewProduct<'_>) -> Request<Product> {
    let mut request = CreateProduct::new(new.name).id(new.id);
    if let Some(description) = new.description.filter(|text| !text.is_empty()) {
        request = request.description(description);
    }
    if !new.metadata.is_empty() {
        request = request.metadata(hashed(new.metadata));
    }
    typed(&request)
}

/// Changes a product.
pub fn update(id: &str, change: &ProductChange<'_>) -> Request<Product> {
    let mut request = UpdateProduct::new(segment(id));
    if let Some(name) = change.name {
        request = request.name(name);
    }
    if let Some(description) = change.description {
        request = request.description(description);
    }
    if let Some(active) = change.active {
        request = request.active(active);
    }
    if let Some(metadata) = change.metadata {
        request = request.metadata(hashed(metadata));
    }
    typed(&request)
}

/// One product.
pub fn get(id: &str) -> Request<Product> {
    typed(&RetrieveProduct::new(segment(id)))
}

/// All products, or those that can be bought, or those that cannot.
pub fn list(active: Option<bool>) -> Request<Page<Product>> {
    let mut request = ListProduct::new().limit(MAX_PER_PAGE);
    if let Some(active) = active {
        request = request.active(active);
    }
    typed(&request)
}
