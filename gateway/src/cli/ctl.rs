//! `conclave ctl`: the control API from the command line. One command for each of its operations.

use std::io::Read as _;
use std::net::SocketAddr;

use bytes::Bytes;
use clap::{Arg, ArgAction, ArgMatches};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use tokio::net::TcpStream;

use super::Failure;
use crate::config::{Address, CONTROL_ON, ConfigError};
use crate::control::{Operation, operations};

/// The name of the command.
pub(super) const NAME: &str = "ctl";
/// Where the control API is by default.
const ADDRESS: &str = "127.0.0.1:9091";
/// The values that make up the body.
const FIELDS: &str = "FIELD=VALUE";

/// The command with one subcommand for each operation.
pub(super) fn command() -> clap::Command {
    let at = Arg::new("at").long("at").value_name("ADDR").env("CONCLAVE_CONTROL").default_value(ADDRESS);
    let token = Arg::new("token").long("token").value_name("TOKEN").env("CONCLAVE_CONTROL_TOKEN").hide_env_values(true);
    clap::Command::new(NAME)
        .about("Change the realms, data, clocks and faults of a running gateway, over its control API")
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(at.help("The address of the control API").global(true))
        .arg(token.help("The control token, where the gateway has one").global(true))
        .subcommands(operations().iter().map(subcommand))
}

const EXAMPLES: &str = "\
Examples:
  conclave ctl create-realm name=mine
  conclave ctl advance-clock mine by_ms=60000
  conclave ctl create-fault mine on=call first=1 'effect={\"delay_ms\": 500}'
  conclave ctl reset-realm mine";

fn subcommand(operation: &Operation) -> clap::Command {
    let mut command = clap::Command::new(operation.name.replace('_', "-")).about(operation.summary);
    for parameter in operation.parameters() {
        command = command.arg(Arg::new(parameter).value_name(parameter.to_uppercase()).required(true));
    }
    if operation.takes_body {
        let fields = Arg::new(FIELDS).value_name(FIELDS).action(ArgAction::Append).num_args(0..);
        let body = Arg::new("body").long("body").value_name("JSON|-").conflicts_with(FIELDS);
        command = command
            .arg(fields.help("Fields of the body; a value that is not JSON is a text"))
            .arg(body.help("The whole body; - reads it from standard input"));
    }
    command
}

/// Sends the request, and returns what is printed.
pub(super) fn run(matches: &ArgMatches) -> Result<String, Failure> {
    let (name, own) = matches.subcommand().ok_or_else(|| ConfigError("name an operation".to_owned()))?;
    let operation = operations().into_iter().find(|operation| operation.name.replace('_', "-") == name);
    let operation = operation.ok_or_else(|| ConfigError(format!("there is no operation {name}")))?;
    let at = own.get_one::<String>("at").map_or(ADDRESS, String::as_str);
    let at = if at == CONTROL_ON { ADDRESS } else { at };
    let Address(address) = at.parse().map_err(|error| ConfigError(format!("--at: {error}")))?;
    let path = path(&operation, own);
    let body = if operation.takes_body { body(own)? } else { None };
    let token = own.get_one::<String>("token").map(String::as_str);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (status, answer) = runtime.block_on(send(address, &operation.method, &path, body, token))?;
    if status.is_success() {
        return Ok(printed(&answer));
    }
    let error: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let text = |key: &str| error["error"][key].as_str().unwrap_or("unknown").to_owned();
    Err(ConfigError(format!("{} ({})", text("message"), text("code"))).into())
}

/// The path with its parameters filled in.
fn path(operation: &Operation, matches: &ArgMatches) -> String {
    operation.parameters().fold(operation.path.to_owned(), |path, parameter| {
        let value = matches.get_one::<String>(parameter).map_or("", String::as_str);
        path.replace(&format!("{{{parameter}}}"), &utf8_percent_encode(value, NON_ALPHANUMERIC).to_string())
    })
}

/// The body; `None` where nothing is given.
fn body(matches: &ArgMatches) -> Result<Option<Bytes>, Failure> {
    if let Some(body) = matches.get_one::<String>("body") {
        if body != "-" {
            return Ok(Some(Bytes::from(body.clone())));
        }
        let mut read = Vec::new();
        std::io::stdin().read_to_end(&mut read)?;
        return Ok(Some(read.into()));
    }
    let mut fields = Map::new();
    for field in matches.get_many::<String>(FIELDS).into_iter().flatten() {
        let (key, value) = field
            .split_once('=')
            .ok_or_else(|| ConfigError(format!("{field:?} must be like name=value, with a value in JSON or a text")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        fields.insert(key.to_owned(), value);
    }
    Ok(if fields.is_empty() { None } else { Some(Value::Object(fields).to_string().into()) })
}

/// Sends one request to a control API; its status and body.
pub(super) async fn send(
    address: SocketAddr,
    method: &Method,
    path: &str,
    body: Option<Bytes>,
    token: Option<&str>,
) -> Result<(StatusCode, Bytes), Failure> {
    let unreachable = |error: &dyn std::fmt::Display| {
        ConfigError(format!(
            "no control API answers at {address}: {error}; start a gateway with --control, or give --at"
        ))
    };
    let stream = TcpStream::connect(address).await.map_err(|error| unreachable(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(method.clone()).uri(path).header(HOST, address.to_string());
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Full::new(body.unwrap_or_default()));
    let request = request.map_err(|error| ConfigError(format!("the request cannot be made: {error}")))?;
    let answer = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| unreachable(&error))?.to_bytes();
    connection.abort();
    Ok((status, body))
}

/// An answer as it is printed: indented, and nothing for one without a body.
fn printed(answer: &Bytes) -> String {
    match serde_json::from_slice::<Value>(answer) {
        Ok(value) => format!("{value:#}\n"),
        Err(_) => String::from_utf8_lossy(answer).into_owned(),
    }
}
