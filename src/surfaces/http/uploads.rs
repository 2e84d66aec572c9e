//! `POST /api/v1/uploads`: a file for a tool's arguments, raw or as the first file of a form.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use http::{StatusCode, header};
use poem::{FromRequest as _, Request, RequestBody, Response, web::Multipart};
use poem_openapi::types::ToJSON as _;
use serde_json::json;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::{call, envelope};
use crate::{
    app::App,
    areas::uploads::{Upload, actions},
    error::Error,
    gate::{self, Caller},
    tools::{Kind, Scope, schema},
};

/// How long a client may be silent in the middle of an upload.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) async fn receive(app: Arc<App>, mut request: Request) -> poem::Result<Response> {
    let (call, _) = call::of(&app, &request, "uploads.create");
    let caller = gate::enter(&app, &call, Some(Scope::MembersManage), Kind::Write).await?;
    let received = file(&app, &call, &caller, &mut request).await;
    let upload = match received {
        Ok(upload) => upload,
        Err(error) => return Err(gate::record_refusal(&app, &call, &caller, error).await.into()),
    };
    let mut view = upload.to_json().unwrap_or_default();
    schema::without_nulls(&mut view);
    let body = json!({ "ok": true, "upload": view }).to_string();
    let mut response = envelope::json(StatusCode::CREATED, body);
    response.headers_mut().insert("x-request-id", call.request.as_str().parse().expect("an id is ASCII"));
    Ok(response)
}

async fn file(app: &Arc<App>, call: &gate::Call, caller: &Caller, request: &mut Request) -> Result<Upload, Error> {
    let media = call::text(request.headers(), header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if media.to_ascii_lowercase().starts_with("multipart/form-data") {
        let mut body = RequestBody::new(request.take_body());
        return form(app, call, caller, request, &mut body).await;
    }
    let query = request.params::<Vec<(String, String)>>().unwrap_or_default();
    let name = query.into_iter().find(|(key, _)| key == "name").map(|(_, name)| name);
    let bytes = request.take_body().into_bytes_stream().map_err(std::io::Error::other);
    store(app, call, caller, name.as_deref(), StreamReader::new(bytes)).await
}

async fn form(
    app: &Arc<App>,
    call: &gate::Call,
    caller: &Caller,
    request: &Request,
    body: &mut RequestBody,
) -> Result<Upload, Error> {
    let missing = || Error::field("body", "the form has no file; send it as a part with a file name");
    let unreadable =
        |_| Error::field("body", "the form cannot be read; send it as multipart/form-data, or the file as the body");
    let mut form = Multipart::from_request(request, body).await.map_err(unreadable)?;
    while let Some(field) = form.next_field().await.map_err(|_| missing())? {
        if let Some(name) = field.file_name().map(str::to_owned) {
            return store(app, call, caller, Some(&name), field.into_async_read()).await;
        }
    }
    Err(missing())
}

async fn store(
    app: &Arc<App>,
    call: &gate::Call,
    caller: &Caller,
    name: Option<&str>,
    body: impl AsyncRead + Unpin + Send,
) -> Result<Upload, Error> {
    let record = gate::entry(call, caller);
    actions::receive(app, caller.site.id, &caller.key.id, name, body, SILENCE, record).await
}
