//! Every operation of this surface.

use std::future::Future;
use std::pin::Pin;

use conclave_kit::Route;
use http::Method;

use super::call::Call;
use super::envelope::Reply;
use super::{
    acks, admins, allowlist, announcement, attachment_parts, attachments, attributes, blocks, conversations, create,
    detail, disable, files, history, import, joined, lists, members, messages, modify, mute, nothing, online, pins,
    recall, registration, requests, rewrite, roaming, shield, token, user_info, users,
};
use crate::refusals::{ErrorContext, Failure};

/// Whose tokens an endpoint accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    /// It checks callers itself.
    Open,
    /// The app's; none is needed where registration is open.
    Registration,
    /// The app's.
    App,
    /// The app's or a user's.
    Either,
}

/// A response in progress.
type PendingReply<'c> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'c>>;

/// The handler of a route.
pub(crate) struct Endpoint {
    pub(crate) auth: Auth,
    /// Selects the error texts of refusals.
    pub(crate) place: ErrorContext,
    pub(crate) run: for<'c> fn(&'c Call<'c>) -> PendingReply<'c>,
}

macro_rules! routes {
    ($($method:ident $path:literal $operation:literal $auth:ident $place:ident $($run:ident)::+ $(, $streams:ident)?;)*) => {
        vec![$(Route {
            method: Method::$method,
            path: concat!("/{org}/{app}", $path),
            operation: $operation,
            streams: [$(stringify!($streams) == "streams",)? false][0],
            handler: Endpoint { auth: Auth::$auth, place: ErrorContext::$place, run: |call| Box::pin($($run)::+(call)) },
        },)*]
    };
}

