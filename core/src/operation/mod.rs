//! What can be done, one file per operation. Each is a pure function:
//! facts + actor + operation + time -> changes, events and a reply, or a refusal.

mod add_members;
mod allow;
mod appoint;
mod attributes;
mod block;
mod change_message;
mod common;
mod concerns;
mod create_group;
mod delete_user;
mod devices;
mod disband;
mod extensions;
mod files;
mod govern;
mod import_messages;
mod in_topic;
mod leave;
mod mark_members;
mod moderation;
mod mute;
mod notices;
mod personal;
mod pin_message;
mod promote;
mod read_marks;
mod read_messages;
mod recall_messages;
mod register_users;
mod remove_members;
mod requests;
mod send_message;
mod set_disabled;
mod sweep;
mod sync_groups;
mod together;
mod topics;
mod transfer;
mod trim_messages;
mod update_group;
mod update_member;
mod update_user;

pub use crate::event::Actor;
pub use add_members::{AddMembers, NewMember, Quiet};
pub use allow::{Allow, Disallow};
pub use appoint::{Appoint, Dismiss};
pub use attributes::{
    AttributeChange, AttributesNow, CounterChange, CountersNow, DeleteCounters, UpdateCounters, WriteAttributes,
};
pub use block::{Block, Unblock};
pub use change_message::{ChangeMessage, Edited};
pub use common::{AddOutcome, Added, Cleanup, OnBlocked, OnFull, OnMember, OnOutsider, OnUnknown, Removed};
pub use create_group::{CreateGroup, Created};
pub use delete_user::{DeleteUser, OwnedGroups};
pub(crate) use devices::is_forgotten;
pub use devices::{Acknowledge, Begin, DeviceOpened, OpenDevice, POSITIONS_PER_DEVICE};
pub use disband::{Disband, Ended};
pub use extensions::{ExtensionChange, ExtensionsWritten, WriteExtensions};
pub use files::{AddAttachment, AddFile, FileGone, FileShared, RemoveFile};
pub use govern::Govern;
pub use import_messages::{ImportMessages, Imported, OldMessage};
pub use in_topic::InTopic;
pub use leave::Leave;
pub use mark_members::{MarkMembers, Marked};
pub use moderation::Listed;
pub use mute::{Mute, MuteEverywhere, Unmute};
pub use notices::{Broadcast, BroadcastSent, DropMessage, GiveNotice};
pub use personal::{Follow, SetPushName, SetRemark, Unfollow};
pub use pin_message::{PinMessage, Pinned};
pub use promote::{Demote, Promote, Promoted};
pub use read_marks::{MarkRead, SetUnread};
pub use read_messages::ReadMessages;
pub use recall_messages::{DeleteMessagesBySender, Deleted, RecallMessages, Recalled};
pub use register_users::{NewUser, OnExisting, RegisterOutcome, RegisterUsers, Registered};
pub use remove_members::RemoveMembers;
pub(crate) use requests::approvers;
pub use requests::{AnswerInvitation, Applied, Apply, DecideRequest, Decided};
pub use send_message::{Posted, SendMessage, SpeakCheck};
pub use set_disabled::SetDisabled;
pub(crate) use sweep::{Sweep, is_outdated};
pub use sync_groups::SyncGroups;
pub use together::{OnRefusal, Steps, Together};
pub(crate) use topics::is_open;
pub use topics::{EndTopics, MakeTopic, TopicMade, TopicsEnded, UpdateTopic};
pub use transfer::Transfer;
pub(crate) use trim_messages::{TrimMessages, is_old};
pub use update_group::{PolicyChange, UpdateGroup};
pub use update_member::{AttributesWritten, UpdateMember, WriteMemberAttributes};
pub use update_user::UpdateUser;

use crate::decision::Draft;
use crate::facts::Stop;
use crate::ports::Typed;
use crate::refusal::Refusal;

/// A rule: decides one operation.
pub(crate) trait Rule {
    /// The reply.
    type Output;

    /// Decides, stops with the facts it needs, or refuses.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<Self::Output, Stop>;
}

macro_rules! replies {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// What an operation answers.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "made once and taken apart at once, never kept")]
        pub enum Reply {
            /// A reply without content.
            Done,
            $($(#[$doc])* $name($name),)*
        }

        impl From<()> for Reply {
            fn from((): ()) -> Self {
                Self::Done
            }
        }

        impl TryFrom<Reply> for () {
            type Error = Refusal;

            fn try_from(reply: Reply) -> Result<Self, Refusal> {
                match reply {
                    Reply::Done => Ok(()),
                    other => Err(misfit(&other)),
                }
            }
        }

        $(
            impl From<$name> for Reply {
                fn from(reply: $name) -> Self {
                    Self::$name(reply)
                }
            }

            impl TryFrom<Reply> for $name {
                type Error = Refusal;

                fn try_from(reply: Reply) -> Result<Self, Refusal> {
                    match reply {
                        Reply::$name(reply) => Ok(reply),
                        other => Err(misfit(&other)),
                    }
                }
            }
        )*
    };
}

/// A layer answered one operation with another's reply: a bug in the layer, reported as an outage.
fn misfit(reply: &Reply) -> Refusal {
    Refusal::Unavailable(format!("an operation was answered with another's reply: {reply:?}"))
}

macro_rules! operations {
    ($($name:ident => $reply:ty, $label:literal;)*) => {
        /// All operations.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each is documented at its own type")]
        pub enum Operation {
            $($name(Box<$name>),)*
            InTopic(Box<InTopic>),
        }

        impl Operation {
            /// The names of all.
            pub const NAMES: &'static [&'static str] = &[$($label,)* "in_topic"];

            /// Its name, for logs and metrics.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $label,)*
                    Self::InTopic(_) => "in_topic",
                }
            }

            /// Decides it.
            pub(crate) fn decide(&self, draft: &mut Draft<'_>) -> Result<Reply, Stop> {
                match self {
                    $(Self::$name(operation) => operation.decide(draft).map(Reply::from),)*
                    Self::InTopic(operation) => operation.decide(draft),
                }
            }
        }

        $(
            impl From<$name> for Operation {
                fn from(operation: $name) -> Self {
                    Self::$name(Box::new(operation))
                }
            }

            impl Typed for $name {
                type Reply = $reply;
            }
        )*
    };
}

