//! Shared files over a socket: downloads return what was uploaded, only to permitted callers, within the limits; and
//! the bytes are deleted with the file, its group or its owner, through whichever vendor.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken expectation is a panic")]

mod agora_support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agora_support::call;
use conclave::config::Data;
use conclave::{Config, Gateway, Running};
use conclave_tests::client::{Answer, Client};
use conclave_tests::vendor::Sections as _;
use conclave_tests::world::{BEGINNING, SteppedClock};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

const LARGEST: usize = 100_000;

struct House {
    folder: TempDir,
    client: Client,
    app: String,
    clock: Arc<SteppedClock>,
    running: Running,
}

async fn house() -> House {
    house_of(LARGEST as u64).await
}

/// A house whose files may have so many bytes.
async fn house_of(largest: u64) -> House {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::development().unwrap();
    config.data = Data::Folder(folder.path().to_owned());
    config.listen.set_port(0);
    let conclave_agora::Section { credentials, settings, .. } = config.realms[0].agora();
    settings.file_bytes = largest;
    settings.files = 3;
    settings.custom_group_ids = true;
    let (org, app) = (credentials.org.clone(), credentials.app.clone());
    let body = json!({
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    });
    let clock = Arc::new(SteppedClock::at(BEGINNING));
    let running = Gateway::builder(config).clock(clock.clone()).start().await.unwrap();
    let client = Client::at(running.addresses.shared, &format!("/agora/{org}/{app}"));
    let app = call(&client, Method::POST, "/token", "", body).await.json()["access_token"].as_str().unwrap().to_owned();
    let house = House { folder, client, app, clock, running };
    for name in ["ann", "ben", "cy", "dee"] {
        house.done(Method::POST, "/users", json!({"username": name, "password": "1"})).await;
    }
    house.group("g1", "ann", &["ben", "cy"]).await;
    house
}

impl House {
    async fn done(&self, method: Method, target: &str, body: Value) -> Value {
        let answer = call(&self.client, method, target, &self.app, body).await;
        assert_eq!(answer.status, 200, "{target}: {:?}", answer.body);
        answer.json()
    }

    async fn group(&self, id: &str, owner: &str, members: &[&str]) {
        let body = json!({"groupid": id, "groupname": id, "public": true, "owner": owner, "members": members});
        self.done(Method::POST, "/chatgroups", body).await;
    }

