//! What would fit under a source's `max_epochs`, for the error that refuses a plan.

use std::fmt;

use sparkjoy_base::Ppm;

/// The nearest plans that would not read a source too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The largest proportion in the same window, if any.
    pub proportion: Option<Ppm>,
    /// The longest or shortest window with the same proportion, as a share of the run, if any.
    pub window: Option<WindowBound>,
}

/// On which side a window would have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowBound {
    /// The branch draws more of the source than the trunk: the window may be this long.
    AtMost(Ppm),
    /// The branch draws less of it: the window must be this long.
    AtLeast(Ppm),
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.window.map(|bound| match bound {
            WindowBound::AtMost(share) => format!("a window of at most {share}"),
            WindowBound::AtLeast(share) => format!("a window of at least {share}"),
        });
        let proportion = self.proportion.map(|p| format!("a proportion of at most {p}"));
        match (proportion, window) {
            (Some(proportion), Some(window)) => write!(f, "{proportion}, or {window}, would fit"),
            (Some(one), None) | (None, Some(one)) => write!(f, "{one} would fit"),
            (None, None) => f.write_str("the trunk alone reads it too often"),
        }
    }
}
