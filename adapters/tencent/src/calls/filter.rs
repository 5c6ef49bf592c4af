//! `ResponseFilter` and similar parameters: which fields a response has.

use serde::Deserialize;

/// The fields of one kind that a response has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Fields {
    /// All, under their old and new names.
    All,
    /// The fields with these names.
    Named(Vec<String>),
}

impl Fields {
    /// The fields for a list of names. An empty list is no filter, as old clients send empty lists.
    pub(crate) fn of(names: Option<Vec<String>>) -> Self {
        match names {
            Some(names) if !names.is_empty() => Self::Named(names),
            _ => Self::All,
        }
    }

    /// No field at all.
    pub(crate) fn none() -> Self {
        Self::Named(Vec::new())
    }

    pub(crate) fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// Whether the response has the field with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|wanted| wanted == name),
        }
    }

    /// Whether the field was requested by its name: some are returned only then.
    pub(crate) fn names(&self, name: &str) -> bool {
        !self.is_all() && self.has(name)
    }

    /// The value, if the response has the field.
    pub(crate) fn pick<T>(&self, name: &str, value: impl FnOnce() -> T) -> Option<T> {
        self.has(name).then(value)
    }
}

/// `ResponseFilter` of the commands that read groups.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResponseFilter {
    group_base_info_filter: Option<Vec<String>>,
    member_info_filter: Option<Vec<String>>,
    #[serde(rename = "AppDefinedDataFilter_Group")]
    group_keys: Option<Vec<String>>,
    #[serde(rename = "AppDefinedDataFilter_GroupMember")]
    member_keys: Option<Vec<String>>,
    self_info_filter: Option<Vec<String>>,
    group_base_public_info_filter: Option<Vec<String>>,
}

/// The fields of each group in `get_group_info`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct GroupView {
    pub(crate) base: Fields,
    /// The keys of the group's custom fields; `None` is all.
    pub(crate) custom: Option<Vec<String>>,
    /// The members; `None` leaves them out.
    pub(crate) members: Option<MemberView>,
}

/// The fields of each member.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MemberView {
    pub(crate) fields: Fields,
    /// The keys of the member's custom fields; `None` is all.
    pub(crate) custom: Option<Vec<String>>,
}

impl MemberView {
    /// Whether a response has the members' online status, which is no part of their rows.
    pub(crate) fn shows_online_status(&self) -> bool {
        self.fields.names("OnlineStatus")
    }

    /// The filter of the member commands: names of fields, and keys of the member's custom fields.
    pub(crate) fn of(fields: Option<Vec<String>>, keys: Option<Vec<String>>) -> Self {
        let fields = Fields::of(fields);
        let custom = match keys.filter(|keys| !keys.is_empty()) {
            None if !fields.is_all() => Some(Vec::new()),
            keys => keys,
        };
        Self { fields, custom }
    }
}

impl ResponseFilter {
    fn given(names: Option<Vec<String>>) -> Option<Vec<String>> {
        names.filter(|names| !names.is_empty())
    }

    /// The filter of `get_group_info`: if anything is filtered, only listed fields are returned.
    pub(crate) fn group_view(filter: Option<Self>) -> GroupView {
        let filter = filter.unwrap_or_default();
        let base = Self::given(filter.group_base_info_filter);
        let group_keys = Self::given(filter.group_keys);
        let member = Self::given(filter.member_info_filter);
        let member_keys = Self::given(filter.member_keys);
        if base.is_none() && group_keys.is_none() && member.is_none() && member_keys.is_none() {
            let members = Some(MemberView { fields: Fields::All, custom: None });
            return GroupView { base: Fields::All, custom: None, members };
        }
        let members = (member.is_some() || member_keys.is_some()).then(|| MemberView {
            fields: member.map_or_else(Fields::none, Fields::Named),
            custom: Some(member_keys.unwrap_or_default()),
        });
        GroupView {
            base: base.map_or_else(Fields::none, Fields::Named),
            custom: Some(group_keys.unwrap_or_default()),
            members,
        }
    }

    /// The filter of `get_group_public_info`: fields of the group only.
    pub(crate) fn public_view(filter: Option<Self>) -> GroupView {
        let base = Fields::of(filter.unwrap_or_default().group_base_public_info_filter);
        GroupView { base, custom: Some(Vec::new()), members: None }
    }

    /// The filter of `get_joined_group_list`: without it, only ids are returned.
    pub(crate) fn joined_view(filter: Option<Self>) -> (Fields, Option<Fields>) {
        let filter = filter.unwrap_or_default();
        let base = Self::given(filter.group_base_info_filter).map_or_else(Fields::none, Fields::Named);
        (base, Self::given(filter.self_info_filter).map(Fields::Named))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn view(json: &str) -> GroupView {
        ResponseFilter::group_view(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn without_a_filter_everything_comes_back() {
        let members = Some(MemberView { fields: Fields::All, custom: None });
        let all = GroupView { base: Fields::All, custom: None, members };
        for none in ["null", "{}", r#"{"GroupBaseInfoFilter":null,"MemberInfoFilter":[]}"#] {
            assert_eq!(view(none), all, "{none}");
        }
    }

    #[test]
    fn once_something_is_filtered_only_that_comes_back() {
        let base = view(r#"{"GroupBaseInfoFilter":["Type","Name"]}"#);
        assert!(base.base.has("Type") && !base.base.has("Introduction"));
        assert_eq!(base.custom, Some(vec![]));
        assert_eq!(base.members, None);

        let members = view(r#"{"MemberInfoFilter":["Account","Role"]}"#);
        assert!(!members.base.has("Name"));
        let of_member = members.members.unwrap();
        assert!(of_member.fields.has("Role") && !of_member.fields.has("JoinTime"));
        assert_eq!(of_member.custom, Some(vec![]));

        let keys = view(r#"{"AppDefinedDataFilter_GroupMember":["K"]}"#).members.unwrap();
        assert_eq!(keys, MemberView { fields: Fields::none(), custom: Some(vec!["K".to_owned()]) });
    }

    #[test]
    fn the_member_commands_filter_fields_and_keys_apart() {
        let all = MemberView::of(None, Some(vec![]));
        assert_eq!(all, MemberView { fields: Fields::All, custom: None });
        let some = MemberView::of(Some(vec!["Role".to_owned()]), None);
        assert_eq!(some.custom, Some(vec![]));
        let keys = MemberView::of(None, Some(vec!["K".to_owned()]));
        assert_eq!(keys, MemberView { fields: Fields::All, custom: Some(vec!["K".to_owned()]) });
    }

    #[test]
    fn joined_groups_are_ids_until_more_is_requested() {
        let (base, own) = ResponseFilter::joined_view(None);
        assert_eq!((base, own), (Fields::none(), None));
        let filter = serde_json::from_str(r#"{"SelfInfoFilter":["Role"]}"#).unwrap();
        let (base, own) = ResponseFilter::joined_view(Some(filter));
        assert_eq!(base, Fields::none());
        assert!(own.unwrap().has("Role"));
    }
}
