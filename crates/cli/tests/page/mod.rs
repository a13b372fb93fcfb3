//! A page of `sparkjoy serve`, asked the way a browser asks, byte by byte.
#![expect(clippy::unwrap_used, reason = "a test fails where its tools do")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::laboratory::Laboratory;

/// Far longer than anything takes, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server, ended with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) port: u16,
}

/// What came back.
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

    /// The events from now on; `runs` are numbers of runs whose curves are wanted.
    pub(crate) fn events(&self, runs: &[usize]) -> Events {
        let mut connection = self.connect();
        let runs: Vec<String> = runs.iter().map(|run| format!("run={run}")).collect();
        let (target, host) = (format!("/events?{}", runs.join("&")), self.host());
        write!(connection, "GET {target} HTTP/1.0\r\nhost: {host}\r\n\r\n").unwrap();
        let lines = BufReader::new(connection);
        Events { lines, parts: BTreeMap::new(), curves: BTreeMap::new(), begin: Instant::now() }
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

/// What a page has been told.
pub(crate) struct Events {
    lines: BufReader<TcpStream>,
    pub(crate) parts: BTreeMap<String, Value>,
    /// Last step of each curve, and how many points the last message held.
    pub(crate) curves: BTreeMap<String, (u64, usize)>,
    begin: Instant,
}

impl Events {
    /// Reads on until `holds`.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.next(what);
        }
    }

    /// The state of a run.
    pub(crate) fn state(&self, run: &str) -> &str {
        let run = self.parts.get(&format!("run/{run}"));
        run.and_then(|run| run["state"].as_str()).unwrap_or("")
    }

    /// How many runs are in a state.
    pub(crate) fn count(&self, state: &str) -> usize {
        let runs = self.parts.iter().filter(|(name, _)| name.starts_with("run/"));
        runs.filter(|(_, run)| run["state"] == state).count()
    }

    fn next(&mut self, what: &str) {
        let mut name = String::new();
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.begin.elapsed() < PATIENCE, "never: {what}; {:#?}", self.parts);
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the events have ended");
            if let Some(event) = line.strip_prefix("event: ") {
                event.trim_end().clone_into(&mut name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return self.take(&name, &serde_json::from_str(data).unwrap());
            }
        }
    }

    fn take(&mut self, name: &str, data: &Value) {
        match name {
            "parts" => {
                for (part, value) in data.as_object().unwrap() {
                    self.parts.insert(part.clone(), value.clone());
                }
                self.parts.retain(|_, value| !value.is_null());
            }
            "curve" => {
                let run = data["run"].as_str().unwrap().to_owned();
                let step = data["last"]["step"].as_u64().unwrap_or(0);
                self.curves.insert(run, (step, data["points"].as_array().unwrap().len()));
            }
            other => panic!("an event `{other}`"),
        }
    }
}
