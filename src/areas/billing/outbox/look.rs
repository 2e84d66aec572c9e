use std::time::Duration;

use serde::de::DeserializeOwned;
use usher_stripe::{Client, Error, Pager, Request, views::Page};

/// Pages of a list in which something is looked for. More is an error: what is on none of them is not proven absent.
const MAX_PAGES: u32 = 50;

/// The wait between two pages.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks through a whole list. Nothing is said to be absent while something in the list cannot be read.
pub async fn search<T: DeserializeOwned>(
    client: &Client,
    list: Request<Page<T>>,
    is_it: impl Fn(&T) -> bool,
) -> Result<Option<T>, Error> {
    let mut pager = Pager::new(list, PAUSE, MAX_PAGES);
    let mut unreadable = None;
    while let Some(answer) = pager.next(client).await? {
        if let Some(found) = answer.value.data.into_iter().find(|one| is_it(one)) {
            return Ok(Some(found));
        }
        let request_id = answer.request_id;
        unreadable = unreadable.or(answer.value.unreadable.into_iter().next().map(|one| (request_id, one.why)));
    }
    match unreadable {
        None => Ok(None),
        Some((request_id, why)) => Err(Error::Undecodable { status: 200, request_id, why }),
    }
}

/// The whole of a list. Nothing of it is passed over: what cannot be read is an error.
pub async fn list_all<T: DeserializeOwned>(client: &Client, list: Request<Page<T>>) -> Result<Vec<T>, Error> {
    let mut pager = Pager::new(list, PAUSE, MAX_PAGES);
    let mut all = Vec::new();
    while let Some(answer) = pager.next(client).await? {
        all.extend(answer.value.data);
        if let Some(one) = answer.value.unreadable.into_iter().next() {
            return Err(Error::Undecodable { status: 200, request_id: answer.request_id, why: one.why });
        }
    }
    Ok(all)
}
