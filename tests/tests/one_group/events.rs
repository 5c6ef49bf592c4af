//! What a client receives, in one line each: the event as the SDK names it, the users it is about, and for a message
//! what it says.

use std::collections::BTreeSet;

use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

/// Whether this is an event of groups or messages, as opposed to those of the connection and of lists the SDK keeps.
pub(crate) fn is_received(vendor: Vendor, event: &str) -> bool {
    const AGORA: [&str; 11] = [
        "onGroupEvent",
        "onTextMessage",
        "onImageMessage",
        "onFileMessage",
        "onCmdMessage",
        "onCustomMessage",
        "onRecallMessage",
        "onModifiedMessage",
        "onError",
        "onMultiDeviceEvent",
        "UNHANDLED_REJECTION",
    ];
    const TENCENT: [&str; 6] =
        ["MESSAGE_RECEIVED", "MESSAGE_REVOKED", "MESSAGE_MODIFIED", "KICKED_OUT", "ERROR", "UNHANDLED_REJECTION"];
    match vendor {
        Vendor::Agora => AGORA.contains(&event),
        Vendor::Tencent => TENCENT.contains(&event),
        Vendor::Rong => event.starts_with("GROUP_") || ["MESSAGES", "UNHANDLED_REJECTION"].contains(&event),
    }
}

/// One line for each thing that the event reports.
pub(crate) fn lines(vendor: Vendor, event: &str, data: &Value, names: &[(&str, &str)]) -> Vec<String> {
    match vendor {
        Vendor::Agora => vec![agora(event, data, names)],
        Vendor::Tencent => {
            let messages = data.as_array().cloned().unwrap_or_else(|| vec![data.clone()]);
            messages.iter().map(|message| tencent(event, message, names)).collect()
        }
        Vendor::Rong if event == "MESSAGES" => {
            let messages = data["messages"].as_array().expect("messages");
            messages.iter().map(|message| rong_message(message, names)).collect()
        }
        Vendor::Rong => {
            let kind =
                data["operation"].as_u64().map_or_else(|| event.to_owned(), |number| format!("{event} {number}"));
            vec![with_users(kind, data, names)]
        }
    }
}

fn agora(event: &str, data: &Value, names: &[(&str, &str)]) -> String {
    let said = match event {
        "onGroupEvent" => return with_users(data["operation"].as_str().unwrap_or(event).to_owned(), data, names),
        "onTextMessage" | "onModifiedMessage" => shown(&data["msg"]),
        "onImageMessage" | "onFileMessage" => {
            shown(&json!(data["url"].as_str().unwrap_or_default().rsplit('/').next()))
        }
        "onCustomMessage" => format!("{} {}", shown(&data["customEvent"]), data["customExts"]),
        _ => String::new(),
    };
    with_users(format!("{event} {said}").trim().to_owned(), data, names)
}

fn tencent(event: &str, message: &Value, names: &[(&str, &str)]) -> String {
    let payload = &message["payload"];
    let kind = match message["type"].as_str().unwrap_or_default() {
        "TIMGroupTipElem" => return with_users(format!("tip {}", payload["operationType"]), message, names),
        "TIMGroupSystemNoticeElem" => {
            return with_users(format!("notice {}", payload["operationType"]), message, names);
        }
        "TIMTextElem" => format!("text {}", shown(&payload["text"])),
        "TIMCustomElem" => format!("custom {} {}", shown(&payload["data"]), shown(&payload["extension"])),
        "TIMImageElem" => {
            format!("image {}", shown(&payload["imageInfoArray"][0]["imageUrl"]))
        }
        other => other.to_owned(),
    };
    let kind = match event {
        "MESSAGE_RECEIVED" => kind,
        "MESSAGE_REVOKED" => event.to_owned(),
        _ => format!("{event} {kind}"),
    };
    with_users(kind, message, names)
}

fn rong_message(message: &Value, names: &[(&str, &str)]) -> String {
    let kind = message["messageType"].as_str().unwrap_or_default();
    let content = &message["content"];
    let said = match kind {
        "RC:TxtMsg" => shown(&content["content"]),
        "RC:ImgMsg" => shown(&content["imageUri"]),
        "RC:RcCmd" | "RC:RcNtf" => String::new(),
        _ => content.to_string(),
    };
    with_users(format!("{kind} {said}").trim().to_owned(), message, names)
}

/// A long text by its length.
fn shown(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    if text.chars().count() > 60 { format!("({} characters)", text.chars().count()) } else { format!("{text:?}") }
}

/// Adds the users that the event names.
fn with_users(kind: String, data: &Value, names: &[(&str, &str)]) -> String {
    let mut users = BTreeSet::new();
    collect(data, names, &mut users);
    if users.is_empty() { kind } else { format!("{kind} [{}]", users.into_iter().collect::<Vec<_>>().join(", ")) }
}

fn collect(value: &Value, names: &[(&str, &str)], users: &mut BTreeSet<String>) {
    const KNOWN: [&str; 8] = ["ann", "ava", "tim", "tom", "ron", "rob", "zoe", "yan"];
    match value {
        Value::String(text) if KNOWN.contains(&text.as_str()) => {
            let role = names.iter().find(|(name, _)| name == text).map_or(text.as_str(), |(_, role)| role);
            users.insert(role.to_owned());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, users)),
        Value::Object(fields) => {
            for (key, field) in fields {
                // users by whose names values are found
                if let Some((_, role)) = names.iter().find(|(name, _)| name == key) {
                    users.insert((*role).to_owned());
                }
                collect(field, names, users);
            }
        }
        _ => {}
    }
}
