//! What every adapter is built from, and the one interface the gateway serves them by.
//!
//! Names no vendor. An adapter is a [`Surface`]: `http` types and bytes in, `http` types and bytes out; if its vendor's
//! clients connect, it is a [`ClientProtocol`] too, which creates [`Session`]s: frames in, frames and calls out. It
//! encodes the notifications to an app's server as [`Webhooks`]. [`Vendor`] combines all of this: it is what the
//! gateway registers.

mod apps;
mod blobs;
mod body;
mod credential;
mod cursor;
mod encode;
mod presence;
mod rate;
mod rendered;
mod route;
mod seal;
mod secret;
mod session;
mod settings;
mod steps;
mod surface;
mod text;
mod unread;
mod vendor;
mod vendor_error;
mod webhook;

pub use futures_core::future::BoxFuture;

pub use apps::{AppTable, Apps};
pub use blobs::{BlobError, Blobs, Stored};
pub use body::{Body, ByteStream};
pub use credential::{check_secret, decode_base64, is_base64_of, is_hex_of};
pub use cursor::{decode_cursor, encode_cursor};
pub use encode::{EncodeError, append_json};
pub use presence::{
    Connection, ConnectionChange, ConnectionEvent, ConnectionFilter, Disconnection, Nobody, Platform, Presence,
};
pub use rate::{RateWindow, Room};
pub use rendered::{Inputs, RenderedResponses, same_rows};
pub use route::{Clash, NoMatch, Route, Table};
pub use seal::{Sealer, same};
pub use secret::Secret;
pub use session::{
    Answered, AnyCall, AnyFact, AnyProtocol, AnySession, Call, CallOutcome, ClientProtocol, Counted, Device,
    DisconnectReason, EndedCall, Endpoint, Exceeding, Fact, FinishedCall, Frame, FrameKind, Identity, LoginRule,
    LoginScope, MemberFilter, OnceKey, OpenRequest, OutFrame, Outbox, PathPattern, Recipients, Repeatable, RootUrl,
    Session, SessionLimits, SharedFrame, SignInRefused, Step, Steps, TestSession, Transport,
};
pub use settings::{Kind, Setting};
pub use steps::{Prepared, perform_steps};
pub use surface::{Admitted, BaseUrl, Cors, ErrorInfo, Exchange, Fault, FoundRoute, Head, RouteInfo, Surface};
pub use text::{decode_segment, form_body, query_pairs, query_texts, split_list};
pub use unread::{Reading, Unread};
pub use vendor::{AppUrl, GroupRead, OpenRealm, SettingsTable, SetupError, Tool, Vendor, socket_url};
pub use vendor_error::{ErrorClass, VendorCode, VendorError};
pub use webhook::{
    Destination, Envelope, Notice, Post, PostError, Question, RetryPolicy, Webhooks, call_of, group_of, message_at,
    message_of,
};
