//! A page of `sparkjoy serve`, asked the way a browser asks, byte by byte.
#![expect(clippy::unwrap_used, reason = "a test fails where its tools do")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

use crate::laboratory::Laboratory;

/// Far longer than anything takes, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server, ended with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) port: u16,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Served {
    /// Serves the laboratory's study at a free port.
    pub(crate) fn new(laboratory: &Laboratory) -> Self {
        let mut command = laboratory.command("serve study.toml --port 0 --json");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut json = String::new();
        while !json.ends_with("}\n") {
            assert!(out.read_line(&mut json).unwrap() > 0, "no address: {json}");
        }
        let said: Value = serde_json::from_str(&json).unwrap();
        let url = said["url"].as_str().unwrap();
        let port = url.strip_prefix("http://127.0.0.1:").unwrap().trim_end_matches('/');
        Self { port: port.parse().unwrap(), child }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends bytes and reads all that comes back.
    pub(crate) fn exchange(&self, bytes: &[u8]) -> String {
        let mut connection = self.connect();
        // A server that refuses may hang up before it has read all.
        let _ = connection.write_all(bytes);
        let mut back = Vec::new();
        let _ = connection.read_to_end(&mut back);
        String::from_utf8_lossy(&back).into_owned()
    }

    /// A request with these header lines besides `Host`.
    pub(crate) fn ask(&self, method: &str, target: &str, headers: &[&str]) -> Answer {
        let host = format!("host: {}", self.host());
        self.ask_as(method, target, &[&[host.as_str()], headers].concat())
    }

    /// A request with these header lines alone.
    pub(crate) fn ask_as(&self, method: &str, target: &str, headers: &[&str]) -> Answer {
        let head = headers.iter().flat_map(|line| [*line, "\r\n"]).collect::<String>();
        Answer::read(&self.exchange(format!("{method} {target} HTTP/1.0\r\n{head}\r\n").as_bytes()))
    }

    /// What a browser has that looks at this: `run=0`, or nothing for whatever runs.
    pub(crate) fn tab(&self, view: &str) -> Tab<'_> {
        let (have, shown, sent) = (String::new(), BTreeMap::new(), Vec::new());
        Tab { served: self, view: view.to_owned(), have, shown, sent, begin: Instant::now() }
    }

    fn connect(&self) -> TcpStream {
        let connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        });
        Self { status: status.unwrap_or(0), headers: headers.collect(), body: body.to_owned() }
    }
}

pub(crate) struct Tab<'a> {
    served: &'a Served,
    view: String,
    /// The version the server sent last.
    pub(crate) have: String,
    /// The parts, as HTML, by name.
    shown: BTreeMap<String, String>,
    /// Names of the parts that came last.
    pub(crate) sent: Vec<String>,
    begin: Instant,
}

impl Tab<'_> {
    /// Asks for changes until `holds`.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.follow(what);
        }
    }

    /// Waits for the next change.
    pub(crate) fn follow(&mut self, what: &str) {
        assert!(self.begin.elapsed() < PATIENCE, "never: {what}; {:#?}", self.shown);
        let fresh = if self.shown.contains_key("run") { "" } else { "&fresh=1" };
        let target = format!("/parts?{}&have={}{fresh}", self.view, self.have);
        let answer = self.served.ask("GET", &target, &[]);
        assert!(matches!(answer.status, 200 | 204), "{target}: {answer:?}");
        if answer.status == 204 {
            return;
        }
        let document = Html::parse_document(&answer.body);
        assert_eq!(document.errors, Vec::<String>::new(), "{}", answer.body);
        let body = selector("body");
        let body = document.select(&body).next().unwrap();
        body.attr("data-have").unwrap().clone_into(&mut self.have);
        self.sent.clear();
        for part in body.child_elements() {
            let name = part.attr("id").unwrap().to_owned();
            self.shown.insert(name.clone(), part.html());
            self.sent.push(name);
        }
    }

    pub(crate) fn text(&self, part: &str) -> String {
        self.texts(part, "*").into_iter().next().unwrap_or_default()
    }

    /// The text of each element of a part that a selector finds.
    pub(crate) fn texts(&self, part: &str, wanted: &str) -> Vec<String> {
        let html = self.shown.get(part).map_or("", String::as_str);
        let fragment = Html::parse_fragment(html);
        let root = fragment.root_element();
        let wanted = selector(wanted);
        let found = root.select(&wanted);
        let words = |element: ElementRef<'_>| {
            let words: Vec<&str> = element.text().flat_map(str::split_whitespace).collect();
            words.join(" ")
        };
        found.map(words).collect()
    }

    /// Whether a part is there and is seen.
    pub(crate) fn sees(&self, part: &str) -> bool {
        self.shown
            .get(part)
            .is_some_and(|html| !html.split('>').next().unwrap().contains(" hidden"))
    }

    /// `trunk: done, step 72 of 72`: how each run of the tree is.
    pub(crate) fn runs(&self) -> Vec<String> {
        let rows = self.shown.iter().filter(|(name, _)| name.starts_with("tree-"));
        let labels = rows.flat_map(|(_, row)| {
            let row = Html::parse_fragment(row);
            let link = selector("a.run");
            let links = row.select(&link);
            links.map(|link| link.attr("aria-label").unwrap().to_owned()).collect::<Vec<_>>()
        });
        labels.collect()
    }

    /// How many runs are in a state.
    pub(crate) fn count(&self, state: &str) -> usize {
        self.runs().iter().filter(|run| run.contains(&format!(": {state}, "))).count()
    }

    pub(crate) fn trunk_is(&self, state: &str) -> bool {
        self.runs().iter().any(|run| run.starts_with(&format!("trunk: {state}, ")))
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}
