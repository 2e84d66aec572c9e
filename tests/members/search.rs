//! Members are found by the beginnings of the words of name and address, and sorted by name.

use serde_json::{Value, json};
use usher::{
    app,
    areas::members::{Member, store},
};

use super::emails;
use crate::{harness::World, imports::import};

async fn found(world: &World, text: &str) -> Vec<String> {
    let page = world.ok("members.list", json!({ "text": text, "sort": "createdAt", "limit": 200 })).await;
    emails(&page).into_iter().map(str::to_owned).collect()
}

const PEOPLE: [(&str, &str); 14] = [
    ("a1@x.example", "Jürgen Groß"),
    ("a2@x.example", "Mari\u{301}a Núñez"),
    ("a3@x.example", "Søren Ærø"),
    ("a4@x.example", "Łukasz Wałęsa"),
    ("a5@x.example", "Işık Ilgın"),
    ("a6@x.example", "Seán O'Brien"),
    ("a7@x.example", "山田 太郎"),
    ("a8@x.example", "김철수"),
    ("a9@x.example", "Jean-Luc d\u{2019}Arc"),
    ("b1@x.example", "ＷＩＤＥ ﬁsh"),
    ("user1234@bücher.example", ""),
    ("jo.strasse+news@mail.example", "Straße 5"),
    ("b2@x.example", "Łucja 🌸"),
    ("b3@x.example", "Şebnem İnce"),
];

const QUERIES: [(&str, &[usize]); 48] = [
    ("jurgen", &[0]),
    ("JÜRG", &[0]),
    ("ju\u{308}rgen", &[0]),
    ("gross", &[0]),
    ("groß", &[0]),
    ("urgen", &[]),
    ("nunez", &[1]),
    ("NUÑ", &[1]),
    ("maria nu", &[1]),
    ("nu maria", &[1]),
    ("maria nunes", &[]),
    ("soren", &[2]),
    ("aero", &[2]),
    ("ær", &[2]),
    ("lukasz walesa", &[3]),
    ("lu", &[3, 8, 12]),
    ("isik", &[4]),
    ("IŞIK", &[4]),
    ("ilgin", &[4]),
    ("obrien", &[5]),
    ("o'brien", &[5]),
    ("o\u{2019}b", &[5]),
    ("brien", &[5]),
    ("太郎", &[6]),
    ("山", &[6]),
    ("田", &[6]),
    ("郎太", &[]),
    ("김", &[7]),
    ("철수", &[7]),
    ("luc", &[8, 12]),
    ("jean luc", &[8]),
    ("darc", &[8]),
    ("arc", &[8]),
    ("wide", &[9]),
    ("fish", &[9]),
    ("ｗｉｄｅ", &[9]),
    ("user", &[10]),
    ("user12", &[10]),
    ("user2", &[]),
    ("1234", &[]),
    ("bucher", &[10]),
    ("user1234@bücher.example", &[10]),
    ("strasse", &[11]),
    ("jo.strasse+news@mail.example", &[11]),
    ("🌸", &[12]),
    ("sebnem ince", &[13]),
    ("%", &[]),
    ("_@.", &[]),
];

both!(the_beginning_of_a_word_finds_a_member, async |world| {
    world.without_budgets().await;
    for (email, name) in PEOPLE {
        world.ok("members.create", json!({ "email": email, "name": name })).await;
    }
    for (text, members) in QUERIES {
        let expected: Vec<_> = members.iter().map(|at| PEOPLE[*at].0).collect();
        assert_eq!(found(world, text).await, expected, "{text}");
    }
    // Thirty words, all of which must be there.
    let many = "jo strasse news mail example 5 ".repeat(5);
    assert_eq!(found(world, &many).await, [PEOPLE[11].0]);
    assert_eq!(found(world, &format!("{many} x")).await, Vec::<String>::new());
    // Another site finds its own.
    let (_, stranger) = world.other_site("Second", None).await;
    let page = world.call(&stranger, "members.list", json!({ "text": "jurgen" })).await.result();
    assert_eq!(page["items"], json!([]));
});

/// The rows of words that belong to nobody, or say something else than `member.words`.
async fn strays(world: &World) -> Vec<String> {
    world
        .rows(
            "SELECT w.word FROM member_word w WHERE NOT EXISTS
               (SELECT 1 FROM member m WHERE m.site = w.site AND m.id = w.member_id AND m.words LIKE '%' || w.word || '%')",
        )
        .await
}

