//! Topics of communities: their ids contain the community's.

use conclave_core::model::{GroupId, TopicId};

use super::limits;

/// The prefix of a community's topic ids.
pub(crate) fn prefix(group: &GroupId) -> String {
    format!("{group}@TOPIC#_")
}

/// The id a client chose for a topic of a community; `None` when it is not permitted.
pub(crate) fn chosen(group: &GroupId, id: &str) -> Option<TopicId> {
    let part = id.strip_prefix(&prefix(group))?;
    let printable = part.bytes().all(|byte| (0x20..=0x7E).contains(&byte));
    let fits = !part.is_empty() && printable && id.len() <= limits::TOPIC_ID;
    fits.then(|| TopicId::new(id).ok()).flatten()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_topics_id_begins_with_its_communitys() {
        let group = GroupId::new("@TGS#_c").unwrap();
        assert!(chosen(&group, "@TGS#_c@TOPIC#_news").is_some());
        let long = format!("@TGS#_c@TOPIC#_{}", "x".repeat(82));
        for bad in ["news", "@TGS#_c@TOPIC#_", "@TGS#_d@TOPIC#_news", "@TGS#_c@TOPIC#_\t", &long] {
            assert_eq!(chosen(&group, bad), None, "{bad}");
        }
    }
}
