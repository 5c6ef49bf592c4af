//! Lines that wait to be written, and the thread that writes them: all that wait at once, in one system call.

use std::io::Write;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// Most lines that wait to be written; further ones are dropped, so that a blocked terminal does not block the process.
const WAITING: usize = 16_384;
/// A buffer that has become larger than this is not kept.
const KEPT: usize = 1024 * 1024;
/// How long the process waits at its end until the lines are written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The waiting lines.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Notified when there is something to write, and when everything is written.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    lines: usize,
    dropped: u64,
    is_closing: bool,
    is_closed: bool,
}

impl Queue {
    /// Adds a line, unless too many wait.
    pub(super) fn add(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        if waiting.lines == WAITING {
            waiting.dropped += 1;
            return;
        }
        waiting.lines += 1;
        waiting.bytes.extend_from_slice(line);
        if waiting.lines == 1 {
            self.changed.notify_all();
        }
    }

    /// How many lines were dropped because too many waited.
    pub(super) fn dropped(&self) -> u64 {
        self.waiting.lock().dropped
    }

    /// Writes lines in a thread of its own, until the returned guard is dropped.
    pub(super) fn write_to(self: &Arc<Self>, mut out: impl Write + Send + 'static) -> std::io::Result<Guard> {
        let queue = Arc::clone(self);
        thread::Builder::new().name("log".to_owned()).spawn(move || queue.run(&mut out))?;
        Ok(Guard(Arc::clone(self)))
    }

    fn run(&self, out: &mut impl Write) {
        let mut bytes = Vec::new();
        loop {
            let mut waiting = self.waiting.lock();
            while waiting.lines == 0 && !waiting.is_closing {
                self.changed.wait(&mut waiting);
            }
            if waiting.lines == 0 {
                waiting.is_closed = true;
                self.changed.notify_all();
                return;
            }
            std::mem::swap(&mut waiting.bytes, &mut bytes);
            waiting.lines = 0;
            drop(waiting);
            // there is nowhere to report that the log cannot be written
            let _lost = out.write_all(&bytes).and_then(|()| out.flush());
            bytes.clear();
            if bytes.capacity() > KEPT {
                bytes = Vec::new();
            }
        }
    }
}

/// Waits on drop until the lines are written.
pub(crate) struct Guard(Arc<Queue>);

impl Drop for Guard {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.is_closing = true;
        self.0.changed.notify_all();
        let deadline = std::time::Instant::now() + LAST_LINES;
        while !waiting.is_closed && !self.0.changed.wait_until(&mut waiting, deadline).timed_out() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Writes into a list; each write waits for a permission.
    struct Slow(Arc<Mutex<Vec<Vec<u8>>>>, mpsc::Receiver<()>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.1.recv();
            self.0.lock().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_written_in_order_and_too_many_are_dropped() {
        let (queue, written) = (Arc::<Queue>::default(), Arc::default());
        let (permit, permitted) = mpsc::channel();
        let guard = queue.write_to(Slow(Arc::clone(&written), permitted));
        queue.add(b"first\n");
        while queue.waiting.lock().lines > 0 {
            thread::yield_now();
        }
        for _ in 0..WAITING + 3 {
            queue.add(b"x\n");
        }
        assert_eq!(queue.dropped(), 3);
        drop(permit);
        drop(guard);
        let written = written.lock();
        assert_eq!(written[0], b"first\n");
        assert_eq!(written.concat().len(), "first\n".len() + 2 * WAITING);
    }
}
