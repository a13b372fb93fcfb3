//! The file of a draft: a study with the reason and the numbers behind each guess beside it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use sparkjoy_base::{Ppm, SourceName, about, counted, quantity, thousands};
use sparkjoy_data::{OnBadDocument, RowText, SourceFiles, Validation};

use super::proposal::{MAX_EPOCHS, Proposal, REMOVAL_WINDOW, REPLICATES};
use super::{DraftError, MeasuredSource, SAMPLE, SEED};

/// What the study is called and where its text lies, as it will be written.
pub(super) struct Named {
    name: String,
    data: String,
}

impl Named {
    /// Names a study of `data` that lies at `file`.
    pub(super) fn new(data: &Path, file: &Path) -> Result<Self, DraftError> {
        let folder = || data.to_owned();
        // Relative to the study where that is the same as relative to here.
        let beside = file.parent().is_none_or(|parent| parent.as_os_str().is_empty());
        let path = if beside { folder() } else { std::path::absolute(data).unwrap_or(folder()) };
        let path = path.to_str().ok_or_else(|| DraftError::Name { folder: folder() })?.to_owned();
        let own = data.canonicalize().ok();
        let own = own.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let mut name: String = own.to_lowercase();
        name.retain(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        name.truncate(48);
        let usable = SourceName::new(&name).is_ok();
        Ok(Self { name: if usable { name } else { "study".to_owned() }, data: path })
    }
}

const WIDTH: usize = 100;

/// The line of a source of plain text whose lines are documents.
pub(super) const LINES: &str = "documents = \"lines\"";

/// A file being written.
struct Page(String);

impl Page {
    fn lines(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// A comment of its own lines.
    fn say(&mut self, text: &str) {
        let mut line = String::from("#");
        for word in in_comment(text).split(' ') {
            if line.chars().count() + word.chars().count() >= WIDTH {
                self.lines(&line);
                line.truncate(1);
            }
            line.push(' ');
            line.push_str(word);
        }
        self.lines(&line);
    }

    /// A key, its value and what it means.
    fn key(&mut self, line: &str, comment: &str) {
        let _ = writeln!(self.0, "{line:<31} # {}", in_comment(comment));
    }
}

/// What may stand in a comment: the name of a file may hold a line break, and what follows it would
/// be read as a key.
fn in_comment(text: &str) -> String {
    let escaped =
        |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// Writes the study. `seconds`: how long it takes, where that is known.
pub(super) fn write(
    named: &Named,
    sources: &[MeasuredSource],
    proposal: &Proposal,
    vocab: u32,
    seconds: Option<f64>,
) -> String {
    let mut page = Page(String::new());
    head(&mut page, named, sources, proposal, seconds);
    model(&mut page, proposal, vocab);
    training(&mut page, proposal);
    page.say(
        "One table per source, guessed from folders and names. Files are JSON Lines (plain, .gz, \
         .zst), Parquet or plain text.",
    );
    page.lines("");
    for source in sources {
        one_source(&mut page, source);
    }
    mixtures(&mut page, sources, proposal);
    questions(&mut page, proposal);
    page.0
}

fn head(
    page: &mut Page,
    named: &Named,
    sources: &[MeasuredSource],
    proposal: &Proposal,
    seconds: Option<f64>,
) {
    let parameters = quantity(proposal.rung.shape().parameters());
    page.say(&format!(
        "A study of {} sources: which of them is worth the last tokens of a training run, and for \
         how long? Written by `sparkjoy new --data`: every number is a proposal. `sparkjoy plan` \
         shows what each would change before a second is spent.",
        sources.len()
    ));
    page.lines("#");
    let takes = seconds.map_or(String::new(), |seconds| {
        format!(" On this machine {}: training, and scoring of held-out text.", about(seconds))
    });
    page.say(&format!(
        "A model of {parameters} parameters, {} tokens.{takes}",
        thousands(proposal.budget.0)
    ));
    page.lines("#");
    page.say(
        "Unknown keys are errors. Numbers with a unit stand in quotes: tokens \"40M\", durations \
         \"10%\" or \"500 steps\". `sparkjoy new` without `--data` writes every key there is.",
    );
    page.lines("");
    page.key(&format!("name = {}", quoted(&named.name)), "names the folder of its runs");
    page.key(&format!("seed = {}", SEED.0), "weights, data order and samples all follow from it");
    page.key(&format!("data = {}", quoted(&named.data)), "what source paths are relative to");
    page.lines("");
}

fn model(page: &mut Page, proposal: &Proposal, vocab: u32) {
    let rung = &proposal.rung;
    page.lines("[tokenizer]");
    page.key("kind = \"bpe\"", "trained on the sources");
    page.key(&format!("vocab = {vocab}"), "entries: more text carries more of them");
    let sample = format!("sample = \"{}\"", quantity(SAMPLE));
    page.key(&sample, "bytes of text of each source it is trained on");
    page.lines("");
    page.lines("[model]                         # an MPT decoder");
    page.key(&format!("layers = {}", rung.layers), "blocks");
    page.key(&format!("width = {}", rung.width), "of the residual stream; a multiple of `heads`");
    page.key(&format!("heads = {}", rung.heads), "of attention");
    page.key(&format!("context = {}", rung.context), "tokens per sequence");
    page.lines("");
}

fn training(page: &mut Page, proposal: &Proposal) {
    let rung = &proposal.rung;
    let step = rung.batch * rung.context as u64;
    page.lines("[training]");
    page.say(&if proposal.by_text {
        format!(
            "The text is what limits the budget: it reads all there is about {:.1} times.",
            proposal.passes
        )
    } else {
        format!(
            "Time is what limits the budget, which reads {:.1} % of all there is: the study should \
             take about an hour on the machine this was written on.",
            100.0 * proposal.passes
        )
    });
    let steps = thousands(proposal.budget.0 / step);
    let budget = format!("budget = \"{}\"", quantity(proposal.budget.0));
    page.key(&budget, &format!("tokens of the whole run: {steps} steps"));
    page.key(&format!("batch = {}", rung.batch), "sequences per step");
    page.key("precision = \"bf16\"", "products of 16-bit numbers, summed in fp32");
    page.say(&format!(
        "4e-3 at a width of 128 was found on real text (studies/real-text.toml); wider models get \
         less in proportion. Here the width is {}.",
        rung.width
    ));
    let rate = 4e-3 * (128.0 / rung.width as f64).min(1.0);
    page.lines(&format!(
        "optimizer = {{ kind = \"adamw\", lr = {rate:.1e}, betas = [0.9, 0.95], eps = 1e-8, \
         weight_decay = 0.1 }}"
    ));
    page.lines(
        "schedule = { kind = \"inverse-sqrt\", warmup = \"2%\", scale = \"10%\", cooldown = \"0\" }",
    );
    page.key("grad_clip = 1.0", "global-norm clipping");
    page.key(&format!("replicates = {REPLICATES}"), "data orders per branch, for the error bars");
    page.lines("");
}

fn one_source(page: &mut Page, source: &MeasuredSource) {
    let MeasuredSource { found, sized } = source;
    let SourceFiles { name, paths, rows, on_bad_document, validation, .. } = &found.files;
    let about = if sized.exact { "" } else { "about " };
    page.lines(&format!("[sources.{name}]"));
    page.say(&format!(
        "{about}{} tokens to train on, {about}{} held out, {} file{}",
        thousands(rounded(sized.tokens, sized.exact)),
        thousands(rounded(sized.held_out, sized.exact)),
        thousands(found.file_count),
        if found.file_count == 1 { "" } else { "s" }
    ));
    page.lines(&format!("path = {}", list(paths)));
    page.lines(&format!("domain = \"{}\"", sized.domain));
    match validation {
        Validation::Files(paths) => page.lines(&format!("validation = {}", list(paths))),
        Validation::All => page.lines("unseen = true"),
        Validation::Split(share) => page.key(
            &format!("holdout = \"{}\"", share.to_string().replace(' ', "")),
            "of the documents, chosen by their hash",
        ),
    }
    if let Some(line) = rows.line() {
        page.key(
            &line,
            match rows.text {
                RowText::Fields { .. } => "joined by a blank line, empty ones left out",
                RowText::Messages { .. } => "each as `{role}: {content}`, a blank line between two",
                _ => "no text in `text`; this one looks like it",
            },
        );
    }
    if rows.lines {
        page.key(LINES, "long lines, none empty: each looks like a document; or \"files\"");
    }
    if let (OnBadDocument::Skip, Some(broken)) = (on_bad_document, &found.broken) {
        let documents = counted(broken.documents, "document");
        page.say(&format!("{documents} cannot be used, the first: {}", broken.first));
        page.key("on_bad_document = \"skip\"", "or \"refuse\": stop there");
    }
    page.key(&format!("max_epochs = {MAX_EPOCHS}"), "refuse a plan that reads it more often");
    page.lines("");
}

fn mixtures(page: &mut Page, sources: &[MeasuredSource], proposal: &Proposal) {
    page.say(
        "Shares of sources, or of whole domains. They sum to exactly 1; nothing is normalised.",
    );
    page.lines("");
    page.say("By size, as they would be read without a study.");
    if !proposal.lifted.is_empty() {
        page.say(&format!(
            "More than by size, so that every window draws from them: {}.",
            names(proposal.lifted.iter())
        ));
    }
    mixture(page, "base", sources, &proposal.base);
    let share = |mixture: &BTreeMap<SourceName, Ppm>| {
        let parts: u32 = proposal.bulk.iter().map(|name| mixture[name].0).sum();
        format!("{:.1} %", f64::from(parts) / 1e4)
    };
    let bulk = match &proposal.bulk_domain {
        Some(domain) => format!("domain `{domain}`"),
        None => names(proposal.bulk.iter()),
    };
    page.say(&format!(
        "The largest part, {bulk}, gives up some of its share, from {} to {} (to 40 % of it where \
         the others can take that much, as the paper's web text did), and all others are raised by \
         one factor.",
        share(&proposal.base),
        share(&proposal.upsampled),
    ));
    if let Some(note) = near_tie(proposal) {
        page.say(&note);
    }
    if !proposal.capped.is_empty() {
        page.say(&format!(
            "Kept lower, so that no branch reads them more than {MAX_EPOCHS} times: {}.",
            names(proposal.capped.iter())
        ));
    }
    mixture(page, "upsampled", sources, &proposal.upsampled);
    page.lines("[trunk]                         # the run every branch starts from");
    page.lines("mixture = \"base\"\n");
}

/// Says that another part is nearly as large as the one that gives way; none where none is.
pub(super) fn near_tie(proposal: &Proposal) -> Option<String> {
    let second = proposal.nearly_bulk.as_ref()?;
    let first = match &proposal.bulk_domain {
        Some(domain) => domain.to_string(),
        None => proposal.bulk.iter().map(ToString::to_string).collect(),
    };
    Some(format!(
        "`{second}` is nearly as large as `{first}`, so size decides here by little: if `{second}` \
         should give way instead, change `[mixtures.upsampled]` and what is removed."
    ))
}

fn mixture(
    page: &mut Page,
    name: &str,
    sources: &[MeasuredSource],
    proportions: &BTreeMap<SourceName, Ppm>,
) {
    page.lines(&format!("[mixtures.{name}]"));
    for MeasuredSource { sized, .. } in sources {
        page.lines(&format!("{} = {}", sized.name, proportions[&sized.name].decimal()));
    }
    page.lines("");
}

fn questions(page: &mut Page, proposal: &Proposal) {
    let rung = &proposal.rung;
    let windows: Vec<String> = rung.windows.iter().map(|window| format!("\"{window}%\"")).collect();
    page.say(
        "Each question compares branches with a control that differs from them in the mixture \
         alone: same window, same learning rate, same order of reading.",
    );
    page.lines("");
    page.lines("[[questions]]");
    page.key("ask = \"duration\"", "how long should the last phase be?");
    page.lines("mixture = \"upsampled\"");
    page.lines(&format!("windows = [{}]", windows.join(", ")));
    page.key(DECAY, "the learning rate falls to 0 over the window, of branch and");
    page.say(
        "control alike, as most last phases of today do. Without the line it follows the \
              trunk's curve, as in the paper.",
    );
    page.lines("");
    page.lines("[[questions]]");
    page.key("ask = \"removal\"", "what is each source worth?");
    page.lines("mixture = \"upsampled\"");
    page.lines(&format!("window = \"{REMOVAL_WINDOW}%\""));
    page.say("Sources, domains, or lists of them; each costs three branches.");
    page.lines(&format!("remove = {}", list_always(&proposal.removals)));
    page.key("refill = \"proportional\"", "who gets the freed share: all others");
    page.lines(DECAY);
    page.lines("");
    objective(page, proposal);
    page.lines("[evaluation]");
    let held_out = format!("held_out = \"{}\"", quantity(proposal.held_out.0));
    page.key(&held_out, "tokens of held-out text scored per source");
    page.say(&format!(
        "No task is proposed: a prompt longer than the context of {} tokens loses its beginning; \
         `sparkjoy eval` counts the items of which that is so.",
        rung.context
    ));
    page.key("tasks = []", "`sparkjoy eval --list` names those there are");
}

/// The line of an annealed window.
const DECAY: &str = "rate = \"decay\"";

/// What to decide by: what is raised should gain, what gives way should not lose much.
fn objective(page: &mut Page, proposal: &Proposal) {
    let (raised, bulk) = proposal.goals();
    page.say(&format!(
        "What to decide by. Proposed: text that the upsampled mixture raises should be predicted \
         better, each part counting alike, and {bulk}, which gives way, may lose 1 % of its bits \
         per byte at most. Name what your model is for: tasks, domains, unseen sources. Without \
         this table gains and losses are shown and nothing is recommended. Five replicates decide \
         more often than three (docs/results/decisions.md)."
    ));
    page.lines("[objective]");
    let targets: Vec<String> = raised.iter().map(|name| format!("{name} = 1")).collect();
    page.lines(&format!("targets = {{ {} }}", targets.join(", ")));
    page.lines(&format!("guards = {{ {bulk} = \"1%\" }}"));
    page.key("margin = \"0.5%\"", "without a source less than this: it is not needed");
    page.lines("");
}

/// Text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// One path by itself, several as a list; long lists get a line per path.
fn list(paths: &[String]) -> String {
    if let [one] = paths { quoted(one) } else { list_always(paths) }
}

fn list_always(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    let short = format!("[{}]", items.join(", "));
    if short.len() <= 80 { short } else { format!("[\n    {},\n]", items.join(",\n    ")) }
}

fn names<'a>(names: impl Iterator<Item = &'a SourceName>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What is scaled from a sample is not known to the last digit.
fn rounded(tokens: u64, exact: bool) -> u64 {
    if exact { tokens } else { two_digits(tokens as f64) }
}

fn two_digits(number: f64) -> u64 {
    let unit = 10_f64.powf(number.max(10.0).log10().floor() - 1.0);
    ((number / unit).round() * unit) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_name_ends_no_comment() {
        let name = "a\ntext_field = \"secret\" #.jsonl";
        let mut page = Page(String::new());
        page.say(&format!("{name} has a bad row"));
        page.key("path = \"x\"", name);
        let lines: Vec<&str> = page.0.lines().collect();
        assert_eq!(lines.len(), 2, "{}", page.0);
        assert!(lines[0].starts_with("# a\\ntext_field"), "{}", lines[0]);
        assert!(lines[1].starts_with("path = \"x\""), "{}", lines[1]);
    }
}
