//! Proportions as they are written: decimals that sum to exactly one, and who they go to.

use sparkjoy_base::toml_file::{Item, Source};
use sparkjoy_base::{DomainName, Ppm, Problem, SourceName, nearest};

/// Who a share goes to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Share {
    Source(SourceName),
    Domain(DomainName),
}

/// A decimal above 0 and up to 1.
pub(super) fn proportion(item: &Item<'_>, name: &str, what: &str) -> Result<Ppm, Problem> {
    let value = item.number(|_| true, "a decimal from 0 to 1, such as 0.25")?;
    let part =
        Ppm::from_decimal(value).map_err(|why| item.problem(format!("`{}`: {why}", item.key())))?;
    if part.0 == 0 {
        return Err(item.problem(format!(
            "`{name}` has proportion 0 in {what}, expected more than 0 or no mention"
        )));
    }
    Ok(part)
}

/// A share of something that is neither a source nor a domain. `place`: what names it; `known`:
/// what it could name.
pub(super) fn undefined<'a>(
    item: &Item<'_>,
    place: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Problem {
    let nearest = nearest(name, known.clone());
    item.problem(format!("{place} names `{name}`, which is neither a source nor a domain"))
        .with_hint(format!("define it in a table `[sources.{name}]`"))
        .meant_or_known(nearest.as_deref(), known)
}

/// Nothing is normalised: what does not sum to exactly one is refused.
///
/// `what`: `` mixture `base` ``; `place`: where its table is.
pub(super) fn sum_to_one<'a>(
    parts: impl IntoIterator<Item = &'a Ppm>,
    what: &str,
    place: (Source<'_>, usize),
) -> Result<(), Problem> {
    let one = u64::from(Ppm::ONE.0);
    let sum: u64 = parts.into_iter().map(|part| u64::from(part.0)).sum();
    if sum == one {
        return Ok(());
    }
    let text = format!("proportions of {what} sum to {}, expected 1", decimal(sum));
    Err(place.0.problem(place.1, text).with_hint(if sum < one {
        format!("give the missing {} to a source", decimal(one - sum))
    } else {
        format!("take {} away", decimal(sum - one))
    }))
}

/// Parts per million as a decimal without needless zeros.
fn decimal(parts: u64) -> String {
    let text = format!("{}.{:06}", parts / 1_000_000, parts % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
