//! `POST /api/v1/uploads`: a file for a tool's arguments, raw or as the first file of a form.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use http::{HeaderValue, StatusCode, header};
use poem::{FromRequest as _, Request, RequestBody, Response, web::Multipart};
use poem_openapi::types::ToJSON as _;
use serde_json::json;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

use super::{Entrance, call, envelope};
use crate::{
    app::App,
    areas::uploads::{Upload, actions},
    error::{Error, Result},
    gate::{self, Call, Caller},
    tools::{addresses, schema},
};

/// What a form may add to its file, in bytes.
const FORM_BYTES: u64 = 64 << 10;

/// How long a client may be silent in the middle of an upload.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) const ENTRANCE: Entrance = Entrance {
    address: &addresses::UPLOAD,
    handle: |app, request, call, caller| Box::pin(receive(app, request, call, caller)),
};

async fn receive(app: Arc<App>, mut request: Request, call: Arc<Call>, caller: Caller) -> Result<Response> {
    let upload = file(&app, &call, &caller, &mut request).await?;
    let mut view = upload.to_json().unwrap_or_default();
    schema::without_nulls(&mut view);
    let body = json!({ "ok": true, "tool": addresses::UPLOAD.name, "result": { "upload": view } }).to_string();
    let mut response = envelope::json(StatusCode::OK, body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn file(app: &Arc<App>, call: &Call, caller: &Caller, request: &mut Request) -> Result<Upload> {
    let length = call::text(request.headers(), header::CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
    if length.is_some_and(|length: u64| length > app.config.upload_max_bytes + FORM_BYTES) {
        return Err(actions::too_large(app));
    }
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
    call: &Call,
    caller: &Caller,
    request: &Request,
    body: &mut RequestBody,
) -> Result<Upload> {
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
    call: &Call,
    caller: &Caller,
    name: Option<&str>,
    body: impl AsyncRead + Unpin + Send,
) -> Result<Upload> {
    let record = gate::entry(call, caller);
    actions::receive(app, caller.site.id, &caller.key.id, name, body, SILENCE, record).await
}
