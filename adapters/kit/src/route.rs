//! Route tables: which operation answers which method and path.

use http::Method;

use crate::RouteInfo;

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
    /// The path is there, but not for this method.
    Method,
}

/// The route of a request, with the values of its path.
#[derive(Debug)]
pub struct Matched<'t, H> {
    /// The route.
    pub route: &'t Route<H>,
    /// The parts of the path in braces, as they came (not percent-decoded).
    pub params: Vec<(String, String)>,
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

    /// The route that answers this method and path, without the parts of the path.
    pub fn route(&self, method: &Method, path: &str) -> Result<&Route<H>, NoMatch> {
        let found = self.paths.at(path).map_err(|_| NoMatch::Path)?;
        self.of_method(found.value, method)
    }

    fn of_method(&self, indices: &[usize], method: &Method) -> Result<&Route<H>, NoMatch> {
        let mut routes = indices.iter().map(|index| &self.routes[*index]);
        routes.find(|route| route.method == *method).ok_or(NoMatch::Method)
    }

    /// The route that answers this method and path.
    pub fn find(&self, method: &Method, path: &str) -> Result<Matched<'_, H>, NoMatch> {
        let found = self.paths.at(path).map_err(|_| NoMatch::Path)?;
        let route = self.of_method(found.value, method)?;
        let params = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Matched { route, params })
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
        let table = Table::new(vec![route(Method::GET, "/a/{b}"), route(Method::POST, "/a/{b}")]).unwrap();
        assert_eq!(table.find(&Method::POST, "/a/1").unwrap().params, [("b".to_owned(), "1".to_owned())]);
        assert_eq!(table.find(&Method::PUT, "/a/1").unwrap_err(), NoMatch::Method);
        assert_eq!(table.find(&Method::GET, "/b").unwrap_err(), NoMatch::Path);
    }

    #[test]
    fn two_claims_on_one_route_are_refused() {
        assert!(Table::new(vec![route(Method::GET, "/a"), route(Method::GET, "/a")]).is_err());
        assert!(Table::new(vec![route(Method::GET, "/a/{b}"), route(Method::POST, "/a/{c}")]).is_err());
    }
}
