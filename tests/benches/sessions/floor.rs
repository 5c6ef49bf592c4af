//! The baseline: a bare WebSocket server that sends the frames of one client to all the others.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;

/// Serves until killed; prints its address first.
pub fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let (said, _) = broadcast::channel(1024);
        let mut next = 0_u64;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            next += 1;
            tokio::spawn(one(stream, next, said.clone()));
        }
    });
}

async fn one(stream: TcpStream, own: u64, said: broadcast::Sender<(u64, Bytes)>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let mut others = said.subscribe();
    loop {
        tokio::select! {
            sent = others.recv() => {
                let (by, bytes) = sent.unwrap();
                if by != own && socket.send(Message::Binary(bytes)).await.is_err() {
                    return;
                }
            }
            received = socket.next() => match received {
                Some(Ok(Message::Binary(bytes))) => drop(said.send((own, bytes))),
                Some(Ok(_)) => {}
                _ => return,
            }
        }
    }
}
