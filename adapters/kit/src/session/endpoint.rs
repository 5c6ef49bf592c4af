//! Where clients connect.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;

use super::DEFAULT_SILENCE;

/// As long as `SockJS` servers usually wait for a client to come back.
const LINGER: Duration = Duration::from_secs(5);

/// A place where clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Identifies the endpoint among those of its vendor; see [`OpenRequest::endpoint`].
    pub name: &'static str,
    /// Which paths lead to it.
    pub path: PathPattern,
    /// The transport of frames.
    pub transport: Transport,
    /// What a client may use.
    pub limits: SessionLimits,
}

/// Which paths below a surface's root lead to an endpoint. Repeated slashes count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathPattern {
    /// This path.
    Exact(&'static str),
    /// Any path that ends with this one: `/x/y/binfo` and `//binfo` for `/binfo`.
    EndsWith(&'static str),
}

/// The transport of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One WebSocket message is one frame. A message of another kind closes the connection.
    WebSocket(FrameKind),
    /// `SockJS`, with text frames: the endpoint's path is the base of its URLs. Sessions over HTTP requests live as long
    /// as [`SessionLimits::linger`] without one that receives.
    SockJs,
    /// HTTP long polling: the body of a request is a frame of the session that [`super::ClientProtocol::poll_key`] names,
    /// and the body of its answer is the next frame that session sends, whenever that is. A session begins with the
    /// first request that names it.
    LongPolling {
        /// The type of answers.
        content_type: &'static str,
    },
}

/// What kinds of frames a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// Binary frames only.
    Binary,
    /// Text frames only.
    Text,
    /// Both.
    Any,
}

/// What one client may use of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// The longest frame a client may send, in bytes; a longer one closes the connection before it is read.
    pub frame_bytes: usize,
    /// Most calls of one session that run at the same time.
    pub running_calls: usize,
    /// Most calls of one session that wait until they may run; when there are more, the session's connection is not read
    /// until one of them has begun.
    pub waiting_calls: usize,
    /// How long a client may send nothing before its connection is closed as dead.
    pub silence: Duration,
    /// How long a session lives without a connection, where its frames travel in HTTP requests.
    pub linger: Duration,
    /// Most bytes that a session may have sent and its client not received, where frames travel in HTTP requests.
    pub output_bytes: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            frame_bytes: 64 * 1024,
            running_calls: 16,
            waiting_calls: 256,
            silence: DEFAULT_SILENCE,
            linger: LINGER,
            output_bytes: 4 * 1024 * 1024,
        }
    }
}

/// The URL of a surface's root as a connecting client reaches it, without a trailing slash: an extension of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootUrl(pub Arc<str>);

/// A client that connects.
#[derive(Debug, Clone, Copy)]
pub struct OpenRequest<'a> {
    /// The name of the endpoint.
    pub endpoint: &'static str,
    /// The request with which it connects: path below the surface's root, query and headers.
    pub parts: &'a Parts,
    /// Unique among all connections; not a secret.
    pub connection: &'a str,
    /// The client's address, when known.
    pub peer: Option<SocketAddr>,
}

impl OpenRequest<'_> {
    /// The URL of the surface's root as the client reaches it, without a trailing slash; empty where it is not known.
    pub fn root_url(&self) -> Arc<str> {
        self.parts.extensions.get::<RootUrl>().map_or_else(Arc::default, |root| Arc::clone(&root.0))
    }
}

impl PathPattern {
    /// Whether a path matches this pattern.
    pub fn matches(&self, path: &str) -> bool {
        self.rest(path, 0).is_some()
    }

    /// Whether this path, or a beginning of it, may match the pattern; false only if neither does.
    pub fn may_lead(&self, path: &str) -> bool {
        match self {
            Self::Exact(pattern) => {
                let first = segments(pattern).next().unwrap_or_default();
                path.trim_start_matches('/').starts_with(first)
            }
            Self::EndsWith(_) => true,
        }
    }

    /// The last `count` segments of a path, if those before them match this pattern.
    pub fn rest<'p>(&self, path: &'p str, count: usize) -> Option<Vec<&'p str>> {
        let (pattern, any_prefix) = match self {
            Self::Exact(pattern) => (pattern, false),
            Self::EndsWith(pattern) => (pattern, true),
        };
        let mut path = segments(path);
        let mut rest: Vec<&str> = path.by_ref().rev().take(count).collect();
        if rest.len() < count {
            return None;
        }
        rest.reverse();
        let mut pattern = segments(pattern);
        loop {
            match (pattern.next_back(), path.next_back()) {
                (None, before) => return (any_prefix || before.is_none()).then_some(rest),
                (Some(wanted), Some(segment)) if wanted == segment => {}
                _ => return None,
            }
        }
    }
}

fn segments(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

impl FrameKind {
    /// Whether text frames may be sent.
    pub fn allows_text(self) -> bool {
        self != Self::Binary
    }

    /// Whether binary frames may be sent.
    pub fn allows_binary(self) -> bool {
        self != Self::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_path_matches_whatever_its_slashes() {
        let exact = PathPattern::Exact("/websocket");
        for (path, matches) in [
            ("/websocket", true),
            ("//websocket", true),
            ("/websocket/", true),
            ("/a/websocket", false),
            ("/websocket/a", false),
            ("/websockets", false),
            ("/", false),
        ] {
            assert_eq!(exact.matches(path), matches, "{path}");
        }
    }

    #[test]
    fn what_follows_a_path_is_taken_off() {
        let exact = PathPattern::Exact("/ws");
        assert_eq!(exact.rest("/ws", 0), Some(vec![]));
        assert_eq!(exact.rest("/ws/info", 1), Some(vec!["info"]));
        assert_eq!(exact.rest("/ws//1/2/xhr", 3), Some(vec!["1", "2", "xhr"]));
        assert_eq!((exact.rest("/ws", 1), exact.rest("/x/info", 1), exact.rest("/a/ws/info", 1)), (None, None, None));
        assert_eq!(PathPattern::EndsWith("/ws").rest("/a/ws/info", 1), Some(vec!["info"]));
        assert!(exact.may_lead("//ws//info") && exact.may_lead("/ws") && !exact.may_lead("/a/ws"));
    }

    #[test]
    fn the_end_of_a_path_matches_behind_any_prefix() {
        let ending = PathPattern::EndsWith("/binfo");
        for (path, matches) in [
            ("/binfo", true),
            ("//binfo", true),
            ("/any/prefix/binfo", true),
            ("/binfo/x", false),
            ("/xbinfo", false),
            ("", false),
        ] {
            assert_eq!(ending.matches(path), matches, "{path}");
        }
    }
}
