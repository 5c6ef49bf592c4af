//! `im_cos_msg`: where a client uploads the file of a message, and where it is found afterwards. Source: the clients'
//! protocol; clients with `proxyServer` ask `pre_sig`, all others `simple_sig`.

use serde::{Deserialize, Serialize};

use super::{Call, envelope};
use crate::dialect::limits;
use crate::refusals::Failure;

/// How long an address accepts an upload, in milliseconds: as long as clients ask for.
const PERMITTED: u64 = 900_000;

#[derive(Deserialize)]
struct Request {
    file_name: Option<String>,
}

#[derive(Serialize)]
struct Signed {
    request_id: String,
    /// The expiry, in seconds.
    expired_time: u64,
    upload_url: String,
    download_url: String,
}

/// `pre_sig`: the addresses of one file.
pub(crate) async fn one(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Request = call.read()?;
    let name = call.required("file_name", request.file_name)?;
    let [upload_url, download_url] = addresses(call, &name)?;
    let expired_time = call.now().plus(PERMITTED).seconds();
    let request_id = uuid::Uuid::new_v4().simple().to_string();
    envelope::with(&Signed { request_id, expired_time, upload_url, download_url })
}

#[derive(Deserialize)]
struct Requests {
    rpt_upload_object: Option<Vec<Wanted>>,
}

#[derive(Deserialize)]
struct Wanted {
    uint32_file_id: Option<u32>,
    str_file_name: Option<String>,
}

#[derive(Serialize)]
struct Found {
    rpt_pre_sig: Vec<SignedObject>,
}

#[derive(Serialize)]
struct SignedObject {
    uint32_file_id: u32,
    str_upload_url: String,
    str_download_url: String,
    /// The file's path in the storage service.
    str_file_key: String,
    /// 1 if the service has the file already.
    uint32_exist_flag: u32,
}

/// `simple_sig`: the addresses of several files.
pub(crate) async fn several(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let request: Requests = call.read()?;
    let wanted = call.required("rpt_upload_object", request.rpt_upload_object.filter(|wanted| !wanted.is_empty()))?;
    if wanted.len() > limits::UPLOADS {
        return Err(call.parameter("rpt_upload_object has too many items"));
    }
    let mut rpt_pre_sig = Vec::with_capacity(wanted.len());
    for Wanted { uint32_file_id, str_file_name } in wanted {
        let name = call.required("str_file_name", str_file_name)?;
        let [str_upload_url, str_download_url] = addresses(call, &name)?;
        let str_file_key = str_download_url.trim_start_matches(call.root_url()).trim_start_matches('/').to_owned();
        let uint32_file_id = uint32_file_id.unwrap_or(0);
        let uint32_exist_flag = 0;
        let object = SignedObject { uint32_file_id, str_upload_url, str_download_url, str_file_key, uint32_exist_flag };
        rpt_pre_sig.push(object);
    }
    envelope::with(&Found { rpt_pre_sig })
}

#[derive(Deserialize)]
struct Pictured {}

#[derive(Serialize)]
struct Pictures {
    /// Smaller copies of an image; without any, clients show the image itself.
    rpt_msg_image_info: [(); 0],
}

/// `get_imageinfo`: the smaller copies of an image. There are none.
pub(crate) async fn pictures(call: &Call<'_>) -> Result<envelope::ResponseBody, Failure> {
    let Pictured {} = call.read()?;
    envelope::with(&Pictures { rpt_msg_image_info: [] })
}

/// The upload's and the download's URL.
fn addresses(call: &Call<'_>, name: &str) -> Result<[String; 2], Failure> {
    if name.is_empty() || name.chars().count() > limits::FILE_NAME {
        return Err(call.parameter("the file's name is illegal"));
    }
    let user = call.signed_in()?;
    let until = call.now().plus(PERMITTED);
    let found = call.app.uploads.addresses(call.app.realm.credentials.sdkappid, user, name, until);
    let root = call.root_url();
    Ok([format!("{root}{}", found.upload), format!("{root}{}", found.download)])
}
