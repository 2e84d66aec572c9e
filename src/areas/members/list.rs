//! A page of members: which way to it is the quickest.
//!
//! `store/list` says what the ways are. Each is chosen by counts that stop at a few thousand, so that choosing costs less
//! than the page.

use super::{
    store::{self, FEW, Filter, Path, Place, words},
    types::{Member, MemberSort},
    words::{ADDRESS, BEGINNINGS, LAST, NAME, Search, WordRange},
};
use crate::{
    areas::{access, groups},
    error::Result,
    gate::Cx,
    paging::{self, Cursor},
};

/// Words of a search that are counted, the longest; the others are only looked for in the members that those lead to.
const COUNTED: usize = 4;

/// A page of members, and the cursor of the next.
pub async fn list(
    cx: &mut Cx,
    filter: &Filter,
    sort: MemberSort,
    cursor: Option<&str>,
    limit: u32,
) -> Result<(Vec<Member>, Option<String>)> {
    let order = format!("members.list {}", sort.as_str());
    let place = Cursor::decode(cursor, &order)?;
    if filter.status.is_some() {
        access::settle_for_reading(&cx.app, cx.site(), cx.now).await;
    }
    if let Some(group) = &filter.group {
        groups::find(cx, group).await?;
    }
    if filter.text.as_ref().is_some_and(|search| search.terms.is_empty()) {
        return Ok((Vec::new(), None));
    }
    let place = place.map_or_else(|| Place::start(sort), |[key, id]| Place { key, id });
    let mut items = page(cx, filter, sort, place, limit + 1).await?;
    let more = paging::cut(&mut items, limit);
    let now = cx.now;
    let items: Vec<_> = items.into_iter().map(|member| member.with_status_at(now)).collect();
    let next = items.last().filter(|_| more).map(|member| {
        let Place { key, id } = Place::after(member, sort);
        Cursor::after(&order, [key, id]).encode()
    });
    Ok((items, next))
}

async fn page(cx: &mut Cx, filter: &Filter, sort: MemberSort, place: Place, limit: u32) -> Result<Vec<Member>> {
    let site = cx.site();
    let way = way(cx, filter, sort).await?;
    if matches!(sort, MemberSort::Newest | MemberSort::Oldest) {
        let path = way.path();
        return Ok(store::list_by_creation(cx.conn(), site, filter, sort, &path, &place, limit).await?);
    }
    let is_nameless = place.key.is_empty() && place.id != Place::start(sort).id;
    let mut items = Vec::new();
    if sort != MemberSort::Name || !is_nameless {
        items = stretch(cx, filter, sort, &way, &place, limit).await?;
    }
    let missing = limit - items.len() as u32;
    if sort == MemberSort::Name && missing > 0 {
        // Those without a name stand first in the index.
        let place = if is_nameless { place } else { Place { key: String::new(), id: String::new() } };
        let path = way.path();
        items.extend(store::list_by_key(cx.conn(), site, filter, sort, &path, (&place, ""), missing).await?);
    }
    Ok(items)
}

/// The members after `place` to the end of the order, but for those without a name in that of names.
async fn stretch(
    cx: &mut Cx,
    filter: &Filter,
    sort: MemberSort,
    way: &Way,
    place: &Place,
    limit: u32,
) -> Result<Vec<Member>> {
    let (site, last) = (cx.site(), LAST.to_string());
    let is_down = matches!(sort, MemberSort::EmailDown | MemberSort::NameDown);
    let end = if is_down { "" } else { last.as_str() };
    let Way::Beginning(text, others) = way else {
        return Ok(store::list_by_key(cx.conn(), site, filter, sort, &way.path(), (place, end), limit).await?);
    };
    let (first, last) = (text.clone(), format!("{text}{LAST}"));
    let mut items = store::list_by_key(cx.conn(), site, filter, sort, others, (place, end), limit).await?;
    let (from, to) = if is_down { (last, first) } else { (first, last) };
    let is_before = if is_down { place.key > from } else { place.key < from };
    let place = if is_before { &Place { key: from, id: Place::start(sort).id } } else { place };
    items.extend(store::list_by_key(cx.conn(), site, filter, sort, &Path::Walk, (place, &to), limit).await?);
    items.sort_by_cached_key(|member| {
        let Place { key, id } = Place::after(member, sort);
        (key, id)
    });
    if is_down {
        items.reverse();
    }
    items.truncate(limit as usize);
    Ok(items)
}

