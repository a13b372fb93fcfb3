//! Listens on this machine's own address, and answers.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use super::ServeError;
use super::answer;
use super::guard::{Refusal, check};
use super::snapshot::Snapshot;
use super::subject::Subject;
use super::view::Asked;
use super::watcher::{Wishes, watch};

/// The port that is listened on unless another is asked for.
pub const DEFAULT_PORT: u16 = 7476;

/// Connections at once: a page keeps one open and needs some more while it loads.
const CONNECTIONS: usize = 48;
/// A request's head must be there after this long.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 << 10;
/// Headers of a request.
const HEAD_LINES: usize = 64;
/// A request for what has changed is answered after this long though nothing has, so that either
/// side finds out whether the other is still there.
const STILL_THERE: Duration = Duration::from_secs(15);
/// Between looks at whether to stop.
const STOP_EVERY: Duration = Duration::from_millis(100);
/// After an error of the system (no more file handles, say), before listening on.
const BREATH: Duration = Duration::from_millis(100);

const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What all answers are made from.
struct Page {
    port: u16,
    wishes: Arc<Wishes>,
    said: watch::Receiver<Arc<Snapshot>>,
}

/// Shows a study at `http://127.0.0.1:<port>/` until `stop` is set.
///
/// - `port`: 0 takes any that is free.
/// - `ready`: told the address once it answers.
///
/// # Errors
///
/// [`ServeError`] if the port cannot be had. What is wrong with the study is shown on the page.
pub fn serve(
    subject: Subject,
    port: u16,
    stop: &AtomicBool,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| ServeError::Start { source })?;
    let bind = |source| ServeError::Bind { port, source };
    let listener =
        runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port))).map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;

    let wishes = Arc::new(Wishes::default());
    let (say, said) = watch::channel(Arc::default());
    let looking = Arc::clone(&wishes);
    let watcher = thread::Builder::new().name("watcher".to_owned());
    let watcher = watcher.spawn(move || watch(subject, &looking, &say));
    let watcher = watcher.map_err(|source| ServeError::Start { source })?;
    ready(address);
    let page = Arc::new(Page { port: address.port(), wishes: Arc::clone(&wishes), said });
    runtime.block_on(async {
        let accepting = tokio::spawn(accept(listener, page));
        stopped(stop).await;
        accepting.abort();
    });
    wishes.stop();
    // Not joined: it may be opening a study's text, which takes as long as it takes.
    drop(watcher);
    runtime.shutdown_background();
    Ok(())
}

async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(STOP_EVERY).await;
    }
}

async fn accept(listener: TcpListener, page: Arc<Page>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let page = Arc::clone(&page);
                tokio::spawn(async move {
                    // A connection that breaks off is the browser's business.
                    let _ = talk(connection, page).await;
                    drop(place);
                });
            }
            Err(_) => turn_away(&connection),
        }
    }
}

fn turn_away(connection: &TcpStream) {
    let _: io::Result<usize> = connection.try_write(FULL);
}

async fn talk(connection: TcpStream, page: Arc<Page>) -> hyper::Result<()> {
    let answer = service_fn(move |request| {
        let page = Arc::clone(&page);
        async move { Ok::<_, Infallible>(page.answer(&request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_LINES)
        .serve_connection(TokioIo::new(connection), answer)
        .await
}

impl Page {
    async fn answer(&self, request: &Request<Incoming>) -> Response<String> {
        let (head, target) = (request.method() == Method::HEAD, request.uri());
        if let Err(refusal) = check(request, self.port) {
            return answer::refused(&refusal);
        }
        match target.path() {
            "/parts" if head => answer::nothing_new(),
            "/parts" => self.parts(&Asked::of(target.query().unwrap_or(""))).await,
            path => answer::file(path).unwrap_or_else(|| {
                let (status, text) = (StatusCode::NOT_FOUND, "there is nothing of that name");
                answer::refused(&Refusal { status, text })
            }),
        }
    }

    /// The parts of the page that a browser lacks, as soon as there are any.
    async fn parts(&self, asked: &Asked) -> Response<String> {
        let _wish = self.wishes.want(asked.view.clone());
        let mut said = self.said.clone();
        let until = Instant::now() + STILL_THERE;
        loop {
            let now = Arc::clone(&said.borrow_and_update());
            if let Some(document) = now.lacking(asked) {
                return answer::parts(document);
            }
            drop(now);
            if !matches!(timeout_at(until, said.changed()).await, Ok(Ok(()))) {
                return answer::nothing_new();
            }
        }
    }
}
