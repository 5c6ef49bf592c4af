//! `MsgFlag`: a member's notification setting for messages.

use conclave_core::model::Receive;

/// The vendor's name of the setting. The last one is unknown to some strict clients, so it is returned only where it is
/// set.
pub(crate) fn word(receive: Receive) -> &'static str {
    match receive {
        Receive::Notify => "AcceptAndNotify",
        Receive::Silent => "AcceptNotNotify",
        Receive::Discard => "Discard",
        Receive::SilentUnlessMentioned => "AcceptNotNotifyExceptAt",
    }
}

/// The setting with this name.
pub(crate) fn named(word: &str) -> Option<Receive> {
    [Receive::Notify, Receive::Silent, Receive::Discard, Receive::SilentUnlessMentioned]
        .into_iter()
        .find(|receive| self::word(*receive) == word)
}