/// Method, path, the vendor's name of the operation, whose token, error texts, handler; `streams` if the body is
/// streamed.
#[rustfmt::skip]
pub(crate) fn routes() -> Vec<Route<Endpoint>> {
    let mut routes = routes! {
        POST   "/token" "get a token" Open Token token::token;
        GET    "/sdk/users/{user}/token/expires" "get the expiry of a token" Either User token::expires;

        POST   "/users" "register users" Registration User registration::register;
        GET    "/users" "list users" App User users::list;
        DELETE "/users" "delete users in bulk" App User users::delete_oldest;
        GET    "/users/{user}" "get a user" App User users::get;
        DELETE "/users/{user}" "delete a user" App User users::delete;
        PUT    "/users/{user}/password" "change a user's password" App User users::change_password;
        POST   "/users/{user}/deactivate" "ban a user" App User users::deactivate;
        PUT    "/users/{user}" "change a user" Either User users::update;
        POST   "/users/{user}/disconnect" "disconnect a user" App User users::disconnect;
        GET    "/users/{user}/disconnect" "disconnect a user" App User users::disconnect;
        POST   "/users/{user}/activate" "unban a user" App User users::activate;

        POST   "/chatgroups" "create a group" Either Group create::create;
        GET    "/chatgroups" "list the groups of the app" App Group lists::all;
        GET    "/chatgroups/count" "count the groups of the app" App Group lists::count;
        GET    "/publicchatgroups" "list the public groups" Either Group lists::public;
        GET    "/chatgroups/{group}" "get the detail of groups" Either Group detail::detail;
        PUT    "/chatgroups/{group}" "modify a group" Either Modify modify::modify;
        DELETE "/chatgroups/{group}" "delete a group" Either Group disable::delete;
        POST   "/chatgroups/{group}/disable" "ban a group" App Group disable::disable;
        POST   "/chatgroups/{group}/enable" "unban a group" App Group disable::enable;

        GET    "/chatgroups/user/{user}" "list the groups of a user in detail" Either Group joined::detailed;
        GET    "/chatgroups/user/{user}/joined_count" "count the groups of a user" Either Group joined::count;
        GET    "/users/{user}/joined_chatgroups" "list the groups of a user" Either Group joined::short;
        POST   "/users/{user}/joined_chatgroups" "add a user to several groups" App AddOne joined::join_many;
        GET    "/chatgroups/{group}/user/{user}/is_joined" "check membership" App Group joined::is_joined;

        GET    "/chatgroups/{group}/users" "list the members of a group" Either Members members::list;
        POST   "/chatgroups/{group}/users" "add several members to a group" App Group members::add_many;
        POST   "/chatgroups/{group}/users/{user}" "add a member to a group" Either AddOne members::add_one;
        DELETE "/chatgroups/{group}/users/{user}" "remove members from a group" Either Group members::remove;

        GET    "/chatgroups/{group}/roles" "list the members with role and presence" App Group online::roles;
        GET    "/presence/online/{group}/type/1" "count the online members" App Group online::count;

        GET    "/chatgroups/{group}/admin" "list the admins of a group" Either Group admins::list;
        POST   "/chatgroups/{group}/admin" "add an admin to a group" Either Admin admins::add;
        DELETE "/chatgroups/{group}/admin/{user}" "remove an admin from a group" Either Admin admins::remove;

        GET    "/chatgroups/{group}/announcement" "get the announcement" Either Group announcement::get;
        POST   "/chatgroups/{group}/announcement" "set the announcement" Either Group announcement::set;

        GET    "/chatgroups/{group}/mute" "list the muted members" Either Group mute::list;
        POST   "/chatgroups/{group}/mute" "mute members" Either Group mute::add;
        DELETE "/chatgroups/{group}/mute" "unmute the members of a role" App Group mute::remove_by_role;
        DELETE "/chatgroups/{group}/mute/{user}" "unmute members" Either Group mute::remove;
        GET    "/sdk/chatgroups/{group}/mute/{user}" "check whether a member is muted" Either Group mute::is_muted;
        POST   "/chatgroups/{group}/ban" "mute all members" Either Group mute::mute_all;
        DELETE "/chatgroups/{group}/ban" "unmute all members" Either Group mute::unmute_all;

        GET    "/chatgroups/{group}/blocks/users" "list the blocked users" Either Group blocks::list;
        POST   "/chatgroups/{group}/blocks/users" "block several members" Either Group blocks::add_many;
        POST   "/chatgroups/{group}/blocks/users/{user}" "block a member" Either Group blocks::add_one;
        DELETE "/chatgroups/{group}/blocks/users/{user}" "unblock users" Either Group blocks::remove;

        GET    "/chatgroups/{group}/white/users" "list the allowed members" Either Group allowlist::list;
        POST   "/chatgroups/{group}/white/users" "allow several members" Either Group allowlist::add_many;
        GET    "/chatgroups/{group}/white/users/{user}" "check whether a member is allowed" Either Group allowlist::is_allowed;
        POST   "/chatgroups/{group}/white/users/{user}" "allow a member" Either Group allowlist::add_one;
        DELETE "/chatgroups/{group}/white/users/{user}" "remove members from the allowlist" Either Group allowlist::remove;

        GET    "/chatgroups/{group}/share_files" "list the shared files" Either Files files::list;
        POST   "/chatgroups/{group}/share_files" "upload a shared file" Either Files files::upload, streams;
        GET    "/chatgroups/{group}/share_files/{file}" "download a shared file" Either Files files::download;
        DELETE "/chatgroups/{group}/share_files/{file}" "delete a shared file" Either Files files::delete;
        // one page of the vendor's documentation spells them so
        GET    "/chatgroups/{group}/sharefiles" "list the shared files" Either Files files::list;
        POST   "/chatgroups/{group}/sharefiles" "upload a shared file" Either Files files::upload, streams;
        GET    "/chatgroups/{group}/sharefiles/{file}" "download a shared file" Either Files files::download;
        DELETE "/chatgroups/{group}/sharefiles/{file}" "delete a shared file" Either Files files::delete;

        POST   "/chatfiles" "upload an attachment" Either Attachment attachments::upload, streams;
        GET    "/chatfiles/{file}" "download an attachment" Open Attachment attachments::download;
        POST   "/sdk/chatfiles/part-upload" "begin an attachment in parts (client)" Either Attachment attachment_parts::begin;
        PUT    "/sdk/chatfiles/part-upload/{upload}" "upload a part of an attachment (client)" Either Attachment attachment_parts::part, streams;
        POST   "/sdk/chatfiles/part-upload/{upload}" "complete an attachment in parts (client)" Either Attachment attachment_parts::complete;
        DELETE "/sdk/chatfiles/part-upload/{upload}" "abandon an attachment in parts (client)" Either Attachment attachment_parts::abort;

        GET    "/chatgroups/{group}/acks/{message}" "list who has read a message" Either Group acks::list;

        POST   "/chatgroups/{group}/apply" "apply to join a group" Either AddOne requests::apply;
        POST   "/chatgroups/{group}/apply_verify" "approve or refuse a join request" Either AddOne requests::decide;
        POST   "/chatgroups/{group}/invite" "invite users to a group" Either AddOne requests::invite;
        POST   "/chatgroups/{group}/invite_verify" "accept or decline an invitation" Either AddOne requests::answer;
        DELETE "/chatgroups/{group}/quit" "leave a group" Either Group requests::quit;

        GET    "/chatgroups/{group}/shield" "list the members who shield a group" App Group shield::list;
        POST   "/chatgroups/{group}/shield" "shield a group" Either Group shield::add;
        DELETE "/chatgroups/{group}/shield" "stop shielding a group" Either Group shield::remove;

        POST   "/messages/chatgroups" "send a message to groups" App Message messages::send;
        POST   "/messages/chatgroups/users" "send a message to some members of a group" App Message messages::send_to_some;
        POST   "/messages" "send a message to groups (older form)" App Message messages::send_older;
        POST   "/messages/chatgroups/import" "import a message" App Message import::import;
        POST   "/messages/msg_recall" "recall a message" App Message recall::one;
        POST   "/messages/recall" "recall a message or several" App Message recall::one_or_many;
        POST   "/messages/batch_recall" "recall messages" App Message recall::many;
        PUT    "/messages/rewrite/{message}" "change a message" App Message rewrite::rewrite;
        POST   "/users/{user}/messageroaming" "page through the messages of a group (client)" Either Group roaming::page;
        GET    "/chatmessages/{hour}" "get the message history of an hour" App Message history::locate;
        GET    "/chatmessages/{hour}/file" "download the message history of an hour" Open Message history::fetch;

        PUT    "/metadata/chatgroup/{group}/user/{user}" "set a member's attributes" App Attributes attributes::set;
        GET    "/metadata/chatgroup/{group}/user/{user}" "get a member's attributes" App Attributes attributes::get;
        PUT    "/metadata/chatgroup/{group}/users/batch" "set several members' attributes" App Attributes attributes::set_many;
        POST   "/metadata/chatgroup/{group}/get" "get several members' attributes" App Attributes attributes::get_many;
        PUT    "/sdk/metadata/chatgroup/{group}/user/{user}" "set a member's attributes (client)" Either Attributes attributes::set;
        POST   "/sdk/metadata/chatgroup/{group}/get" "get several members' attributes (client)" Either Attributes attributes::get_many;
    };
    routes.extend(of_clients());
    routes
}

