//! Connected clients that count the frames they receive.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

type Socket = WebSocketStream<TcpStream>;

/// So many connections, and the total number of frames they have received.
pub struct Audience {
    received: Arc<Received>,
    senders: Vec<SplitSink<Socket, Message>>,
    readers: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Default)]
struct Received {
    frames: AtomicUsize,
    bytes: AtomicUsize,
    /// Bytes of the answers with which connections began.
    opened: AtomicUsize,
    news: Notify,
}

/// How a connection begins.
pub enum Opening {
    Nothing,
    /// The server sends the first frame: RongCloud's, which says that the user is let in.
    Greeted,
    /// Each client sends these, one by one as they are answered; its own are at its path's place.
    Says(Vec<Vec<Bytes>>),
}

impl Audience {
    /// Connects at each of these paths.
    pub async fn gather(address: SocketAddr, paths: &[String], opening: &Opening) -> Self {
        let received = Arc::new(Received::default());
        let (mut senders, mut readers) = (Vec::new(), Vec::new());
        for (index, path) in paths.iter().enumerate() {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(512);
            let url = format!("ws://{address}{path}");
            let (mut socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await.unwrap();
            match opening {
                Opening::Nothing => {}
                Opening::Greeted => {
                    let first = socket.next().await.unwrap().unwrap().into_data();
                    assert_eq!((first[0] >> 4, first.get(3)), (2, Some(&0)), "not let in: {first:?}");
                }
                Opening::Says(frames) => {
                    for frame in &frames[index] {
                        socket.send(Message::Binary(frame.clone())).await.unwrap();
                        let answer = socket.next().await.unwrap().unwrap().into_data();
                        received.opened.fetch_add(answer.len(), Ordering::Relaxed);
                    }
                }
            }
            let (sender, reader) = socket.split();
            senders.push(sender);
            readers.push(tokio::spawn(read(reader, Arc::clone(&received))));
        }
        Self { received, senders, readers }
    }

    /// Sends a frame from the first of them.
    pub async fn say(&mut self, bytes: Bytes) {
        self.senders[0].send(Message::Binary(bytes)).await.unwrap();
    }

    /// The bytes of the answers with which the connections began.
    pub fn opening_bytes(&self) -> usize {
        self.received.opened.load(Ordering::Relaxed)
    }

    /// The number of frames so far.
    pub fn frames(&self) -> usize {
        self.received.frames.load(Ordering::Relaxed)
    }

    /// The average length of a frame.
    pub fn frame_bytes(&self) -> usize {
        self.received.bytes.load(Ordering::Relaxed) / self.frames().max(1)
    }

    /// Waits until so many frames have arrived in total.
    pub async fn until(&self, frames: usize) {
        let all = async {
            while self.frames() < frames {
                self.received.news.notified().await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(10), all).await;
        assert!(in_time.is_ok(), "{} of {frames} frames came", self.frames());
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        for reader in &self.readers {
            reader.abort();
        }
    }
}

async fn read(mut reader: SplitStream<Socket>, received: Arc<Received>) {
    while let Some(Ok(message)) = reader.next().await {
        received.bytes.fetch_add(message.len(), Ordering::Relaxed);
        received.frames.fetch_add(1, Ordering::Relaxed);
        received.news.notify_one();
    }
}