/// The way to a page.
#[derive(Debug)]
enum Way {
    /// One path.
    Path(Path),
    /// Those whose key begins with a text, which stand together; and the others of its word by a path.
    Beginning(String, Path),
}

impl Way {
    /// A path to all of them.
    fn path(&self) -> Path {
        match self {
            Self::Path(path) => path.clone(),
            Self::Beginning(..) => Path::Walk,
        }
    }
}

/// The quickest way: through a filter that few members fit, if there is one.
async fn way(cx: &mut Cx, filter: &Filter, sort: MemberSort) -> Result<Way> {
    let site = cx.site();
    let mut rarest = None;
    if let Some(search) = &filter.text {
        let range = rarest_range(cx, search).await?;
        match range {
            Some((n, range)) if n <= FEW => return Ok(Way::Path(Path::Word(range))),
            _ => rarest = range.map(|(_, range)| range),
        }
    }
    if let Some(from) = filter.updated_from
        && store::few_updated(cx.conn(), site, from).await?
    {
        return Ok(Way::Path(Path::Updated));
    }
    let is_by_creation = matches!(sort, MemberSort::Newest | MemberSort::Oldest);
    if is_by_creation {
        let is_filtered =
            filter.tag.is_some() || filter.group.is_some() || filter.status.is_some() || filter.updated_from.is_some();
        if let Some(range) = rarest.filter(|_| !is_filtered) {
            let different = words::different(cx.conn(), site, &range).await?;
            if different.len() <= words::FEW_WORDS {
                return Ok(Way::Path(Path::Merge(different)));
            }
        }
        return Ok(Way::Path(Path::Walk));
    }
    if let Some(tag) = &filter.tag
        && store::few_of_tag(cx.conn(), site, tag).await?
    {
        return Ok(Way::Path(Path::Tag));
    }
    if let Some(group) = &filter.group
        && store::few_of_group(cx.conn(), site, group).await?
    {
        return Ok(Way::Path(Path::Group));
    }
    if let Some(status) = filter.status
        && store::few_of_status(cx.conn(), site, status).await?
    {
        return Ok(Way::Path(Path::Status));
    }
    if filter.has_time() && store::few_of_time(cx.conn(), site, filter).await? {
        return Ok(Way::Path(Path::Time));
    }
    match &filter.text {
        Some(search) => by_beginning(cx, search, sort).await,
        None => Ok(Way::Path(Path::Walk)),
    }
}

/// The range of words with the fewest members, and how many.
async fn rarest_range(cx: &mut Cx, search: &Search) -> Result<Option<(u32, WordRange)>> {
    let site = cx.site();
    let mut rarest: Option<(u32, WordRange)> = None;
    for range in search.terms.iter().flat_map(|term| &term.ranges).take(COUNTED) {
        let limit = rarest.as_ref().map_or(FEW + 1, |(n, _)| *n);
        let n = words::count_some(cx.conn(), site, range, limit).await?;
        if n < limit || rarest.is_none() {
            rarest = Some((n, range.clone()));
        }
    }
    Ok(rarest)
}

/// The way to members of which many have each of the words: those that begin with one stand together, and the others may
/// be few.
async fn by_beginning(cx: &mut Cx, search: &Search, sort: MemberSort) -> Result<Way> {
    let site = cx.site();
    let with = match sort {
        MemberSort::Email | MemberSort::EmailDown => ADDRESS,
        _ => NAME,
    };
    let without: Vec<_> = BEGINNINGS.into_iter().filter(|begins| begins & with == 0).collect();
    for term in search.terms.iter().take(COUNTED) {
        let Some(text) = term.beginning() else { continue };
        let others = WordRange { begins: without.clone(), ..term.ranges[0].clone() };
        if words::count_some(cx.conn(), site, &others, FEW + 1).await? <= FEW {
            return Ok(Way::Beginning(text.to_owned(), Path::Word(others)));
        }
    }
    Ok(Way::Path(Path::Walk))
}
