//! The SQL of the words by which members are found (`members/words.rs`).

use usher_db::{Conn, Engine, Result, Statement, Value, sql, sql_both};

use super::super::words::{CONTINUES, WordRange, Words};
use crate::values::{MemberId, SiteId};

/// Rows that one statement writes: four values each, of the 32,766 that SQLite takes.
const ROWS: usize = 8000;

/// Words that a page by creation is merged of at most.
pub const FEW_WORDS: usize = 100;

/// A row of a member.
type Triple<'a> = (i64, &'a str, &'a MemberId);

/// Writes the words of members, in the order of the table: in any other, each row would need a page of its own.
pub async fn insert<'a>(
    mut conn: Conn<'_>,
    site: SiteId,
    members: impl IntoIterator<Item = (&'a MemberId, &'a Words)>,
) -> Result<()> {
    let mut rows: Vec<Triple<'_>> = members.into_iter().flat_map(|(id, words)| triples(id, words)).collect();
    rows.sort_unstable_by(|a, b| (a.0, a.1, a.2.as_str()).cmp(&(b.0, b.1, b.2.as_str())));
    for some in rows.chunks(ROWS) {
        sql!(
            "INSERT INTO member_word (site, begins, word, member_id) VALUES ($1, $2, $3, $4)
             ON CONFLICT (site, begins, word, member_id) DO NOTHING"
        )
        .rows(some.iter().map(|(begins, word, id)| [site.into(), (*begins).into(), (*word).into(), (*id).into()]))
        .run(conn.again())
        .await?;
    }
    Ok(())
}

/// Writes what is different between the words that members had and those that they have.
pub async fn replace(mut conn: Conn<'_>, site: SiteId, members: &[(&MemberId, Words, Words)]) -> Result<()> {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for (id, before, after) in members {
        let kept = &before.rows & &after.rows;
        gone.extend(before.rows.iter().filter(|row| !kept.contains(row)).map(|row| (row.0, row.1.as_str(), *id)));
        new.push((*id, Words { text: String::new(), rows: &after.rows - &kept }));
    }
    delete(conn.again(), site, gone).await?;
    insert(conn, site, new.iter().map(|(id, words)| (*id, words))).await
}

/// Deletes the words of a member.
pub async fn delete_all(conn: Conn<'_>, site: SiteId, member: &MemberId, words: &Words) -> Result<()> {
    delete(conn, site, triples(member, words).collect()).await
}

async fn delete(mut conn: Conn<'_>, site: SiteId, rows: Vec<Triple<'_>>) -> Result<()> {
    for some in rows.chunks(ROWS) {
        let statement = sql_both!(
            sqlite: "DELETE FROM member_word WHERE site = $1 AND (begins, word, member_id) IN
                     (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($2))",
            postgres: "DELETE FROM member_word w USING unnest($2::bigint[], $3::text[], $4::text[]) AS r (begins, word, member_id)
                       WHERE w.site = $1 AND w.begins = r.begins AND w.word = r.word AND w.member_id = r.member_id",
        );
        let statement = match conn.engine() {
            Engine::Sqlite => statement.bind(site).bind(serde_json::to_string(some).expect("texts are JSON")),
            Engine::Postgres => statement
                .bind(site)
                .bind(some.iter().map(|row| Some(row.0)).collect::<Vec<_>>())
                .bind(some.iter().map(|row| row.1.to_owned()).collect::<Value>())
                .bind(some.iter().map(|row| row.2.to_string()).collect::<Value>()),
        };
        statement.run(conn.again()).await?;
    }
    Ok(())
}

fn triples<'a>(id: &'a MemberId, words: &'a Words) -> impl Iterator<Item = Triple<'a>> {
    words.rows.iter().map(move |(begins, word)| (*begins, word.as_str(), id))
}

/// How many rows there are in a range of words, up to a limit.
pub async fn count_some(conn: Conn<'_>, site: SiteId, range: &WordRange, limit: u32) -> Result<u32> {
    let statement: Statement = sql_both!(
        sqlite: "SELECT count(*) FROM (SELECT 1 AS one FROM member_word WHERE site = $1
                   AND begins IN (SELECT value FROM json_each($2)) AND word >= $3 AND word <= $4 LIMIT $5)",
        postgres: "SELECT count(*) FROM (SELECT 1 FROM unnest($2::bigint[]) AS b (begins) CROSS JOIN LATERAL
                     (SELECT 1 FROM member_word w WHERE w.site = $1 AND w.begins = b.begins AND w.word >= $3 AND w.word <= $4
                      LIMIT $5) AS w LIMIT $5) AS some_of_them",
    );
    let WordRange { begins, from, to } = range;
    let begins: Vec<_> = begins.iter().copied().map(Some).collect();
    let (n,): (i64,) = statement.bind(site).bind(begins).bind(from).bind(to).bind(limit).one(conn).await?;
    Ok(u32::try_from(n).unwrap_or(limit))
}

/// The different words in a range, with what begins with them, up to one more than [`FEW_WORDS`]. Each is sought from the
/// one before it, however many members they have.
pub async fn different(conn: Conn<'_>, site: SiteId, range: &WordRange) -> Result<Vec<(i64, String)>> {
    sql!(
        "WITH RECURSIVE found (begins, word) AS (
             SELECT b.begins, (SELECT min(w.word) FROM member_word w
                               WHERE w.site = $1 AND w.begins = b.begins AND w.word >= $2 AND w.word <= $3)
             FROM (SELECT 0 AS begins UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4) b
             WHERE (b.begins = 4) = $5
             UNION ALL
             SELECT f.begins, (SELECT min(w.word) FROM member_word w
                               WHERE w.site = $1 AND w.begins = f.begins AND w.word > f.word AND w.word <= $3)
             FROM found f WHERE f.word IS NOT NULL)
         SELECT CAST(begins AS BIGINT), word FROM found WHERE word IS NOT NULL LIMIT $4"
    )
    .bind(site)
    .bind(&range.from)
    .bind(&range.to)
    .bind(u32::try_from(FEW_WORDS + 1).unwrap_or(u32::MAX))
    .bind(range.begins == [CONTINUES])
    .all(conn)
    .await
}