/// Routes that only client SDKs call, other than those of groups.
#[rustfmt::skip]
fn of_clients() -> Vec<Route<Endpoint>> {
    routes! {
        GET    "/sdk/user/{user}/user_channels/list" "list a user's conversations (client)" Either Group conversations::list;
        GET    "/users/{user}/user_channels/page" "list a user's conversations by page (client)" Either Group conversations::page;
        GET    "/users/{user}/user_channels" "list a user's first conversations (client)" Either Group conversations::page;
        POST   "/sdk/user/{user}/user_channel/pin" "pin a message (client)" Either Message pins::pin;
        DELETE "/sdk/user/{user}/user_channel/pin" "unpin a message (client)" Either Message pins::unpin;
        GET    "/sdk/user/{user}/user_channel/pin" "list pinned messages (client)" Either Message pins::list;
        PUT    "/metadata/user/{user}" "set a user's info (client)" Either User user_info::set;
        POST   "/metadata/user/get" "get users' info (client)" Either User user_info::get;

        // not supported: an empty response, so that clients continue
        GET    "/users/{user}/contacts/users" "list contacts (client)" Either User nothing::list;
        GET    "/users/{user}/contacts" "page through contacts (client)" Either User nothing::contacts;
        GET    "/users/{user}/blocks/users" "list a user's blocklist (client)" Either User nothing::list;
        GET    "/users/{user}/joined_chatrooms" "list the chat rooms of a user (client)" Either Group nothing::list;
        GET    "/chatrooms" "list chat rooms (client)" Either Group nothing::list;
        GET    "/threads/chatgroups/{group}" "list the threads of a group (client)" Either Group nothing::list;
        GET    "/threads/chatgroups/{group}/user/{user}" "list the threads of a user (client)" Either Group nothing::list;
        GET    "/sdk/user/{user}/user_channels/mark/search" "list marked conversations (client)" Either Group nothing::conversations;
        GET    "/reaction/user/{user}" "list reactions (client)" Either Group nothing::list;
        GET    "/users/{user}/presence/sublist" "list presence subscriptions (client)" Either User nothing::presence;
        GET    "/users/{user}/notification" "get the push settings of conversations (client)" Either User nothing::notification;
        GET    "/users/{user}/notification/user/{target}" "get a user's push settings (client)" Either User nothing::notification;
        GET    "/users/{user}/notification/chatgroup/{group}" "get the push settings of a group (client)" Either User nothing::notification;
        GET    "/users/{user}/notification/mute/type" "list conversations by push setting (client)" Either User nothing::list;
        GET    "/users/{user}/translate/support/language" "list languages of translation (client)" Either User nothing::list;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use conclave_kit::Table;

    use super::*;

    #[test]
    fn no_two_operations_claim_one_route() {
        let table = Table::new(routes()).unwrap();
        for (method, path, operation) in [
            (Method::GET, "/o/a/chatgroups/user/ann", "list the groups of a user in detail"),
            (Method::GET, "/o/a/chatgroups/user/ann/joined_count", "count the groups of a user"),
            (Method::GET, "/o/a/chatgroups/1/user/ann/is_joined", "check membership"),
            (Method::GET, "/o/a/chatgroups/1,2", "get the detail of groups"),
            (Method::DELETE, "/o/a/chatgroups/1/users/ann%2Cbob", "remove members from a group"),
        ] {
            assert_eq!(table.find(&method, path).unwrap().operation, operation);
        }
    }
}
