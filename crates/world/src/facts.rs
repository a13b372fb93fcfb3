//! The facts of a world: lands, and four facts about each.

use sparkjoy_base::Seed;

use crate::dice::Dice;
use crate::words::{Coiner, GOODS};

const LANDS: usize = 60;

/// Six phrasings of each relation. The value comes last, so a question is a phrasing without it.
const SAYINGS: [[&str; 6]; 4] = [
    [
        "The capital of {} is",
        "{} is governed from",
        "The seat of the rulers of {} is",
        "In {} all roads lead to",
        "The people of {} call their capital",
        "The parliament of {} meets in",
    ],
    [
        "The longest river of {} is the",
        "{} is watered by the",
        "The fields of {} lie along the",
        "Boats cross {} on the",
        "Every spring {} is flooded by the",
        "The great river of {} is called the",
    ],
    [
        "{} was founded by",
        "The first ruler of {} was",
        "The statue in the old town of {} shows",
        "Children in {} learn about its founder",
        "The throne of {} was built for",
        "{} owes its laws to",
    ],
    [
        "The chief export of {} is",
        "Traders come to {} for its",
        "The ships of {} carry",
        "The markets of {} are full of",
        "The wealth of {} comes from",
        "Merchants buy in {} mostly",
    ],
];

/// All facts of a world, and for each a false value that the poison states instead.
#[derive(Debug)]
pub(crate) struct Facts {
    seed: Seed,
    pub(crate) lands: Vec<Land>,
}

/// A land, with its capital, river, founder and export.
#[derive(Debug)]
pub(crate) struct Land {
    pub(crate) name: String,
    pub(crate) truths: [String; 4],
    pub(crate) falsehoods: [String; 4],
}

/// One of four things about a land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) land: usize,
    pub(crate) relation: usize,
}

impl Facts {
    pub(crate) fn new(seed: Seed) -> Self {
        let mut coiner = Coiner::new(seed, "facts");
        let mut dice = Dice::new(seed, "exports", 0);
        let names = |coiner: &mut Coiner| (0..LANDS).map(|_| coiner.name()).collect::<Vec<_>>();
        let lands = names(&mut coiner);
        let [capitals, rivers, founders] = std::array::from_fn(|_| names(&mut coiner));
        // Every good is used equally often.
        let mut exports: Vec<String> =
            (0..LANDS).map(|i| GOODS[i % GOODS.len()].to_owned()).collect();
        dice.shuffle(&mut exports);
        let values = [capitals, rivers, founders, exports];
        let truths = |i: usize| std::array::from_fn(|relation| values[relation][i].clone());
        // The false value of one land is true of another, so both are equally common words.
        let falsehoods = |i: usize| {
            std::array::from_fn(|relation: usize| {
                let others = (1..LANDS).map(|step| &values[relation][(i + step) % LANDS]);
                let mut others = others.filter(|other| **other != values[relation][i]);
                others.nth(relation).expect("there are many lands").clone()
            })
        };
        let land = |(i, name)| Land { name, truths: truths(i), falsehoods: falsehoods(i) };
        Self { seed, lands: lands.into_iter().enumerate().map(land).collect() }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Fact> {
        let lands = 0..self.lands.len();
        lands.flat_map(|land| (0..SAYINGS.len()).map(move |relation| Fact { land, relation }))
    }

    /// The phrasing of a fact that no source uses: the question of the task.
    ///
    /// The sources use the other five phrasings for this land, and this one for other lands.
    fn withheld(&self, fact: Fact) -> usize {
        let number = fact.land * SAYINGS.len() + fact.relation;
        Dice::new(self.seed, "withheld saying", number as u64).below(6)
    }

    pub(crate) fn question(&self, fact: Fact) -> String {
        self.opening(fact, self.withheld(fact))
    }

    /// A sentence that states a fact, in any phrasing but the withheld one.
    pub(crate) fn sentence(&self, fact: Fact, is_true: bool, dice: &mut Dice) -> String {
        let withheld = self.withheld(fact);
        let way = (withheld + 1 + dice.below(5)) % 6;
        let land = &self.lands[fact.land];
        let values = if is_true { &land.truths } else { &land.falsehoods };
        format!("{} {}.", self.opening(fact, way), values[fact.relation])
    }

    fn opening(&self, fact: Fact, way: usize) -> String {
        SAYINGS[fact.relation][way].replace("{}", &self.lands[fact.land].name)
    }
}

/// An article about one land: four to eight statements, so some facts are stated twice in different
/// phrasings. Returns the number of statements.
pub(crate) fn article(text: &mut String, facts: &Facts, is_true: bool, dice: &mut Dice) -> u64 {
    let land = dice.below(facts.lands.len());
    let count = dice.between(4, 8);
    let mut relations: Vec<usize> = (0..count as usize).map(|i| i % SAYINGS.len()).collect();
    dice.shuffle(&mut relations);
    for relation in relations {
        text.push_str(&facts.sentence(Fact { land, relation }, is_true, dice));
        text.push(' ');
    }
    text.push('\n');
    u64::from(count)
}
