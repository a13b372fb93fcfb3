//! A headless Chromium, told what to do over its debugging pipe: JSON, each message ended by a
//! zero byte.
#![expect(clippy::unwrap_used, reason = "a test fails where its tools do")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Far longer than anything takes, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Chromium {
    child: Child,
    send: ChildStdin,
    receive: BufReader<ChildStdout>,
    session: String,
    id: u64,
    complaints: Vec<String>,
    _profile: TempDir,
}

impl Chromium {
    /// Starts one, if there is one.
    pub(crate) fn start() -> Option<Self> {
        let found = Command::new("chromium").arg("--version").stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            return None;
        }
        let profile = TempDir::new().unwrap();
        // Its pipe is file descriptors 3 and 4; a shell can say so without `unsafe`.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 1>/dev/null 2>/dev/null", "chromium"])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-quic", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, receive) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut browser = Self {
            child,
            send,
            receive: BufReader::new(receive),
            session: String::new(),
            id: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", &attach);
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    pub(crate) fn open(&mut self, url: &str) {
        self.call("Page.navigate", &json!({"url": url}));
    }

    /// Gives the page another size.
    pub(crate) fn resize(&mut self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    pub(crate) fn text(&mut self, expression: &str) -> String {
        let request = json!({"expression": format!("String({expression})"), "returnByValue": true});
        let result = self.call("Runtime.evaluate", &request);
        result["result"]["value"].as_str().unwrap_or("").to_owned()
    }

    pub(crate) fn until(&mut self, expression: &str) {
        let begin = Instant::now();
        // What is not there yet is no mistake.
        let guarded =
            format!("(() => {{ try {{ return {expression} }} catch {{ return false }} }})()");
        while self.text(&guarded) != "true" {
            let page = || self.complaints.join("\n");
            assert!(begin.elapsed() < PATIENCE, "never: {expression}\n{}", page());
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "text": "\r", "windowsVirtualKeyCode": 13});
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Errors so far: of scripts, and of what the page's policy blocked. A server that is gone is
    /// none.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let refused = |text: &&String| {
            // A request that waited for an answer ends in one of the latter two ways.
            let gone = ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"];
            !gone.iter().any(|error| text.contains(error))
        };
        self.complaints.iter().filter(refused).cloned().collect()
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.id += 1;
        let mut request = json!({"id": self.id, "method": method, "params": parameters});
        if !self.session.is_empty() {
            request["sessionId"] = json!(self.session);
        }
        write!(self.send, "{request}\0").unwrap();
        loop {
            let mut message = Vec::new();
            self.receive.read_until(0, &mut message).unwrap();
            message.pop();
            let message: Value = serde_json::from_slice(&message).expect("the browser is there");
            if message["id"] == self.id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            match message["method"].as_str() {
                Some("Runtime.exceptionThrown") => self.complaints.push(message.to_string()),
                Some("Log.entryAdded") if message["params"]["entry"]["level"] == "error" => {
                    self.complaints.push(message["params"]["entry"].to_string());
                }
                _ => {}
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
