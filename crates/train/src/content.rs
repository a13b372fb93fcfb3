//! What a model or an optimizer holds, as a fingerprint of its numbers alone.

use sparkjoy_base::Fingerprint;
use sparkjoy_spec::Shape;

/// A hash of numbers as they come, tensor after tensor.
pub(crate) struct Content(blake3::Hasher);

impl Content {
    /// For the weights of a model. Its context is left out: it is no part of the weights.
    pub(crate) fn of_weights(shape: &Shape) -> Self {
        let mut content = Self::new(b"weights v1");
        let json = serde_json::to_vec(&Shape { context: 0, ..*shape });
        content.0.update(&json.expect("numbers have a JSON form"));
        content
    }

    /// For the moments of an optimizer.
    pub(crate) fn of_moments() -> Self {
        Self::new(b"moments v1")
    }

    fn new(what: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(what);
        Self(hasher)
    }

    /// Adds the numbers of the next tensor.
    pub(crate) fn add(&mut self, values: &[f32]) {
        self.0.update(bytemuck::cast_slice(values));
    }

    /// That of all numbers added.
    pub(crate) fn fingerprint(self) -> Fingerprint {
        Fingerprint::from_hash(*self.0.finalize().as_bytes())
    }
}
