//! The documents: what programs and people read about the API. They never change while the program runs.

use poem::{Endpoint, Request, Route, endpoint::make_sync, get};

use super::compress::Document;
use crate::{
    areas::{access, billing, blocklist, emails, installation, notices, sign_in},
    tools::{addresses, manifest, openapi},
};

pub(super) fn routes() -> Route {
    Route::new()
        .at("/", get(fixed("text/html; charset=utf-8", manifest::home())))
        .at("/openapi.json", get(fixed("application/json", openapi::text())))
        .at("/docs", get(fixed("text/html; charset=utf-8", manifest::page())))
        .at("/docs/access.md", get(fixed("text/markdown; charset=utf-8", access::guide())))
        .at("/docs/billing.md", get(fixed("text/markdown; charset=utf-8", billing::guide())))
        .at("/docs/block-lists.md", get(fixed("text/markdown; charset=utf-8", blocklist::guide())))
        .at("/docs/bounces.md", get(fixed("text/markdown; charset=utf-8", notices::guide())))
        .at("/docs/mail.md", get(fixed("text/markdown; charset=utf-8", emails::guide())))
        .at("/docs/running.md", get(fixed("text/markdown; charset=utf-8", installation::guide())))
        .at("/docs/sign-in.md", get(fixed("text/markdown; charset=utf-8", sign_in::guide())))
        .at("/llms.txt", get(fixed("text/plain; charset=utf-8", manifest::llms())))
        .at("/.well-known/agent.json", get(fixed("application/json", manifest::agent().to_string())))
        .at(addresses::SCOPES.path, get(fixed("application/json", manifest::scopes().to_string())))
        .at(addresses::ERRORS.path, get(fixed("application/json", manifest::errors().to_string())))
}

fn fixed(content_type: &'static str, text: String) -> impl Endpoint {
    let document = Document::new(content_type, text);
    make_sync(move |request: Request| document.answer(request.headers()))
}
