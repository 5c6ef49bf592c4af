//! Settings that the vendor has in its console or in a pricing plan.

conclave_kit::settings! {
    /// Settings of one realm at this surface.
    pub struct Settings {
        /// Whether accounts can be registered without a token, as client SDKs do.
        open_registration: bool = false;
        /// Whether a user token can be requested for an account that does not exist yet (grant `inherit` with
        /// `autoCreateUser`).
        auto_create_users: bool = true;
        /// Whether the creator of a group may choose its id; otherwise a requested id is ignored and one is generated.
        custom_group_ids: bool = true;
        /// Most devices on which a user is signed in at the same time; with one more, the oldest is signed out. 0 is
        /// unlimited.
        devices: usize = 0;
        /// Lifetime of a token when the caller gives none, in seconds.
        token_ttl: u32 = 5_184_000;
        /// Most members of a group when its creator gives no number, the owner included.
        maxusers: u32 = 200;
        /// Largest `maxusers` that is accepted, and most members with which a group can be joined through this API,
        /// wherever it was created; unlimited when not set.
        most_maxusers: Option<u32> = None;
        /// The `maxusers` that is returned for a group without a limit, created through another surface.
        unlimited_maxusers: u32 = 3000;
        /// Most admins of a group, the owner not counted.
        most_admins: u32 = 99;
        /// Most users added to a group, blocked, allowed or muted in one call. Agora documents 60, Easemob 100.
        batch_add: usize = 100;
        /// Most users removed from a group, unblocked, disallowed or unmuted in one call.
        batch_remove: usize = 60;
        /// Most accounts registered in one call.
        batch_register: usize = 60;
        /// Most groups whose detail is read in one call.
        batch_detail: usize = 100;
        /// Most members listed in the detail of a group.
        detail_members: usize = 10_000;
        /// Most groups in a page of all or of the public groups.
        groups_page: usize = 1000;
        /// Most groups in a page of a user's groups asked for by the app.
        joined_page: usize = 20;
        /// Most groups in a page of a user's groups asked for by that user.
        own_joined_page: usize = 500;
        /// Most members in a page. Agora documents 100 (10 by default), Easemob 1000.
        members_page: usize = 1000;
        /// Most accounts in a page.
        users_page: usize = 100;
        /// Most shared files in a page.
        files_page: usize = 1000;
        /// Largest shared file, in bytes.
        file_bytes: u64 = 10_485_760;
        /// Most files shared with a group.
        files: u32 = 10_000;
        /// How long a shared file is kept, in days; 0 is without end.
        file_days: u32 = 7;
        /// Longest message, body and `ext` together, in bytes.
        message_bytes: usize = 5120;
        /// Most messages to groups per second, of which a call to three groups is three; 0 is unlimited. The vendor
        /// documents 20, which it raises on request.
        message_rate: u32 = 0;
        /// Most groups a message is sent to in one call.
        message_groups: usize = 3;
        /// Most recipients of a message that is not for all members.
        message_users: usize = 20;
        /// Longest group name, in characters.
        groupname_chars: usize = 128;
        /// Longest description, in characters.
        description_chars: usize = 512;
        /// Longest announcement, in characters.
        announcement_chars: usize = 512;
        /// Longest avatar URL, in characters.
        avatar_chars: usize = 1024;
        /// Longest `custom`, in bytes.
        custom_bytes: usize = 8192;
    }
}

impl Settings {
    /// The defaults, relaxed for convenience where that is safe: for a realm that only this machine reaches.
    pub fn for_development() -> Self {
        Self { open_registration: true, ..Self::default() }
    }
}
