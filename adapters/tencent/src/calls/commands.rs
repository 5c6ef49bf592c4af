//! All commands, with who may call them.

use super::account;
use super::extras::{attributes, counters};
use super::moderation::{bans, mutes};
use super::{
    Callers, Command, conversation, group, joining, live, member, message, migration, missed, neighbours, profile,
    topic,
};
use crate::refusals::Family;

macro_rules! commands {
    ($($service:literal, $family:ident { $($name:literal => $handler:path, $callers:ident;)* })*) => {
        /// All commands, without duplicates.
        pub(crate) static COMMANDS: &[Command] = &[$($(Command {
            service: $service,
            name: $name,
            path: concat!("/v4/", $service, "/", $name),
            family: Family::$family,
            callers: Callers::$callers,
            handler: |call| Box::pin($handler(call)),
        },)*)*];
    };
}

commands! {
    "im_open_login_svc", Accounts {
        "account_import" => account::import::import, App;
        "multiaccount_import" => account::multi_import::import, App;
        "account_check" => account::check::check, App;
        "account_delete" => account::delete::delete, App;
        "kick" => account::kick::kick, App;
    }
    "openim", Accounts {
        "query_online_status" => account::online::query, App;
    }
    "group_open_http_svc", Creation {
        "create_group" => group::create::create, Anyone;
        "import_group" => group::create::import, App;
    }
    "group_open_http_svc", Groups {
        "destroy_group" => group::destroy::destroy, Anyone;
        "get_appid_group_list" => group::list::list, App;
        "get_group_info" => group::info::info, Anyone;
        "modify_group_base_info" => group::modify::modify, Anyone;
        "change_group_owner" => group::owner::change, Anyone;
        "get_joined_group_list" => group::joined::joined, Anyone;
        "get_online_member_num" => group::online::count, Anyone;

        "get_group_self_member_info" => group::own::info, Users;
        "get_group_public_info" => group::public::info, Users;
        "apply_join_group" => joining::apply::apply, Users;
        "quit_group" => joining::quit::quit, Users;
        "get_pendency" => joining::pending::groups, Users;
        "handle_apply_join_group" => joining::decide::application, Users;
        "handle_invite_join_permission_group" => joining::decide::invited, Users;
        "handle_invite_join_group" => joining::invitation::answer, Users;

        "get_group_member_info" => member::list::list, Anyone;
        "get_specified_group_member_info" => member::named::named, Anyone;
        "get_role_in_group" => member::roles::roles, App;
        "add_group_member" => member::add::add, Anyone;
        "delete_group_member" => member::remove::remove, Anyone;
        "modify_group_member_info" => member::modify::modify, Anyone;

        "forbid_send_msg" => mutes::forbid, App;
        "get_group_muted_account" => mutes::list, App;
        "get_group_shutted_uin" => mutes::list_in_old_names, App;
        "ban_group_member" => bans::ban, Anyone;
        "unban_group_member" => bans::unban, App;
        "get_group_ban_member" => bans::list, App;

        "send_group_msg" => message::send::send, Anyone;
        "group_msg_recall" => message::recall::recall, Anyone;
        "group_msg_get_simple" => message::history::read, App;
        "group_msg_get" => message::history::read_as_client, Users;
        "msg_read_report" => message::read_marks::report, Users;
        "batch_get_group_notify" => message::recalls::read, Users;
        "delete_group_msg_by_sender" => message::delete::delete, App;
        "get_group_msg_receipt" => message::receipts::counts, Anyone;
        "get_group_msg_receipt_detail" => message::receipts::readers, Anyone;
        "group_msg_receipt" => message::receipts::read, Anyone;
        "send_group_system_notification" => message::notify::notify, App;
        "send_broadcast_msg" => message::broadcast::broadcast, App;

        "import_group_msg" => migration::messages::import, App;
        "import_group_member" => migration::members::import, App;
        "set_unread_msg_num" => migration::unread::set, App;
        "import_topic" => topic::create::import, App;

        "modify_group_attr" => attributes::modify, Anyone;
        "set_group_attr" => attributes::set, Anyone;
        "delete_group_attr" => attributes::delete, Anyone;
        "clear_group_attr" => attributes::clear, Anyone;
        "get_group_counter" => counters::read, Anyone;
        "update_group_counter" => counters::update, Anyone;
        "delete_group_counter" => counters::delete, Anyone;
    }
    "group_open_avchatroom_http_svc", Groups {
        "get_members" => live::members::list, Anyone;
        "modify_user_info" => live::marks::modify, Anyone;
        "modify_admin" => live::admins::modify, App;
        "get_admin_list" => live::admins::list, App;
        "check_members" => live::present::present, App;
    }
    "million_group_open_http_svc", Groups {
        "create_topic" => topic::create::create, Anyone;
        "get_topic" => topic::read::read, Anyone;
        "modify_topic" => topic::modify::modify, Anyone;
        "destroy_topic" => topic::destroy::destroy, Anyone;

        // clients send every command about a community to this service
        "create_group" => group::create::create, Users;
        "destroy_group" => group::destroy::destroy, Users;
        "get_group_info" => group::info::info, Users;
        "get_group_self_member_info" => group::own::info, Users;
        "get_group_public_info" => group::public::info, Users;
        "modify_group_base_info" => group::modify::modify, Users;
        "change_group_owner" => group::owner::change, Users;
        "get_joined_group_list" => group::joined::communities, Users;
        "get_online_member_num" => group::online::count, Users;
        "apply_join_group" => joining::apply::apply, Users;
        "quit_group" => joining::quit::quit, Users;
        "get_pendency" => joining::pending::communities, Users;
        "handle_apply_join_group" => joining::decide::application, Users;
        "handle_invite_join_permission_group" => joining::decide::invited, Users;
        "handle_invite_join_group" => joining::invitation::answer, Users;
        "get_group_member_info" => member::list::list, Users;
        "get_specified_group_member_info" => member::named::named, Users;
        "add_group_member" => member::add::add, Users;
        "delete_group_member" => member::remove::remove, Users;
        "modify_group_member_info" => member::modify::modify, Users;
        "send_group_msg" => message::send::send, Users;
        "group_msg_recall" => message::recall::recall, Users;
        "group_msg_get" => message::history::read_as_client, Users;
        "msg_read_report" => message::read_marks::report, Users;
        "batch_get_group_notify" => message::recalls::read, Users;
        "modify_group_attr" => attributes::modify, Users;
        "set_group_attr" => attributes::set, Users;
        "delete_group_attr" => attributes::delete, Users;
        "clear_group_attr" => attributes::clear, Users;
    }
    // what clients request besides groups when they sign in
    "openim", Accounts {
        "getmsg" => missed::read, Users;
        "authkey" => neighbours::media_key, Users;
        "deletemsg" => neighbours::done, Users;
    }
    "sns", Accounts {
        "black_list_get" => neighbours::blocked, Users;
        "friend_get" => neighbours::friends, Users;
        "friend_get_all" => neighbours::friends, Users;
        "group_get" => neighbours::friend_groups, Users;
        "pendency_get" => neighbours::friend_requests, Users;
    }
    "recentcontact", Accounts {
        "get_contact_group" => neighbours::conversation_groups, Users;
    }
    "im_sdk_config_mgr", Accounts {
        "fetch_config" => neighbours::configuration, Users;
        "fetch_imsdk_purchase_bitsv2" => neighbours::features, Users;
    }
    "openim", Messages {
        "modify_group_msg" => message::modify::modify, Anyone;
        "read_all_unread_msg" => message::read_marks::report_all, Users;
    }
    "recentcontact", Groups {
        "page_get" => conversation::list::list, Users;
        "search_contact_group" => conversation::search::search, Users;
    }
    "profile", Accounts {
        "portrait_get_all" => profile::read, Users;
    }
    "openim_msg_ext_http_svc", Groups {
        "group_get_key_values" => message::extensions::read, Anyone;
        "group_set_key_values" => message::extensions::write, Anyone;
    }
    "group_open_attr_http_svc", Groups {
        "get_group_attr" => attributes::read, Anyone;
    }
}