    async fn token(&self, user: &str) -> String {
        let body = json!({"grant_type": "password", "username": user, "password": "1"});
        let answer = call(&self.client, Method::POST, "/token", "", body).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Uploads these bytes, restricted or not.
    async fn upload(&self, token: &str, group: &str, bytes: &[u8], restricted: bool) -> Answer {
        let mut form = b"--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--b\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"A B.TXT\"\r\nContent-Type: text/plain\r\n\r\n"
            .to_vec();
        form.extend_from_slice(bytes);
        form.extend_from_slice(b"\r\n--b--\r\n");
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "multipart/form-data; boundary=b"),
            ("restrict-access", if restricted { "true" } else { "false" }),
        ];
        self.client.send(Method::POST, &format!("/chatgroups/{group}/share_files"), &headers, form).await
    }

    async fn shared(&self, token: &str, group: &str, bytes: &[u8]) -> String {
        let answer = self.upload(token, group, bytes, false).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        answer.json()["data"]["file_id"].as_str().unwrap().to_owned()
    }

    async fn download(&self, token: &str, file: &str, secret: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        if !secret.is_empty() {
            headers.push(("share-secret", secret));
        }
        self.client.send(Method::GET, &format!("/chatgroups/g1/share_files/{file}"), &headers, "").await
    }

    async fn list(&self, query: &str) -> Vec<String> {
        let answer = self.done(Method::GET, &format!("/chatgroups/g1/share_files?{query}"), Value::Null).await;
        answer["data"].as_array().unwrap().iter().map(|row| row["file_id"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until so many files' bytes are stored: they are deleted after the response.
    async fn keeps(&self, wanted: usize) {
        let begun = Instant::now();
        while blobs(self.folder.path()) != wanted {
            assert!(begun.elapsed() < Duration::from_secs(10), "{} blobs", blobs(self.folder.path()));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn blobs(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("blobs")).unwrap().count()
}

fn refused(answer: &Answer, status: u16, description: &str) {
    assert_eq!((answer.status.as_u16(), &answer.json()["error_description"]), (status, &json!(description)));
}

#[tokio::test]
async fn what_comes_back_is_what_was_sent() {
    let house = house().await;
    let ben = house.token("ben").await;
    let bytes: Vec<u8> = (0..LARGEST).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let first = house.shared(&ben, "g1", &bytes).await;
    let answer = house.download(&ben, &first, "").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, bytes.as_slice()));
    assert_eq!(answer.headers["content-length"], LARGEST.to_string());
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");

    // files of the same millisecond have no order
    house.clock.step(1);
    let second = house.shared(&house.app, "g1", b"").await;
    assert_eq!(house.list("").await, [second.clone(), first.clone()]);
    assert_eq!(house.list("pagenum=2&pagesize=1").await, std::slice::from_ref(&first));
    assert_eq!(house.list("pagenum=3&pagesize=1").await, Vec::<String>::new());
    let rows = house.done(Method::GET, "/chatgroups/g1/sharefiles", Value::Null).await;
    assert_eq!(rows["data"][0]["file_owner"], "@ppAdmin");
    assert_eq!((&rows["data"][1]["file_owner"], &rows["data"][1]["file_name"]), (&json!("ben"), &json!("a b.txt")));
}

#[tokio::test]
async fn only_members_and_holders_of_the_secret_get_the_bytes() {
    let house = house().await;
    let (ben, dee) = (house.token("ben").await, house.token("dee").await);
    let answer = house.upload(&ben, "g1", b"hush", true).await.json();
    let (file, secret) =
        (answer["data"]["file_id"].as_str().unwrap(), answer["data"]["share-secret"].as_str().unwrap());
    let open = house.shared(&ben, "g1", b"open").await;
    let outside = "you have no permission to do this, group member permission is required";
    for (token, file, secret, status) in [
        (&ben, file, "", 200),
        (&ben, file, "wrong", 200),
        (&house.app, file, "", 200),
        (&dee, file, "", 401),
        (&dee, file, "wrong", 401),
        (&dee, file, secret, 200),
        (&dee, &open, secret, 401),
        (&dee, &open, "", 401),
    ] {
        let answer = house.download(token, file, secret).await;
        match status {
            200 => assert_eq!(answer.status, 200, "{file} {secret:?}"),
            status => refused(&answer, status, outside),
        }
    }
    // a caller without a token, even one who has the secret
    let bare = [("share-secret", secret)];
    let answer = house.client.send(Method::GET, &format!("/chatgroups/g1/share_files/{file}"), &bare, "").await;
    refused(&answer, 401, "token is blank!");
    refused(&house.upload(&dee, "g1", b"x", false).await, 401, outside);
    assert_eq!(call(&house.client, Method::GET, "/chatgroups/g1/share_files", &dee, Value::Null).await.status, 401);
    house.keeps(2).await;
}

#[tokio::test]
async fn limits_hold_and_leave_nothing() {
    let house = house().await;
    let ben = house.token("ben").await;
    refused(&house.upload(&ben, "g1", &vec![0; LARGEST + 1], false).await, 413, "Request Entity Too Large");
    refused(&house.upload(&ben, "nowhere", b"x", false).await, 404, "grpID nowhere does not exist!");
    let headers = [("authorization", format!("Bearer {ben}")), ("content-type", "application/json".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = house.client.send(Method::POST, "/chatgroups/g1/share_files", &headers, "{}").await;
    refused(&answer, 400, "file must be provided.");
    house.keeps(0).await;
    for _ in 0..3 {
        house.shared(&ben, "g1", b"x").await;
    }
    refused(&house.upload(&ben, "g1", b"x", false).await, 403, "files size is more than max limit : 3");
    house.keeps(3).await;
    refused(&house.download(&ben, "..%2f..%2fsecrets", "").await, 404, "share file ../../secrets does not exist!");
    house.done(Method::POST, "/chatgroups/g1/disable", Value::Null).await;
    let disabled = "can not operate this group, reason: group is disabled";
    refused(&house.upload(&ben, "g1", b"x", false).await, 403, disabled);
    house.keeps(3).await;
}

#[tokio::test]
async fn bytes_go_with_their_file_their_group_and_their_groups_owner() {
    let house = house().await;
    let (ann, ben, cy) = (house.token("ann").await, house.token("ben").await, house.token("cy").await);
    let first = house.shared(&ben, "g1", b"1").await;
    let second = house.shared(&ben, "g1", b"2").await;
    house.shared(&ben, "g1", b"3").await;
    let delete = |token: &str, file: &str| {
        let (client, token, target) =
            (house.client.clone(), token.to_owned(), format!("/chatgroups/g1/share_files/{file}"));
        async move { call(&client, Method::DELETE, &target, &token, Value::Null).await }
    };
    let needed = "you have no permission to do this, group admin permission is required";
    refused(&delete(&cy, &first).await, 401, needed);
    house.keeps(3).await;
    assert_eq!(delete(&ben, &first).await.json()["data"], json!({"group_id": "g1", "file_id": first, "result": true}));
    assert_eq!(delete(&ann, &second).await.status, 200);
    refused(&delete(&ann, &second).await, 404, &format!("share file {second} does not exist!"));
    house.keeps(1).await;
    house.done(Method::DELETE, "/chatgroups/g1", Value::Null).await;
    house.keeps(0).await;

    house.group("g2", "dee", &["ben"]).await;
    house.shared(&ben, "g2", b"4").await;
    house.keeps(1).await;
    house.done(Method::DELETE, "/users/dee", Value::Null).await;
    house.keeps(0).await;
}

/// An expired file is not returned any more at once; housekeeping deletes its bytes and makes room for others.
#[tokio::test]
async fn bytes_go_with_their_time() {
    let house = house().await;
    let ben = house.token("ben").await;
    for content in [b"1", b"2", b"3"] {
        house.shared(&ben, "g1", content).await;
    }
    assert_eq!(house.upload(&ben, "g1", b"4", false).await.status, 403);
    house.clock.step(8 * 24 * 3600 * 1000);
    assert_eq!(house.list("").await, Vec::<String>::new());
    let maintenance = house.running.backends["dev"].maintenance.as_ref().unwrap();
    let found = maintenance.expired(None, 100).await.unwrap();
    assert_eq!((found.places.len(), found.next), (3, None));
    maintenance.sweep(found.places).await.unwrap();
    house.keeps(0).await;
    house.shared(&ben, "g1", b"4").await;
    house.keeps(1).await;
}

#[tokio::test]
async fn names_and_part_headers_have_an_end() {
    let house = house().await;
    let bearer = format!("Bearer {}", house.app);
    let headers = [("authorization", bearer.as_str()), ("content-type", "multipart/form-data; boundary=b")];
    let post = async |form: Vec<u8>| {
        let answer = house.client.send(Method::POST, "/chatgroups/g1/share_files", &headers, form).await;
        (answer.status.as_u16(), answer.json()["error_description"].as_str().unwrap_or_default().to_owned())
    };
    let named = |name: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\nx\r\n--b--\r\n")
            .into_bytes()
    };
    assert_eq!(post(named(&"n".repeat(255))).await.0, 200);
    assert_eq!(post(named(&"n".repeat(256))).await, (400, "file name is too long.".to_owned()));
    // a name of megabytes, and headers without end, are refused early and use no more memory than their length
    let began = Instant::now();
    for large in [named(&"n".repeat(60 << 20)), [b"--b\r\n".to_vec(), b"a: b\r\n".repeat(8 << 20)].concat()] {
        assert_eq!(post(large).await, (400, "file must be provided.".to_owned()));
    }
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    // parts before the file are skipped, however long they are
    let mut form = b"--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n".to_vec();
    form.extend(b"x".repeat(1 << 20));
    form.extend_from_slice(b"\r\n");
    form.extend(named("a"));
    assert_eq!(post(form).await.0, 200);
}

#[tokio::test]
async fn attachments_are_opened_by_their_secret_and_go_with_their_time() {
    let house = house().await;
    let (ann, ben) = (house.token("ann").await, house.token("ben").await);
    let upload = async |token: &str, restricted: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "multipart/form-data; boundary=b"),
            ("restrict-access", restricted),
        ];
        let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n--b--\r\n";
        house.client.send(Method::POST, "/chatfiles", &headers, form).await
    };
    let fetch = async |file: &str, token: &str, secret: &str| {
        let bearer = format!("Bearer {token}");
        let mut headers = Vec::new();
        if !token.is_empty() {
            headers.push(("authorization", bearer.as_str()));
        }
        house.client.send(Method::GET, &format!("/chatfiles/{file}{secret}"), &headers, "").await
    };
    assert_eq!(upload("", "true").await.status, 401);
    let sent = upload(&ann, "true").await.json();
    assert!(sent["uri"].as_str().unwrap().ends_with("/chatfiles"), "{sent}");
    let entity = &sent["entities"][0];
    let (file, secret) = (entity["uuid"].as_str().unwrap(), entity["share-secret"].as_str().unwrap());
    let query = format!("?em-redirect=true&share-secret={secret}");
    for (token, secret, status) in [
        ("", query.as_str(), 200),
        (&ann, "", 200),
        (&house.app, "", 200),
        (&ben, "", 403),
        (&ben, "?share-secret=guess", 403),
        ("", "", 401),
        ("", "?share-secret=guess", 401),
    ] {
        assert_eq!(fetch(file, token, secret).await.status, status, "{token} {secret}");
    }
    assert_eq!(fetch(file, "", &query).await.body, "bytes");
    refused(&fetch(file, &ben, "").await, 403, "chatfile no permission");
    // one that is not restricted is for all users of the app
    let open = upload(&ann, "false").await.json()["entities"][0].clone();
    assert!(open.get("share-secret").is_none());
    let open = open["uuid"].as_str().unwrap();
    assert_eq!(fetch(open, &ben, "").await.status, 200);
    assert_eq!(fetch(open, "", "").await.status, 401);
    refused(&fetch("nothing", &ben, "").await, 404, "chatfile nothing does not exist");

    house.keeps(2).await;
    house.clock.step(8 * 24 * 3600 * 1000);
    let gone = fetch(file, &ann, &query).await;
    assert_eq!((gone.status.as_u16(), &gone.json()["error"]), (404, &json!("file_expired")));
    let maintenance = house.running.backends["dev"].maintenance.as_ref().unwrap();
    let found = maintenance.expired(None, 100).await.unwrap();
    assert_eq!(found.places.len(), 2);
    maintenance.sweep(found.places).await.unwrap();
    house.keeps(0).await;
}

