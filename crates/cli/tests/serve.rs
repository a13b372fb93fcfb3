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
    let mut tab = served.tab("");
    tab.until("trouble", |tab| tab.sees("trouble"));
    let hint = tab.texts("trouble", ".hint");
    assert_eq!(hint, ["run sparkjoy prepare study.toml"], "{hint:?}");
    assert_eq!(listing(&laboratory), before, "looking writes nothing");

    let mut running = laboratory.start("run study.toml", 1);
    tab.until("a plan", |tab| !tab.sees("trouble") && !tab.runs().is_empty());
    tab.until("all done", |tab| tab.count("done") == tab.runs().len());
    assert!(running.wait().unwrap().success());
    let figures = tab.texts("overview", ".figures p");
    assert_eq!(figures[..2], ["100 % 224 of 224 steps", "done nothing is missing"], "{figures:?}");
    assert_eq!(tab.texts("overview", ".now"), ["Everything is done."]);
    assert!(!tab.sees("failing"));
    tab.until("the answers", |tab| tab.sees("answers") && !tab.texts("answers", "li").is_empty());
    assert_eq!(tab.texts("answers", "a[href='/report.html']"), ["The whole report"]);
    let report = served.ask("GET", "/report.html", &[]);
    assert_eq!(report.status, 200);
    assert!(report.headers["content-security-policy"].contains("style-src 'unsafe-inline'"));
    let live = fs::read_dir(laboratory.path("runs/tiny/live")).unwrap().count();
    assert_eq!(live, 0, "jobs that ended well leave no heartbeat");
}

#[test]
fn a_step_that_is_written_is_sent_and_nothing_else() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml");
    let served = Served::new(&laboratory);
    let mut tab = served.tab("run=0");
    tab.until("the trunk's curve", |tab| tab.text("run").contains("72 of 72"));
    let first = tab.texts("numbers", "tbody tr:last-child th");
    assert_eq!(first, ["72"]);

    let path = laboratory.find("runs", "trunk-").join("metrics.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let line = text.lines().last().unwrap().replace("\"step\":72", "\"step\":73");
    let (half, rest) = line.split_at(30);
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    writeln!(file, "{rest}").unwrap();
    tab.until("the new step", |tab| tab.texts("numbers", "tbody tr:last-child th") == ["73"]);
    assert_eq!(tab.sent, ["curves", "numbers"], "no other part has changed");
}

#[test]
fn a_page_that_was_away_gets_what_it_missed_and_one_of_another_server_gets_all() {
    let laboratory = Laboratory::new();
    laboratory.succeed("prepare study.toml");
    let served = Served::new(&laboratory);
    let mut tab = served.tab("");
    tab.until("a plan", |tab| tab.trunk_is("not begun") && tab.sees("run"));
    laboratory.succeed("run study.toml");
    tab.until("done", |tab| tab.count("done") == tab.runs().len());
    assert!(!tab.sent.contains(&"head".to_owned()), "it has not changed: {:?}", tab.sent);

    tab.have = "1-1000000".to_owned();
    tab.follow("all parts");
    for part in ["head", "overview", "tree", "tree-00000", "run", "curves"] {
        assert!(tab.sent.contains(&part.to_owned()), "{part}: {:?}", tab.sent);
    }
}

#[test]
fn a_killed_run_stops_running_and_says_where_it_goes_on() {
    let laboratory = Laboratory::new();
    laboratory.edit("budget = \"20_480\"", "budget = \"3M\"");
    laboratory.succeed("prepare study.toml");
    let served = Served::new(&laboratory);
    let mut tab = served.tab("");
    tab.until("a plan", |tab| tab.trunk_is("not begun"));
    let mut run = laboratory.start("run study.toml", 1);
    tab.until("running", |tab| tab.trunk_is("running") && tab.text("overview").contains("tok/s"));
    let figures = tab.texts("overview", ".figures p");
    assert!(figures[1].ends_with("left, at the speed of now"), "{figures:?}");
    run.kill().unwrap();
    run.wait().unwrap();
    tab.until("stopped", |tab| tab.trunk_is("stopped") && tab.text("run").contains("stopped"));
    let remark = tab.texts("run", "#run-remark");
    assert!(remark[0].contains("ended without an error message"), "{remark:?}");
    assert!(tab.text("overview").contains("Nothing is running."));
}

#[test]
fn a_failed_run_says_why_until_it_is_mended() {
    let laboratory = Laboratory::new();
    laboratory.edit("lr = 1e-3", "lr = 1e30");
    assert_eq!(laboratory.run("run study.toml").code, Some(1));
    let served = Served::new(&laboratory);
    let mut tab = served.tab("");
    tab.until("failed", |tab| tab.trunk_is("failed"));
    assert!(tab.sees("failing"));
    let links = tab.texts("failing", "a");
    assert!(links[0].starts_with("trunk-"), "{links:?}");
    assert!(tab.texts("failing", ".error")[0].contains("diverged"));
    assert!(tab.texts("failing", ".batch li")[0].contains(": loss "));
    assert!(tab.texts("failing", ".hint")[0].contains("sparkjoy show"));
    assert!(tab.text("news").ends_with("has failed."));

    laboratory.edit("lr = 1e30", "lr = 1e-3");
    tab.until("another plan", |tab| tab.trunk_is("not begun"));
    laboratory.succeed("run study.toml");
    tab.until("done", |tab| tab.trunk_is("done") && !tab.sees("failing"));
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
    for file in ["style.css", "follow.js", "icon.svg"] {
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
        "/parts/",
        "/runs/tiny/plan.json",
        "/follow.js/../../Cargo.toml",
        "/%00",
    ] {
        let answer = served.ask("GET", target, &[]);
        assert_eq!(answer.status, 404, "{target}");
        assert_eq!(answer.body, "there is nothing of that name\n");
        assert_eq!(answer.headers["content-security-policy"], *policy);
    }
    assert_eq!(served.ask("POST", "/", &[]).status, 405);
    assert_eq!(served.ask("POST", "/parts", &["content-length: 4"]).status, 405);
    assert_eq!(served.ask("GET", "/parts", &["content-length: 4"]).status, 413);
    assert_eq!(served.ask("GET", "/parts", &["origin: http://evil.example"]).status, 403);
    assert_eq!(served.ask_as("GET", "/parts", &["host: evil.example"]).status, 421);
    assert_eq!(served.ask_as("GET", "/", &[]).status, 421);
    let head = served.ask("HEAD", "/parts", &[]);
    assert_eq!((head.status, head.body.as_str()), (204, ""));
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
    assert!(full == 503 || full == 0, "sixty connections leave one free: {full}");
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
