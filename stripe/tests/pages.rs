//! Lists, page by page.

use std::time::{Duration, Instant};

use usher_stripe::requests::{events, subscriptions};
use usher_stripe::views::{Event, Subscription};
use usher_stripe::{Client, Direction, Error, Kind, NotSent, Pager};

use crate::server::{Reply, Server, json};

fn page(objects: &[&str], has_more: bool) -> Reply {
    let data: Vec<_> = objects.iter().map(|id| format!(r#"{{"id":"{id}","status":"active","type":"x"}}"#)).collect();
    json(200, &format!(r#"{{"object":"list","has_more":{has_more},"data":[{}]}}"#, data.join(",")))
}

fn all(max_pages: u32) -> Pager<Subscription> {
    Pager::new(subscriptions::list(&Default::default()), Duration::ZERO, max_pages)
}

async fn ids(pager: &mut Pager<Subscription>, client: &Client) -> Vec<String> {
    let mut ids = Vec::new();
    while let Some(page) = pager.next(client).await.unwrap() {
        ids.extend(page.value.data.into_iter().map(|subscription| subscription.id));
    }
    ids
}

fn queries(server: &Server) -> Vec<String> {
    let query = |line: &str| line.split_once('?').unwrap().1.trim_end_matches(" HTTP/1.1").to_owned();
    server.seen().iter().map(|seen| query(&seen.line)).collect()
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    let pages = [page(&["sub_3", "sub_2"], true), page(&["sub_1"], false)];
    let server = Server::start(pages).await;
    let mut pager = all(10);
    assert_eq!(ids(&mut pager, &server.client()).await, ["sub_3", "sub_2", "sub_1"]);
    assert!(pager.is_done());
    assert_eq!(queries(&server), ["limit=100&status=all", "limit=100&status=all&starting_after=sub_2"]);
}

#[tokio::test]
async fn a_pager_goes_on_where_another_stopped() {
    let server = Server::start([page(&["sub_1"], false)]).await;
    let mut pager = all(10).from("sub_2", Direction::Older);
    assert_eq!(ids(&mut pager, &server.client()).await, ["sub_1"]);
    assert_eq!(queries(&server), ["limit=100&status=all&starting_after=sub_2"]);
    assert_eq!(pager.cursor(), Some("sub_1"));
}

#[tokio::test]
async fn events_are_caught_up_with_towards_the_newest() {
    let pages = [page(&["evt_3", "evt_2"], true), page(&["evt_5", "evt_4"], false)];
    let server = Server::start(pages).await;
    let list = events::list(&events::EventFilter { types: &["invoice.paid"], ..Default::default() });
    let mut pager: Pager<Event> = Pager::new(list, Duration::ZERO, 10).from("evt_1", Direction::Newer);
    while pager.next(&server.client()).await.unwrap().is_some() {}
    assert_eq!(pager.cursor(), Some("evt_5"));
    let queries = queries(&server);
    assert!(
        queries[0].ends_with("&ending_before=evt_1") && queries[1].ends_with("&ending_before=evt_3"),
        "{queries:?}"
    );
}

#[tokio::test]
async fn without_news_the_cursor_stays() {
    let server = Server::start([page(&[], false)]).await;
    let list = events::list(&events::EventFilter::default());
    let mut pager: Pager<Event> = Pager::new(list, Duration::ZERO, 10).from("evt_1", Direction::Newer);
    assert!(pager.next(&server.client()).await.unwrap().unwrap().value.data.is_empty());
    assert_eq!((pager.cursor(), pager.is_done()), (Some("evt_1"), true));
}

#[tokio::test]
async fn a_part_is_never_taken_for_the_whole() {
    let server = Server::start([page(&["sub_2"], true)]).await;
    let (client, mut pager) = (server.client(), all(1));
    pager.next(&client).await.unwrap();
    let error = pager.next(&client).await.unwrap_err();
    assert!(matches!(error, Error::NotSent(NotSent::TooManyPages { max_pages: 1 })));
    assert_eq!(pager.cursor(), Some("sub_2"));

    for lost in [page(&[], true), page(&["sub_2"], true)] {
        let server = Server::start([lost]).await;
        let mut pager = all(10).from("sub_2", Direction::Older);
        let error = pager.next(&server.client()).await.unwrap_err();
        assert!(matches!(error, Error::Undecodable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_page_that_failed_is_asked_for_again() {
    let gateway = Reply::Answer { status: 502, headers: "", body: String::new() };
    let server = Server::start([page(&["sub_2"], true), gateway, page(&["sub_1"], false)]).await;
    let (client, mut pager) = (server.client(), all(10));
    pager.next(&client).await.unwrap();
    assert_eq!(pager.next(&client).await.unwrap_err().kind(), Kind::Retry { after: None });
    assert_eq!(ids(&mut pager, &client).await, ["sub_1"]);
}

#[tokio::test]
async fn one_strange_object_costs_itself_only() {
    let body = r#"{"data":[{"id":"sub_2","status":"active"},{"id":"sub_1","status":["active"]}],"has_more":true}"#;
    let server = Server::start([json(200, body), page(&["sub_0"], false)]).await;
    let (client, mut pager) = (server.client(), all(10));
    let page = pager.next(&client).await.unwrap().unwrap().value;
    assert_eq!((page.data.len(), page.unreadable[0].id.as_deref()), (1, Some("sub_1")));
    assert_eq!(page.unreadable[0].why, "at status");
    assert_eq!(ids(&mut pager, &client).await, ["sub_0"]);
    assert!(queries(&server)[1].ends_with("starting_after=sub_1"));
}

#[tokio::test]
async fn the_caller_sets_the_pace() {
    let pages = [page(&["sub_3"], true), page(&["sub_2"], true), page(&["sub_1"], false)];
    let server = Server::start(pages).await;
    let pause = Duration::from_millis(60);
    let mut pager = Pager::new(subscriptions::list(&Default::default()), pause, 10);
    let began = Instant::now();
    ids(&mut pager, &server.client()).await;
    assert!(began.elapsed() >= 2 * pause);
}
