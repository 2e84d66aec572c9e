//! The account that the key acts on.

use super::get;
use crate::request::Request;
use crate::views::Account;

/// The account itself. A restricted key may need a permission for it.
pub fn get_own() -> Request<Account> {
    get("/account".to_owned(), &[])
}
