//! A study whose trunk comes as a bare model folder, from text to report.

mod laboratory;

use std::fs;

use laboratory::{Laboratory, without_ids};

const MODEL: [&str; 4] =
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

#[test]
fn a_trunk_trained_elsewhere_is_planned_trained_on_and_reported() {
    let laboratory = Laboratory::new();
    laboratory.edit("windows = [\"10%\", \"25%\"]", "windows = [\"10%\"]");
    let study = fs::read_to_string(laboratory.path("study.toml")).unwrap();
    let (before, rest) = study.split_once("[[questions]]\nask = \"removal\"").unwrap();
    let evaluation = rest.split_once("[evaluation]").unwrap().1;
    laboratory.write("study.toml", &format!("{before}[evaluation]{evaluation}"));
    laboratory.succeed("run study.toml");
    let checkpoint = laboratory.find("runs", "trunk-").join("step-000072");
    fs::create_dir(laboratory.path("elsewhere")).unwrap();
    for name in MODEL {
        let to = laboratory.path("elsewhere").join(name);
        fs::copy(laboratory.path("").join(&checkpoint).join(name), to).unwrap();
    }
    fs::remove_dir_all(laboratory.path("runs")).unwrap();
    laboratory.edit(
        "[trunk]\nmixture = \"base\"",
        "[trunk]\nmixture = \"base\"\nfrom = \"elsewhere\"\nstep = \"90%\"\n\
         optimizer = \"fresh\"\n[trunk.read]\ncrawl = \"10K\"\nsums = { epochs = 0.25 }\n",
    );

    let text = laboratory.succeed("plan study.toml").stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let trunk = text.split("\n\n").skip_while(|part| !part.contains("trained elsewhere"));
    let shown: Vec<&str> = trunk.take(2).collect();
    insta::assert_snapshot!(shown.join("\n\n"), @"
    the trunk was trained elsewhere up to step 72, without the state of its optimizer; it had read

    source  sequences  tokens  epochs
    crawl         313  10,016    0.39
    proofs          0       0    0.00
    sums          199   6,368    0.25
    ");
    let notes = text.split("\n\n").last().unwrap();
    insta::assert_snapshot!(notes, @"
    note: 2.05K of the tokens before the imported step are in no source of this study, or not declared
    note: the trunk read its sources in an order of its own, so what is called fresh is exact in its
      amount only: it had read 39 % of `crawl`, 25 % of `sums`, and about that part of what is called
      fresh was probably among it
    note: the optimizer begins with moments of zero at step 72, where 4 branches start: branch and
      control share it, but the first steps of both are rougher
    note: the trunk may have read text that this study holds out: it was trained elsewhere, and what it
      read was not searched; nothing says that what it read as `crawl`, `sums` is the text of this study
    note: minimum detectable effect with 2 replicates, at 80 % power and 95 % confidence: in `duration`
      (2 comparisons corrected together) targeted 0.23 to 6.46 % of bits per byte (0.12 to 3.23 % in one
      alone), general 0.23 to 6.46 % of bits per byte (0.12 to 3.23 % in one alone); no pair of branch
      and control is scored yet: standard deviations of a difference from 0.01 to 0.28 % are assumed, as
      other studies have shown
    note: with 5 replicates that falls to: `duration` 9 %, with half the arms 50 %
    ");

    let ended = laboratory.succeed("run study.toml");
    assert!(ended.stdout.contains("How long should the last phase"), "{}", ended.stdout);
    assert!(laboratory.succeed("run study.toml").stderr.contains("done before"));
    let run = laboratory.find("runs", "trunk-").display().to_string();
    let shown = without_ids(&laboratory.succeed(&format!("show {run}")).stdout);
    assert!(
        shown.contains("starts from model [ID], trained elsewhere, with moments of zero"),
        "{shown}"
    );

    // Without the model nothing is known of the run any more, and nothing is made up.
    fs::rename(laboratory.path("elsewhere"), laboratory.path("moved")).unwrap();
    let refused = laboratory.refuse("run study.toml");
    assert!(refused.contains("`elsewhere` is not a model folder"), "{refused}");
    laboratory.edit("from = \"elsewhere\"", "from = \"moved\"");
    assert_eq!(laboratory.succeed("run study.toml").stdout, ended.stdout);
}
