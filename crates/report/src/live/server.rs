//! Listens on this machine's own address, and answers.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use sparkjoy_base::read_to_string;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::ServeError;
use super::answer;
use super::guard::{Refusal, check};
use super::patience::Patient;
use super::snapshot::Snapshot;
use super::subject::Subject;
use super::view::Asked;
use super::watcher::{Wishes, watch};

/// The port that is listened on unless another is asked for.
pub const DEFAULT_PORT: u16 = 7476;

/// Connections at once that wait for what changes: a page keeps one.
const WAITING: usize = 48;
/// Connections at once besides these. They have places of their own, so that a page can be loaded
/// however many others wait.
const OTHERS: usize = 48;
/// Before a connection is turned away: those before it may be about to say that they wait.
const MOMENT: Duration = Duration::from_millis(100);
/// Something of an answer must be read within this time.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// A request's head must be there after this long. It comes from this machine.
const HEAD_WITHIN: Duration = Duration::from_secs(3);
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

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
    retry-after: 5\r\ncontent-length: 0\r\n\r\n";

/// What all answers are made from.
struct Page {
    port: u16,
    waiting: Arc<Semaphore>,
    others: Arc<Semaphore>,
    wishes: Arc<Wishes>,
    said: watch::Receiver<Arc<Snapshot>>,
}

/// A connection's place among those of its kind.
struct Place {
    waits: bool,
    _permit: OwnedSemaphorePermit,
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
    let page = Arc::new(Page {
        port: address.port(),
        waiting: Arc::new(Semaphore::new(WAITING)),
        others: Arc::new(Semaphore::new(OTHERS)),
        wishes: Arc::clone(&wishes),
        said,
    });
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
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        match timeout(MOMENT, Arc::clone(&page.others).acquire_owned()).await {
            Ok(Ok(permit)) => {
                let place = Place { waits: false, _permit: permit };
                // A connection that breaks off is the browser's business.
                drop(tokio::spawn(talk(connection, Arc::clone(&page), place)));
            }
            _ => turn_away(&connection),
        }
    }
}

fn turn_away(connection: &TcpStream) {
    let _: io::Result<usize> = connection.try_write(FULL);
}

async fn talk(connection: TcpStream, page: Arc<Page>, place: Place) -> hyper::Result<()> {
    let place = Arc::new(Mutex::new(place));
    let answer = service_fn(move |request| {
        let (page, place) = (Arc::clone(&page), Arc::clone(&place));
        async move { Ok::<_, Infallible>(page.answer(&request, &place).await) }
    });
    let connection = Patient::new(connection, READ_WITHIN);
    http1::Builder::new()
        // One request each: a connection that is kept open takes a place and asks nothing, and is
        // closed just when a browser uses it again.
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_LINES)
        .serve_connection(TokioIo::new(connection), answer)
        .await
}

impl Page {
    /// Exchanges a connection's place for one of the kind that its request needs.
    fn exchange(&self, place: &Mutex<Place>, waits: bool) -> bool {
        let mut place = place.lock().expect("nothing under this lock panics");
        if place.waits != waits {
            let places = if waits { &self.waiting } else { &self.others };
            let Ok(permit) = Arc::clone(places).try_acquire_owned() else { return false };
            *place = Place { waits, _permit: permit };
        }
        true
    }

    async fn answer(&self, request: &Request<Incoming>, place: &Mutex<Place>) -> Response<String> {
        let (head, target) = (request.method() == Method::HEAD, request.uri());
        if let Err(refusal) = check(request, self.port) {
            return answer::refused(&refusal);
        }
        if !self.exchange(place, target.path() == "/parts" && !head) {
            return answer::full();
        }
        match target.path() {
            "/parts" if head => answer::nothing_new(),
            "/parts" => self.parts(&Asked::of(target.query().unwrap_or(""))).await,
            "/report.html" => self.report(),
            path => answer::file(path).unwrap_or_else(nothing),
        }
    }

    /// The report of the study, once there is one.
    fn report(&self) -> Response<String> {
        let path = self.said.borrow().report.clone();
        let found = path.and_then(|path| read_to_string(&path).ok());
        found.map_or_else(nothing, answer::report)
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

fn nothing() -> Response<String> {
    let (status, text) = (StatusCode::NOT_FOUND, "there is nothing of that name");
    answer::refused(&Refusal { status, text })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    /// Stops the server when it is dropped.
    struct End<'a>(&'a AtomicBool);

    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Does something while a server of a study that is not there answers.
    fn serving(visit: impl FnOnce(SocketAddr)) {
        let nowhere = std::path::PathBuf::from("nowhere/study.toml");
        let (prepared, runs) = (nowhere.clone(), nowhere.clone());
        let subject = Subject { study: nowhere, data: None, prepared, runs };
        let stop = AtomicBool::new(false);
        let (tell, told) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            // Also where an assertion fails, or the server would go on.
            let _end = End(&stop);
            scope.spawn(|| serve(subject, 0, &stop, |address| tell.send(address).unwrap()));
            visit(told.recv().unwrap());
        });
    }

    /// A connection that has sent its request and reads nothing.
    fn ask(address: SocketAddr, target: &str) -> TcpStream {
        let mut connection = TcpStream::connect(address).unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        connection
    }

    /// The address at which a connection waits: it has all that there is.
    fn waiting_for(address: SocketAddr) -> String {
        let mut answer = String::new();
        ask(address, "/parts").read_to_string(&mut answer).unwrap();
        let (_, have) = answer.split_once("data-have=\"").unwrap();
        format!("/parts?have={}", have.split('"').next().unwrap())
    }

    /// The first bytes of the answer.
    fn begin(mut connection: TcpStream) -> String {
        let mut bytes = [0; 2048];
        let count = connection.read(&mut bytes).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    #[test]
    fn a_connection_is_closed_after_its_answer() {
        serving(|address| {
            // More than there are places, all of them kept open by this side.
            let open: Vec<TcpStream> = (0..WAITING + OTHERS)
                .map(|_| {
                    let mut connection = ask(address, "/style.css");
                    let mut answer = String::new();
                    connection.read_to_string(&mut answer).unwrap();
                    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
                    connection
                })
                .collect();
            assert!(begin(ask(address, "/")).starts_with("HTTP/1.1 200"));
            drop(open);
        });
    }

    #[test]
    fn who_waits_keeps_nobody_from_loading_the_page() {
        serving(|address| {
            let target = waiting_for(address);
            let waiting: Vec<TcpStream> = (0..WAITING).map(|_| ask(address, &target)).collect();
            assert!(begin(ask(address, "/")).starts_with("HTTP/1.1 200"));
            // The last of them may not have been heard yet.
            let mut more = Vec::new();
            let mut full = String::new();
            while more.len() < 1000 && !full.starts_with("HTTP/1.1 503") {
                let mut connection = ask(address, &target);
                connection.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
                let mut bytes = [0; 2048];
                let count = connection.read(&mut bytes).unwrap_or(0);
                full = String::from_utf8_lossy(&bytes[..count]).into_owned();
                more.push(connection);
            }
            assert!(full.contains("\r\nretry-after: 5\r\n"), "{full}");
            assert!(begin(ask(address, "/")).starts_with("HTTP/1.1 200"));
            drop((waiting, more));
            assert!((0..1000).any(|_| begin(ask(address, "/parts")).starts_with("HTTP/1.1 200")));
        });
    }
}
