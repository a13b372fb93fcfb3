//! `tokenizer.json` and `tokenizer_config.json`, as `transformers` reads them.
//!
//! Only the vocabulary is news in them; the rest states again what the code knows (the split, the
//! merges). So reading them back means checking that nothing else stands there.

use std::path::Path;

use serde::Serialize;
use serde::ser::Serializer;
use serde_json::{Map, Value};
use sparkjoy_base::{read_at_most, write_atomic};
use splintr::core::byte_level::{byte_level_decode, byte_level_encode};

use super::error::not_ours;
use super::merges::halves;
use super::{END_OF_TEXT, Tokenizer, TokenizerError, TokenizerKind, cl100k, train};

pub(super) const TOKENIZER: &str = "tokenizer.json";
pub(super) const CONFIG: &str = "tokenizer_config.json";

/// The most bytes of a `tokenizer.json`; the largest that are published have 40 MB.
pub(super) const TOKENIZER_BYTES_MAX: u64 = 256 << 20;

/// The split of `cl100k_base`, spelled so that Oniguruma and Rust's regex crates read the same.
///
/// # Source
///
/// tiktoken's `cl100k_base`. Its possessive quantifiers are greedy here, which changes nothing
/// (what follows each can never match what it gives back) and which Oniguruma needs for
/// `{1,3}+`. Its `$` is `\z`: in Oniguruma `$` ends every line.
const SPLIT: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s";

pub(super) fn save(tokenizer: &Tokenizer, folder: &Path) -> Result<(), TokenizerError> {
    let file = File::of(tokenizer).expect("a tokenizer is only made of tokens that merge");
    let json = serde_json::to_vec_pretty(&file).expect("plain data has a JSON form");
    write_atomic(&folder.join(TOKENIZER), &json)?;
    let json = serde_json::to_vec_pretty(&Config::new()).expect("plain data has a JSON form");
    write_atomic(&folder.join(CONFIG), &json)?;
    Ok(())
}

pub(super) fn open(folder: &Path) -> Result<Tokenizer, TokenizerError> {
    let path = folder.join(TOKENIZER);
    let malformed = |error| not_ours(&path, format!("a tokenizer.json: {error}"));
    let foreign = |field: &str| not_ours(&path, format!("as sparkjoy wrote it: `{field}` differs"));

    let found: Map<String, Value> =
        serde_json::from_slice(&read_at_most(&path, TOKENIZER_BYTES_MAX)?).map_err(malformed)?;
    let vocab = found.get("model").and_then(|model| model["vocab"].as_object());
    let tokenizer = vocab.and_then(of_vocabulary).ok_or_else(|| foreign("model"))?;
    let expected = File::of(&tokenizer).ok_or_else(|| foreign("model"))?;
    let expected = serde_json::to_value(expected).expect("plain data has a JSON form");
    let expected = expected.as_object().expect("a struct is an object");

    let mut fields = expected.keys().chain(found.keys());
    match fields.find(|&field| found.get(field) != expected.get(field)) {
        Some(field) => Err(foreign(field).into()),
        None => Ok(tokenizer),
    }
}

/// The tokenizer with this vocabulary, if it can be one of ours.
fn of_vocabulary(vocab: &Map<String, Value>) -> Option<Tokenizer> {
    let end_of_text = vocab.get(END_OF_TEXT)?.as_u64()?;
    // Its tables take 20 MB, which whoever has a tokenizer of their own does without.
    if vocab.contains_key(cl100k::LAST) {
        let cl100k = cl100k::shared();
        if end_of_text == u64::from(cl100k.end_of_text()) {
            return Some(cl100k.clone());
        }
    }
    let mut tokens = vec![Vec::new(); vocab.len() - 1];
    for (token, id) in vocab.iter().filter(|(token, _)| *token != END_OF_TEXT) {
        let id = usize::try_from(id.as_u64()?).ok()?;
        *tokens.get_mut(id)? = byte_level_decode(token)?;
    }
    train::from_ranks(tokens)
}

