use std::sync::Arc;

use futures_util::stream::{self, Stream, TryStreamExt as _};
use poem_openapi::types::{ParseFromJSON as _, ToJSON as _};

use super::store::{self, Filter};
use super::tools::ListActivity;
use crate::{
    app::App,
    error::{Error, Result},
    paging::LAST,
    tools::schema,
    values::{SiteId, Zone},
};

/// Rows read at once.
const PAGE: u32 = 500;

/// The filter that the arguments of `activity.list` say.
pub fn export_filter(args: serde_json::Value, zone: Zone) -> Result<Filter> {
    let list = ListActivity::parse_from_json(Some(args)).map_err(|error| Error::field("args", error.into_message()))?;
    Ok(list.filter(zone))
}

/// The rows as NDJSON, newest first: one JSON object a line. Memory stays flat whatever their number.
pub fn export(app: Arc<App>, site: SiteId, filter: Filter) -> impl Stream<Item = Result<String>> {
    let filter = Arc::new(filter);
    let pages = stream::try_unfold(Some(LAST.to_owned()), move |before| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let Some(before) = before else { return Ok(None) };
            let rows = store::list(app.db.read(), site, &filter, &before, PAGE).await?;
            let next = (rows.len() == PAGE as usize).then(|| rows.last().map(|row| row.id.to_string())).flatten();
            Ok(Some((rows, next)))
        }
    });
    pages.map_ok(|rows| {
        let line = |row: &super::types::Activity| {
            let mut value = row.to_json().unwrap_or_default();
            schema::without_nulls(&mut value);
            format!("{value}\n")
        };
        rows.iter().map(line).collect()
    })
}
