//! A surface for tests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use conclave::{Config, Gateway, Running};
use conclave_core::model::UserId;
use conclave_kit::{Admitted, Body, Exchange, Fault, FoundRoute, Head, RouteInfo, Surface};
use futures_util::StreamExt as _;
use http::{Method, Response, StatusCode};

pub(crate) struct Probe;

const ROUTES: &[(&str, &str)] =
    &[("/slow", "slow"), ("/panic", "panic"), ("/echo", "echo"), ("/upload", "upload"), ("/seen", "seen")];

fn answer(status: u16, text: impl Into<String>) -> Response<Body> {
    let mut answer = Response::new(Body::from(text.into()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

#[async_trait]
impl Surface for Probe {
    fn vendor(&self) -> &'static str {
        "probe"
    }

    fn routes(&self) -> Vec<RouteInfo> {
        ROUTES.iter().map(|(path, operation)| RouteInfo { method: Method::POST, path, operation }).collect()
    }

    fn route(&self, _method: &Method, path: &str) -> Option<FoundRoute> {
        let number = ROUTES.iter().position(|(route, _)| *route == path)?;
        Some(FoundRoute { operation: ROUTES[number].1, streams: path == "/upload", number: Some(number) })
    }

    /// The caller is given in headers.
    async fn admit(&self, head: &mut Head) -> Result<Admitted, Response<Body>> {
        let said = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap());
        if said("x-refused").is_some() {
            return Err(answer(401, "the probe's stranger"));
        }
        let user = said("x-user").map(|user| UserId::new(user).unwrap());
        Ok(Admitted { realm: said("x-realm").map(Arc::from), user, open: said("x-open").is_some() })
    }

    async fn serve(&self, exchange: Exchange) -> Response<Body> {
        let head = &exchange.head;
        match head.path() {
            "/slow" => {
                let pause = head.query().and_then(|query| query.parse().ok()).unwrap_or(200);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                answer(200, "slow but there")
            }
            "/panic" => panic!("asked to"),
            "/echo" => Response::new(exchange.body),
            "/upload" => {
                let Body::Stream(mut parts) = exchange.body else { return answer(500, "not in parts") };
                let mut bytes = 0;
                while let Some(part) = parts.next().await {
                    match part {
                        Ok(part) => bytes += part.len(),
                        Err(error) => return answer(413, format!("after {bytes}: {}", error.kind())),
                    }
                }
                answer(200, bytes.to_string())
            }
            "/seen" => {
                let query = head.query().map(|query| format!("?{query}")).unwrap_or_default();
                answer(200, format!("{} {}{query}", head.base_url(), head.path()))
            }
            _ => answer(404, "the probe's own not found"),
        }
    }

    fn fault(&self, fault: Fault) -> Response<Body> {
        match fault {
            Fault::Malformed => answer(400, "the probe's malformed"),
            Fault::TooLarge => answer(413, "the probe's too large"),
            Fault::TimedOut => answer(408, "the probe's timed out"),
            Fault::Broken => answer(500, "the probe's broken"),
            Fault::Busy | Fault::Error(_) => answer(503, "the probe's busy"),
        }
    }
}

/// A gateway with the probe on it, in addition to the vendors.
pub(crate) async fn start(change: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::development().unwrap();
    change(&mut config);
    Gateway::builder(config).surface(Arc::new(Probe)).start().await.unwrap()
}

/// Gives the realm credentials that are not public.
pub(crate) fn own_credentials(config: &mut Config) {
    let realm = &mut config.realms[0];
    let own = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".to_owned();
    realm.section_mut::<conclave_agora::Agora>().unwrap().credentials.client_secret.clone_from(&own);
    realm.section_mut::<conclave_tencent::Tencent>().unwrap().credentials.secret_key.clone_from(&own);
    realm.section_mut::<conclave_rong::Rong>().unwrap().credentials.app_secret = own;
}
