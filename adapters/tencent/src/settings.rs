//! Settings that the vendor has in its console, and choices its documentation leaves open.

conclave_kit::settings! {
    /// Settings of one app.
    pub struct Settings {
        /// Whether accounts that a command names are created on first use; otherwise they must be imported first.
        auto_import: bool = false;
        /// Whether the text limits of the server API's pages apply (name 30 bytes, introduction 240, notification 300,
        /// face url 100) instead of those of the current clients (100, 400, 400, 500).
        strict_lengths: bool = false;
        /// Most members of a group of type Private, Public or ChatRoom: the limit of the plan.
        member_limit: u32 = 6000;
        /// Most members of a group of type Community.
        community_member_limit: u32 = 100_000;
        /// The keys of `AppDefinedData` that are configured, at most ten. Others get 10004.
        group_keys: Vec<String> = Vec::new();
        /// The keys of `AppMemberDefinedData` that are configured, at most five. Others get 10004.
        member_keys: Vec<String> = Vec::new();
        /// Whether the id of a dissolved group may be reused; otherwise it gets 10021.
        reuse_group_ids: bool = true;
        /// Whether groups of type Community may be created; otherwise they get 11000.
        communities: bool = true;
        /// Most messages of a group per second; further ones get 10023, or are dropped if their priority is low. 0 is
        /// unlimited; the vendor's limit is 40.
        messages_per_second: u32 = 0;
        /// Whether groups have a list of banned members; otherwise its commands get 10007.
        bans: bool = true;
        /// Whether groups have attributes; otherwise their commands get 10059.
        attributes: bool = true;
        /// Whether groups have counters; otherwise their commands get 10059.
        counters: bool = true;
        /// Whether members get a tip when everybody is muted or the options of joining and inviting change. The vendor's
        /// console can switch it on; its default is off.
        option_tips: bool = false;
        /// Largest file that a client uploads for a message, in bytes.
        file_bytes: u64 = 10_485_760;
        /// How long such a file is stored, in days; 0 is without end.
        file_days: u32 = 7;
        /// Web clients a user may be signed in with; another one signs out the oldest, with a notice to it. 0 is
        /// unlimited.
        web_logins: usize = 0;
    }
}
