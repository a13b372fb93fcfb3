//! The mixtures of a `proportion` question: named ones, some between two, or a lattice over the
//! simplex of several.

use sparkjoy_base::toml_file::{Item, Placed, TomlTable};
use sparkjoy_base::{Ppm, Problem};

use super::selection::twice;
use super::{Known, shares};

/// A mixture, or a blend of several.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Blend {
    /// As defined.
    Whole(String),
    /// A part of the second, the rest of the first.
    Between {
        /// The mixture at 0.
        first: String,
        /// The mixture at 1.
        second: String,
        /// How much of the second.
        share: Ppm,
    },
    /// A point of a simplex.
    Among {
        /// Mixtures with their parts, at least two, none of 0 parts.
        parts: Vec<(String, u32)>,
        /// The sum of the parts.
        of: u32,
    },
}

/// What a simplex is spanned by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Corners {
    pub(crate) mixtures: Vec<Placed<String>>,
    /// All shares are multiples of one over this.
    pub(crate) parts: u32,
}

impl Blend {
    /// The share of each corner.
    pub(crate) fn composition(&self, corners: &Corners) -> Vec<f64> {
        let share = |corner: &Placed<String>| match self {
            Self::Whole(name) => f64::from(u8::from(*name == corner.value)),
            Self::Among { parts, of } => {
                let part = parts.iter().find(|(name, _)| *name == corner.value);
                part.map_or(0.0, |(_, part)| f64::from(*part) / f64::from(*of))
            }
            Self::Between { .. } => 0.0,
        };
        corners.mixtures.iter().map(share).collect()
    }
}

/// Parts that the shares of a simplex are multiples of, unless the study says otherwise: the
/// fewest with which a quadratic surface over three corners leaves something to check it by.
const PARTS: u32 = 3;
/// Points of a simplex at most: each is trained in every replicate.
const POINTS: usize = 60;

