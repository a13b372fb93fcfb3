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
