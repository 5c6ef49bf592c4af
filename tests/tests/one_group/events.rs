//! What a client receives, in one line each: the event as the SDK names it, the users it is about, and for a message
//! what it says.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use conclave_tests::vendor::Vendor;
use serde_json::{Value, json};

/// Whether this is an event of groups or messages, as opposed to those of the connection and of lists the SDK keeps.
pub(crate) fn is_received(vendor: Vendor, event: &str) -> bool {
    const AGORA: [&str; 16] = [
        "onGroupEvent",
        "onTextMessage",
        "onImageMessage",
        "onVideoMessage",
        "onAudioMessage",
        "onFileMessage",
        "onLocationMessage",
        "onReadMessage",
        "onCmdMessage",
        "onCustomMessage",
        "onRecallMessage",
        "onModifiedMessage",
        "onMessagePinEvent",
        "onError",
        "onMultiDeviceEvent",
        "UNHANDLED_REJECTION",
    ];
    const TENCENT: [&str; 12] = [
        "MESSAGE_RECEIVED",
        "MESSAGE_REVOKED",
        "MESSAGE_MODIFIED",
        "MESSAGE_EXTENSIONS_UPDATED",
        "MESSAGE_EXTENSIONS_DELETED",
        "MESSAGE_READ_RECEIPT_RECEIVED",
        "PINNED_GROUP_MESSAGE_UPDATED",
        "GROUP_ATTRIBUTES_UPDATED",
        "GROUP_COUNTER_UPDATED",
        "KICKED_OUT",
        "ERROR",
        "UNHANDLED_REJECTION",
    ];
    const RONG: [&str; 5] =
        ["MESSAGES", "MESSAGE_MODIFIED", "EXPANSION", "MESSAGE_RECEIPT_RESPONSE_V5", "UNHANDLED_REJECTION"];
    match vendor {
        Vendor::Agora => AGORA.contains(&event),
        Vendor::Tencent => TENCENT.contains(&event),
        Vendor::Rong => event.starts_with("GROUP_") || RONG.contains(&event),
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
        Vendor::Rong if event == "MESSAGE_MODIFIED" => {
            let messages = data.as_array().expect("messages").iter();
            messages.map(|message| format!("{event} {}", rong_message(message, names))).collect()
        }
        Vendor::Rong if event == "MESSAGE_RECEIPT_RESPONSE_V5" => {
            let receipts = data.as_array().expect("receipts").iter();
            let line = |receipt: &Value| {
                let kind = format!("{event} {} read, {} unread", receipt["readCount"], receipt["unreadCount"]);
                with_users(kind, &receipt["users"], names)
            };
            receipts.map(line).collect()
        }
        Vendor::Rong if event == "EXPANSION" => {
            let (set, removed) = (&data["updatedExpansion"]["expansion"], &data["deletedExpansion"]["deletedKeys"]);
            vec![format!("{event} {}", if set.is_null() { removed } else { set })]
        }
        Vendor::Rong => {
            let kind =
                data["operation"].as_u64().map_or_else(|| event.to_owned(), |number| format!("{event} {number}"));
            vec![with_users(with_changes(kind, &data["changedGroupInfo"], names), data, names)]
        }
    }
}

fn agora(event: &str, data: &Value, names: &[(&str, &str)]) -> String {
    let said = match event {
        "onGroupEvent" => return with_users(data["operation"].as_str().unwrap_or(event).to_owned(), data, names),
        "onTextMessage" => format!("{}{}", shown(&data["msg"]), mentioned(&data["ext"]["em_at_list"])),
        "onModifiedMessage" => shown(&data["msg"]),
        "onImageMessage" if data["isGif"] == true => format!("moving {}", agora_file(data)),
        "onImageMessage" | "onFileMessage" => agora_file(data),
        "onVideoMessage" | "onAudioMessage" => format!("{} {} s", agora_file(data), data["length"]),
        "onLocationMessage" => {
            format!("{} {} {} {}", shown(&data["buildingName"]), shown(&data["addr"]), data["lat"], data["lng"])
        }
        "onMessagePinEvent" => data["operation"].as_str().unwrap_or_default().to_owned(),
        "onCmdMessage" => shown(&data["action"]),
        "onReadMessage" => format!("{} readers", data["groupReadCount"].as_object().map_or(0, serde_json::Map::len)),
        "onCustomMessage" => format!("{} {}", shown(&data["customEvent"]), data["customExts"]),
        _ => String::new(),
    };
    with_users(format!("{event} {said}").trim().to_owned(), data, names)
}

