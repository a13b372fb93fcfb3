//! What is answered to a request that may pass: a handful of fixed addresses, nothing from the
//! disk.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, RETRY_AFTER,
};
use hyper::{Response, StatusCode};

use super::guard::Refusal;
use crate::chart::theme;

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
const FILES: [(&str, &str, &str); 3] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/follow.js", "text/javascript; charset=utf-8", include_str!("page/follow.js")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
];

/// The file of a path, if it is one of the page's.
pub(crate) fn file(path: &str) -> Option<Response<String>> {
    if path == "/style.css" {
        return Some(response(StatusCode::OK, "text/css; charset=utf-8", style()));
    }
    let (_, kind, text) = FILES.iter().find(|(name, _, _)| *name == path)?;
    Some(response(StatusCode::OK, kind, *text))
}

pub(crate) fn parts(document: String) -> Response<String> {
    response(StatusCode::OK, "text/html; charset=utf-8", document)
}

/// The study's report: a page without scripts, with its style in itself.
pub(crate) fn report(document: String) -> Response<String> {
    let mut response = parts(document);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

pub(crate) fn nothing_new() -> Response<String> {
    response(StatusCode::NO_CONTENT, "text/html; charset=utf-8", "")
}

/// Too many wait already.
pub(crate) fn full() -> Response<String> {
    let (status, text) = (StatusCode::SERVICE_UNAVAILABLE, "too many pages are open");
    let mut response = refused(&Refusal { status, text });
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The style of the page: the colours and figures of the report, and what only this page has.
fn style() -> String {
    let (light, dark) = (theme::variables(false), theme::variables(true));
    format!(
        ":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{}\n{}",
        theme::on_page(),
        include_str!("page/style.css")
    )
}

pub(crate) fn refused(refusal: &Refusal) -> Response<String> {
    let text = format!("{}\n", refusal.text);
    let kind = "text/plain; charset=utf-8";
    let mut response = response(refusal.status, kind, text);
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn response(status: StatusCode, kind: &'static str, body: impl Into<String>) -> Response<String> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