/// `tokenizer.json`, in the order the Hugging Face library writes it.
#[derive(Serialize)]
struct File<'a> {
    version: &'static str,
    truncation: (),
    padding: (),
    added_tokens: Vec<AddedToken>,
    normalizer: (),
    pre_tokenizer: PreTokenizer,
    post_processor: (),
    decoder: Step,
    model: Model<'a>,
}

/// A special token; its flags say to match it as it stands.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the file's fields")]
struct AddedToken {
    id: u32,
    content: &'static str,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "Sequence")]
struct PreTokenizer {
    pretokenizers: [Step; 2],
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Step {
    Split { pattern: Pattern, behavior: &'static str, invert: bool },
    ByteLevel { add_prefix_space: bool, trim_offsets: bool, use_regex: bool },
}

#[derive(Serialize)]
enum Pattern {
    Regex(&'static str),
}

const BYTE_LEVEL: Step =
    Step::ByteLevel { add_prefix_space: false, trim_offsets: true, use_regex: false };

#[derive(Serialize)]
#[serde(tag = "type", rename = "BPE")]
struct Model<'a> {
    dropout: (),
    unk_token: (),
    continuing_subword_prefix: (),
    end_of_word_suffix: (),
    fuse_unk: bool,
    byte_fallback: bool,
    /// Whether a piece that is a token needs no merging, as in tiktoken.
    ignore_merges: bool,
    #[serde(serialize_with = "in_order_of_id")]
    vocab: &'a Tokenizer,
    merges: Vec<(String, String)>,
}

impl<'a> File<'a> {
    /// `None` if a token is no merge of two of lower rank.
    fn of(tokenizer: &'a Tokenizer) -> Option<Self> {
        let added = |&(id, content): &(u32, &'static str)| AddedToken {
            id,
            content,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: true,
        };
        let split =
            Step::Split { pattern: Pattern::Regex(SPLIT), behavior: "Isolated", invert: false };
        Some(Self {
            version: "1.0",
            truncation: (),
            padding: (),
            added_tokens: tokenizer.0.specials.iter().map(added).collect(),
            normalizer: (),
            pre_tokenizer: PreTokenizer { pretokenizers: [split, BYTE_LEVEL] },
            post_processor: (),
            decoder: BYTE_LEVEL,
            model: Model {
                dropout: (),
                unk_token: (),
                continuing_subword_prefix: (),
                end_of_word_suffix: (),
                fuse_unk: false,
                byte_fallback: false,
                ignore_merges: tokenizer.0.kind == TokenizerKind::Cl100k,
                vocab: tokenizer,
                merges: merges(tokenizer)?,
            },
        })
    }
}

/// The merges, lowest rank first.
fn merges(tokenizer: &Tokenizer) -> Option<Vec<(String, String)>> {
    let ranks = tokenizer.0.bpe.encoder();
    (0..tokenizer.vocab())
        .filter_map(|id| Some((id, tokenizer.bytes_of(id)?)))
        .filter(|(_, token)| token.len() > 1)
        .map(|(id, token)| {
            let (left, right) = halves(token, id, ranks)?;
            Some((byte_level_encode(left), byte_level_encode(right)))
        })
        .collect()
}

fn in_order_of_id<S: Serializer>(tokenizer: &Tokenizer, serializer: S) -> Result<S::Ok, S::Error> {
    let ordinary = (0..tokenizer.vocab())
        .filter_map(|id| Some((byte_level_encode(tokenizer.bytes_of(id)?), id)));
    let special = tokenizer.0.specials.iter().map(|&(id, name)| (name.to_owned(), id));
    serializer.collect_map(ordinary.chain(special))
}

/// `tokenizer_config.json`.
#[derive(Serialize)]
struct Config {
    add_prefix_space: bool,
    bos_token: &'static str,
    clean_up_tokenization_spaces: bool,
    eos_token: &'static str,
    tokenizer_class: &'static str,
}

impl Config {
    fn new() -> Self {
        Self {
            add_prefix_space: false,
            bos_token: END_OF_TEXT,
            clean_up_tokenization_spaces: false,
            eos_token: END_OF_TEXT,
            tokenizer_class: "PreTrainedTokenizerFast",
        }
    }
}
