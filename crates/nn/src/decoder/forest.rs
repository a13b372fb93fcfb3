//! Sequences with common beginnings, merged into a forest (prefix trees).

use std::ops::Range;

/// A run of tokens after those of its parent.
///
/// Rows are in depth-first order, so a node and all its descendants are one range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Its own rows, counted from the tree's first.
    pub(super) rows: Range<usize>,
    /// End of the rows of its descendants.
    pub(super) end: usize,
    /// Position of its first token, counted from the tree's beginning.
    pub(super) position: usize,
}

/// Sequences with the same first token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PrefixTree {
    /// Depth first.
    pub(super) nodes: Vec<Node>,
    /// The token of each row.
    pub(super) tokens: Vec<u32>,
}

/// Where a sequence lies: its tree, and the nodes from the root to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) tree: usize,
    nodes: Vec<usize>,
}

impl Path {
    pub(super) fn row(&self, trees: &[PrefixTree], position: usize) -> usize {
        let nodes = &trees[self.tree].nodes;
        let node = self.nodes.iter().rev().map(|&node| &nodes[node]);
        let node = node.into_iter().find(|node| node.position <= position);
        let node = node.expect("a path begins at position 0");
        node.rows.start + position - node.position
    }
}

/// The forest of some sequences, none of them empty, and the path of each.
///
/// # Guarantees
///
/// Every distinct beginning of a sequence has exactly one row. Trees and nodes are in the order in
/// which the sequences first use them.
pub(super) fn forest(sequences: &[&[u32]]) -> (Vec<PrefixTree>, Vec<Path>) {
    let mut builder =
        Builder { sequences, trees: Vec::new(), paths: vec![Path::default(); sequences.len()] };
    let all: Vec<usize> = (0..sequences.len()).collect();
    for members in builder.groups(&all, 0) {
        builder.trees.push(PrefixTree::default());
        builder.node(&members, 0);
    }
    (builder.trees, builder.paths)
}

struct Builder<'a> {
    sequences: &'a [&'a [u32]],
    trees: Vec<PrefixTree>,
    paths: Vec<Path>,
}

impl Builder<'_> {
    /// Members longer than `position`, grouped by their token there, in order of appearance.
    fn groups(&self, members: &[usize], position: usize) -> Vec<Vec<usize>> {
        let mut groups: Vec<(u32, Vec<usize>)> = Vec::new();
        for &member in members {
            let Some(&token) = self.sequences[member].get(position) else { continue };
            match groups.iter_mut().find(|(first, _)| *first == token) {
                Some((_, group)) => group.push(member),
                None => groups.push((token, vec![member])),
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }

    /// Adds the node of the tokens that `members` share from `position` on, and its descendants.
    /// All members are equal up to and including the token at `position`.
    fn node(&mut self, members: &[usize], position: usize) {
        let first = self.sequences[members[0]];
        let alike = |&member: &usize| {
            let both = first[position..].iter().zip(&self.sequences[member][position..]);
            both.take_while(|(a, b)| a == b).count()
        };
        let len = members.iter().map(alike).min().expect("a group has members");
        let tree = self.trees.len() - 1;
        let index = self.trees[tree].nodes.len();
        for &member in members {
            self.paths[member].tree = tree;
            self.paths[member].nodes.push(index);
        }
        let start = self.trees[tree].tokens.len();
        self.trees[tree].tokens.extend(&first[position..position + len]);
        self.trees[tree].nodes.push(Node { rows: start..start + len, end: 0, position });
        for group in self.groups(members, position + len) {
            self.node(&group, position + len);
        }
        self.trees[tree].nodes[index].end = self.trees[tree].tokens.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_sequences_share_is_there_once() {
        let sequences: [&[u32]; 5] = [&[1, 2, 3, 4], &[1, 2, 5], &[9], &[1, 2, 3, 4], &[1, 2]];
        let (trees, paths) = forest(&sequences);
        assert_eq!(trees[0].tokens, [1, 2, 3, 4, 5]);
        assert_eq!(
            trees[0].nodes,
            [
                Node { rows: 0..2, end: 5, position: 0 },
                Node { rows: 2..4, end: 4, position: 2 },
                Node { rows: 4..5, end: 5, position: 2 },
            ]
        );
        assert_eq!(trees[1].tokens, [9]);
        assert_eq!(paths[0], paths[3]);
        assert_eq!(paths[1].row(&trees, 2), 4);
        assert_eq!(paths[4].row(&trees, 1), 1);
    }

    proptest! {
        #[test]
        fn every_sequence_is_found_again_and_no_beginning_twice(
            sequences in vec(vec(0_u32..3, 1..8), 1..12),
        ) {
            let slices: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
            let (trees, paths) = forest(&slices);
            for (sequence, path) in sequences.iter().zip(&paths) {
                for (position, token) in sequence.iter().enumerate() {
                    prop_assert_eq!(trees[path.tree].tokens[path.row(&trees, position)], *token);
                }
            }
            let mut beginnings: Vec<&[u32]> =
                slices.iter().flat_map(|s| (1..=s.len()).map(|end| &s[..end])).collect();
            beginnings.sort_unstable();
            beginnings.dedup();
            let rows: usize = trees.iter().map(|tree| tree.tokens.len()).sum();
            prop_assert_eq!(rows, beginnings.len());
        }
    }
}
