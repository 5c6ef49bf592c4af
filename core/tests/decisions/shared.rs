//! What members share: attributes, counters, files, member data.

use std::collections::BTreeMap;

use conclave_core::model::{Circle, FileId, Policy, Receive};
use conclave_core::operation::{
    AddAttachment, AddFile, AttributeChange, CounterChange, DeleteCounters, RemoveFile, UpdateCounters, UpdateMember,
    WriteAttributes, WriteMemberAttributes,
};

use crate::common::{group, user};
use crate::recorder::decisions;

fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn attributes() {
    decisions("attributes", Policy::standard(), async |record| {
        let write = |change, expected| WriteAttributes {
            group: group("g"),
            change,
            expected,
            most: Some(2),
            most_bytes: Some(8),
        };
        let set = |values: &[(&str, &str)]| AttributeChange::Set(pairs(values));
        let _ = record.user("dan", "writes, a stranger", write(set(&[("a", "1")]), None)).await;
        let _ = record.user("cy", "writes", write(set(&[("a", "1")]), Some(0))).await;
        let _ = record.user("cy", "writes with a stale version", write(set(&[("a", "2")]), Some(0))).await;
        let _ = record.user("cy", "writes too many", write(set(&[("b", "2"), ("c", "3")]), Some(1))).await;
        let _ = record.user("cy", "writes too much", write(set(&[("b", "123456")]), None)).await;
        let _ = record.user("cy", "writes as much as fits", write(set(&[("b", "12345")]), None)).await;
        let replace = AttributeChange::Replace(pairs(&[("b", "2"), ("c", "3")]));
        let _ = record.user("cy", "replaces all", write(replace, None)).await;
        let delete = |must_exist| AttributeChange::Delete { keys: vec!["b".to_owned(), "x".to_owned()], must_exist };
        let _ = record.user("cy", "deletes one that is not there", write(delete(true), None)).await;
        let _ = record.user("cy", "deletes one of two", write(delete(false), None)).await;
        let _ = record.user("cy", "clears", write(AttributeChange::Clear, None)).await;
    });
}

#[test]
fn counters() {
    decisions("counters", Policy::standard(), async |record| {
        let update = |changes: &[(&str, CounterChange)], most| UpdateCounters {
            group: group("g"),
            changes: changes.iter().map(|(name, change)| ((*name).to_owned(), *change)).collect(),
            most,
        };
        let delete = |keys: &[&str]| DeleteCounters {
            group: group("g"),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        };
        let _ = record.user("dan", "counts, a stranger", update(&[("a", CounterChange::Add(1))], None)).await;
        let both = [("a", CounterChange::Add(-2)), ("b", CounterChange::Set(i64::MAX))];
        let _ = record.user("cy", "counts too many", update(&both, Some(1))).await;
        let _ = record.user("cy", "counts", update(&both, Some(2))).await;
        let _ = record
            .user("cy", "overflows", update(&[("a", CounterChange::Add(1)), ("b", CounterChange::Add(1))], None))
            .await;
        let _ = record.user("cy", "counts on", update(&[("a", CounterChange::Add(5))], Some(2))).await;
        let _ = record.user("cy", "counts nothing", update(&[], None)).await;
        let _ = record.user("dan", "deletes, a stranger", delete(&["a"])).await;
        let _ = record.user("cy", "deletes none", delete(&["x"])).await;
        let _ = record.user("cy", "deletes one", delete(&["a", "x"])).await;
        let _ = record.user("cy", "deletes the last", delete(&["b"])).await;
    });
}

#[test]
fn files() {
    decisions("files", Policy::standard(), async |record| {
        let file = |id: Option<&str>, most| AddFile {
            group: group("g"),
            id: id.map(|id| FileId::new(id).unwrap()),
            name: "plan.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            size: 3,
            expires: None,
            secret: Some("s".to_owned()),
            blob: "blob-1".to_owned(),
            most,
        };
        let remove = |id: &str| RemoveFile { group: group("g"), file: FileId::new(id).unwrap() };
        let _ = record.user("dan", "shares, a stranger", file(Some("f1"), None)).await;
        let _ = record.user("cy", "shares", file(Some("f1"), Some(1))).await;
        let _ = record.user("cy", "shares one too many", file(Some("f2"), Some(1))).await;
        let _ = record.user("cy", "uses an id again", file(Some("f1"), None)).await;
        let _ = record.app("shares without an id", file(None, Some(2))).await;
        let _ = record.user("eve", "removes cy's", remove("f1")).await;
        let _ = record.user("dan", "removes, a stranger", remove("f1")).await;
        let _ = record.user("cy", "removes none", remove("f9")).await;
        let _ = record.user("cy", "removes her own", remove("f1")).await;
        let _ = record.user("eve", "shares", file(Some("f3"), None)).await;
        let _ = record.user("ben", "removes eve's", remove("f3")).await;
        let expires = record.world.now().plus(1000);
        let attachment = |id: Option<&str>| AddAttachment {
            id: id.map(|id| FileId::new(id).unwrap()),
            name: "photo.jpg".to_owned(),
            media_type: "image/jpeg".to_owned(),
            size: 9,
            expires: Some(expires),
            secret: None,
            blob: "blob-2".to_owned(),
        };
        let _ = record.user("dan", "adds an attachment", attachment(None)).await;
        let _ = record.user("dan", "adds one with an id", attachment(Some("a1"))).await;
        let _ = record.user("cy", "uses the attachment's id again", attachment(Some("a1"))).await;
    });
}

