//! Route tables: which operation answers which method and path.

use http::Method;

use crate::{FoundRoute, Head, RouteInfo};

/// One operation a surface serves.
#[derive(Debug, Clone)]
pub struct Route<H> {
    /// The method.
    pub method: Method,
    /// The path below the surface's root, parts in braces.
    pub path: &'static str,
    /// The vendor's own name of the operation.
    pub operation: &'static str,
    /// Whether the body is passed in pieces.
    pub streams: bool,
    /// Handles its requests.
    pub handler: H,
}

/// Two routes claim one method and path.
#[derive(Debug, thiserror::Error)]
#[error("two operations claim {method} {path}: {operation} and an earlier one ({detail})")]
pub struct Clash {
    method: Method,
    path: String,
    operation: &'static str,
    detail: String,
}

/// Why no route answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoMatch {
    /// No such path.
    Path,
    /// The path exists, but not with this method.
    Method,
}

impl<H> Route<H> {
    /// The parts of a path of this route that are in braces, by their names, as they came (not percent-decoded).
    pub fn params<'p>(&self, path: &'p str) -> impl Iterator<Item = (&'static str, &'p str)> {
        let parts = self.path.split('/').zip(path.split('/'));
        parts.filter_map(|(pattern, part)| Some((pattern.strip_prefix('{')?.strip_suffix('}')?, part)))
    }
}

/// All routes of a surface.
#[derive(Debug)]
pub struct Table<H> {
    routes: Vec<Route<H>>,
    /// Path to the routes of its methods.
    paths: matchit::Router<Vec<usize>>,
}

impl<H> Table<H> {
    /// Puts the routes together; refuses two claims on one.
    pub fn new(routes: Vec<Route<H>>) -> Result<Self, Clash> {
        let mut by_path: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            let place = by_path.iter().position(|(path, _)| *path == route.path);
            let same = place.map(|place| &mut by_path[place].1);
            match same {
                Some(taken) if taken.iter().any(|other| routes[*other].method == route.method) => {
                    return Err(clash(route, "same method and path".to_owned()));
                }
                Some(taken) => taken.push(index),
                None => by_path.push((route.path, vec![index])),
            }
        }
        let mut paths = matchit::Router::new();
        for (path, indices) in by_path {
            let first = &routes[indices[0]];
            paths.insert(path, indices.clone()).map_err(|error| clash(first, error.to_string()))?;
        }
        Ok(Self { routes, paths })
    }

    fn number(&self, method: &Method, path: &str) -> Result<usize, NoMatch> {
        let found = self.paths.at(path).map_err(|_| NoMatch::Path)?;
        let mut numbers = found.value.iter().copied();
        numbers.find(|number| self.routes[*number].method == *method).ok_or(NoMatch::Method)
    }

    /// The route that answers this method and path, with its number.
    pub fn find(&self, method: &Method, path: &str) -> Result<FoundRoute, NoMatch> {
        let number = self.number(method, path)?;
        let Route { operation, streams, .. } = self.routes[number];
        Ok(FoundRoute { operation, streams, number: Some(number) })
    }

    /// The route of a request: the one that was found for it before, or else the one that answers this path.
    pub fn of(&self, head: &Head, path: &str) -> Result<&Route<H>, NoMatch> {
        let known = head.route().and_then(|found| self.routes.get(found.number?));
        match known {
            Some(route) => Ok(route),
            None => Ok(&self.routes[self.number(&head.method, path)?]),
        }
    }

    /// All routes.
    pub fn routes(&self) -> &[Route<H>] {
        &self.routes
    }

    /// All routes, for listings.
    pub fn infos(&self) -> Vec<RouteInfo> {
        let info =
            |route: &Route<H>| RouteInfo { method: route.method.clone(), path: route.path, operation: route.operation };
        self.routes.iter().map(info).collect()
    }
}

fn clash<H>(route: &Route<H>, detail: String) -> Clash {
    Clash { method: route.method.clone(), path: route.path.to_owned(), operation: route.operation, detail }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn route(method: Method, path: &'static str) -> Route<()> {
        Route { method, path, operation: "test", streams: false, handler: () }
    }

    #[test]
    fn one_path_serves_several_methods() {
        let table = Table::new(vec![route(Method::GET, "/a/{b}/c"), route(Method::POST, "/a/{b}/c")]).unwrap();
        let found = table.find(&Method::POST, "/a/1/c").unwrap();
        assert_eq!(found, FoundRoute { operation: "test", streams: false, number: Some(1) });
        assert_eq!(table.routes()[1].params("/a/1/c").collect::<Vec<_>>(), [("b", "1")]);
        assert_eq!(table.find(&Method::PUT, "/a/1/c").unwrap_err(), NoMatch::Method);
        assert_eq!(table.find(&Method::GET, "/b").unwrap_err(), NoMatch::Path);
    }

    #[test]
    fn two_claims_on_one_route_are_refused() {
        assert!(Table::new(vec![route(Method::GET, "/a"), route(Method::GET, "/a")]).is_err());
        assert!(Table::new(vec![route(Method::GET, "/a/{b}"), route(Method::POST, "/a/{c}")]).is_err());
    }
}
