//! The ranking of arms with a significant targeted effect.

use sparkjoy_study::{Ask, Role};

use super::Inference;
use crate::{Comparison, Contrast, FamilyKind, Finding, Ranking, Verdict, What};

impl Inference<'_> {
    /// Significant arms, those with the largest targeted gain first; for a removal, the largest
    /// loss first.
    pub(super) fn rank(&mut self) {
        let mut ranked: Vec<(f64, usize)> = Vec::new();
        for arm in self.arms(Role::Answer) {
            let cell = self.cell(arm, &What::Targeted);
            if let Some(Comparison { verdict: Verdict::Better | Verdict::Worse, effect, .. }) = cell
            {
                let mean = effect.as_ref().map_or(0.0, |effect| effect.mean);
                let removal = self.answer.ask == Ask::Removal;
                ranked.push((if removal { -mean } else { mean }, arm));
            }
        }
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.answer.ranking = ranked.into_iter().map(|(_, arm)| arm).collect();
    }

    /// The ranking with the contrasts of neighbours, corrected together.
    pub(super) fn ranking(&mut self) {
        let arms = self.answer.ranking.clone();
        if arms.len() < 2 {
            return;
        }
        let pairs = arms.windows(2);
        let mut neighbours: Vec<Contrast> = pairs
            .map(|pair| self.difference(pair[0], pair[1]).expect("ranked arms have effects"))
            .collect();
        self.together(FamilyKind::Neighbours, neighbours.iter_mut());
        self.find(Finding::Ranking(Ranking { arms, neighbours }));
    }
}
