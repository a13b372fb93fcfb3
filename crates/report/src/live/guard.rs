//! Which requests are answered at all.
//!
//! The server listens on this machine's own address, so whoever asks is a program that runs here.
//! One of them is a browser that also runs pages of strangers: a page may send requests here, and
//! may have its own name resolve to this address to read the answers. What gives it away is the
//! name in `Host`, and what its browser says in `Origin` and `Sec-Fetch-Site`.

use hyper::header::{
    CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, TRANSFER_ENCODING,
};
use hyper::{Method, Request, StatusCode};

/// Characters of a path with its query: ours are far shorter.
const TARGET: usize = 200;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) text: &'static str,
}

const fn refusal(status: StatusCode, text: &'static str) -> Refusal {
    Refusal { status, text }
}

/// Lets a request pass that comes from this machine's user, reads, and sends nothing along.
pub(crate) fn check<B>(request: &Request<B>, port: u16) -> Result<(), Refusal> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let text = "only GET and HEAD are answered: nothing here can be changed";
        return Err(refusal(StatusCode::METHOD_NOT_ALLOWED, text));
    }
    let (uri, headers) = (request.uri(), request.headers());
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET {
        return Err(refusal(StatusCode::URI_TOO_LONG, "no address here is that long"));
    }
    let names = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let ours = |name: &str| names.iter().any(|ours| name.eq_ignore_ascii_case(ours));
    if !sole(headers, &HOST).is_some_and(ours)
        || uri.authority().is_some_and(|name| !ours(name.as_str()))
    {
        let text = "this server answers to 127.0.0.1 and localhost with its port, to no other name";
        return Err(refusal(StatusCode::MISDIRECTED_REQUEST, text));
    }
    let foreign = refusal(StatusCode::FORBIDDEN, "pages of others are not answered");
    if headers.contains_key(ORIGIN) {
        let origin = sole(headers, &ORIGIN).and_then(|o| o.strip_prefix("http://"));
        if !origin.is_some_and(ours) {
            return Err(foreign);
        }
    }
    if headers.contains_key(&FETCH_SITE) {
        let site = sole(headers, &FETCH_SITE);
        let follows_link = sole(headers, &FETCH_MODE) == Some("navigate");
        if !(matches!(site, Some("same-origin" | "none")) || follows_link) {
            return Err(foreign);
        }
    }
    let length = headers.get(CONTENT_LENGTH);
    if headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0") {
        return Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "a request here has no body"));
    }
    Ok(())
}

/// The value of a header that is there exactly once.
fn sole<'a>(headers: &'a HeaderMap<HeaderValue>, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status a request gets; 200 if it passes.
    fn status(method: &str, target: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        check(&request, 7476).map_or_else(|refusal| refusal.status.as_u16(), |()| 200)
    }

    const US: (&str, &str) = ("host", "127.0.0.1:7476");

    #[test]
    fn only_reading_is_answered() {
        assert_eq!(status("GET", "/", &[US]), 200);
        assert_eq!(status("HEAD", "/", &[US]), 200);
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "FOO"] {
            assert_eq!(status(method, "/", &[US]), 405, "{method}");
        }
        assert_eq!(status("GET", "/", &[US, ("content-length", "5")]), 413);
        assert_eq!(status("GET", "/", &[US, ("transfer-encoding", "chunked")]), 413);
        assert_eq!(status("GET", &format!("/{}", "a".repeat(200)), &[US]), 414);
    }

    #[test]
    fn only_our_own_names_are_answered() {
        assert_eq!(status("GET", "/", &[("host", "localhost:7476")]), 200);
        assert_eq!(status("GET", "/", &[("host", "LOCALHOST:7476")]), 200);
        for host in [
            "evil.example",
            "evil.example:7476",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.1:74760",
            "",
        ] {
            assert_eq!(status("GET", "/", &[("host", host)]), 421, "{host}");
        }
        assert_eq!(status("GET", "/", &[]), 421, "no host");
        assert_eq!(status("GET", "/", &[US, ("host", "evil.example")]), 421, "two hosts");
        assert_eq!(status("GET", "http://evil.example/", &[US]), 421, "a proxy's request");
    }

    #[test]
    fn pages_of_others_are_not_answered() {
        assert_eq!(status("GET", "/events", &[US, ("origin", "http://127.0.0.1:7476")]), 200);
        for origin in
            ["null", "http://evil.example", "https://127.0.0.1:7476", "http://127.0.0.1:1"]
        {
            assert_eq!(status("GET", "/events", &[US, ("origin", origin)]), 403, "{origin}");
        }
        let site = |site| ("sec-fetch-site", site);
        assert_eq!(status("GET", "/events", &[US, site("same-origin")]), 200);
        assert_eq!(status("GET", "/", &[US, site("none")]), 200);
        assert_eq!(status("GET", "/events", &[US, site("cross-site")]), 403);
        assert_eq!(status("GET", "/app.js", &[US, site("same-site")]), 403);
        let link = ("sec-fetch-mode", "navigate");
        assert_eq!(status("GET", "/", &[US, site("cross-site"), link]), 200, "a link to the page");
    }
}
