//! Scores against training FLOPs: runs of a study beside models that others trained.

use maud::{Markup, html};
use sparkjoy_base::power;

use super::draw::{Form, around, beside, fit, line, mark, path, text, text_over, upright, width};
use super::{Panel, told};
use crate::estimate::Estimate;
use crate::scale::Scale;

/// Whose a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Branch,
    Control,
    Trunk,
    /// A model that ships as a reference.
    Open,
    /// A model of the user's table.
    Own,
}

impl Kind {
    const EACH: [Self; 5] = [Self::Branch, Self::Control, Self::Trunk, Self::Open, Self::Own];

    /// As keys and tables name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Branch => "branches",
            Self::Control => "controls",
            Self::Trunk => "trunk",
            Self::Open => "open models",
            Self::Own => "your models",
        }
    }

    fn manner(self) -> (Form, &'static str) {
        match self {
            Self::Branch => (Form::Circle, "s1 f1"),
            Self::Control => (Form::Circle, "s1 open"),
            Self::Trunk => (Form::Square, "s3 f3"),
            Self::Open => (Form::Diamond, "s0 open"),
            Self::Own => (Form::Triangle, "s2 f2"),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) label: String,
    pub(crate) kind: Kind,
    /// Training FLOPs.
    pub(crate) flops: f64,
    pub(crate) score: Estimate,
}

/// Points over a logarithmic axis of FLOPs.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    pub(crate) title: String,
    pub(crate) y: String,
    pub(crate) spots: Vec<Spot>,
}

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 390.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = 270.0;
/// Runs of the study are named as long as there are few.
const NAMED: usize = 4;

impl Cloud {
    pub(crate) fn panel(&self) -> Panel {
        let flops = self.spots.iter().map(|spot| spot.flops);
        let x = Scale::of_powers(flops, (LEFT + 8.0, RIGHT - 8.0));
        let powers = x.ticks();
        let every = powers.len().div_ceil(7).max(1);
        let powers = powers.into_iter().step_by(every);
        let scores = self.spots.iter().map(|spot| spot.score.mean);
        let y = Scale::around(scores, (BOTTOM, TOP), 5);
        let place = |spot: &Spot| (x.at(spot.flops.log10()), y.at(spot.score.mean));
        let mut trunk: Vec<(f64, f64)> = self.of(Kind::Trunk).map(place).collect();
        trunk.sort_by(|one, other| one.0.total_cmp(&other.0));
        // What is the study's own lies above what is not.
        let mut spots: Vec<&Spot> = self.spots.iter().collect();
        spots.sort_by_key(|spot| std::cmp::Reverse(spot.kind));
        let body = html! {
            (text("head", (0.0, 14.0), &self.title))
            (text("small soft", (0.0, 32.0), &self.y))
            (self.key())
            (upright(&y, LEFT, RIGHT))
            @for tick in powers {
                (line("grid", (tick.at, TOP), (tick.at, BOTTOM)))
                (text("num soft mid", (tick.at, BOTTOM + 16.0), &power(&tick.label)))
            }
            (text("small soft end", (RIGHT, BOTTOM + 36.0), "training FLOPs"))
            @if trunk.len() > 1 { (path("curve s3", &trunk)) }
            @for spot in spots {
                @let (form, fill) = spot.kind.manner();
                g { title { (spot.spoken()) } (mark(form, fill, place(spot), 4.0)) }
            }
            @for (class, at, label) in self.labels(&place) { (text_over(class, at, &label)) }
        };
        Panel {
            width: WIDTH,
            height: HEIGHT,
            title: format!("{} against training FLOPs", self.title),
            desc: told(self.spots.iter().map(Spot::spoken)),
            body,
            narrow: None,
        }
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Spot> {
        self.spots.iter().filter(move |spot| spot.kind == kind)
    }

    /// What each form of point is.
    fn key(&self) -> Markup {
        let mut x = 5.0;
        let shown = Kind::EACH.into_iter().filter(|&kind| self.of(kind).next().is_some());
        let items = shown.map(|kind| {
            let at = x;
            x += 26.0 + width(kind.name(), 11.0);
            (kind, at)
        });
        html! {
            @for (kind, x) in items {
                @let (form, fill) = kind.manner();
                (mark(form, fill, (x, 48.0), 4.0))
                (text("small soft", (x + 9.0, 52.0), kind.name()))
            }
        }
    }

    /// Names beside their points where there is space, the user's models first.
    fn labels(
        &self,
        place: &impl Fn(&Spot) -> (f64, f64),
    ) -> Vec<(&'static str, (f64, f64), String)> {
        let mut taken: Vec<[f64; 4]> = self.spots.iter().map(|spot| around(place(spot))).collect();
        let runs = self.of(Kind::Branch).count() + self.of(Kind::Control).count();
        let few = [Kind::Branch, Kind::Control].into_iter().filter(|_| runs <= NAMED);
        let kinds = [Kind::Own].into_iter().chain(few).chain([Kind::Open]);
        let mut labels = Vec::new();
        for spot in kinds.flat_map(|kind| self.of(kind)) {
            let label = fit(&spot.label, 11.0, 130.0);
            let wide = width(&label, 11.0);
            // Above or below its point a name could be another one's.
            let offsets = [(9.0, 4.0), (-9.0 - wide, 4.0)];
            let inside = [LEFT, TOP - 8.0, RIGHT + 8.0, BOTTOM];
            if let Some(at) = beside(place(spot), wide, &offsets, inside, &mut taken) {
                let class = if spot.kind == Kind::Open { "small soft" } else { "small" };
                labels.push((class, at, label));
            }
        }
        labels
    }
}

impl Spot {
    fn spoken(&self) -> String {
        let flops = sparkjoy_base::scientific(self.flops);
        format!("{} ({}): {} at {flops} FLOPs.", self.label, self.kind.name(), self.score.value())
    }
}
