//! Reads `[model]` and `[training]`: the shape, the clock, the optimizer, the learning-rate curve.

use sparkjoy_base::toml_file::{Item, TomlTable};
use sparkjoy_base::{Problem, Span, Tokens, thousands};
use sparkjoy_spec::{OptimizerKind, Precision, Schedule, ScheduleKind};

use super::clock::Clock;

const AT_LEAST_ONE: &str = "a whole number of at least 1";
const SPAN: &str = "a duration in quotes, such as \"1M\", \"2%\" or \"500 steps\"";

/// The model as written: a shape without its vocabulary, which the tokenizer gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) layers: usize,
    /// Width of the residual stream.
    pub(crate) width: usize,
    pub(crate) heads: usize,
    /// Tokens per sequence.
    pub(crate) context: usize,
    /// Clamp of the query-key-value projection.
    pub(crate) clip_qkv: Option<f32>,
    /// The line a wrong shape is reported at.
    pub(crate) line: usize,
}

/// The size of a model that differs from the study's in nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) layers: usize,
    /// Width of the residual stream.
    pub(crate) width: usize,
    pub(crate) heads: usize,
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} layers, width {}, {} heads", self.layers, self.width, self.heads)
    }
}

impl Size {
    /// Reads the three numbers of a table, with the line of the last.
    pub(crate) fn read(table: &mut TomlTable<'_>) -> Result<(Self, usize), Problem> {
        let mut line = 0;
        let mut number = |key, most| {
            let item = table.required(key, AT_LEAST_ONE)?;
            line = item.line();
            Ok::<_, Problem>(count(&item, most)? as usize)
        };
        let layers = number("layers", 1024)?;
        let (width, heads) = (number("width", 65_536)?, number("heads", 65_536)?);
        Ok((Self { layers, width, heads }, line))
    }
}

impl Model {
    /// Its size, as other sizes are written.
    pub(crate) fn size(&self) -> Size {
        Size { layers: self.layers, width: self.width, heads: self.heads }
    }

