//! The order in which CPython iterates over a set of small integers.
//!
//! The original joins few-shot examples in the order of a Python set, which is the order of its
//! hash table: neither that of drawing nor that of size. A port with the same prompts needs the
//! same table. An integer is its own hash; what it meets in the table decides the rest.

/// Entries looked at side by side before jumping.
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;
/// Entries of an empty set's table.
const SMALLEST: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    Never,
    Removed,
    Holds(usize),
}

/// A set as CPython's `set` of integers that are not negative.
///
/// # Source
///
/// `Objects/setobject.c` of CPython 3.11: `set_add_entry`, `set_table_resize`,
/// `set_insert_clean`, `set_discard_entry`; 3.10 to 3.13 give the same orders, 3.9 does not.
pub(crate) struct IntSet {
    /// `[2^m]`.
    table: Vec<Entry>,
    /// Entries that were ever filled since the table was made, removed ones too.
    filled: usize,
    used: usize,
}

impl IntSet {
    pub(crate) fn new() -> Self {
        Self { table: vec![Entry::Never; SMALLEST], filled: 0, used: 0 }
    }

    /// Adds a number; nothing happens if it is there.
    pub(crate) fn add(&mut self, number: usize) {
        let Slot::Free(at) = self.find(number) else { return };
        self.used += 1;
        let was = std::mem::replace(&mut self.table[at], Entry::Holds(number));
        if was == Entry::Removed {
            return; // An entry used again fills nothing.
        }
        self.filled += 1;
        // At three fifths full the table grows, to more than four times what is in it.
        if self.filled * 5 >= (self.table.len() - 1) * 3 {
            self.grow();
        }
    }

    /// Removes a number; its entry stays in the way until another number takes it.
    pub(crate) fn remove(&mut self, number: usize) {
        let Slot::Taken(at) = self.find(number) else { return };
        self.table[at] = Entry::Removed;
        self.used -= 1;
    }

    /// Whether the number is there.
    pub(crate) fn contains(&self, number: usize) -> bool {
        matches!(self.find(number), Slot::Taken(_))
    }

    /// The numbers, in the order of the table.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let held = |entry: &Entry| match entry {
            Entry::Holds(number) => Some(*number),
            Entry::Never | Entry::Removed => None,
        };
        self.table.iter().filter_map(held).collect()
    }

    fn find(&self, number: usize) -> Slot {
        let mask = self.table.len() - 1;
        let (mut perturb, mut at) = (number, number & mask);
        let mut removed = None;
        loop {
            // Side by side only where that does not run over the end.
            let probes = if at + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 };
            for i in at..=at + probes {
                match self.table[i] {
                    // The last removed entry on the way is used before a new one.
                    Entry::Never => return Slot::Free(removed.unwrap_or(i)),
                    Entry::Holds(found) if found == number => return Slot::Taken(i),
                    Entry::Holds(_) => {}
                    Entry::Removed => removed = Some(i),
                }
            }
            perturb >>= PERTURB_SHIFT;
            at = at.wrapping_mul(5).wrapping_add(1).wrapping_add(perturb) & mask;
        }
    }

    fn grow(&mut self) {
        let least = if self.used > 50_000 { self.used * 2 } else { self.used * 4 };
        let numbers = self.in_order();
        self.table = vec![Entry::Never; (least + 1).next_power_of_two().max(SMALLEST)];
        self.filled = self.used;
        for number in numbers {
            if let Slot::Free(at) = self.find(number) {
                self.table[at] = Entry::Holds(number);
            }
        }
    }
}

/// Where a number is, or would go.
enum Slot {
    Free(usize),
    Taken(usize),
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// Numbers added to a set, or removed where negative (-1 - number), and the set's order then.
    #[derive(Deserialize)]
    struct History {
        steps: Vec<i64>,
        order: Vec<usize>,
    }

    #[derive(Deserialize)]
    struct Golden {
        sets: Vec<History>,
    }

    #[test]
    fn sets_with_a_past_are_in_cpythons_order() {
        let golden = include_str!("../testdata/few_shot.json");
        let golden: Golden = serde_json::from_str(golden).unwrap();
        for History { steps, order } in golden.sets {
            let mut set = IntSet::new();
            for step in &steps {
                match usize::try_from(*step) {
                    Ok(number) => set.add(number),
                    Err(_) => set.remove(usize::try_from(-1 - step).unwrap()),
                }
            }
            assert_eq!(set.in_order(), order, "{steps:?}");
        }
    }

    /// `list({...})` of CPython 3.11.
    #[test]
    fn sets_are_in_the_order_of_their_table() {
        let order = |numbers: &[usize]| {
            let mut set = IntSet::new();
            for &number in numbers {
                set.add(number);
            }
            set.in_order()
        };
        assert_eq!(order(&[9, 1, 17]), [9, 1, 17]);
        assert_eq!(order(&[40, 8, 16, 32]), [40, 8, 32, 16]);
        assert_eq!(order(&[33, 65, 1, 97, 2]), [65, 33, 2, 1, 97]);
    }

    #[test]
    fn the_place_of_a_removed_number_is_used_again() {
        let mut set = IntSet::new();
        for number in [1, 9] {
            set.add(number);
        }
        set.remove(1);
        assert!(!set.contains(1) && set.contains(9));
        set.add(17);
        set.remove(200);
        assert_eq!(set.in_order(), [17, 9]);
    }
}
