//! Settings that the vendor has in its console, and choices its documentation leaves open.

conclave_kit::settings! {
    /// Settings of one app.
    pub struct Settings {
        /// HTTP status of responses with a code 25400..25499; the vendor does not document it. 200 or 400 are
        /// plausible.
        status_254xx: u16 = 400;
        /// Whether hosted groups (`/entrust`) are enabled; otherwise these calls get 1009, and clients 24369.
        hosting: bool = true;
        /// Whether clients may use the methods of hosted groups; otherwise they get 25413.
        client_groups: bool = true;
        /// How many connections of one kind (browser, mini program) a user may have; a further one replaces the oldest,
        /// which gets 31010. 0 is unlimited.
        web_logins: usize = 0;
        /// Most queries and changes of groups by one connection per second, further ones get 25416; 0 is unlimited.
        client_queries: u32 = 0;
        /// Most messages by one connection per second, further ones get 20604; 0 is unlimited.
        client_messages: u32 = 0;
        /// Whether clients have read receipts of single messages (version 5 of receipts, SDKs from 5.20 on). As with the
        /// vendor, which enables them on request, other versions of receipts are not available then.
        message_receipts: bool = false;
        /// Where this app's clients connect instead, as `ws://host:port/path` or `wss://…`: for moving it to another
        /// gateway. The navigator returns it, and clients that connect here are sent back to the navigator. It must not
        /// lead back to this gateway under any name, or clients would loop.
        moved_to: Option<String> = None;
        /// The keys of `groupExtProfile` that exist, at most ten, each beginning with `ext_`. Others get 25415.
        ext_keys: Vec<String> = Vec::new();
        /// Most members of a group created through this API.
        group_capacity: u32 = 3000;
        /// Most managers of a group, the owner not counted.
        managers: u32 = 10;
        /// Most users muted in all groups at once.
        muted_everywhere: u32 = 100;
        /// Most members one user follows in a group.
        follows: u32 = 200;
        /// The `role` filter of the joined groups counts 1 owner, 2 manager, 3 member instead of 1 member, 2 manager, 3 owner.
        joined_role_owner_first: bool = false;
        /// Offset of times returned as text (mute lists, user info) from UTC, in minutes: 480 in the China data centre,
        /// 0 elsewhere.
        utc_offset_minutes: i32 = 480;
        /// Lifetime of a user's token, in seconds; 0 is without end.
        token_lifetime: u64 = 0;
        /// How far the `Timestamp` of a call, in seconds or milliseconds, may be from now, in milliseconds; other calls
        /// get 1004. 0 is unlimited: the vendor's Node SDK signs once per process, and sends that timestamp until the
        /// process ends.
        signature_window_ms: u64 = 0;
        /// How many signatures of calls, each of a nonce and a timestamp, are stored (at most 1000000); a call that
        /// repeats one gets 1004. 0 is none: the vendor's Node SDK repeats its own. Beyond that number the oldest is
        /// dropped, and all of them at a restart, so set `signature_window_ms` too, and this to more than the calls of
        /// two windows.
        remembered_signatures: usize = 0;
    }
}
