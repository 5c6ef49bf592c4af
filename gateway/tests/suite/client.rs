//! A client that sends exactly the given bytes, at the given speed.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a response is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A response as received.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header of it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends this; whether the other side reads it is seen from its response.
    pub(crate) async fn say(&mut self, text: impl AsRef<[u8]>) {
        let _ = self.0.write_all(text.as_ref()).await;
    }

    /// The next response; panics when there is none.
    pub(crate) async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.read()).await.expect("no answer in time").expect("no answer at all")
    }

    /// Waits until the other side closes; panics when it sends something instead.
    pub(crate) async fn closed(&mut self) {
        let mut rest = Vec::new();
        let end = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("still open");
        assert!(end.is_err() || rest.is_empty(), "received {:?}", String::from_utf8_lossy(&rest));
    }

    async fn read(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let mut answer = Answer { status, head, body: String::new() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        answer.body = String::from_utf8(body).unwrap();
        Some(answer)
    }
}

/// One request on a connection of its own. `headers` are whole lines.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    let mut client = Client::connect(address).await;
    client.say(request(method, path, headers, body)).await;
    client.answer().await
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|line| line.to_lowercase().starts_with("host:")) {
        text.push_str("Host: gateway.test\r\n");
    }
    for line in headers {
        text.push_str(line);
        text.push_str("\r\n");
    }
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    text + &length + "\r\n" + body
}