impl Known<'_> {
    /// `mixtures`, or `between` two with `shares` of the second, or `among` several in `parts`; and
    /// the corners of the last.
    pub(super) fn blends(
        &self,
        table: &mut TomlTable<'_>,
    ) -> Result<(Vec<Placed<Blend>>, Option<Corners>), Problem> {
        let expected = "a list of mixtures in quotes";
        let keys = ["mixtures", "between", "among"].map(|key| table.optional(key));
        let (file, line) = (table.source(), table.line());
        let blends = match keys {
            [Some(mixtures), None, None] => {
                let named = |item: Item<'_>| -> Result<Placed<Blend>, Problem> {
                    let Placed { value, line } = self.mixture(&item)?;
                    Ok(Placed { value: Blend::Whole(value), line })
                };
                mixtures.list(expected)?.into_iter().map(named).collect::<Result<Vec<_>, _>>()?
            }
            [None, Some(pair), None] => {
                let (file, line) = (pair.source(), pair.line());
                let pair = self.named_mixtures(pair, "two mixtures in quotes")?;
                let [first, second] = &pair[..] else {
                    let (key, found) = ("questions.between", format!("a list of {}", pair.len()));
                    return Err(file.out_of_range(line, key, found, "two mixtures"));
                };
                let between = |share: Placed<Ppm>| Placed {
                    value: Blend::Between {
                        first: first.value.clone(),
                        second: second.value.clone(),
                        share: share.value,
                    },
                    line: share.line,
                };
                shares(table)?.into_iter().map(between).collect()
            }
            [None, None, Some(corners)] => return self.simplex(corners, table),
            _ => {
                let text = "a `proportion` question has `mixtures`, or `between` and `shares`, or \
                            `among` and `parts`: expected one of the three";
                return Err(table.problem(text).with_hint(
                    "write `mixtures = [\"a\", \"b\"]`, or `between = [\"a\", \"b\"]` with \
                     `shares = [0.5]`, or `among = [\"a\", \"b\", \"c\"]`",
                ));
            }
        };
        if blends.is_empty() {
            return Err(file.out_of_range(line, "questions.mixtures", "empty", expected));
        }
        Ok((blends, None))
    }

    fn named_mixtures(
        &self,
        list: Item<'_>,
        expected: &'static str,
    ) -> Result<Vec<Placed<String>>, Problem> {
        list.list(expected)?.iter().map(|item| self.mixture(item)).collect()
    }

    /// All mixtures whose shares of the corners are multiples of one part.
    ///
    /// # Source
    ///
    /// The simplex-lattice design: Scheffé, Experiments with mixtures, Journal of the Royal
    /// Statistical Society B 20 (1958).
    fn simplex(
        &self,
        corners: Item<'_>,
        table: &mut TomlTable<'_>,
    ) -> Result<(Vec<Placed<Blend>>, Option<Corners>), Problem> {
        let (file, line) = (corners.source(), corners.line());
        let corners = self.named_mixtures(corners, "three to six mixtures in quotes")?;
        if !(3..=6).contains(&corners.len()) {
            let (key, found) = ("questions.among", format!("a list of {}", corners.len()));
            let problem = file.out_of_range(line, key, found, "three to six mixtures");
            return Err(match &corners[..] {
                [first, second] => problem.with_hint(format!(
                    "write `between = [\"{}\", \"{}\"]` with `shares = [0.25, 0.5, 0.75, 1.0]`",
                    first.value, second.value
                )),
                _ => problem,
            });
        }
        let is_twin = |i: &usize| corners[..*i].iter().any(|c| c.value == corners[*i].value);
        if let Some(twin) = (1..corners.len()).find(is_twin) {
            let text = twice("among", &format!("`{}`", corners[twin].value));
            return Err(file.problem(corners[twin].line, text));
        }
        let (mut of, mut line) = (PARTS, line);
        if let Some(item) = table.optional("parts") {
            let expected = "a whole number from 2 to 6";
            let parts = item.whole(2, expected)?;
            of = u32::try_from(parts)
                .ok()
                .filter(|parts| *parts <= 6)
                .ok_or_else(|| item.out_of_range(parts, expected))?;
            line = item.line();
        }
        let points = simplex_lattice(corners.len(), of);
        if points.len() > POINTS {
            let mut fewer =
                (2..of).rev().map(|parts| (parts, simplex_lattice(corners.len(), parts).len()));
            let fits = fewer.find(|(_, count)| *count <= POINTS);
            let text = format!(
                "`among` names {} mixtures and `parts` is {of}: that is {} mixtures to train, \
                 expected at most {POINTS}",
                corners.len(),
                points.len()
            );
            let (parts, count) = fits.expect("halves of six corners are 21 mixtures");
            let hint = format!("write `parts = {parts}`, which is {count} mixtures");
            return Err(file.problem(line, text).with_hint(hint));
        }
        let blend = |point: Vec<u32>| {
            let named = corners.iter().map(|corner| corner.value.clone()).zip(point);
            let parts: Vec<(String, u32)> = named.filter(|(_, part)| *part > 0).collect();
            let value = match &parts[..] {
                [(whole, _)] => Blend::Whole(whole.clone()),
                _ => Blend::Among { parts, of },
            };
            Placed { value, line }
        };
        let blends = points.into_iter().map(blend).collect();
        Ok((blends, Some(Corners { mixtures: corners, parts: of })))
    }
}

/// All ways to share `parts` among `corners`, those with most for the first corner first.
pub fn simplex_lattice(corners: usize, parts: u32) -> Vec<Vec<u32>> {
    if corners == 1 {
        return vec![vec![parts]];
    }
    let with = |first: u32| {
        let rest = simplex_lattice(corners - 1, parts - first).into_iter();
        rest.map(move |rest| std::iter::once(first).chain(rest).collect())
    };
    (0..=parts).rev().flat_map(with).collect()
}
