//! A whole list, page by page.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::client::{Answer, Client};
use crate::error::{Error, NotSent};
use crate::request::Request;
use crate::views::Page;

/// Which way through a list, which Stripe gives newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the newest, or from a cursor, to the oldest.
    Older,
    /// From a cursor to what came after it. Each page is still newest first. Without a cursor there is one page, the
    /// newest.
    Newer,
}

/// Goes through a list, with a pause before each page but the first and a bound on the number of pages.
///
/// The last id that was seen is [`Pager::cursor`]: kept, it lets another pager go on from there.
#[derive(Debug)]
pub struct Pager<T> {
    request: Request<Page<T>>,
    direction: Direction,
    pause: Duration,
    max_pages: u32,
    n_pages: u32,
    cursor: Option<String>,
    is_done: bool,
}

impl<T: DeserializeOwned> Pager<T> {
    /// Begins at the newest. The caller chooses the pause: Stripe allows 100 reads a second of an account, 25 in test mode,
    /// for everything that uses it.
    pub fn new(request: Request<Page<T>>, pause: Duration, max_pages: u32) -> Self {
        Self { request, direction: Direction::Older, pause, max_pages, n_pages: 0, cursor: None, is_done: false }
    }

    /// Begins after an id, in the direction given. The id itself is not given again.
    pub fn from(self, cursor: &str, direction: Direction) -> Self {
        Self { cursor: Some(cursor.to_owned()), direction, ..self }
    }

    /// The next page, or nothing once the list is at its end.
    ///
    /// An error leaves the pager where it was, so that the page can be asked for again. A list with more pages than
    /// allowed is an error too ([`NotSent::TooManyPages`]), as whoever takes a part for the whole would find things gone.
    pub async fn next(&mut self, client: &Client) -> Result<Option<Answer<Page<T>>>, Error> {
        if self.is_done {
            return Ok(None);
        }
        if self.n_pages >= self.max_pages {
            return Err(NotSent::TooManyPages { max_pages: self.max_pages }.into());
        }
        if self.n_pages > 0 {
            tokio::time::sleep(self.pause).await;
        }
        let parameter = match self.direction {
            Direction::Older => "starting_after",
            Direction::Newer => "ending_before",
        };
        let request = self.request.stored();
        let answer: Answer<Page<T>> = match &self.cursor {
            Some(cursor) => client.read_stored(&request.with_query(parameter, cursor)).await?,
            None => client.read_stored(request).await?,
        };
        let page = &answer.value;
        let next = match self.direction {
            Direction::Older => page.last_id.clone(),
            Direction::Newer => page.first_id.clone(),
        };
        if page.has_more && (next.is_none() || next == self.cursor) {
            let why = "it says that more follows and not after what".to_owned();
            return Err(Error::Undecodable { status: 200, request_id: answer.request_id, why });
        }
        self.is_done = !page.has_more || (self.direction == Direction::Newer && self.cursor.is_none());
        self.n_pages += 1;
        self.cursor = next.or_else(|| self.cursor.take());
        Ok(Some(answer))
    }

    /// The id that the next page is after: the last one seen, or where this pager began.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Whether the list is at its end.
    pub fn is_done(&self) -> bool {
        self.is_done
    }
}
