//! `sparkjoy serve`: what it shows while another process runs, and what it does not answer.

mod browser;
mod chromium;
mod laboratory;
mod page;

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpStream;

use laboratory::Laboratory;
use page::Served;

/// Everything below a folder, by path.
fn listing(laboratory: &Laboratory) -> Vec<String> {
    let mut folders = vec![laboratory.path("")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            found.push(path.display().to_string());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_page_opened_before_the_text_is_prepared_follows_the_study_to_its_end() {
    let laboratory = Laboratory::new();
    let before = listing(&laboratory);
    let served = Served::new(&laboratory);
    let mut events = served.events(&[]);
    events.until("trouble", |page| page.parts.contains_key("trouble"));
    let trouble = &events.parts["trouble"];
    assert_eq!(trouble["hint"], "run `sparkjoy prepare study.toml`", "{trouble}");
    assert_eq!(listing(&laboratory), before, "looking writes nothing");

    let mut running = laboratory.start("run study.toml", 1);
    events.until("a plan", |page| page.parts.contains_key("tree"));
    assert!(!events.parts.contains_key("trouble"));
    events.until("all done", |page| {
        page.count("done") == page.parts["about"]["branches"].as_u64().unwrap() as usize + 1
    });
    assert!(running.wait().unwrap().success());
    let progress = &events.parts["progress"];
    assert_eq!(progress["steps"][0], progress["steps"][1]);
    assert_eq!(progress["seconds_left"], 0.0);
    assert_eq!(events.parts["doing"], serde_json::json!([]));
    assert_eq!(events.parts["failing"], serde_json::json!([]));
    let live = fs::read_dir(laboratory.path("runs/tiny/live")).unwrap().count();
    assert_eq!(live, 0, "jobs that ended well leave no sign");
}

#[test]
fn a_step_that_is_written_is_sent_and_nothing_else() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml");
    let served = Served::new(&laboratory);
    // The runs are known once the plan has been read.
    served.events(&[]).until("a plan", |page| page.parts.contains_key("runs"));
    let mut events = served.events(&[0]);
    events.until("the trunk's curve", |page| page.curves.contains_key("trunk"));
    let (step, points) = events.curves["trunk"];
    assert_eq!((step, points), (72, 72));
    let parts = events.parts.clone();

    let path = laboratory.find("runs", "trunk-").join("metrics.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let line = text.lines().last().unwrap().replace("\"step\":72", "\"step\":73");
    let (half, rest) = line.split_at(30);
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    writeln!(file, "{rest}").unwrap();
    events.until("the new step", |page| page.curves["trunk"].0 == 73);
    assert_eq!(events.curves["trunk"].1, 2, "the last point and the new one");
    assert_eq!(events.parts, parts);
}

#[test]
fn a_killed_run_stops_running_and_says_where_it_goes_on() {
    let laboratory = Laboratory::new();
    laboratory.edit("budget = \"20_480\"", "budget = \"20M\"");
    laboratory.succeed("prepare study.toml");
    let served = Served::new(&laboratory);
    let mut events = served.events(&[]);
    events.until("a plan", |page| page.state("trunk") == "missing");
    let mut run = laboratory.start("run study.toml", 1);
    events.until("running", |page| {
        page.state("trunk") == "running" && page.parts["doing"][0]["tokens_per_second"].is_f64()
    });
    assert!(events.parts["progress"]["seconds_left"].as_f64().unwrap() > 0.0);
    run.kill().unwrap();
    run.wait().unwrap();
    events.until("stopped", |page| page.state("trunk") == "stopped");
    let remark = events.parts["run/trunk"]["remark"].as_str().unwrap();
    assert!(remark.contains("ended without a word"), "{remark}");
    assert_eq!(events.parts["doing"], serde_json::json!([]));
}

#[test]
fn a_failed_run_says_why_until_it_is_mended() {
    let laboratory = Laboratory::new();
    laboratory.edit("lr = 1e-3", "lr = 1e30");
    assert_eq!(laboratory.run("run study.toml").code, Some(1));
    let served = Served::new(&laboratory);
    let mut events = served.events(&[]);
    events.until("failed", |page| page.state("trunk") == "failed");
    let failing = &events.parts["failing"][0];
    assert!(failing["job"].as_str().unwrap().starts_with("trunk-"), "{failing}");
    assert!(failing["error"].as_str().unwrap().contains("diverged"), "{failing}");
    assert!(failing["rows"][0].as_str().unwrap().contains(": loss "), "{failing}");
    assert!(failing["hint"].as_str().unwrap().contains("sparkjoy show"), "{failing}");

    laboratory.edit("lr = 1e30", "lr = 1e-3");
    events.until("another plan", |page| page.state("trunk") == "missing");
    laboratory.succeed("run study.toml");
    events.until("done", |page| page.state("trunk") == "done");
    assert_eq!(events.parts["failing"], serde_json::json!([]));
}

#[test]
fn only_this_machines_user_is_answered_and_only_by_the_page() {
    let laboratory = Laboratory::new();
    let served = Served::new(&laboratory);
    let page = served.ask("GET", "/", &[]);
    assert_eq!(page.status, 200);
    let policy = &page.headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for word in [" style=", "<script>", "<style", " onclick", "http://", "https://"] {
        assert!(!page.body.contains(word), "the page holds `{word}`");
    }
    // Whatever the page names is there, whatever it does not name is not.
    for file in ["style.css", "app.js", "chart.js", "tree.js", "words.js", "icon.svg"] {
        let answer = served.ask("GET", &format!("/{file}"), &[]);
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(!answer.body.contains("https://"), "{file}");
    }
    for target in [
        "/study.toml",
        "/../study.toml",
        "/%2e%2e/study.toml",
        "/..%2fstudy.toml",
        "//etc/passwd",
        "/etc/passwd",
        "/page/index.html",
        "/index.html",
        "/events/",
        "/runs/tiny/plan.json",
        "/app.js/../../Cargo.toml",
        "/%00",
    ] {
        let answer = served.ask("GET", target, &[]);
        assert_eq!(answer.status, 404, "{target}");
        assert_eq!(answer.body, "there is nothing of that name\n");
        assert_eq!(answer.headers["content-security-policy"], *policy);
    }
    assert_eq!(served.ask("POST", "/", &[]).status, 405);
    assert_eq!(served.ask("POST", "/events", &["content-length: 4"]).status, 405);
    assert_eq!(served.ask("GET", "/events", &["content-length: 4"]).status, 413);
    assert_eq!(served.ask("GET", "/events", &["origin: http://evil.example"]).status, 403);
    assert_eq!(served.ask_as("GET", "/events", &["host: evil.example"]).status, 421);
    assert_eq!(served.ask_as("GET", "/", &[]).status, 421);
    let head = served.ask("HEAD", "/events", &[]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn malformed_large_and_many_requests_are_refused() {
    let laboratory = Laboratory::new();
    let served = Served::new(&laboratory);
    for garbage in
        ["\0\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "G ET / HTTP/1.1\r\n\r\n"]
    {
        let back = served.exchange(garbage.as_bytes());
        assert!(back.is_empty() || back.starts_with("HTTP/1.1 400"), "{garbage:?}: {back}");
    }
    let host = served.host();
    let long = format!("GET / HTTP/1.1\r\nhost: {host}\r\nx: {}\r\n\r\n", "a".repeat(64 << 10));
    assert!(served.exchange(long.as_bytes()).starts_with("HTTP/1.1 431"));
    let many = "x: 1\r\n".repeat(500);
    let many = format!("GET / HTTP/1.1\r\nhost: {host}\r\n{many}\r\n");
    assert!(served.exchange(many.as_bytes()).starts_with("HTTP/1.1 431"));

    let idle: Vec<TcpStream> =
        (0..60).map(|_| TcpStream::connect(("127.0.0.1", served.port)).unwrap()).collect();
    let mut full = 0;
    for _ in 0..100 {
        full = served.ask("GET", "/", &[]).status;
        if full == 503 || full == 0 {
            break;
        }
    }
    assert!(full == 503 || full == 0, "sixty connections leave room: {full}");
    drop(idle);
    // Places become free again.
    while served.ask("GET", "/", &[]).status != 200 {}
}

#[test]
fn a_port_in_use_and_a_study_that_is_none_are_refused() {
    let laboratory = Laboratory::new();
    let served = Served::new(&laboratory);
    let message = laboratory.refuse(&format!("serve study.toml --port {}", served.port));
    assert!(message.contains("cannot listen on 127.0.0.1"), "{message}");
    assert!(message.contains("hint: another program has this port"), "{message}");
    assert!(laboratory.refuse("serve nothing.toml --port 0").contains("nothing.toml"));
}
