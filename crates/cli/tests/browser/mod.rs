//! The live page in a real browser, while a study runs. Skipped where no Chromium is installed.

use crate::chromium::Chromium;
use crate::laboratory::{Laboratory, STUDY};
use crate::page::Served;

#[test]
fn a_browser_follows_a_study_while_it_runs() {
    let Some(mut browser) = Chromium::start() else {
        eprintln!("SKIPPED a browser follows a study: no `chromium` on the PATH");
        return;
    };
    let laboratory = Laboratory::new();
    // A name that would be markup if the page took it for that.
    laboratory.edit("[mixtures.upsampled]", "[mixtures.\"<img src=x onerror=alert(1)>\"]");
    for _ in 0..2 {
        laboratory.edit("mixture = \"upsampled\"", "mixture = \"<img src=x onerror=alert(1)>\"");
    }
    let strange = laboratory.run("prepare study.toml").code == Some(0);
    if !strange || laboratory.run("plan study.toml").code != Some(0) {
        // Such names are refused before they reach a page.
        laboratory.write("study.toml", STUDY);
        laboratory.succeed("prepare study.toml");
    }
    laboratory.edit("budget = \"20_480\"", "budget = \"2M\"");
    let served = Served::new(&laboratory);
    browser.open(&format!("http://{}/", served.host()));
    browser.until("document.querySelectorAll('#tree a.run').length > 8");
    browser.until("document.querySelector('.now').textContent.includes('Nothing has run yet')");
    assert_eq!(browser.text("document.querySelectorAll('img').length"), "0");

    let mut run = laboratory.start("run study.toml", 1);
    browser.until("document.querySelector('#run-state').textContent.includes('running, training')");
    let line = "document.querySelector('#curves path.curve').getAttribute('d').length";
    browser.until(&format!("{line} > 0"));
    let before = browser.text(line);
    // A curve that is full is thinned out, so it grows or changes.
    browser.until(&format!("{line} !== {before}"));
    browser.until("document.querySelectorAll('.sources svg').length === 3");
    browser.until(
        "document.querySelector('.figures').textContent.includes('left, at the speed of now')",
    );
    browser
        .until("document.querySelector('#tree .filled.running').getBoundingClientRect().width > 0");

    // By keyboard: the link of another run, then back to what runs. What changes meanwhile takes
    // neither the focus nor the place.
    browser.text("document.querySelectorAll('#tree a.run')[3].focus()");
    browser.press("Enter");
    browser.until("document.querySelector('#tree a.run[aria-current]') === document.querySelectorAll('#tree a.run')[3]");
    browser.until("document.querySelector('#curves').textContent.includes('No step')");
    browser.until("document.activeElement === document.querySelectorAll('#tree a.run')[3]");
    // The address is the link's, so that it can be kept.
    assert_eq!(browser.text("location.href === document.activeElement.href"), "true");
    browser.text("document.querySelector('#follow').click()");
    browser.until("document.querySelector('#run-title').textContent === 'trunk'");

    run.kill().unwrap();
    run.wait().unwrap();
    browser.until("document.querySelector('#run-state').textContent.includes('stopped')");
    browser.until(
        "document.querySelector('#run-remark').textContent.includes('ended without an error message')",
    );
    drop(served);
    browser.until("document.querySelector('#link').dataset.state === 'lost'");
    assert_eq!(browser.complaints(), Vec::<String>::new(), "errors, or what the policy blocked");
}

#[test]
fn the_page_is_whole_on_a_phone() {
    let Some(mut browser) = Chromium::start() else {
        eprintln!("SKIPPED the page on a phone: no `chromium` on the PATH");
        return;
    };
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml");
    let served = Served::new(&laboratory);
    browser.resize(360, 740);
    browser.open(&format!("http://{}/", served.host()));
    browser.until("document.querySelectorAll('#curves path.curve').length >= 1");
    browser.until("document.title.startsWith('✓')");
    assert_eq!(browser.text("document.documentElement.scrollWidth"), "360", "nothing sticks out");
    // Every button says what it is, and every control can be reached.
    let nameless = "[...document.querySelectorAll('a, button, select, summary')].filter(e => \
                    !(e.getAttribute('aria-label') || e.closest('label') || e.textContent.trim())).length";
    assert_eq!(browser.text(nameless), "0");
    let label = "document.querySelector('#tree a.run').getAttribute('aria-label')";
    assert_eq!(browser.text(label), "trunk: done, step 72 of 72");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
