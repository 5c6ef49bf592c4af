//! Rung after each commit of a realm, so that whoever follows its log need not ask again and again.

use tokio::sync::watch;

/// A realm's bell. Hearing it says that something may have been committed, not what.
#[derive(Debug, Clone)]
pub(crate) struct Bell(watch::Sender<()>);

impl Bell {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Tells all who listen; those who are busy find it when they listen again.
    pub(crate) fn ring(&self) {
        self.0.send_replace(());
    }

    /// Hears what rings from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }

    /// Rings when it is dropped: also where the caller of an operation goes away before its answer.
    pub(crate) fn ring_after(&self) -> impl Drop + use<'_> {
        struct After<'a>(&'a Bell);
        impl Drop for After<'_> {
            fn drop(&mut self) {
                self.0.ring();
            }
        }
        After(self)
    }
}
