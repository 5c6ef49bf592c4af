//! Read receipts of a message whose sender asked for them: `group_msg_receipt`, `get_group_msg_receipt` and
//! `get_group_msg_receipt_detail`. Receipts are stored in groups of up to 200 members.

use conclave_core::model::{Group, UserId};
use conclave_core::operation::ReadMessages;
use conclave_core::query::{Cursor, ReadCount, Readers, Receipts};
use conclave_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use crate::calls::wire::Account;
use crate::calls::{Call, envelope};
use crate::dialect::kind::Kind;
use crate::dialect::limits;
use crate::refusals::{Code, Failure};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    group_id: Option<String>,
    #[serde(rename = "From_Account")]
    from: Option<Account>,
    msg_seq_list: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    msg_seq: u64,
}

/// `group_msg_receipt`: a member has read messages.
pub(crate) async fn read(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let user = call.required("From_Account", call.acting_user("From_Account", request.from)?)?;
    let sequences = sequences(call, request.msg_seq_list)?;
    check_kept(&*call.group(&group).await?)?;
    call.check_account(&user).await?;
    let read =
        ReadMessages { group, user: user.clone(), sequences, note: String::new(), most_members: Some(limits::READERS) };
    match call.attempt(Some(user), read).await {
        Ok(()) => envelope::done(),
        // users who are not in the group are refused
        Err(Refusal::NotMembers { .. }) => Err(Code::NoPermission.into()),
        Err(refusal) => Err(failure(call, &refusal)),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Counts {
    group_msg_receipt_list: Vec<ReceiptOutcome>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiptOutcome {
    msg_seq: u64,
    code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_num: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread_num: Option<usize>,
}

/// `get_group_msg_receipt`: how many members have read each message, and how many have not.
pub(crate) async fn counts(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let group = call.group_id(request.group_id)?;
    let sequences = sequences(call, request.msg_seq_list)?;
    check_kept(&*call.group(&group).await?)?;
    let found = call.ask(Receipts { group, sequences, most_members: Some(limits::READERS) }).await?;
    let outcome = |(msg_seq, count): (u64, Result<ReadCount, Refusal>)| match count {
        Ok(count) => ReceiptOutcome { msg_seq, code: 0, read_num: Some(count.read), unread_num: Some(count.unread) },
        Err(refusal) => {
            ReceiptOutcome { msg_seq, code: failure(call, &refusal).code.row().0, read_num: None, unread_num: None }
        }
    };
    envelope::with(&Counts { group_msg_receipt_list: found.0.into_iter().map(outcome).collect() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    group_id: Option<String>,
    msg_seq: Option<u64>,
    /// 0 who has read it, 1 who has not. Clients call it `Flag`.
    #[serde(alias = "Flag")]
    filter: Option<u32>,
    cursor: Option<String>,
    /// Clients call it `Num`.
    #[serde(alias = "Num")]
    count: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    is_finished: u32,
    /// The same, as clients call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_finish: Option<u32>,
    msg_seq: u64,
    cursor: String,
    read_list: Vec<Reader>,
    unread_list: Vec<Idle>,
}

#[derive(Serialize)]
struct Reader {
    #[serde(rename = "Read_Account")]
    account: UserId,
}

#[derive(Serialize)]
struct Idle {
    #[serde(rename = "Unread_Account")]
    account: UserId,
}

/// `get_group_msg_receipt_detail`: the members who have read a message, or have not.
pub(crate) async fn readers(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Detail = call.read()?;
    let group = call.group_id(request.group_id)?;
    let msg_seq = call.required("MsgSeq", request.msg_seq)?;
    let read = match call.required("Filter", request.filter)? {
        0 => true,
        1 => false,
        _ => return Err(call.parameter("Filter is 0 or 1")),
    };
    let limit = call.required("Count", request.count)?;
    if !(1..=limits::READERS_PAGE).contains(&limit) {
        return Err(call.parameter("Count is out of range"));
    }
    let after = request.cursor.filter(|cursor| !cursor.is_empty()).map(|cursor| place(call, &cursor)).transpose()?;
    check_kept(&*call.group(&group).await?)?;
    let ask = Readers { group, sequence: msg_seq, read, after, limit, most_members: Some(limits::READERS) };
    let page = call.try_ask(ask).await.map_err(|refusal| failure(call, &refusal))?;
    let (mut read_list, mut unread_list) = (Vec::new(), Vec::new());
    if read {
        read_list.extend(page.users.into_iter().map(|account| Reader { account }));
    } else {
        unread_list.extend(page.users.into_iter().map(|account| Idle { account }));
    }
    envelope::with(&Page {
        is_finished: u32::from(page.next.is_none()),
        is_finish: call.user().map(|_| u32::from(page.next.is_none())),
        msg_seq,
        cursor: page.next.map_or_else(String::new, |next| hex::encode(next.0)),
        read_list,
        unread_list,
    })
}

/// The position in a cursor; only cursors that were issued are accepted.
fn place(call: &Call<'_>, cursor: &str) -> Result<Cursor, Failure> {
    hex::decode(cursor).map(Cursor).map_err(|_| call.parameter("Cursor is illegal"))
}

fn sequences(call: &Call<'_>, list: Option<Vec<Entry>>) -> Result<Vec<u64>, Failure> {
    let list = call.required("MsgSeqList", list.filter(|list| !list.is_empty()))?;
    if list.len() > limits::RECEIPTS {
        return Err(call.parameter(format!("MsgSeqList: at most {} messages", limits::RECEIPTS)));
    }
    Ok(list.into_iter().map(|entry| entry.msg_seq).collect())
}

/// Refuses in groups whose messages have no receipts: those of live rooms are not stored, and communities are too
/// large.
fn check_kept(group: &Group) -> Result<(), Failure> {
    match Kind::of(group) {
        Kind::AvChatRoom => Err(Code::PassedMessage.into()),
        Kind::Community => Err(Code::TooManyReaders.into()),
        _ => Ok(()),
    }
}

/// A message that cannot be read has no receipt; number 0 is that of messages that are not stored.
fn failure(call: &Call<'_>, refusal: &Refusal) -> Failure {
    match refusal {
        Refusal::MessageNotFound { sequence: 0, .. } => Code::PassedMessage.into(),
        Refusal::MessageNotFound { .. } => Code::NoReceipt.into(),
        _ => call.failure(refusal),
    }
}
