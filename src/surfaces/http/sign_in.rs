//! `/sign-in/<token>`: the page behind a sign-in link. And `/.well-known/jwks.json`: what its tokens are checked with.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};
use serde_json::json;

use super::{
    address, call, envelope,
    page::{On, Page},
    status,
};
use crate::{
    app::App,
    areas::{
        sign_in::{self, Entered, HandOver, Standing, Visit, keys},
        sites::{self, Site},
    },
    error::{Code, Error, Result},
    values::{RequestId, SiteId},
};

pub(super) async fn page(app: Arc<App>, request: Request) -> poem::Result<Response> {
    let id: RequestId = app.clock.id();
    let answer = match request.method() {
        &Method::GET | &Method::HEAD => open(&app, &request, None).await,
        &Method::POST => open(&app, &request, Some(&id)).await,
        _ => Err(Error::new(Code::MethodNotAllowed, "This page is opened, or its button is pressed.")),
    };
    let mut response = answer.unwrap_or_else(|error| trouble(&error, &id));
    envelope::identify(response.headers_mut(), &id);
    Ok(response)
}

/// Shows how the link stands, or, where its button was `pressed`, lets its member in.
async fn open(app: &Arc<App>, request: &Request, pressed: Option<&RequestId>) -> Result<Response> {
    let host = site_of(app, request).await?;
    let token = request.raw_path_param("token").unwrap_or_default();
    let visit = sign_in::look(app, host, token).await?;
    let guessed = || app.gate.guess(address::of(request, &app.config.trusted_proxies), app.clock.now());
    let Some(mut visit) = visit else {
        return Ok(guessed().map_or_else(too_many, |()| unknown()));
    };
    let Some(id) = pressed.filter(|_| !is_from_elsewhere(request.headers())) else { return Ok(standing(&visit)) };
    if visit.standing != Standing::Open {
        // Whoever has an old link cannot fill the log with it.
        if let Err(seconds) = guessed() {
            return Ok(too_many(seconds));
        }
        sign_in::record_refused(app, &visit, visit.standing, id.clone()).await?;
        return Ok(standing(&visit));
    }
    match sign_in::enter(app, visit.clone(), id.clone()).await? {
        Entered::In(over) => Ok(hand_over(&visit.site, &over)),
        Entered::Not(now) => {
            visit.standing = now;
            Ok(standing(&visit))
        }
    }
}

/// The site whose own the host of a request is.
async fn site_of(app: &App, request: &Request) -> Result<Option<SiteId>> {
    match call::host(request) {
        Some(host) => Ok(sites::store::by_domain(app.db.read(), &sites::host_name(&host)).await?),
        None => Ok(None),
    }
}

/// Whether another site's page made the browser press the button, so as to sign somebody in as somebody else. `Origin` of
/// our own page is `null`, since it has no referrer; it counts only for browsers that say nothing better.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name| call::text(headers, name);
    if let Some(site) = text("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let own = |origin: &str| {
        let host = origin.split_once("://").map(|(_, host)| host);
        host.is_some() && host == text(header::HOST.as_str()).as_deref()
    };
    text(header::ORIGIN.as_str()).is_some_and(|origin| origin != "null" && !own(&origin))
}

fn standing(visit: &Visit) -> Response {
    let name = &visit.site.name;
    let ended = |title, texts: [String; 2], note| {
        Page { title, paragraphs: &texts, button: None, note }.answer(StatusCode::GONE)
    };
    match visit.standing {
        Standing::Open => Page {
            title: &format!("Sign in to {name}?"),
            paragraphs: &[format!("You will be signed in as {}.", visit.link.email)],
            button: Some("Sign in"),
            note: Some("If you did not ask for this, close this page. Nothing happens until you press the button."),
        }
        .answer(StatusCode::OK),
        Standing::Used => ended(
            "This link has been used",
            [
                "A sign-in link works once. If it was you who used it, you are signed in already.".to_owned(),
                format!("To sign in again, ask {name} for a new link."),
            ],
            Some("If it was not you, tell the people of the site."),
        ),
        Standing::Expired => ended(
            "This link has expired",
            ["A sign-in link works for an hour.".to_owned(), format!("Ask {name} for a new one.")],
            None,
        ),
        Standing::Gone => ended(
            "This link no longer works",
            [
                "The account that it was for is being closed.".to_owned(),
                format!("If that is a mistake, write to {name}."),
            ],
            None,
        ),
    }
}