fn tencent(event: &str, message: &Value, names: &[(&str, &str)]) -> String {
    let payload = &message["payload"];
    let kind = match message["type"].as_str().unwrap_or_default() {
        "TIMGroupTipElem" => {
            let tip = format!("tip {}", payload["operationType"]);
            return with_users(with_changes(tip, &payload["newGroupProfile"], names), message, names);
        }
        "TIMGroupSystemNoticeElem" => {
            return with_users(format!("notice {}", payload["operationType"]), message, names);
        }
        "TIMTextElem" => format!("text {}{}", shown(&payload["text"]), mentioned(&message["atUserList"])),
        "TIMCustomElem" => format!("custom {} {}", shown(&payload["data"]), shown(&payload["extension"])),
        "TIMImageElem" => {
            let moving = if payload["imageFormat"] == 2 { "moving " } else { "" };
            format!("{moving}image {}", file(&payload["imageInfoArray"][0]["imageUrl"]))
        }
        "TIMSoundElem" => format!("sound {} {} s", file(&payload["url"]), payload["second"]),
        "TIMVideoFileElem" => format!("video {} {} s", file(&payload["videoUrl"]), payload["videoSecond"]),
        "TIMFileElem" => format!("file {} {}", file(&payload["fileUrl"]), shown(&payload["fileName"])),
        "TIMLocationElem" => {
            format!("location {} {} {}", shown(&payload["description"]), payload["latitude"], payload["longitude"])
        }
        other => other.to_owned(),
    };
    let kind = match event {
        "MESSAGE_RECEIVED" => kind,
        "MESSAGE_REVOKED" => event.to_owned(),
        "MESSAGE_EXTENSIONS_UPDATED" | "MESSAGE_EXTENSIONS_DELETED" => {
            return format!("{event} {}{}", message["extensions"], message["keyList"]).replace("null", "");
        }
        "MESSAGE_READ_RECEIPT_RECEIVED" => {
            return format!("{event} {} read, {} unread", message["readCount"], message["unreadCount"]);
        }
        "PINNED_GROUP_MESSAGE_UPDATED" => {
            return with_users(format!("{event} {}", message["isPinned"]), &message["operatorInfo"], names);
        }
        "GROUP_ATTRIBUTES_UPDATED" => return format!("{event} {}", message["groupAttributes"]),
        "GROUP_COUNTER_UPDATED" => return format!("{event} {}={}", message["key"], message["value"]),
        _ => format!("{event} {kind}"),
    };
    with_users(kind, message, names)
}

fn rong_message(message: &Value, names: &[(&str, &str)]) -> String {
    let kind = message["messageType"].as_str().unwrap_or_default();
    let content = &message["content"];
    let said = match kind {
        "RC:TxtMsg" => format!("{}{}", shown(&content["content"]), mentioned(&content["mentionedInfo"])),
        "RC:ImgMsg" => file(&content["imageUri"]),
        "RC:GIFMsg" => file(&content["remoteUrl"]),
        "RC:HQVCMsg" => format!("{} {} s", file(&content["remoteUrl"]), content["duration"]),
        "RC:SightMsg" => format!("{} {} s", file(&content["sightUrl"]), content["duration"]),
        "RC:FileMsg" => format!("{} {}", file(&content["fileUrl"]), shown(&content["name"])),
        "RC:LBSMsg" => format!("{} {} {}", shown(&content["poi"]), content["latitude"], content["longitude"]),
        "RC:RcCmd" | "RC:RcNtf" => String::new(),
        _ => content.to_string(),
    };
    with_users(format!("{kind} {said}").trim().to_owned(), message, names)
}

/// A file by its URL, in brackets.
fn file(url: &Value) -> String {
    format!("<{}>", url.as_str().unwrap_or_default())
}

/// The same at Agora, whose SDK replaces the host: what was sent through another vendor is found behind an address here.
fn agora_file(data: &Value) -> String {
    let url = data["url"].as_str().unwrap_or_default();
    let name = url.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let sealed =
        URL_SAFE_NO_PAD.decode(name).ok().and_then(|bytes| String::from_utf8(bytes.get(SEAL..)?.to_vec()).ok());
    match sealed.filter(|sealed| sealed.starts_with("http")) {
        Some(sealed) => format!("<{sealed}>"),
        None if url.contains("/chatfiles/") => format!("<{url}>"),
        None => format!("<{}>", url.split('?').next().unwrap_or_default()),
    }
}

/// The bytes of a seal before what it seals.
const SEAL: usize = 16;

/// Who is mentioned.
fn mentioned(list: &Value) -> String {
    let is_all = list == "ALL" || list["type"] == 1 || list[0] == "__kImSDK_MesssageAtALL__";
    let users = list.as_array().or(list["userIdList"].as_array());
    match users {
        _ if is_all => " mentions all".to_owned(),
        Some(users) if !users.is_empty() => format!(" mentions {}", users.len()),
        _ => String::new(),
    }
}

/// Adds the parts of a profile that changed.
fn with_changes(kind: String, changed: &Value, names: &[(&str, &str)]) -> String {
    // as each vendor calls them; the id is no change
    const IDS: [&str; 2] = ["groupId", "groupID"];
    let changes = changed.as_object().into_iter().flatten().filter(|(key, _)| !IDS.contains(&key.as_str()));
    let role =
        |value: &Value| names.iter().find(|(name, _)| value == name).map_or(value.clone(), |(_, role)| json!(role));
    let changes: Vec<String> = changes.map(|(key, value)| format!("{key}={}", role(value))).collect();
    if changes.is_empty() { kind } else { format!("{kind} {}", changes.join(" ")) }
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
    const KNOWN: [&str; 9] = ["ann", "ava", "tim", "tom", "ron", "rob", "zoe", "yan", "xia"];
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
