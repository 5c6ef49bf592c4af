//! All commands, with who may call them.

use super::account;
use super::extras::{attributes, counters};
use super::moderation::{bans, everywhere, mutes};
use super::{
    Callers, Command, conversation, group, joining, live, member, message, migration, missed, neighbours, polling,
    profile, topic, upload,
};
use crate::refusals::Family;

/// What a command does to the app's data.
macro_rules! changes {
    (reads) => {
        false
    };
    (changes) => {
        true
    };
}

macro_rules! commands {
    ($($service:literal, $family:ident { $($name:literal => $handler:path, $callers:ident $does:ident;)* })*) => {
        /// All commands, without duplicates.
        pub(crate) static COMMANDS: &[Command] = &[$($(Command {
            service: $service,
            name: $name,
            path: concat!("/v4/", $service, "/", $name),
            family: Family::$family,
            callers: Callers::$callers,
            changes: changes!($does),
            handler: |call| Box::pin($handler(call)),
        },)*)*];
    };
}

commands! {
    "im_open_login_svc", Accounts {
        "account_import" => account::import::import, App changes;
        "multiaccount_import" => account::multi_import::import, App changes;
        "account_check" => account::check::check, App reads;
        "account_delete" => account::delete::delete, App changes;
        "kick" => account::kick::kick, App changes;
    }
    "openim", Accounts {
        "query_online_status" => account::online::query, App reads;
    }
    "openconfigsvr", Accounts {
        "setnospeaking" => everywhere::set, App changes;
        "getnospeaking" => everywhere::get, App reads;
    }
    "group_open_http_svc", Creation {
        "create_group" => group::create::create, Anyone changes;
        "import_group" => group::create::import, App changes;
    }
    "group_open_http_svc", Groups {
        "destroy_group" => group::destroy::destroy, Anyone changes;
        "get_appid_group_list" => group::list::list, App reads;
        "get_group_info" => group::info::info, Anyone reads;
        "modify_group_base_info" => group::modify::modify, Anyone changes;
        "change_group_owner" => group::owner::change, Anyone changes;
        "get_joined_group_list" => group::joined::joined, Anyone reads;
        "get_online_member_num" => group::online::count, Anyone reads;

        "get_group_self_member_info" => group::own::info, Users reads;
        "get_group_public_info" => group::public::info, Users reads;
        "apply_join_group" => joining::apply::apply, Users changes;
        "quit_group" => joining::quit::quit, Users changes;
        "get_pendency" => joining::pending::groups, Users reads;
        "handle_apply_join_group" => joining::decide::application, Users changes;
        "handle_invite_join_permission_group" => joining::decide::invited, Users changes;
        "handle_invite_join_group" => joining::invitation::answer, Users changes;

        "get_group_member_info" => member::list::list, Anyone reads;
        "get_specified_group_member_info" => member::named::named, Anyone reads;
        "get_role_in_group" => member::roles::roles, App reads;
        "add_group_member" => member::add::add, Anyone changes;
        "delete_group_member" => member::remove::remove, Anyone changes;
        "modify_group_member_info" => member::modify::modify, Anyone changes;

        "forbid_send_msg" => mutes::forbid, App changes;
        "get_group_muted_account" => mutes::list, App reads;
        "get_group_shutted_uin" => mutes::list_in_old_names, App reads;
        "ban_group_member" => bans::ban, Anyone changes;
        "unban_group_member" => bans::unban, App changes;
        "get_group_ban_member" => bans::list, App reads;

        "send_group_msg" => message::send::send, Anyone changes;
        "group_msg_recall" => message::recall::recall, Anyone changes;
        "group_msg_get_simple" => message::history::read, App reads;
        "group_msg_get" => message::history::read_as_client, Users reads;
        "msg_read_report" => message::read_marks::report, Users changes;
        "batch_get_group_notify" => message::recalls::read, Users reads;
        "pin_message" => message::pins::pin, Users changes;
        "unpin_message" => message::pins::unpin, Users changes;
        "get_pinned_messages" => message::pins::list, Users reads;
        "delete_group_msg_by_sender" => message::delete::delete, App changes;
        "get_group_msg_receipt" => message::receipts::counts, Anyone reads;
        "get_group_msg_receipt_detail" => message::receipts::readers, Anyone reads;
        "group_msg_receipt" => message::receipts::read, Anyone changes;
        "send_group_system_notification" => message::notify::notify, App changes;
        "send_broadcast_msg" => message::broadcast::broadcast, App changes;

        "import_group_msg" => migration::messages::import, App changes;
        "import_group_member" => migration::members::import, App changes;
        "set_unread_msg_num" => migration::unread::set, App changes;
        "import_topic" => topic::create::import, App changes;

        "modify_group_attr" => attributes::modify, Anyone changes;
        "set_group_attr" => attributes::set, Anyone changes;
        "delete_group_attr" => attributes::delete, Anyone changes;
        "clear_group_attr" => attributes::clear, Anyone changes;
        "get_group_counter" => counters::read, Anyone reads;
        "update_group_counter" => counters::update, Anyone changes;
        "delete_group_counter" => counters::delete, Anyone changes;
    }
    "group_open_avchatroom_http_svc", Groups {
        "get_members" => live::members::list, Anyone reads;
        "modify_user_info" => live::marks::modify, Anyone changes;
        "modify_admin" => live::admins::modify, App changes;
        "get_admin_list" => live::admins::list, App reads;
        "check_members" => live::present::present, App reads;
    }
    "million_group_open_http_svc", Groups {
        "create_topic" => topic::create::create, Anyone changes;
        "get_topic" => topic::read::read, Anyone reads;
        "modify_topic" => topic::modify::modify, Anyone changes;
        "destroy_topic" => topic::destroy::destroy, Anyone changes;

        // clients send every command about a community to this service
        "create_group" => group::create::create, Users changes;
        "destroy_group" => group::destroy::destroy, Users changes;
        "get_group_info" => group::info::info, Users reads;
        "get_group_self_member_info" => group::own::info, Users reads;
        "get_group_public_info" => group::public::info, Users reads;
        "modify_group_base_info" => group::modify::modify, Users changes;
        "change_group_owner" => group::owner::change, Users changes;
        "get_joined_group_list" => group::joined::communities, Users reads;
        "get_online_member_num" => group::online::count, Users reads;
        "apply_join_group" => joining::apply::apply, Users changes;
        "quit_group" => joining::quit::quit, Users changes;
        "get_pendency" => joining::pending::communities, Users reads;
        "handle_apply_join_group" => joining::decide::application, Users changes;
        "handle_invite_join_permission_group" => joining::decide::invited, Users changes;
        "handle_invite_join_group" => joining::invitation::answer, Users changes;
        "get_group_member_info" => member::list::list, Users reads;
        "get_specified_group_member_info" => member::named::named, Users reads;
        "add_group_member" => member::add::add, Users changes;
        "delete_group_member" => member::remove::remove, Users changes;
        "modify_group_member_info" => member::modify::modify, Users changes;
        "send_group_msg" => message::send::send, Users changes;
        "group_msg_recall" => message::recall::recall, Users changes;
        "group_msg_get" => message::history::read_as_client, Users reads;
        "msg_read_report" => message::read_marks::report, Users changes;
        "batch_get_group_notify" => message::recalls::read, Users reads;
        "pin_message" => message::pins::pin, Users changes;
        "unpin_message" => message::pins::unpin, Users changes;
        "get_pinned_messages" => message::pins::list, Users reads;
        "modify_group_attr" => attributes::modify, Users changes;
        "set_group_attr" => attributes::set, Users changes;
        "delete_group_attr" => attributes::delete, Users changes;
        "clear_group_attr" => attributes::clear, Users changes;
    }
    // what clients request besides groups when they sign in
    "openim", Accounts {
        "getmsg" => missed::read, Users reads;
        "authkey" => neighbours::media_key, Users reads;
        "deletemsg" => neighbours::done, Users changes;
        "getlongpollingid" => polling::number, Users reads;
        "longpollinglogout" => polling::sign_out, Users reads;
        "logout" => polling::sign_out, Users reads;
    }
    "im_cos_msg", Accounts {
        "pre_sig" => upload::one, Users reads;
        "simple_sig" => upload::several, Users reads;
        "get_imageinfo" => upload::pictures, Users reads;
    }
    "sns", Accounts {
        "black_list_get" => neighbours::blocked, Users reads;
        "friend_get" => neighbours::friends, Users reads;
        "friend_get_all" => neighbours::friends, Users reads;
        "group_get" => neighbours::friend_groups, Users reads;
        "pendency_get" => neighbours::friend_requests, Users reads;
    }
    "recentcontact", Accounts {
        "get_contact_group" => neighbours::conversation_groups, Users reads;
    }
    "im_sdk_config_mgr", Accounts {
        "fetch_config" => neighbours::configuration, Users reads;
        "fetch_imsdk_purchase_bitsv2" => neighbours::features, Users reads;
    }
    "openim", Messages {
        "modify_group_msg" => message::modify::modify, Anyone changes;
        "read_all_unread_msg" => message::read_marks::report_all, Users changes;
    }
    "recentcontact", Groups {
        "page_get" => conversation::list::list, Users reads;
        "search_contact_group" => conversation::search::search, Users reads;
    }
    "profile", Accounts {
        "portrait_get_all" => profile::read, Users reads;
    }
    "openim_msg_ext_http_svc", Groups {
        "group_get_key_values" => message::extensions::read, Anyone reads;
        "group_set_key_values" => message::extensions::write, Anyone changes;
    }
    "group_open_attr_http_svc", Groups {
        "get_group_attr" => attributes::read, Anyone reads;
    }
}