replies! {
    /// A group was created.
    Created;
    /// The outcome for each user who was to be added.
    Added;
    /// What became of each user who was to go out.
    Removed;
    /// What became of each member who was to be an admin.
    Promoted;
    /// What became of each account.
    Registered;
    /// The outcome for each user of a list change.
    Listed;
    /// What asking to join led to.
    Applied;
    /// How a request ended.
    Decided;
    /// What became of each member whose attributes were to be written.
    AttributesWritten;
    /// A group's attributes after a write.
    AttributesNow;
    /// The counters that were changed.
    CountersNow;
    /// A file was shared.
    FileShared;
    /// A file was deleted.
    FileGone;
    /// A group has ended, or an account with the groups it owned.
    Ended;
    /// A message was sent.
    Posted;
    /// What became of each message to be imported.
    Imported;
    /// What became of each message to be recalled.
    Recalled;
    /// The deleted messages.
    Deleted;
    /// A message as it is after a change.
    Edited;
    /// What became of a pin.
    Pinned;
    /// What became of each key that was to be added to a message.
    ExtensionsWritten;
    /// A broadcast was sent.
    BroadcastSent;
    /// A topic was created.
    TopicMade;
    /// What became of each topic that was to end.
    TopicsEnded;
    /// A device was opened.
    DeviceOpened;
    /// Who was not there to be marked.
    Marked;
    /// What each of several operations came to.
    Steps;
}

operations! {
    CreateGroup => Created, "create_group";
    UpdateGroup => (), "update_group";
    Disband => Ended, "disband";
    Transfer => (), "transfer";
    SetDisabled => (), "set_disabled";
    Govern => (), "govern";
    AddMembers => Added, "add_members";
    RemoveMembers => Removed, "remove_members";
    Leave => Removed, "leave";
    Promote => Promoted, "promote";
    Demote => (), "demote";
    RegisterUsers => Registered, "register_users";
    UpdateUser => (), "update_user";
    DeleteUser => Ended, "delete_user";
    SyncGroups => (), "sync_groups";
    SetRemark => (), "set_remark";
    SetPushName => (), "set_push_name";
    Follow => (), "follow";
    Unfollow => (), "unfollow";
    Mute => Listed, "mute";
    Unmute => Listed, "unmute";
    MuteEverywhere => (), "mute_everywhere";
    Allow => Listed, "allow";
    Disallow => Listed, "disallow";
    Block => Listed, "block";
    Unblock => Listed, "unblock";
    Apply => Applied, "apply";
    AnswerInvitation => Decided, "answer_invitation";
    DecideRequest => Decided, "decide_request";
    UpdateMember => (), "update_member";
    WriteMemberAttributes => AttributesWritten, "write_member_attributes";
    WriteAttributes => AttributesNow, "write_attributes";
    UpdateCounters => CountersNow, "update_counters";
    DeleteCounters => (), "delete_counters";
    AddFile => FileShared, "add_file";
    RemoveFile => FileGone, "remove_file";
    AddAttachment => FileShared, "add_attachment";
    SendMessage => Posted, "send_message";
    ImportMessages => Imported, "import_messages";
    RecallMessages => Recalled, "recall_messages";
    DeleteMessagesBySender => Deleted, "delete_messages_by_sender";
    ChangeMessage => Edited, "change_message";
    PinMessage => Pinned, "pin_message";
    DropMessage => (), "drop_message";
    ReadMessages => (), "read_messages";
    MarkRead => (), "mark_read";
    SetUnread => (), "set_unread";
    OpenDevice => DeviceOpened, "open_device";
    Acknowledge => (), "acknowledge";
    WriteExtensions => ExtensionsWritten, "write_extensions";
    GiveNotice => (), "give_notice";
    Broadcast => BroadcastSent, "broadcast";
    MakeTopic => TopicMade, "make_topic";
    UpdateTopic => (), "update_topic";
    EndTopics => TopicsEnded, "end_topics";
    Appoint => (), "appoint";
    Dismiss => (), "dismiss";
    MarkMembers => Marked, "mark_members";
    Together => Steps, "together";
}
