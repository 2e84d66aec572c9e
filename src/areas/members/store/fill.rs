//! Fills in the words of members that an older program wrote.

use usher_db::{Conn, Db, Engine, Result, Value, sql, sql_both};

use super::words;
use crate::{
    areas::members::{types::Member, words::Words},
    values::{MemberId, SiteId},
};

/// Members of one transaction.
const MEMBERS: u32 = 1000;

/// Fills in the words, and the key of the name, of each member that has none. It goes on where it was, and several
/// processes share the work.
pub async fn fill_words(db: &Db) -> Result<u64> {
    let mut n = 0;
    loop {
        if wordless(db.read(), 1, false).await?.is_empty() {
            return Ok(n);
        }
        let mut tx = db.begin().await?;
        let members = wordless(tx.conn(), MEMBERS, true).await?;
        let members: Vec<_> = members
            .into_iter()
            .map(|(site, id, email, name)| (site, Member { name, ..Member::new(id, email) }))
            .map(|(site, member)| (site, member.words(), member))
            .collect();
        write(&mut tx, &members).await?;
        tx.commit().await?;
        n += members.len() as u64;
        if members.is_empty() {
            // Another process is at the last of them.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

async fn wordless(conn: Conn<'_>, limit: u32, hold: bool) -> Result<Vec<(SiteId, MemberId, String, Option<String>)>> {
    let statement = match hold {
        false => sql!("SELECT site, id, email, name FROM member WHERE words IS NULL ORDER BY site, id LIMIT $1"),
        true => sql_both!(
            sqlite: "SELECT site, id, email, name FROM member WHERE words IS NULL ORDER BY site, id LIMIT $1",
            postgres: "SELECT site, id, email, name FROM member WHERE words IS NULL ORDER BY site, id LIMIT $1
                       FOR UPDATE SKIP LOCKED",
        ),
    };
    statement.bind(limit).all(conn).await
}

async fn write(tx: &mut usher_db::Tx, members: &[(SiteId, Words, Member)]) -> Result<()> {
    for some in members.chunk_by(|a, b| a.0 == b.0) {
        let site = some[0].0;
        if tx.engine() == Engine::Postgres {
            let column = |text: fn(&(SiteId, Words, Member)) -> String| some.iter().map(text).collect::<Value>();
            sql_both!(
                sqlite: "UPDATE member SET words = $3, name_key = $4 WHERE site = $1 AND id = $2",
                postgres: "UPDATE member m SET words = r.words, name_key = r.name_key
                           FROM unnest($2::text[], $3::text[], $4::text[]) AS r (id, words, name_key)
                           WHERE m.site = $1 AND m.id = r.id",
            )
            .bind(site)
            .bind(column(|(_, _, member)| member.id.to_string()))
            .bind(column(|(_, words, _)| words.text.clone()))
            .bind(column(|(_, _, member)| member.name_key()))
            .run(tx.conn())
            .await?;
        } else {
            for (_, words, member) in some {
                sql!("UPDATE member SET words = $3, name_key = $4 WHERE site = $1 AND id = $2")
                    .bind(site)
                    .bind(&member.id)
                    .bind(&words.text)
                    .bind(member.name_key())
                    .run(tx.conn())
                    .await?;
            }
        }
        words::insert(tx.conn(), site, some.iter().map(|(_, words, member)| (&member.id, words))).await?;
    }
    Ok(())
}
