//! Every endpoint. The vendor names its operations by their paths, so that is their name here.

use conclave_kit::Route;
use http::Method;

use super::{Handler, entrust, group, message, user};

macro_rules! routes {
    ($($name:literal => $handler:path;)*) => {
        /// All routes of the surface; every one is a POST.
        pub(crate) fn routes() -> Vec<Route<Handler>> {
            vec![$(Route {
                method: Method::POST,
                path: concat!("/", $name, ".json"),
                operation: $name,
                streams: false,
                handler: |call| Box::pin($handler(call)),
            },)*]
        }
    };
}

routes! {
    "user/getToken" => user::get_token::get_token;
    "user/token/expire" => user::token_expire::expire;
    "user/refresh" => user::refresh::refresh;
    "user/info" => user::info::info;
    "user/checkOnline" => user::check_online::check;
    "user/group/query" => user::groups::query;

    "group/create" => group::enter::create;
    "group/join" => group::enter::join;
    "group/quit" => group::quit::quit;
    "group/dismiss" => group::dismiss::dismiss;
    "group/refresh" => group::refresh::refresh;
    "group/sync" => group::sync::sync;
    "group/user/query" => group::members::query;

    "group/user/gag/add" => group::gag::add;
    "group/user/gag/rollback" => group::gag::rollback;
    "group/user/gag/list" => group::gag::list;
    "group/ban/add" => group::ban::add;
    "group/ban/rollback" => group::ban::rollback;
    "group/ban/query" => group::ban::query;
    "group/user/ban/whitelist/add" => group::whitelist::add;
    "group/user/ban/whitelist/rollback" => group::whitelist::rollback;
    "group/user/ban/whitelist/query" => group::whitelist::query;

    "group/remarks/set" => group::remarks::set;
    "group/remarks/del" => group::remarks::del;
    "group/remarks/get" => group::remarks::get;

    "message/group/publish" => message::publish::publish;
    "statusmessage/group/publish" => message::publish::publish_status;
    "message/recall" => message::recall::recall;
    "message/group/modify" => message::modify::modify;
    "message/expansion/set" => message::expansion::set;
    "message/expansion/delete" => message::expansion::delete;
    "message/expansion/query" => message::expansion::query;
    "v3/message/group/query" => message::history::query;

    "entrust/group/create" => entrust::create::create;
    "entrust/group/import" => entrust::import::import;
    "entrust/group/profile/update" => entrust::profile_update::update;
    "entrust/group/profile/query" => entrust::profile_query::query;
    "entrust/group/dismiss" => entrust::dismiss::dismiss;
    "entrust/group/transfer/owner" => entrust::transfer_owner::transfer;
    "entrust/group/query" => entrust::groups::query;
    "entrust/joined/group/query" => entrust::joined::query;

    "entrust/group/join" => entrust::join::join;
    "entrust/group/quit" => entrust::quit::quit;
    "entrust/group/member/kick" => entrust::kick::kick;
    "entrust/group/member/kick/all" => entrust::kick_all::kick_all;
    "entrust/group/member/query" => entrust::members::query;
    "entrust/group/member/specific/query" => entrust::members_named::query;

    "entrust/group/member/set" => entrust::member_set::set;

    "entrust/group/manager/add" => entrust::managers::add;
    "entrust/group/manager/remove" => entrust::managers::remove;

    "entrust/group/member/follow" => entrust::follow::follow;
    "entrust/group/member/unfollow" => entrust::follow::unfollow;
    "entrust/group/member/followed/get" => entrust::follow::followed;
    "entrust/group/remarkname/set" => entrust::remarkname::set;
    "entrust/group/remarkname/delete" => entrust::remarkname::delete;
    "entrust/group/remarkname/query" => entrust::remarkname::query;
}