/// What is said of a link that there is not, and of one that is another site's.
fn unknown() -> Response {
    let page = Page {
        title: "This link does not work",
        paragraphs: &[
            "It may have been cut off when it was copied. Open it from the mail itself, or copy all of it.".to_owned(),
            "Or go back to where you wanted to sign in, and ask for a new one.".to_owned(),
        ],
        button: None,
        note: None,
    };
    page.answer(StatusCode::NOT_FOUND)
}

fn too_many(seconds: u64) -> Response {
    let page = Page {
        title: "Too many tries",
        paragraphs: &[format!(
            "Too many links that do not work were opened from your network. Please try again in {seconds} seconds."
        )],
        button: None,
        note: None,
    };
    let mut response = page.answer(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

fn hand_over(site: &Site, over: &HandOver) -> Response {
    let page = Page {
        title: "You are signed in",
        paragraphs: &[format!("You are being taken to {}.", site.name)],
        button: Some("Go on"),
        note: None,
    };
    page.hand_on(&On { url: &over.login_url, fields: &[("token", &over.token)] })
}

/// What went wrong is the operator's to know; whoever wants to sign in is told what to do.
fn trouble(error: &Error, id: &RequestId) -> Response {
    let (title, text) = match error.code() {
        Code::MethodNotAllowed => ("That does not work here", error.message().to_owned()),
        _ => {
            tracing::error!(request = %id, ?error, "somebody could not be signed in");
            let text = "That is not your fault, and your link still works. Please try again in a few minutes.";
            ("Signing in does not work right now", text.to_owned())
        }
    };
    let code = match status(error.code()) {
        StatusCode::METHOD_NOT_ALLOWED => StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::INTERNAL_SERVER_ERROR => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let note = format!("Request {id}");
    let mut response = Page { title, paragraphs: &[text], button: None, note: Some(&note) }.answer(code);
    if code == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    }
    response
}

/// The public keys of the site that the host is of: by its host name, else by the address of its pages, else the only one.
pub(super) async fn key_set(app: Arc<App>, request: Request) -> poem::Result<Response> {
    let sites = sites_of(&app, &request).await?;
    if sites.is_empty() {
        let text = "No site is reached at this host. Ask at the host name or the public URL of one.";
        return Err(Error::new(Code::NotFound, text).into());
    }
    let keys = keys::key_set(&app.db, &sites, app.clock.now()).await?;
    // The first key is made at first need: that there is none yet must not be remembered.
    let cached = if keys.is_empty() { "no-store".to_owned() } else { format!("public, max-age={}", keys::MAX_AGE_S) };
    let body = json!({ "keys": keys }).to_string();
    let answer = Response::builder().content_type("application/jwk-set+json").header(header::CACHE_CONTROL, cached);
    Ok(answer.header("x-content-type-options", "nosniff").body(body))
}

async fn sites_of(app: &App, request: &Request) -> Result<Vec<SiteId>> {
    if let Some(site) = site_of(app, request).await? {
        return Ok(vec![site]);
    }
    let all = sites::store::all(app.db.read()).await?;
    let host = call::host(request).map(|host| sites::host_name(&host));
    let reached_at = |site: &Site| {
        let url = site.url().and_then(|url| reqwest::Url::parse(&url).ok());
        url.and_then(|url| url.host_str().map(sites::host_name)) == host
    };
    let here: Vec<_> = all.iter().filter(|site| reached_at(site)).map(|site| site.id).collect();
    match (&here[..], &all[..]) {
        ([], [only]) => Ok(vec![only.id]),
        _ => Ok(here),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_is_pressed_on_our_own_page() {
        for (headers, elsewhere) in [
            (&[][..], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")][..], false),
            (&[("sec-fetch-site", "none")][..], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "null")][..], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://members.example.com")][..], true),
            (&[("origin", "null")][..], false),
            (&[("origin", "https://members.example.com")][..], false),
            (&[("origin", "https://evil.example")][..], true),
        ] {
            let mut map = HeaderMap::new();
            map.insert("host", "members.example.com".parse().unwrap());
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_from_elsewhere(&map), elsewhere, "{headers:?}");
        }
    }
}