#[test]
fn member_data() {
    decisions("update_member", Policy::standard(), async |record| {
        let of = |name: &str| UpdateMember::of(group("g"), user(name));
        let card = |name: &str, card: &str| UpdateMember { card: Some(card.to_owned()), ..of(name) };
        let _ = record.user("dan", "changes her own, a stranger", card("dan", "D")).await;
        let _ = record.user("cy", "changes eve's card", card("eve", "E")).await;
        let _ = record.user("ben", "changes the owner's card", card("ann", "A")).await;
        let _ = record.user("ben", "changes eve's card", card("eve", "E")).await;
        let _ = record.user("ben", "changes eve's card to the same", card("eve", "E")).await;
        let _ = record.user("ben", "changes a stranger's card", card("dan", "D")).await;
        let silent = |name: &str| UpdateMember { receive: Some(Receive::Silent), ..of(name) };
        let _ = record.user("ann", "silences cy's device", silent("cy")).await;
        let _ = record.user("cy", "silences her own", silent("cy")).await;
        let _ = record.user("cy", "silences it again", silent("cy")).await;
        let fields =
            |values: &[(&str, &str)], most| UpdateMember { fields: pairs(values), most_fields: most, ..of("cy") };
        let _ = record.user("cy", "writes too many fields", fields(&[("a", "1"), ("b", "2")], Some(1))).await;
        let _ = record.user("cy", "writes fields", fields(&[("a", "1"), ("b", "2")], Some(2))).await;
        let _ = record.user("cy", "removes a field", fields(&[("a", ""), ("b", "2")], Some(0))).await;
        let rest = UpdateMember {
            extra: Some("{}".to_owned()),
            labels: BTreeMap::from([("x:note".to_owned(), Some("n".to_owned()))]),
            ..of("cy")
        };
        let _ = record.app("changes the rest", rest).await;
    });
    decisions("update_member_owner", Policy { edit_member: Circle::Owner, ..Policy::standard() }, async |record| {
        let card = |name: &str| UpdateMember { card: Some("C".to_owned()), ..UpdateMember::of(group("g"), user(name)) };
        let _ = record.user("ben", "changes eve's card", card("eve")).await;
        let _ = record.user("ann", "changes an admin's card", card("ben")).await;
    });
}

#[test]
fn member_attributes() {
    decisions("member_attributes", Policy::standard(), async |record| {
        let write = |changes: &[(&str, &[(&str, &str)])]| WriteMemberAttributes {
            group: group("g"),
            changes: changes.iter().map(|(name, values)| (user(name), pairs(values))).collect(),
            most: Some(2),
            most_bytes: Some(8),
        };
        let _ = record.user("cy", "writes her own", write(&[("cy", &[("a", "1")])])).await;
        let _ = record.user("cy", "writes the same", write(&[("cy", &[("a", "1")])])).await;
        let _ = record.user("cy", "writes eve's", write(&[("eve", &[("a", "1")])])).await;
        let _ = record
            .user(
                "ben",
                "writes eve's, the owner's and a stranger's",
                write(&[("eve", &[("a", "1")]), ("ann", &[("a", "1")]), ("dan", &[("a", "1")])]),
            )
            .await;
        let _ =
            record.app("writes too many", write(&[("cy", &[("b", "1"), ("c", "1")]), ("eve", &[("b", "2")])])).await;
        let _ = record.app("writes too much", write(&[("cy", &[("b", "123456")])])).await;
        let _ = record.app("writes as much as fits", write(&[("cy", &[("b", "12345")])])).await;
        let _ = record.app("removes", write(&[("cy", &[("a", ""), ("x", "")])])).await;
    });
}
