//! `/unsubscribe/<token>`: a page with a button, and what the button or a mail program posts (RFC 8058).

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};

use super::{envelope, page::Page, status};
use crate::{
    app::App,
    areas::unsubscribe::{self, Reader},
    error::{Code, Error, Result},
    values::RequestId,
};

/// The longest body that is read, in bytes. What is in it does not matter: only a POST with the link's token counts, be it
/// `List-Unsubscribe=One-Click`, as a form or in parts, or nothing, which is what the page's button sends.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How long a body may take to arrive.
const LONGEST: Duration = Duration::from_secs(20);

pub(super) async fn page(app: Arc<App>, mut request: Request) -> poem::Result<Response> {
    let id: RequestId = app.clock.id();
    let answer = match request.method() {
        &Method::GET | &Method::HEAD => look(&app, &request).await,
        &Method::POST => act(&app, &mut request, &id).await,
        _ => Err(Error::new(Code::MethodNotAllowed, "This page is opened, or its button is pressed.")),
    };
    let mut response = answer.unwrap_or_else(|error| trouble(&error, &id));
    envelope::identify(response.headers_mut(), &id);
    Ok(response)
}

/// Looking never acts: scanners of mail open every link.
async fn look(app: &App, request: &Request) -> Result<Response> {
    let Some(reader) = reader(app, request).await? else { return Ok(no_link()) };
    if unsubscribe::is_unsubscribed(app, &reader).await? {
        return Ok(done(&reader, "You are unsubscribed already"));
    }
    let name = &reader.site.name;
    let page = Page {
        title: &format!("Stop mail from {name}?"),
        paragraphs: &[format!("{name} will send no more mail to {}.", masked(&reader))],
        button: Some("Unsubscribe"),
        note: Some("Links to sign in still come when you ask for one."),
    };
    Ok(page.answer(StatusCode::OK))
}

async fn act(app: &App, request: &mut Request, id: &RequestId) -> Result<Response> {
    let body = request.take_body().into_bytes_limit(MAX_BODY_BYTES);
    match tokio::time::timeout(LONGEST, body).await {
        Ok(Ok(_)) => {}
        Ok(Err(poem::error::ReadBodyError::PayloadTooLarge)) => {
            return Err(Error::new(Code::BodyTooLarge, "This page takes a press of its button, and no long text."));
        }
        Ok(Err(_)) | Err(_) => {
            return Err(Error::new(Code::RequestTimeout, "Your request did not arrive whole. Please try again."));
        }
    }
    let Some(reader) = reader(app, request).await? else { return Ok(no_link()) };
    unsubscribe::unsubscribe(app, &reader, id).await?;
    Ok(done(&reader, "You are unsubscribed"))
}

async fn reader(app: &App, request: &Request) -> Result<Option<Reader>> {
    unsubscribe::reader(app, request.raw_path_param("token").unwrap_or_default()).await
}

fn done(reader: &Reader, title: &str) -> Response {
    let name = &reader.site.name;
    let page = Page {
        title,
        paragraphs: &[format!("{name} sends no more mail to {}.", masked(reader))],
        button: None,
        note: Some("If that was a mistake, write to the people of the site: only they can undo it."),
    };
    page.answer(StatusCode::OK)
}

fn no_link() -> Response {
    let page = Page {
        title: "This link does not work",
        paragraphs: &[
            "It may have been cut off when it was copied. Open it from the mail itself, or copy all of it.".to_owned(),
            "Or reply to the mail and ask to get no more.".to_owned(),
        ],
        button: None,
        note: None,
    };
    page.answer(StatusCode::NOT_FOUND)
}

fn trouble(error: &Error, id: &RequestId) -> Response {
    if error.code() == Code::Internal {
        tracing::error!(request = %id, ?error, "a page could not be shown");
    }
    let page = Page {
        title: "That did not work",
        paragraphs: &[error.message().to_owned()],
        button: None,
        note: Some(&format!("Request {id}")),
    };
    let mut response = page.answer(status(error.code()));
    if error.code() == Code::MethodNotAllowed {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    }
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// An address as whoever has it recognises it: a mail may have been passed on, and with it the link.
fn masked(reader: &Reader) -> String {
    let (local, domain) = reader.email.as_str().rsplit_once('@').unwrap_or_default();
    let shown: String = local.chars().take(if local.chars().count() > 4 { 2 } else { 1 }).collect();
    format!("{shown}***@{domain}")
}
