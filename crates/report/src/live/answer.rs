//! What is answered to a request that may pass: a handful of fixed addresses, nothing from the
//! disk.

use std::convert::Infallible;

use http_body_util::channel::Channel;
use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::live::guard::Refusal;

/// A whole text, or events as they come.
pub(crate) type Body = Either<Full<Bytes>, Channel<Bytes, Infallible>>;

/// On every answer. Scripts and styles come from here and from nowhere else, none stands in the
/// page itself; text becomes text and never markup; nobody may frame the page or read its parts.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// The files of the page, in the program itself.
const FILES: [(&str, &str, &str); 7] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("page/style.css")),
    ("/app.js", "text/javascript; charset=utf-8", include_str!("page/app.js")),
    ("/chart.js", "text/javascript; charset=utf-8", include_str!("page/chart.js")),
    ("/tree.js", "text/javascript; charset=utf-8", include_str!("page/tree.js")),
    ("/words.js", "text/javascript; charset=utf-8", include_str!("page/words.js")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// The file of a path, if it is one of the page's.
pub(crate) fn file(path: &str) -> Option<Response<Body>> {
    let (_, kind, text) = FILES.iter().find(|(name, _, _)| *name == path)?;
    Some(response(StatusCode::OK, kind, Either::Left(Full::from(*text))))
}

/// The events of the page.
pub(crate) fn events(body: Body) -> Response<Body> {
    response(StatusCode::OK, "text/event-stream", body)
}

/// Anything else.
pub(crate) fn refused(refusal: &Refusal) -> Response<Body> {
    let text = format!("{}\n", refusal.text);
    let kind = "text/plain; charset=utf-8";
    let mut response = response(refusal.status, kind, Either::Left(Full::from(text)));
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// Nothing: the answer to `HEAD` where the body would have no end.
pub(crate) fn empty() -> Body {
    Either::Left(Full::default())
}

fn response(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
