//! Every command that is served. Old clients read with GET, with a body or without; so every command takes both.

use conclave_kit::Route;
use http::Method;

use super::extras::{attributes, counters};
use super::moderation::{bans, mutes};
use super::{Endpoint, account, group, live, member, message, migration, topic};
use crate::refusals::Family;

macro_rules! routes {
    ($($service:literal, $family:ident { $($name:literal => $handler:path;)* })*) => {
        /// All routes of the surface.
        pub(crate) fn routes() -> Vec<Route<Endpoint>> {
            let mut routes = Vec::new();
            for method in [Method::POST, Method::GET] {
                routes.extend([$($(Route {
                    method: method.clone(),
                    path: concat!("/v4/", $service, "/", $name),
                    operation: $name,
                    streams: false,
                    handler: Endpoint { family: Family::$family, handler: |call| Box::pin($handler(call)) },
                },)*)*]);
            }
            routes
        }
    };
}

routes! {
    "im_open_login_svc", Accounts {
        "account_import" => account::import::import;
        "multiaccount_import" => account::multi_import::import;
        "account_check" => account::check::check;
        "account_delete" => account::delete::delete;
        "kick" => account::kick::kick;
    }
    "openim", Accounts {
        "query_online_status" => account::online::query;
    }
    "group_open_http_svc", Creation {
        "create_group" => group::create::create;
        "import_group" => group::create::import;
    }
    "group_open_http_svc", Groups {
        "destroy_group" => group::destroy::destroy;
        "get_appid_group_list" => group::list::list;
        "get_group_info" => group::info::info;
        "modify_group_base_info" => group::modify::modify;
        "change_group_owner" => group::owner::change;
        "get_joined_group_list" => group::joined::joined;
        "get_online_member_num" => group::online::count;

        "get_group_member_info" => member::list::list;
        "get_specified_group_member_info" => member::named::named;
        "get_role_in_group" => member::roles::roles;
        "add_group_member" => member::add::add;
        "delete_group_member" => member::remove::remove;
        "modify_group_member_info" => member::modify::modify;

        "forbid_send_msg" => mutes::forbid;
        "get_group_muted_account" => mutes::list;
        "get_group_shutted_uin" => mutes::list_in_old_names;
        "ban_group_member" => bans::ban;
        "unban_group_member" => bans::unban;
        "get_group_ban_member" => bans::list;

        "send_group_msg" => message::send::send;
        "group_msg_recall" => message::recall::recall;
        "group_msg_get_simple" => message::history::read;
        "delete_group_msg_by_sender" => message::delete::delete;
        "get_group_msg_receipt" => message::receipts::counts;
        "get_group_msg_receipt_detail" => message::receipts::readers;
        "group_msg_receipt" => message::receipts::read;
        "send_group_system_notification" => message::notify::notify;
        "send_broadcast_msg" => message::broadcast::broadcast;

        "import_group_msg" => migration::messages::import;
        "import_group_member" => migration::members::import;
        "set_unread_msg_num" => migration::unread::set;
        "import_topic" => topic::create::import;

        "modify_group_attr" => attributes::modify;
        "set_group_attr" => attributes::set;
        "delete_group_attr" => attributes::delete;
        "clear_group_attr" => attributes::clear;
        "get_group_counter" => counters::read;
        "update_group_counter" => counters::update;
        "delete_group_counter" => counters::delete;
    }
    "group_open_avchatroom_http_svc", Groups {
        "get_members" => live::members::list;
        "modify_user_info" => live::marks::modify;
        "modify_admin" => live::admins::modify;
        "get_admin_list" => live::admins::list;
        "check_members" => live::present::present;
    }
    "million_group_open_http_svc", Groups {
        "create_topic" => topic::create::create;
        "get_topic" => topic::read::read;
        "modify_topic" => topic::modify::modify;
        "destroy_topic" => topic::destroy::destroy;
    }
    "openim", Messages {
        "modify_group_msg" => message::modify::modify;
    }
    "openim_msg_ext_http_svc", Groups {
        "group_get_key_values" => message::extensions::read;
        "group_set_key_values" => message::extensions::write;
    }
    "group_open_attr_http_svc", Groups {
        "get_group_attr" => attributes::read;
    }
}
