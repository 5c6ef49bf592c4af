//! Shutdown: requests in flight are finished, and new ones refused.

use std::time::{Duration, Instant};

use std::sync::Arc;

use conclave::config::{Admin, Data};
use conclave::{Config, Gateway};
use conclave_core::event::Actor;
use conclave_core::model::{Millis, Policy};
use conclave_core::operation::CreateGroup;
use conclave_core::ports::{Clock, GroupsExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, ask, request};
use crate::probe::start;

#[tokio::test]
async fn requests_in_flight_are_finished() {
    let gateway = start(|config| config.admin = Admin::At("127.0.0.1:0".parse().unwrap())).await;
    let (at, admin) = (gateway.addresses.shared, gateway.addresses.admin.unwrap());
    let mut idle = Client::connect(at).await;
    // a connection that stays open is not waited for
    let mut watcher = Client::connect(admin).await;
    watcher.say(request("GET", "/readyz", &[], "")).await;
    assert_eq!(watcher.answer().await.body, "ready\n");
    let mut client = Client::connect(at).await;
    client.say(request("POST", "/probe/slow?400", &[], "")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    let ending = tokio::spawn(gateway.shutdown());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ask(admin, "GET", "/readyz", &[], "").await.body, "draining\n");
    assert!(TcpStream::connect(at).await.is_err(), "new connections are still taken");
    idle.closed().await;
    let answer = client.answer().await;
    assert_eq!((answer.status, &*answer.body), (200, "slow but there"));
    client.closed().await;
    assert!(ending.await.unwrap(), "not everything was finished");
    assert!(TcpStream::connect(admin).await.is_err(), "the admin listener is still there");
}

/// A client that was accepted before may have sent a request that has not arrived yet.
#[tokio::test]
async fn a_request_on_its_way_is_answered() {
    let gateway = start(|_| {}).await;
    let at = gateway.addresses.shared;
    let mut early = Client::connect(at).await;
    // it was accepted, as a later one has been
    assert_eq!(ask(at, "POST", "/probe/echo", &[], "x").await.status, 200);
    let asking = async {
        early.say(request("POST", "/probe/echo", &[], "still")).await;
        let answer = early.answer().await;
        assert_eq!((answer.status, &*answer.body), (200, "still"));
        early.closed().await;
    };
    let (is_finished, ()) = tokio::join!(gateway.shutdown(), asking);
    assert!(is_finished);
}

#[tokio::test]
async fn but_not_waited_for_for_ever() {
    let gateway = start(|config| config.limits.drain_ms = 200).await;
    let mut client = Client::connect(gateway.addresses.shared).await;
    client.say(request("POST", "/probe/slow?20000", &[], "")).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    assert!(!gateway.shutdown().await);
    assert!(began.elapsed() < Duration::from_secs(3));
    client.closed().await;
}

/// A clock that a test sets back.
struct Ahead;

impl Clock for Ahead {
    fn now(&self) -> Millis {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Millis(u64::try_from(now.as_millis()).unwrap()).plus(3_600_000)
    }
}

#[tokio::test]
async fn time_does_not_run_backwards_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = || {
        let mut config = Config::development().unwrap();
        config.data = Data::Folder(folder.path().to_owned());
        config
    };
    let gateway = Gateway::builder(config()).clock(Arc::new(Ahead)).start().await.unwrap();
    let group = CreateGroup::new(None, Policy::standard());
    gateway.backends["dev"].groups.run(&Actor::app(), group).await.unwrap();
    gateway.shutdown().await;
    let gateway = Gateway::start(config()).await.unwrap();
    let log = gateway.backends["dev"].log.read(0, 10).await.unwrap();
    let last = log.last().unwrap().at;
    assert!(gateway.backends["dev"].groups.now() >= last, "time runs backwards");
    gateway.shutdown().await;
}
