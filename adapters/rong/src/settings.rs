//! What the vendor makes a switch of its console, and what its documentation leaves open.

conclave_kit::settings! {
    /// Settings of one app.
    pub struct Settings {
        /// HTTP status of answers with a code 25400..25499; the vendor does not document it. 200 or 400 are plausible.
        status_254xx: u16 = 400;
        /// Whether hosted groups (`/entrust`) are enabled; without, these calls get 1009, and clients 24369.
        hosting: bool = true;
        /// Whether clients may use the methods of hosted groups; without, they get 25413.
        client_groups: bool = true;
        /// How many connections of one kind (browser, mini program) a user may have; whoever comes replaces the oldest, which is told 31010. 0 is any number.
        web_logins: usize = 0;
        /// Most questions and changes about groups by one connection in a second, more get 25416; 0 is any number.
        client_queries: u32 = 0;
        /// Most messages by one connection in a second, more get 20604; 0 is any number.
        client_messages: u32 = 0;
        /// Where this app's clients connect instead, as `ws://host:port/path` or `wss://…`: for moving it to another gateway. The navigator names it, and whoever comes here is sent to ask again. It must not lead back to this gateway, however it is named: clients would ask for ever.
        moved_to: Option<String> = None;
        /// The keys of `groupExtProfile` that exist, at most ten, each beginning with `ext_`. Others get 25415.
        ext_keys: Vec<String> = Vec::new();
        /// Most members of a group made through this API.
        group_capacity: u32 = 3000;
        /// Most managers of a group, the owner not counted.
        managers: u32 = 10;
        /// Most users muted in all groups at once.
        muted_everywhere: u32 = 100;
        /// Most members one user follows in a group.
        follows: u32 = 200;
        /// The `role` filter of the joined groups counts 1 owner, 2 manager, 3 member instead of 1 member, 2 manager, 3 owner.
        joined_role_owner_first: bool = false;
        /// Times told as text (mute lists, user info) are this many minutes ahead of UTC: 480 in the China data centre, 0 elsewhere.
        utc_offset_minutes: i32 = 480;
        /// How long a user's token lasts, in seconds; 0 is for ever.
        token_lifetime: u64 = 0;
        /// How far the `Timestamp` of a call, in seconds or milliseconds, may be from now, in milliseconds; other calls get 1004. 0 is any: the vendor's Node SDK signs once per process, and sends that timestamp for its whole life.
        signature_window_ms: u64 = 0;
        /// How many signatures of calls, each of a nonce and a timestamp, are remembered (at most 1000000); a call that repeats one gets 1004. 0 is none: the vendor's Node SDK repeats its own. Beyond that number the oldest is forgotten, and all of them at a restart, so set `signature_window_ms` too, and this to more than the calls of two windows.
        remembered_signatures: usize = 0;
    }
}
