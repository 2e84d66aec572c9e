use std::sync::Arc;

use futures_util::stream::{self, Stream};
use poem_openapi::types::ParseFromJSON as _;
use usher_files::ListFile;

use super::{
    hidden,
    store::{self, Filter},
    tools::ListBlocks,
    types::Entry,
};
use crate::{
    app::App,
    error::{Error, Result},
    paging::LAST,
    values::SiteId,
};

/// Entries read at once.
const PAGE: u32 = 2000;

/// What [`export`] is to give.
pub struct ExportFilter(Filter);

/// The filter that the arguments of `blocklist.list` say.
pub fn export_filter(args: serde_json::Value) -> Result<ExportFilter> {
    let list = ListBlocks::parse_from_json(Some(args)).map_err(|error| Error::field("args", error.into_message()))?;
    Ok(ExportFilter(list.filter()))
}

/// The entries as CSV that imports again, newest first. Memory stays flat whatever their number.
pub fn export(app: Arc<App>, site: SiteId, filter: ExportFilter) -> impl Stream<Item = Result<Vec<u8>>> {
    let filter = Arc::new(filter.0);
    let first = ListFile::begin(Vec::new()).and_then(ListFile::finish).map_err(Error::from);
    let pages = stream::try_unfold(Some(LAST.to_owned()), move |before| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let Some(before) = before else { return Ok(None) };
            let entries = store::list(app.db.read(), site, &filter, &before, PAGE).await?;
            let next = entries.last().filter(|_| entries.len() == PAGE as usize).map(|entry| entry.id.to_string());
            Ok(Some((csv(&entries)?, next)))
        }
    });
    stream::StreamExt::chain(stream::iter([first]), pages)
}

fn csv(entries: &[Entry]) -> Result<Vec<u8>> {
    let mut list = ListFile::resume(Vec::new());
    // Nobody could import a hash again.
    for entry in entries.iter().filter(|entry| !entry.key.starts_with(hidden::PREFIX)) {
        let first_seen = entry.first_seen.to_string();
        list.write([
            Some(&entry.email),
            Some(entry.reason.as_str()),
            Some(&entry.source),
            entry.note.as_deref(),
            Some(&first_seen),
            entry.vendor_code.as_deref(),
        ])?;
    }
    Ok(list.finish()?)
}