both!(words_follow_every_change_of_a_member, async |world| {
    world.without_budgets().await;
    let anna = world.one("members.create", json!({ "email": "anna@one.example", "name": "Anna Lind" })).await;
    let member = json!({ "id": anna["id"] });
    world.ok("members.update", json!({ "member": member, "name": "Anna Björk" })).await;
    assert_eq!((found(world, "lind").await.len(), found(world, "bjork").await.len()), (0, 1));
    world.ok("members.update", json!({ "member": member, "email": "berg@two.example" })).await;
    assert_eq!((found(world, "one").await.len(), found(world, "anna two").await.len()), (0, 1));
    world.ok("members.update", json!({ "member": member, "name": "" })).await;
    assert_eq!((found(world, "bjork").await.len(), found(world, "be").await.len()), (0, 1));
    let dry = json!({ "args": { "member": member, "name": "Nobody" }, "dryRun": true });
    world.call_with(&world.key, "members.update", dry, &[]).await.result();
    assert_eq!(found(world, "nobody").await.len(), 0);
    // An import makes members and changes them.
    let file = "email,name\nberg@two.example,Åsa Berg\ncarl@three.example,Carl Öst\n";
    import(world, file, json!({})).await;
    assert_eq!(found(world, "asa").await, ["berg@two.example"]);
    assert_eq!(found(world, "ost").await, ["carl@three.example"]);
    import(world, "email,name\ncarl@three.example,Carl Väst\n", json!({})).await;
    assert_eq!((found(world, "ost").await.len(), found(world, "vast").await.len()), (0, 1));
    assert_eq!(strays(world).await, Vec::<String>::new());
    // A merge leaves the winner's words, and the loser's name if it had none.
    let bare = world.one("members.create", json!({ "email": "bare@four.example" })).await;
    let winner = json!({ "id": bare["id"], "expectEmail": "bare@four.example" });
    let merge = json!({ "winner": winner, "loser": { "email": "carl@three.example" } });
    let job = world.ok("members.merge", merge).await["job"]["id"].clone();
    world.job(&job).await;
    assert_eq!(found(world, "vast").await, ["bare@four.example"]);
    assert_eq!(found(world, "three").await.len(), 0);
    assert_eq!(strays(world).await, Vec::<String>::new());
    // Nothing is left of somebody who is erased.
    for id in [&bare["id"], &anna["id"]] {
        let job = world.ok("members.delete", json!({ "member": { "id": id } })).await["job"]["id"].clone();
        world.job(&job).await;
    }
    assert_eq!(world.rows("SELECT word FROM member_word").await, Vec::<String>::new());
});

both!(members_of_an_older_program_are_found_after_the_next_start, async |world| {
    world.without_budgets().await;
    for n in 0..30 {
        let args = json!({ "email": format!("m{n}@x.example"), "name": format!("Zoë Number{n}") });
        world.ok("members.create", args).await;
    }
    world.ok("members.create", json!({ "email": "first@x.example", "name": "Ärzte" })).await;
    world.execute("DELETE FROM member_word").await;
    world.execute("UPDATE member SET words = NULL, name_key = lower(name)").await;
    assert_eq!(found(world, "zoe").await.len(), 0);
    app::migrate(&world.app.db).await.expect("the second start");
    assert_eq!(found(world, "zoe").await.len(), 30);
    assert_eq!(found(world, "number7 zo").await, ["m7@x.example"]);
    let page = world.ok("members.list", json!({ "sort": "name", "limit": 1 })).await;
    assert_eq!(emails(&page), ["first@x.example"]);
    let filled = world.rows("SELECT words FROM member WHERE words IS NULL").await;
    assert_eq!(filled, Vec::<String>::new());
});

both!(names_are_sorted_without_accents_and_none_come_last, async |world| {
    world.without_budgets().await;
    let names =
        ["Zoe", "", "Ärzte", "arzt", "Öst", "  ", "Osten", "\"Bo\"", "Eric", "Éric B", "ñandu", "Nora", "山田", ""];
    for (n, name) in names.into_iter().enumerate() {
        let args = json!({ "email": format!("m{n:02}@x.example"), "name": name.trim() });
        world.ok("members.create", args).await;
    }
    let up = [3, 2, 7, 8, 9, 10, 11, 4, 6, 0, 12, 1, 5, 13];
    let down = [12, 0, 6, 4, 11, 10, 9, 8, 7, 2, 3, 13, 5, 1];
    for (sort, order) in [("name", up), ("-name", down)] {
        let expected: Vec<_> = order.iter().map(|n| format!("m{n:02}@x.example")).collect();
        for limit in [200, 1, 3, 5] {
            assert_eq!(pages(world, json!({ "sort": sort, "limit": limit })).await, expected, "{sort} {limit}");
            let with = json!({ "sort": sort, "limit": limit, "text": "m" });
            assert_eq!(pages(world, with).await, expected, "{sort} {limit}, found");
        }
    }
});

