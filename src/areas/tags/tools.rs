use poem_openapi::Object;

use super::store;
use crate::{
    error::Result,
    gate::Cx,
    paging::{self, Cursor, default_limit},
    tools::{Access, Area, Scope, Tool, tools},
    values::Tag,
};

/// The tools of tags.
pub const AREA: Area = Area { name: "tags", about: "What members are labelled with.", tools: tools![ListTags] };

/// Tags have one order, by name.
const ORDER: &str = "tags.list tag";

/// A tag and how many have it.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct TagCount {
    /// The tag.
    tag: Tag,
    /// How many members have it.
    #[oai(validator(minimum(value = "1"), maximum(value = "9007199254740991")))]
    member_count: i64,
}

/// A page of tags.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct TagPage {
    /// By name.
    items: Vec<TagCount>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List tags
///
/// Every tag that a member of the site has, with the number of members that have it, by name.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListTags {
    /// Only those that begin so, once it is made lower case with hyphens as tags are. 1 to 64 characters.
    #[oai(validator(min_length = 1, max_length = 64))]
    text: Option<String>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListTags {
    const NAME: &'static str = "tags.list";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"text":"early"}"#;
    type Output = TagPage;

    async fn run(self, cx: &mut Cx) -> Result<TagPage> {
        let after = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(String::new(), |[tag]| tag);
        let Ok(prefix) = self.text.as_deref().map(Tag::parse).transpose() else {
            return Ok(TagPage { items: Vec::new(), next_cursor: None }); // no tag begins so
        };
        let (site, prefix) = (cx.site(), prefix.as_ref().map_or("", Tag::as_str));
        let mut rows = store::list(cx.conn(), site, prefix, &after, self.limit + 1).await?;
        let more = paging::cut(&mut rows, self.limit);
        let next_cursor = rows.last().filter(|_| more).map(|(tag, _)| Cursor::after(ORDER, [tag.to_string()]).encode());
        Ok(TagPage {
            items: rows.into_iter().map(|(tag, member_count)| TagCount { tag, member_count }).collect(),
            next_cursor,
        })
    }
}
