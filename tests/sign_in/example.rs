//! The example in `examples/sign-in`, as a site would run it. Its library for tokens, PyJWT, is others' word on ours.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;
use usher::{
    areas::sign_in::keys::{self, When},
    clock::Clock,
};

use super::{handed, look, open, path, press};
use crate::harness::{PATIENCE, Reply, World};

/// The example, running.
struct Example {
    child: Child,
    login_url: String,
    http: reqwest::Client,
}

impl Example {
    /// The example, to which the first site hands its members over.
    async fn start(world: &mut World) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/tools/venv/bin/python");
        assert!(python.exists(), "the example's Python is not there: bin/setup tools");
        let mut command = Command::new(python);
        command.arg(root.join("examples/sign-in/app.py")).env("USHER", &world.address).env("NO_PROXY", "127.0.0.1");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the example starts");
        let out = child.stdout.take().expect("it is piped");
        let login_url = BufReader::new(out).lines().next().expect("a line").expect("text");
        open(world).await;
        let url = login_url.clone();
        world.settings(|settings| settings.login_url = Some(url)).await;
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { child, login_url, http: http.build().expect("a client") }
    }

    /// What the browser does with the page that hands over.
    async fn login(&self, token: &str) -> Reply {
        // What a token is made of needs no escape in a form.
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)), "{token}");
        let request = self.http.post(&self.login_url).header("content-type", "application/x-www-form-urlencoded");
        Reply::read(request.body(format!("token={token}")).send().await.expect("an answer")).await
    }

    /// Fails unless it refuses the token, for that reason.
    async fn refuses(&self, token: &str, why: &str) {
        let reply = self.login(token).await;
        assert!(reply.status == 403 && reply.text.contains(why), "{why}: {} {}", reply.status, reply.text);
        assert!(reply.header("set-cookie").is_empty());
    }

    async fn home(&self, cookie: &str) -> String {
        let request = self.http.get(self.login_url.replace("/login", "/")).header("cookie", cookie);
        Reply::read(request.send().await.expect("an answer")).await.text
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A link, opened and its button pressed: where the page goes, and the token.
async fn pressed(world: &World) -> (String, String) {
    let args = json!({ "member": { "email": "anna@example.com" }, "redirect": "/videos/12" });
    let path = path(&world.ok("members.createLoginLink", args).await);
    assert_eq!(look(world, &path).await.status, 200);
    handed(&press(world, &path).await).expect("a token")
}

async fn token(world: &World) -> String {
    pressed(world).await.1
}

/// The example has the time of day, and so has from now on the site.
fn by_its_clock(world: &World) {
    world.clock.advance(Clock::system().now().since(world.clock.now()));
}

both!(a_member_signs_in_at_the_example, async |world| {
    world.without_budgets().await;
    let example = Example::start(world).await;
    world.one("members.create", json!({ "email": "anna@example.com", "name": "Anna <Lind>" })).await;
    // The test's clock stands at a moment long past.
    let old = token(world).await;
    example.refuses(&old, "expired").await;
    by_its_clock(world);

    let (url, first) = pressed(world).await;
    assert_eq!(url, example.login_url);
    assert!(example.home("").await.contains("You are not signed in"));
    let reply = example.login(&first).await;
    assert_eq!((reply.status, reply.header("location")), (303, "/videos/12"), "{}", reply.text);
    let cookie = reply.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    assert!(example.home(&cookie).await.contains("You are signed in as Anna &lt;Lind&gt;."));
    example.refuses(&first, "used before").await;

    // Forged of two that are real, or of none.
    by_its_clock(world);
    let second = token(world).await;
    let [a, b]: [Vec<_>; 2] = [&first, &second].map(|token| token.split('.').collect());
    example.refuses(&[b[0], a[1], b[2]].join("."), "Signature verification failed").await;
    example.refuses(&[b[0], b[1], ""].join("."), "Signature verification failed").await;
    example.refuses("", "could not be signed in").await;
    assert_eq!(example.login(&second).await.status, 303, "none of that used it up");

    // For another site, and of another.
    by_its_clock(world);
    let (public_url, login_url) = (world.address.clone(), example.login_url.clone());
    world.settings(|settings| settings.login_url = Some("https://other.example/login".into())).await;
    example.refuses(&token(world).await, "Audience").await;
    world
        .settings(|settings| {
            settings.login_url = Some(login_url);
            settings.public_url = Some("https://other.example".into());
        })
        .await;
    example.refuses(&token(world).await, "issuer").await;
    world.settings(|settings| settings.public_url = Some(public_url)).await;

    // The key that it knows is in wrong hands, and there is another.
    by_its_clock(world);
    let mut tx = world.app.db.begin().await.expect("a transaction");
    let sealer = &world.app.sealer;
    keys::rotate(&mut tx, sealer, world.site.id, When::Now, world.clock.now()).await.expect("a key");
    tx.commit().await.expect("a commit");
    let (by_new_key, began) = (token(world).await, std::time::Instant::now());
    while example.login(&by_new_key).await.status != 303 {
        assert!(began.elapsed() < PATIENCE, "it never reads the keys again");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
});