/// A part of an attachment, as the web SDKs send it: the bytes, and then the number.
fn part(number: &str, bytes: &str) -> String {
    let field =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = "--b\r\nContent-Disposition: form-data; name=\"part_file\"; filename=\"blob\"\r\n\r\n";
    format!("{file}{bytes}\r\n{}--b--\r\n", field("part_number", number))
}

#[tokio::test]
async fn attachments_in_parts_are_kept_whole_and_within_the_limits() {
    const LARGEST: u64 = 11_000_000;
    const PARTS: &str = "/sdk/chatfiles/part-upload";
    let house = house_of(LARGEST).await;
    let (ann, ben) = (house.token("ann").await, house.token("ben").await);
    let send = async |method: Method, path: &str, token: &str, form: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "multipart/form-data; boundary=b"),
            ("restrict-access", "true"),
        ];
        house.client.send(method, &format!("{PARTS}{path}"), &headers, form.to_owned()).await
    };
    let begin = async |token: &str| {
        let begun = send(Method::POST, "", token, "").await.json()["entities"][0].clone();
        assert_eq!((&begun["file_upper_limit"], &begun["part_lower_limit"]), (&json!(LARGEST), &json!(5 << 20)));
        format!("/{}", begun["uuid"].as_str().unwrap())
    };
    assert_eq!(send(Method::POST, "", "", "").await.status, 401);

    let unknown = |answer: &Answer| {
        let error = answer.json();
        assert_eq!((answer.status.as_u16(), &error["error"]), (404, &json!("file_expired")), "{error}");
    };
    // the parts in order of their numbers, whenever they were sent, and the last that was sent of each
    let upload = begin(&ann).await;
    for (number, bytes) in [("2", "two "), ("1", "first"), ("3", "three"), ("1", "one ")] {
        assert_eq!(send(Method::PUT, &upload, &ann, &part(number, bytes)).await.status, 200);
    }
    let finish = format!("{upload}?restrict-access=true&chat-type=GROUP&chat-target=g1");
    for (method, path) in [(Method::POST, &finish), (Method::DELETE, &upload), (Method::PUT, &upload)] {
        unknown(&send(method, path, &ben, &part("1", "x")).await);
    }
    let done = send(Method::POST, &finish, &ann, "").await.json();
    assert!(done["uri"].as_str().unwrap().ends_with("/chatfiles"), "{done}");
    let entity = &done["entities"][0];
    let file = format!("/chatfiles/{}", entity["uuid"].as_str().unwrap());
    let secret = entity["share-secret"].as_str().unwrap();
    let found = house.client.send(Method::GET, &format!("{file}?share-secret={secret}"), &[], "").await;
    assert_eq!((found.status.as_u16(), &*found.body), (200, &b"one two three"[..]));
    unknown(&send(Method::POST, &finish, &ann, "").await);
    // the parts themselves are gone
    house.keeps(1).await;

    // what is no part
    let upload = begin(&ann).await;
    for (form, status, words) in [
        (part("0", "x"), 403, "part_number is illegal"),
        (part("4", "x"), 403, "part_number is illegal"),
        (part("-1", "x"), 403, "part_number is illegal"),
        (part("99999999999999999999", "x"), 403, "part_number is illegal"),
        ("--b--\r\n".to_owned(), 403, "file must be provided."),
        (part("1", "x").replace("part_number", "number"), 403, "file must be provided."),
        (part("1", &"x".repeat(11_000_001)), 413, "Request Entity Too Large"),
    ] {
        let answer = send(Method::PUT, &upload, &ann, &form).await;
        refused(&answer, status, words);
    }
    house.keeps(1).await;
    // all parts together
    assert_eq!(send(Method::PUT, &upload, &ann, &part("1", &"x".repeat(6_000_000))).await.status, 200);
    let answer = send(Method::PUT, &upload, &ann, &part("2", &"x".repeat(6_000_000))).await;
    refused(&answer, 413, "Request Entity Too Large");
    assert_eq!(send(Method::PUT, &upload, &ann, &part("3", "x")).await.status, 200);
    refused(&send(Method::POST, &upload, &ann, "").await, 400, "some parts of the file are missing");
    house.keeps(1).await;
    let upload = begin(&ann).await;
    assert_eq!(send(Method::PUT, &upload, &ann, &part("1", "x")).await.status, 200);
    house.keeps(2).await;
    assert_eq!(send(Method::DELETE, &upload, &ann, "").await.status, 200);
    house.keeps(1).await;
    unknown(&send(Method::PUT, "/nothing", &ann, &part("1", "x")).await);

    // unfinished ones are bounded, and end after an hour
    for _ in 0..8 {
        let upload = begin(&ben).await;
        assert_eq!(send(Method::PUT, &upload, &ben, &part("1", "x")).await.status, 200);
    }
    assert_eq!(send(Method::POST, "", &ben, "").await.status, 429);
    house.keeps(9).await;
    house.clock.step(3601 * 1000);
    begin(&ben).await;
    house.keeps(1).await;
}
