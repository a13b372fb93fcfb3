//! Which two tokens each token was merged from: what ranks leave unsaid and `tokenizer.json` says.

use splintr::core::encoder::Encoder as Ranks;

/// The two tokens whose merge is `token`, or `None` if it is no merge of tokens of lower rank.
///
/// Merges the bytes of `token` in the order of rank, as an encoder would, until only the merge
/// into `token` itself remains.
pub(super) fn halves<'a>(
    token: &'a [u8],
    rank: u32,
    ranks: &Ranks,
) -> Option<(&'a [u8], &'a [u8])> {
    // Part i is token[starts[i]..starts[i + 1]].
    let mut starts: Vec<usize> = (0..=token.len()).collect();
    let below = |bytes: &[u8]| ranks.get(bytes).filter(|&other| other < rank);
    while starts.len() > 3 {
        let (_, first) = (0..starts.len() - 2)
            .filter_map(|i| below(&token[starts[i]..starts[i + 2]]).map(|rank| (rank, i)))
            .min()?;
        starts.remove(first + 1);
    }
    match starts[..] {
        [_, middle, _] => Some(token.split_at(middle)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(tokens: &[&str]) -> Ranks {
        let mut ranks = Ranks::with_capacity(tokens.len());
        for (rank, token) in (0..).zip(tokens) {
            ranks.insert(token.as_bytes(), rank);
        }
        ranks
    }

    #[test]
    fn the_lowest_rank_merges_first_and_the_leftmost_among_equals() {
        let ranks = ranks(&["a", "b", "ab", "ba", "aba", "bab", "abab"]);
        let halves = |token: &'static str, rank| halves(token.as_bytes(), rank, &ranks);
        assert_eq!(halves("ab", 2), Some((&b"a"[..], &b"b"[..])));
        assert_eq!(halves("aba", 4), Some((&b"ab"[..], &b"a"[..])));
        assert_eq!(halves("bab", 5), Some((&b"b"[..], &b"ab"[..])));
        assert_eq!(halves("abab", 6), Some((&b"ab"[..], &b"ab"[..])));
    }

    #[test]
    fn tokens_of_higher_rank_are_no_halves() {
        let ranks = ranks(&["a", "b", "c", "abc", "ab"]);
        assert_eq!(halves(b"abc", 3, &ranks), None);
        assert_eq!(halves(b"abc", 5, &ranks), Some((&b"ab"[..], &b"c"[..])));
    }
}
