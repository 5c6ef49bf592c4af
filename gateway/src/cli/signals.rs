//! The signals that the process handles.

use std::io;

use tokio::sync::oneshot;

/// The meaning of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGHUP: read the certificate files again.
    Reload,
    /// SIGTERM and SIGINT: stop.
    End,
}

/// The signals that this process handles.
pub(super) struct Signals {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    /// Ready when standard input is closed, where the process stops with it.
    input: Option<oneshot::Receiver<()>>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new(until_stdin_closes: bool) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let on = |kind| signal(kind);
        Ok(Self {
            hangup: on(SignalKind::hangup())?,
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            input: until_stdin_closes.then(input_closed),
        })
    }

    #[cfg(not(unix))]
    #[allow(clippy::unnecessary_wraps, reason = "as on unix")]
    pub(super) fn new(until_stdin_closes: bool) -> io::Result<Self> {
        Ok(Self { input: until_stdin_closes.then(input_closed) })
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::Reload,
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
            () = closed(&mut self.input) => Signal::End,
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> Signal {
        let interrupted = async {
            if let Err(error) = tokio::signal::ctrl_c().await {
                tracing::error!(%error, "the handler for ctrl-c cannot be installed");
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = interrupted => Signal::End,
            () = closed(&mut self.input) => Signal::End,
        }
    }
}

/// Reads standard input, on a thread of its own, until it is closed.
fn input_closed() -> oneshot::Receiver<()> {
    let (closed, is_closed) = oneshot::channel();
    std::thread::spawn(move || {
        if let Err(error) = io::copy(&mut io::stdin(), &mut io::sink()) {
            tracing::warn!(%error, "standard input cannot be read");
        }
        // the process may have ended for another reason
        let _ = closed.send(());
    });
    is_closed
}

/// Ready when standard input is closed; never where that does not count.
async fn closed(input: &mut Option<oneshot::Receiver<()>>) {
    match input {
        // also when the thread has ended without a word
        Some(input) => drop(input.await),
        None => std::future::pending().await,
    }
}
