//! The model: rows and their keys.

mod content;
mod device;
mod group;
mod id;
mod key;
mod member;
mod message;
mod moderation;
mod personal;
mod policy;
mod reading;
mod request;
mod row;
mod settings;
mod topic;
mod user;

pub use content::{Content, Dimensions, MediaFile};
pub use device::{Device, DeviceId, Position, Queue};
pub use group::{Announcement, Attributes, Counters, Group, Labels, Pin, Profile, SharedFile, Tombstone};
pub use id::{FileId, GroupId, InvalidId, MAX_ID_BYTES, MessageId, Millis, TopicId, UserId};
pub use key::{Key, KeyPart, Prefix};
pub use member::{Member, Receive, Role};
pub use message::{Body, Extensions, Mention, Message, MessageState, Receipt, Sender, Sent, Traits};
pub use moderation::{Allowance, Block, Mute, Until};
pub use personal::{Follows, Remark};
pub use policy::{Circle, Join, KeptAs, KeptEvents, Policy};
pub use reading::ReadMark;
pub use request::{Request, RequestKind, Stage, Verdict};
pub use row::Row;
pub use settings::Settings;
pub use topic::Topic;
pub use user::User;
