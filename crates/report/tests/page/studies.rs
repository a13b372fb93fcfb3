//! Studies for the tests, planned and never run.

use std::fmt::Write;
use std::fs;

use sparkjoy_data::Tokenizer;
use sparkjoy_kit::HEAD;
use sparkjoy_study::{Plan, Study};

fn head() -> String {
    let never = "# Never markup: </script><script>alert(1)</script> & \"quotes\"";
    format!("{never}\nname = \"invented\"\n{HEAD}replicates = 3\n")
}

const SEVEN: &str = r#"
[sources.blogs]
tokens = "4M"
domain = "large-cc"
[sources.encyclopedia]
tokens = "1M"
domain = "small-cc"
[sources.word-problems]
tokens = "300K"
domain = "math"
[sources.proofs]
tokens = "300K"
domain = "math"
[sources.code]
tokens = "600K"
domain = "programs"
[sources.letters]
tokens = "200K"
domain = "small-cc"
[mixtures.base]
blogs = 0.60
encyclopedia = 0.20
word-problems = 0.03
proofs = 0.03
code = 0.14
[mixtures.upsampled]
blogs = 0.30
encyclopedia = 0.10
word-problems = 0.15
proofs = 0.15
code = 0.30
[mixtures.math]
blogs = 0.40
encyclopedia = 0.10
word-problems = 0.20
proofs = 0.20
code = 0.10
[trunk]
mixture = "base"
[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["5%", "10%", "20%", "30%"]
[[questions]]
ask = "removal"
mixture = "upsampled"
window = "10%"
remove = ["word-problems", "proofs", "encyclopedia", ["code", "blogs"]]
refill = ["proportional", "blogs-or-not"]
[[questions]]
ask = "addition"
mixture = "base"
add = ["letters", "code"]
shares = [0.1, 0.3, 0.5]
windows = ["10%"]
[[questions]]
ask = "proportion"
mixtures = ["upsampled", "math"]
window = "10%"
[[questions]]
ask = "timing"
mixture = "upsampled"
window = "10%"
starts = ["30%", "60%", "90%"]
[[questions]]
ask = "stability"
mixture = "upsampled"
window = "10%"
then = ["10%", "20%"]
[[questions]]
ask = "transfer"
of = 2
models = [{ layers = 1, width = 16, heads = 2 }]
[evaluation]
held_out = "16K"
"#;

/// Every question, six sources.
pub(crate) fn seven() -> (String, Plan) {
    planned(head() + &SEVEN.replace("\"blogs-or-not\"", "\"letters\""))
}

/// The same, scored on tasks that open models are scored on too.
pub(crate) fn scored() -> (String, Plan) {
    let (text, _) = seven();
    planned(format!("{text}tasks = [\"gauntlet-v0.3\"]\ndata = \"tasks\"\n"))
}

/// The same with one replicate and three questions.
pub(crate) fn once() -> (String, Plan) {
    let (text, _) = seven();
    let text = text.replace("replicates = 3", "replicates = 1");
    let from = text.find("[[questions]]\nask = \"proportion\"").expect("it asks");
    let to = text.find("[evaluation]").expect("it scores");
    planned(format!("{}{}", &text[..from], &text[to..]))
}

/// Forty sources with names as long as they may be, each removed.
pub(crate) fn large() -> (String, Plan) {
    let mut text = head().replace("512K", "5M");
    let name =
        |n: usize| format!("source-{n:02}-with-a-name-that-is-as-long-as-a-name-can-be-{n:08}");
    for n in 0..40 {
        let domain = ["large-common-crawl", "small-common-crawl", "domain-specific", "code"][n % 4];
        let _ = write!(text, "[sources.{}]\ntokens = \"4M\"\ndomain = \"{domain}\"\n", name(n));
    }
    for (mixture, few, many) in [("base", 0.01, 0.04), ("upsampled", 0.04, 0.01)] {
        let _ = writeln!(text, "[mixtures.{mixture}]");
        for n in 0..40 {
            let _ = writeln!(text, "{} = {}", name(n), if n < 20 { few } else { many });
        }
    }
    let windows: Vec<String> = (1..=18).map(|n| format!("\"{}%\"", 2 * n)).collect();
    let removed: Vec<String> = (0..18).map(|n| format!("{:?}", name(n))).collect();
    let _ = write!(
        text,
        "[trunk]\nmixture = \"base\"\n[[questions]]\nask = \"duration\"\nmixture = \"upsampled\"\n\
         windows = [{}]\n[[questions]]\nask = \"removal\"\nmixture = \"upsampled\"\nwindow = \
         \"10%\"\n\
         remove = [{}]\nrefill = \"proportional\"\n[evaluation]\nheld_out = \"16K\"\n",
        windows.join(", "),
        removed.join(", "),
    );
    planned(text)
}

fn planned(text: String) -> (String, Plan) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.toml");
    fs::write(&path, &text).expect("a study");
    let study = Study::open(&path, None).unwrap_or_else(|error| panic!("{error}"));
    let plan =
        Plan::new(&study, &[], &Tokenizer::cl100k()).unwrap_or_else(|error| panic!("{error}"));
    (text, plan)
}