/// All pages of a list.
async fn pages(world: &World, mut args: Value) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let page = world.ok("members.list", args.clone()).await;
        seen.extend(emails(&page).into_iter().map(str::to_owned));
        args["cursor"] = page["nextCursor"].clone();
        if args["cursor"].is_null() {
            return seen;
        }
    }
}

const FIRST: [&str; 8] = ["anna", "ben", "chloe", "dmitri", "zoe", "zora", "", ""];
const LAST: [&str; 6] = ["Lind", "Zobel", "Novak", "Tanaka", "Mueller", "Anders"];

/// More members of one word than are gathered; half of those in the order of their addresses, as an import makes them.
async fn many(world: &World, n: usize) -> Vec<(String, String)> {
    let mut people: Vec<(String, String)> = (0..n)
        .map(|i| {
            let (first, last) = (FIRST[i * 7 % 8], LAST[i * 5 % 6]);
            let local = if first.is_empty() { format!("info{i}") } else { format!("{first}.{i}") };
            let name = if first.is_empty() { String::new() } else { format!("{first} {last}") };
            (format!("{local}@mail{}.example", i % 3), name)
        })
        .collect();
    people[n / 2..].sort();
    for chunk in people.chunks(2000) {
        let members: Vec<_> = chunk
            .iter()
            .map(|(email, name)| Member {
                name: Some(name.clone()).filter(|name| !name.is_empty()),
                ..Member::new(world.app.clock.id(), email.clone())
            })
            .collect();
        let mut tx = world.app.db.begin().await.expect("a transaction");
        store::insert(tx.conn(), world.site.id, &members).await.expect("members");
        tx.commit().await.expect("a commit");
    }
    people
}

/// What a search must find, told in another way than the program does it.
fn fits((email, name): &(String, String), text: &str) -> bool {
    let all = format!("{name} {email}").to_lowercase();
    let words: Vec<_> = all.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    text.split(' ').all(|asked| words.iter().any(|word| word.starts_with(asked)))
}

both!(every_way_to_a_page_gives_the_same_members, async |world| {
    world.without_budgets().await;
    let people = many(world, 8000).await;
    let texts =
        ["z", "zo", "zoe", "e", "mail", "mail1", "example", "zoe lind", "n zo", "info", "info77", "anders anna", "x"];
    for text in texts {
        let fitting: Vec<_> = people.iter().filter(|person| fits(person, text)).collect();
        for sort in ["createdAt", "-createdAt", "email", "-email", "name", "-name"] {
            let mut expected: Vec<_> = fitting.clone();
            match sort {
                "-createdAt" => expected.reverse(),
                "email" | "-email" => expected.sort(),
                "name" => expected.sort_by_key(|(_, name)| (name.is_empty(), name.to_lowercase())),
                "-name" => {
                    // The newest first among those of one name.
                    expected.reverse();
                    expected.sort_by_key(|(_, name)| (!name.is_empty(), name.to_lowercase()));
                    let nameless = expected.iter().filter(|(_, name)| name.is_empty()).count();
                    let (none, named) = expected.split_at(nameless);
                    let mut named = named.to_vec();
                    named.sort_by_key(|one| std::cmp::Reverse(one.1.to_lowercase()));
                    expected = named.into_iter().chain(none.iter().copied()).collect();
                }
                _ => {}
            }
            if sort == "-email" {
                expected.reverse();
            }
            let expected: Vec<_> = expected.into_iter().map(|(email, _)| email.as_str()).collect();
            let args = json!({ "text": text, "sort": sort, "limit": 200 });
            let seen = first_pages(world, args, 700).await;
            let n = seen.len().min(expected.len());
            assert_eq!(seen[..n], expected[..n], "{text} by {sort}");
            assert_eq!(
                seen.len() < 700,
                expected.len() < 700,
                "{text} by {sort}: {} of {}",
                seen.len(),
                expected.len()
            );
        }
    }
});

/// Pages until there are so many.
async fn first_pages(world: &World, mut args: Value, n: usize) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < n {
        let page = world.ok("members.list", args.clone()).await;
        seen.extend(emails(&page).into_iter().map(str::to_owned));
        args["cursor"] = page["nextCursor"].clone();
        if args["cursor"].is_null() {
            break;
        }
    }
    seen.truncate(n);
    seen
}