    pub(crate) fn read(mut table: TomlTable<'_>) -> Result<Self, Problem> {
        let (Size { layers, width, heads }, line) = Size::read(&mut table)?;
        let item = table.required("context", "a whole number of at least 2")?;
        item.whole(2, "a whole number of at least 2")?;
        let context = count(&item, 1 << 20)? as usize;
        let clip_qkv = positive(table.optional("clip_qkv"))?;
        table.finish()?;
        Ok(Self { layers, width, heads, context, clip_qkv, line })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Training {
    /// Budget, batch and context.
    pub(crate) clock: Clock,
    /// What the factors of products are rounded to.
    pub(crate) precision: Precision,
    pub(crate) optimizer: OptimizerKind,
    /// Learning-rate curve over the whole run.
    pub(crate) schedule: Schedule,
    /// Global-norm clipping.
    pub(crate) grad_clip: Option<f32>,
    /// Data orders per branch.
    pub(crate) replicates: u32,
    /// Whether each of them has a trunk of its own.
    pub(crate) own_trunks: bool,
}

impl Training {
    pub(crate) fn read(mut table: TomlTable<'_>, model: &Model) -> Result<Self, Problem> {
        let budget = table.required("budget", "the tokens of the run, such as \"40M\"")?;
        let batch = count(&table.required("batch", "the sequences of a step")?, 1_000_000)?;
        let clock = Clock {
            budget: budget.quantity::<Tokens>("a number of tokens in quotes, such as \"40M\"")?,
            batch,
            context: model.context as u64,
        };
        if clock.steps() == 0 {
            return Err(budget.problem(format!(
                "budget {} is less than one step of {} tokens (batch × context)",
                clock.budget,
                clock.step()
            )));
        }
        let precision = table.optional("precision").as_ref().map(precision).transpose()?;
        let optimizer =
            optimizer(table.required("optimizer", "a table such as { kind = \"lionw\", … }")?)?;
        let schedule = table.required("schedule", "a table such as { kind = \"constant\", … }")?;
        let schedule = schedule_of(schedule, clock)?;
        let grad_clip = positive(table.optional("grad_clip"))?;
        let replicates = table.required("replicates", "the number of data orders per branch")?;
        let replicates = count(&replicates, 1000)?;
        let own_trunks = match table.optional("trunks") {
            None => false,
            Some(item) => {
                let trunks = count(&item, 1000)?;
                if trunks != 1 && trunks != replicates {
                    let found = thousands(trunks);
                    let expected = "1, or as many as `replicates`";
                    return Err(item.out_of_range(found, expected).with_hint(format!(
                        "write `trunks = {replicates}`: each replicate then has a trunk of its own, \
                         and intervals are about other trunks too"
                    )));
                }
                trunks > 1
            }
        };
        table.finish()?;
        let replicates = replicates as u32;
        let precision = precision.unwrap_or_default();
        Ok(Self { clock, precision, optimizer, schedule, grad_clip, replicates, own_trunks })
    }
}

/// A whole number from 1 to `most`. Nobody trains with more; with these limits the sums of a plan
/// stay exact.
fn count(item: &Item<'_>, most: u64) -> Result<u64, Problem> {
    let number = item.whole(1, AT_LEAST_ONE)?;
    let more = || item.out_of_range(thousands(number), &format!("at most {}", thousands(most)));
    if number > most { Err(more()) } else { Ok(number) }
}

fn positive(item: Option<Item<'_>>) -> Result<Option<f32>, Problem> {
    let read = |item: Item<'_>| item.number(|x| x.is_finite() && x > 0.0, "a number above 0");
    Ok(item.map(read).transpose()?.map(|x| x as f32))
}

fn precision(item: &Item<'_>) -> Result<Precision, Problem> {
    Ok(match item.choice(&["bf16", "fp32"])? {
        "fp32" => Precision::Fp32,
        _ => Precision::Bf16,
    })
}

fn optimizer(item: Item<'_>) -> Result<OptimizerKind, Problem> {
    let mut table = item.table()?;
    let kind = table.required("kind", "`lionw` or `adamw`")?.choice(&["lionw", "adamw"])?;
    let lr = table.required("lr", "the peak learning rate")?;
    let lr = lr.number(|x| x.is_finite() && x > 0.0, "a number above 0")?;
    let betas = betas(table.required("betas", "two numbers, such as [0.9, 0.95]")?)?;
    let mut not_negative = |key, expected| {
        let item = table.required(key, expected)?;
        item.number(|x| x.is_finite() && x >= 0.0, "a number of at least 0")
    };
    let weight_decay = not_negative("weight_decay", "a number, 0 for none")?;
    let kind = if kind == "lionw" {
        OptimizerKind::LionW { lr, betas, weight_decay }
    } else {
        let eps = not_negative("eps", "a number, usually 1e-8")?;
        OptimizerKind::AdamW { lr, betas, eps, weight_decay }
    };
    table.finish()?;
    Ok(kind)
}

fn betas(item: Item<'_>) -> Result<[f64; 2], Problem> {
    let expected = "two numbers of at least 0 and below 1";
    let line_and_key = (item.line(), item.key().to_owned());
    let source = item.source();
    let items = item.list(expected)?;
    let betas: Vec<f64> = items
        .iter()
        .map(|item| item.number(|x| (0.0..1.0).contains(&x), expected))
        .collect::<Result<_, _>>()?;
    betas.try_into().map_err(|wrong: Vec<f64>| {
        let (line, key) = line_and_key;
        source.out_of_range(line, &key, format!("a list of {}", wrong.len()), expected)
    })
}

/// The curve with its lengths in tokens.
fn schedule_of(item: Item<'_>, clock: Clock) -> Result<Schedule, Problem> {
    let kinds = ["inverse-sqrt", "warmup-stable-decay", "cosine", "linear", "constant"];
    let (source, line) = (item.source(), item.line());
    let mut table = item.table()?;
    let kind = table.required("kind", "the shape of the curve")?.choice(&kinds)?;
    let mut length = |key| {
        let item = table.required(key, SPAN)?;
        let span = item.quantity::<Span>(SPAN)?;
        let tokens = clock.tokens_of(span);
        if tokens > Tokens::MOST.0 {
            return Err(item.out_of_range(span, "at most 1000T tokens"));
        }
        Ok(tokens)
    };
    let warmup = length("warmup")?;
    let (kind, down) = match kind {
        "inverse-sqrt" => {
            let (scale, cooldown) = (length("scale")?, length("cooldown")?);
            if scale == 0 {
                let (key, expected) = ("training.schedule.scale", "a duration above 0");
                return Err(source.out_of_range(line, key, 0, expected));
            }
            (ScheduleKind::InverseSqrt { warmup, scale, cooldown }, cooldown)
        }
        "warmup-stable-decay" => {
            let decay = length("decay")?;
            (ScheduleKind::WarmupStableDecay { warmup, decay }, decay)
        }
        "cosine" => (ScheduleKind::Cosine { warmup, floor: floor(&mut table)? }, 0),
        "linear" => (ScheduleKind::Linear { warmup, floor: floor(&mut table)? }, 0),
        _ => (ScheduleKind::Constant { warmup }, 0),
    };
    table.finish()?;
    let (needed, total) = (Tokens(warmup.saturating_add(down)), clock.total());
    if needed > total {
        let text =
            format!("warmup and cooldown take {needed} tokens, expected at most the run's {total}");
        return Err(source.problem(line, text));
    }
    Ok(Schedule { kind, total: total.0 })
}

fn floor(table: &mut TomlTable<'_>) -> Result<f64, Problem> {
    let expected = "a number from 0 to 1";
    table
        .required("floor", "the final rate as a part of the peak")?
        .number(|x| (0.0..=1.0).contains(&x), expected)
}
