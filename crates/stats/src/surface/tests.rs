//! Surfaces whose truth is known.

use super::*;
use crate::Stratum;

/// Points over three corners whose shares are multiples of one over `parts`.
pub(crate) fn over_three_corners(parts: u32) -> Vec<Vec<f64>> {
    let share = |part: u32| f64::from(part) / f64::from(parts);
    let row = |a: u32| (0..=parts - a).map(move |b| vec![share(a), share(b), share(parts - a - b)]);
    (0..=parts).flat_map(row).collect()
}

/// Between −1 and 1, the same for the same number.
fn noise(of: usize) -> f64 {
    let mixed = (of as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// Five replicates and some items of a mean that lies at `truth`, but for noise of a size.
fn measured(truth: f64, what: usize, place: usize, size: f64) -> Vec<Numbered> {
    let replicate = |r: usize| {
        let own = size * noise(1_000 * what + 10 * place + r);
        (0..20).map(|item| truth + own + size * noise(90_000 + 100 * what + item)).collect()
    };
    vec![(what, Stratum::alike(1.0, (0..5).map(replicate).collect()))]
}

/// A point of the simplex to a number.
type Truth<'a> = &'a dyn Fn(&[f64]) -> f64;

/// The surface over candidates of which gain and loss are known, but for noise.
fn found(
    parts: u32,
    unchanged: &[Vec<f64>],
    (gain, loss): (Truth<'_>, Truth<'_>),
    (margin, size): (f64, f64),
) -> Option<Surface> {
    let mut compositions = over_three_corners(parts);
    compositions.retain(|point| !unchanged.contains(point));
    let candidate = |(place, point): (usize, &Vec<f64>)| Candidate {
        objective: measured(gain(point), 0, place, size),
        guards: vec![(measured(loss(point), 1, place, size), margin)],
    };
    let candidates: Vec<Candidate> = compositions.iter().enumerate().map(candidate).collect();
    let fine = over_three_corners(60);
    let lattice = Lattice { compositions: &compositions, unchanged, fine: &fine };
    surface(&candidates, lattice, 0.95, 17)
}

/// A hill with its top at a point, 3 high.
fn hill(top: [f64; 3]) -> impl Fn(&[f64]) -> f64 {
    move |at| 3.0 - 8.0 * at.iter().zip(top).map(|(x, top)| (x - top).powi(2)).sum::<f64>()
}

fn near(found: &[f64], expected: [f64; 3], within: f64) {
    let near =
        found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < within);
    assert!(near, "{found:?}, expected {expected:?}");
}

#[test]
fn a_top_inside_is_found_between_the_measured_points() {
    let surface = found(3, &[], (&hill([0.2, 0.5, 0.3]), &|_| -1.0), (0.5, 0.02)).unwrap();
    assert_eq!(surface.gain.shape, SurfaceShape::Quadratic);
    let top = surface.optimum.unwrap();
    near(&top.composition, [0.2, 0.5, 0.3], 0.05);
    assert!((top.gain.mean - 3.0).abs() < 0.1 && !top.edge && top.spot == Spot::New, "{top:?}");
    assert!(top.gain.low < top.gain.mean && top.gain.mean < top.gain.high, "{top:?}");
    assert!(top.is_determined() && top.hold > 0.999 && top.better > 0.95, "{top:?}");
    for (share, [low, high]) in top.composition.iter().zip(&top.intervals) {
        assert!(low <= share && share <= high && high - low < 0.2, "{top:?}");
    }
    assert!(surface.error < 0.15, "{}", surface.error);
}

#[test]
fn a_top_beyond_the_simplex_is_at_its_edge() {
    let surface = found(3, &[], (&hill([-0.4, 0.8, 0.6]), &|_| -1.0), (0.5, 0.02)).unwrap();
    let top = surface.optimum.unwrap();
    assert!(top.edge, "{top:?}");
    near(&top.composition, [0.0, 0.6, 0.4], 0.05);
}

#[test]
fn a_guard_keeps_the_top_where_its_loss_is_below_the_margin() {
    let loss = |at: &[f64]| at[1];
    let surface = found(3, &[], (&hill([0.2, 0.6, 0.2]), &loss), (0.41, 0.05)).unwrap();
    assert_eq!(surface.losses[0].shape, SurfaceShape::Linear);
    let top = surface.optimum.unwrap();
    near(&top.composition, [0.3, 0.4, 0.3], 0.04);
    assert!(top.losses[0].mean < 0.41 && (top.losses[0].mean - 0.4).abs() < 0.03, "{top:?}");
    assert!(top.hold > 0.2 && top.hold < 0.98, "it lies at the margin: {top:?}");
    // The rival is a measured point whose guard holds too.
    assert!(loss(&over_three_corners(3)[top.rival.unwrap()]) < 0.41, "{top:?}");
    // Where it breaks everywhere there is no top.
    let broken = found(3, &[], (&hill([0.2, 0.6, 0.2]), &|_| 1.0), (0.5, 0.01)).unwrap();
    assert_eq!(broken.optimum, None);
}

#[test]
fn at_the_base_the_surface_is_exactly_nothing() {
    let base = vec![1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
    let top = hill([0.1, 0.7, 0.2]);
    let gain = |at: &[f64]| top(at) - top(&base);
    // Noise that is not small: without the base the fit would miss it.
    let surface = found(3, std::slice::from_ref(&base), (&gain, &|_| 0.1), (0.5, 0.4)).unwrap();
    assert!(surface.gain.at(&base).abs() < 1e-9, "{}", surface.gain.at(&base));
    assert!(surface.losses[0].at(&base).abs() < 1e-9);
    // A base that is a corner, and of which all else is worse, is the top itself.
    let corner = vec![0.0, 0.0, 1.0];
    let worse = |at: &[f64]| at[2] - 1.0;
    let surface = found(3, std::slice::from_ref(&corner), (&worse, &|_| 0.0), (0.5, 0.01));
    let top = surface.unwrap().optimum.unwrap();
    assert_eq!((top.spot, top.rival), (Spot::Base, None));
    assert!(top.gain.mean.abs() < 1e-9 && top.better < 1e-9, "{top:?}");
}

#[test]
fn noise_alone_determines_nothing() {
    let (mut planes, mut open) = (0, 0);
    for world in 0..20 {
        let gain =
            |at: &[f64]| 0.2 * noise(7_000 + 100 * world + (at[0] * 30.0 + at[1] * 3.0) as usize);
        let top = found(3, &[], (&gain, &|_| -9.0), (0.5, 1.0)).unwrap();
        planes += u32::from(top.gain.shape == SurfaceShape::Linear);
        open += u32::from(!top.optimum.unwrap().is_determined());
    }
    // A plane predicts noise better, and which of its corners is the highest is mostly open.
    assert!(planes >= 15 && open >= 15, "{planes} {open}");
}

#[test]
fn too_few_points_for_a_quadratic_leave_a_plane_and_fewer_leave_nothing() {
    let halves = found(2, &[], (&hill([0.2, 0.5, 0.3]), &|_| 0.0), (0.5, 0.01)).unwrap();
    assert_eq!(halves.gain.shape, SurfaceShape::Linear);
    assert_eq!(found(1, &[], (&hill([0.2, 0.5, 0.3]), &|_| 0.0), (0.5, 0.01)), None);
}

#[test]
fn a_corner_in_two_descriptions_of_the_base_counts_once() {
    // Three exact points on one line: the third says nothing that the others do not.
    let line = [vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0], vec![0.5, 0.5, 0.0]];
    let surface = found(2, &line, (&|at| 2.0 * at[2], &|_| 0.0), (0.5, 0.01)).unwrap();
    let [a, b, c] = surface.gain.coefficients[..] else { panic!("a plane: {surface:?}") };
    assert!(a.abs() < 1e-9 && b.abs() < 1e-9 && (c - 2.0).abs() < 0.05, "{surface:?}");
}
