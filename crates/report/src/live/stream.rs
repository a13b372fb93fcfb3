//! Server-sent events: all there is when a page connects, then what changes.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::channel::Sender;
use hyper::body::Bytes;
use serde::Serialize;
use tokio::sync::watch;

use crate::live::curve::Drawn;
use crate::live::snapshot::{Parts, Snapshot, changes};
use crate::live::tail::Tail;
use crate::live::watcher::Wish;

/// A line that means nothing is sent this often, to find out whether the page is still there.
const STILL_THERE: Duration = Duration::from_secs(15);

/// How much of a curve a page has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sent {
    generation: u64,
    width: u64,
    points: usize,
    last_step: Option<u64>,
}

/// A curve, or its end.
#[derive(Serialize)]
struct Message<'a> {
    run: &'a str,
    /// Lines of the file that are no metrics.
    damaged: u64,
    /// Whether the file is still being read.
    behind: bool,
    #[serde(flatten)]
    drawn: Drawn<'a>,
}

/// Sends events until the page is gone or the server stops.
pub(crate) async fn send(
    mut said: watch::Receiver<Arc<Snapshot>>,
    wish: Wish,
    mut page: Sender<Bytes, Infallible>,
) {
    let mut parts = Parts::new();
    let mut curves: Vec<Option<Sent>> = vec![None; wish.runs.len()];
    loop {
        let now = Arc::clone(&said.borrow_and_update());
        let mut text = String::new();
        if let Some(changed) = changes(&parts, &now.parts) {
            event(&mut text, "parts", &changed);
        }
        for (run, sent) in wish.runs.iter().zip(&mut curves) {
            if let Some(tail) = now.curves.get(run) {
                curve(&mut text, run, tail, sent);
            }
        }
        parts.clone_from(&now.parts);
        drop(now);
        if !text.is_empty() && page.send_data(Bytes::from(text)).await.is_err() {
            return;
        }
        loop {
            match tokio::time::timeout(STILL_THERE, said.changed()).await {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return,
                Err(_) => {
                    if page.send_data(Bytes::from_static(b":\n\n")).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// What a page lacks of a curve: its last points, or all of it where points were put together.
fn curve(text: &mut String, run: &str, tail: &Tail, sent: &mut Option<Sent>) {
    let Tail { generation, ref curve, .. } = *tail;
    let now = Sent {
        generation,
        width: curve.width(),
        points: curve.len(),
        last_step: curve.last_step(),
    };
    if *sent == Some(now) {
        return;
    }
    // The last point that was sent may have grown since.
    let from = match *sent {
        Some(before) if (before.generation, before.width) == (now.generation, now.width) => {
            before.points.saturating_sub(1)
        }
        _ => 0,
    };
    let (damaged, behind) = (tail.damaged, tail.behind);
    let message = Message { run, damaged, behind, drawn: curve.from(from) };
    event(text, "curve", &serde_json::to_string(&message).expect("plain data has a JSON form"));
    *sent = Some(now);
}

/// JSON has no line breaks outside its strings, and none inside them.
fn event(text: &mut String, name: &str, json: &str) {
    let _ = write!(text, "event: {name}\ndata: {json}\n\n");
}
