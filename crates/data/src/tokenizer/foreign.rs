//! A fast tokenizer of somebody else: `tokenizer.json`, read by the Hugging Face library itself.
//!
//! What transformers adds from `tokenizer_config.json` is added here too, so that ids and texts are
//! those of `AutoTokenizer`, told nothing but the folder.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sparkjoy_base::{Fingerprint, Problem, read_at_most, thousands};
use tokenizers::models::ModelWrapper;
use tokenizers::{AddedToken, Tokenizer};

use super::TokenizerError;
use super::error::{no_fast, not_for_text, unreadable};
use super::file::{CONFIG, TOKENIZER, TOKENIZER_BYTES_MAX};
use crate::guard::guarded;

/// Special tokens by name, as older versions of transformers save them.
const SPECIAL: &str = "special_tokens_map.json";
/// Files a tokenizer without `tokenizer.json` is made of.
const SLOW: [&str; 4] = ["tokenizer.model", "vocab.json", "merges.txt", "vocab.txt"];

/// The most bytes of a config.
const CONFIG_BYTES_MAX: u64 = 16 << 20;
/// No vocabulary is as large; tables have an entry for each id.
const VOCAB_MAX: u32 = 1 << 24;
/// Bytes of a text that are shown in a message.
const SHOWN: usize = 40;

/// A letter few vocabularies have a token for: the first of the hieroglyphs.
const UNKNOWN: &str = "\u{13000}";

/// What transformers removes before these if told to clean up, in its order.
///
/// # Source
///
/// `clean_up_tokenization` of transformers 5.23.
const CLEAN_UP: [(&str, &str); 10] = [
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
];

/// A tokenizer of somebody else.
pub(super) struct Foreign {
    tokenizer: Tokenizer,
    /// One past the largest id.
    pub(super) vocab: u32,
    /// What stands before every text.
    pub(super) begin: Vec<u32>,
    pub(super) end_of_text: Option<u32>,
    pub(super) fingerprint: Fingerprint,
    cleans_up: bool,
}

/// What decides about ids and texts.
#[derive(Serialize)]
struct Identity<'a> {
    kind: &'static str,
    /// Of `tokenizer.json`.
    content: Fingerprint,
    special: &'a [AddedToken],
    split_special_tokens: bool,
    begin: &'a [u32],
    end_of_text: Option<u32>,
    cleans_up: bool,
}

/// `tokenizer_config.json`, as far as it changes ids or texts. Whether a text is framed
/// (`add_bos_token`) is not read: beside a `tokenizer.json` transformers passes over it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    bos_token: Option<Special>,
    eos_token: Option<Special>,
    unk_token: Option<Special>,
    sep_token: Option<Special>,
    pad_token: Option<Special>,
    cls_token: Option<Special>,
    mask_token: Option<Special>,
    #[serde(alias = "additional_special_tokens")]
    extra_special_tokens: Option<Extra>,
    split_special_tokens: bool,
    clean_up_tokenization_spaces: bool,
}

/// A special token: its text, or its text and how it is matched.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "a special token is neither text nor a description with `content`")]
enum Special {
    Text(String),
    Described(AddedToken),
}

/// More special tokens, listed or by name.
#[derive(Deserialize)]
#[serde(untagged, expecting = "special tokens are neither a list nor by name")]
enum Extra {
    Listed(Vec<Special>),
    Named(BTreeMap<String, Special>),
}

impl Special {
    fn token(&self) -> AddedToken {
        match self {
            Self::Text(text) => AddedToken::from(text.clone(), true),
            Self::Described(token) => AddedToken { special: true, ..token.clone() },
        }
    }
}

impl Config {
    fn open(folder: &Path) -> Result<Self, TokenizerError> {
        let path = folder.join(CONFIG);
        let mut config: Map<String, Value> = optional(&path)?;
        // Before there was `added_tokens_decoder`, special tokens were named in a file of their
        // own, which still counts where it is missing.
        if !config.contains_key("added_tokens_decoder") {
            config.extend(optional::<Map<String, Value>>(&folder.join(SPECIAL))?);
        }
        Ok(serde_json::from_value(Value::Object(config)).map_err(|e| unreadable(&path, e))?)
    }

    /// Every special token it names, in the order transformers adds them.
    fn special(&self) -> impl Iterator<Item = &Special> {
        let named = [
            &self.bos_token,
            &self.eos_token,
            &self.unk_token,
            &self.sep_token,
            &self.pad_token,
            &self.cls_token,
            &self.mask_token,
        ];
        let extra: Vec<&Special> = match &self.extra_special_tokens {
            None => Vec::new(),
            Some(Extra::Listed(tokens)) => tokens.iter().collect(),
            Some(Extra::Named(tokens)) => tokens.values().collect(),
        };
        named.into_iter().flatten().chain(extra)
    }
}

impl Foreign {
    /// Opens the `tokenizer.json` of a folder.
    pub(super) fn open(folder: &Path) -> Result<Self, TokenizerError> {
        let path = folder.join(TOKENIZER);
        if !path.is_file() {
            let slow = SLOW.into_iter().find(|name| folder.join(name).is_file());
            return Err(no_fast(folder, slow).into());
        }
        let json = read_at_most(&path, TOKENIZER_BYTES_MAX)?;
        let config = Config::open(folder)?;
        // The library ends with a panic where it does not expect what it reads.
        guarded(|| Self::read(&path, &json, &config, folder))
            .unwrap_or_else(|words| Err(unreadable(&path, words).into()))
    }

    fn read(
        path: &Path,
        json: &[u8],
        config: &Config,
        folder: &Path,
    ) -> Result<Self, TokenizerError> {
        let mut tokenizer: Tokenizer =
            serde_json::from_slice(json).map_err(|error| unreadable(path, error))?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).expect("no truncation is always possible");
        tokenizer.set_encode_special_tokens(config.split_special_tokens);
        let special = added(&mut tokenizer, config);
        let last = tokenizer.get_vocab(true).into_values().max();
        if let Some(last) = last.filter(|&last| last >= VOCAB_MAX) {
            let what =
                format!("has a token {last}, expected ids below {}", thousands(VOCAB_MAX.into()));
            return Err(not_for_text(path, what).into());
        }
        // Reads as any text would; no text fails if this one does not.
        if tokenizer.encode_fast(UNKNOWN, false).is_err() {
            return Err(not_for_text(path, "has no token for unknown text").into());
        }

        let eos = config.eos_token.as_ref();
        let end_of_text = match eos.and_then(|eos| tokenizer.token_to_id(&eos.token().content)) {
            Some(id) => Some(id),
            // A tokenizer that does not name its own.
            None => end_of_text_ids(folder)?.first().map(|(_, ids)| ids[0]),
        };
        let begin = begin(&tokenizer, end_of_text).map_err(|found| {
            let expected = "expected nothing or the end of the text";
            not_for_text(path, format!("puts `{found}` behind every text, {expected}"))
        })?;
        // A BPE writes its spaces itself, so that there is nothing to clean up.
        let cleans_up = config.clean_up_tokenization_spaces
            && !matches!(tokenizer.get_model(), ModelWrapper::BPE(_));
        let identity = Identity {
            kind: "foreign v1",
            content: Fingerprint::of_bytes(json),
            special: &special,
            split_special_tokens: config.split_special_tokens,
            begin: &begin,
            end_of_text,
            cleans_up,
        };
        Ok(Self {
            vocab: last.map_or(0, |id| id + 1),
            fingerprint: Fingerprint::of_value(&identity),
            tokenizer,
            begin,
            end_of_text,
            cleans_up,
        })
    }

    /// Appends the ids of `text`.
    ///
    /// # Errors
    ///
    /// A text that the library gives up on.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), Problem> {
        let encoding = asked(|| self.tokenizer.encode_fast(text, false)).map_err(|why| {
            let start = &text[..text.floor_char_boundary(SHOWN)];
            let text = format!("the model's tokenizer gives up on the text {start:?}…: {why}");
            Problem::new(text).with_hint("shorten the text, or leave it out")
        })?;
        ids.extend_from_slice(encoding.get_ids());
        Ok(())
    }

    pub(super) fn decode(&self, ids: &[u32]) -> String {
        let text = asked(|| self.tokenizer.decode(ids, true));
        let text = text.unwrap_or_else(|_| char::REPLACEMENT_CHARACTER.to_string());
        if !self.cleans_up {
            return text;
        }
        CLEAN_UP.iter().fold(text, |text, (from, to)| text.replace(from, to))
    }
}

/// What the library says, or why it does not.
fn asked<T>(run: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    guarded(run).and_then(|result| result.map_err(|error| error.to_string()))
}

/// Adds the special tokens that only the config knows to be special; returns them.
fn added(tokenizer: &mut Tokenizer, config: &Config) -> Vec<AddedToken> {
    let known = tokenizer.get_added_tokens_decoder();
    let mut tokens: Vec<AddedToken> = Vec::new();
    for token in config.special().map(Special::token) {
        let token = match known.values().find(|known| known.content == token.content) {
            Some(known) if known.special => continue,
            Some(known) => AddedToken { special: true, ..known.clone() },
            None => token,
        };
        if !tokens.iter().any(|other| other.content == token.content) {
            tokens.push(token);
        }
    }
    tokenizer.add_special_tokens(tokens.iter().cloned()).expect("special tokens are only matched");
    tokens
}

/// What the post-processor puts before a text. What it puts behind is left away if it is the end
/// of the text, as LLM Foundry's evaluation does, and returned as an error if it is anything else.
fn begin(tokenizer: &Tokenizer, end_of_text: Option<u32>) -> Result<Vec<u32>, String> {
    let encoding = tokenizer.encode_fast("a", true).expect("a letter has ids");
    let (ids, added) = (encoding.get_ids(), encoding.get_special_tokens_mask());
    let is_text = |&added: &u32| added == 0;
    let start = added.iter().position(is_text).unwrap_or(ids.len());
    let end = added.iter().rposition(is_text).map_or(ids.len(), |last| last + 1);
    if ids[end..].iter().all(|&id| Some(id) == end_of_text) {
        return Ok(ids[..start].to_vec());
    }
    let names = ids[end..].iter().filter_map(|&id| tokenizer.id_to_token(id));
    Err(names.collect::<Vec<_>>().join(" "))
}

/// `eos_token_id` of the model's configs, one id or several, by file.
pub(super) fn end_of_text_ids(
    folder: &Path,
) -> Result<Vec<(&'static str, Vec<u32>)>, TokenizerError> {
    let mut named = Vec::new();
    for name in ["generation_config.json", "config.json"] {
        let config: Value = optional(&folder.join(name))?;
        let id = |id: &Value| id.as_u64().and_then(|id| u32::try_from(id).ok());
        let ids: Vec<u32> = match &config["eos_token_id"] {
            Value::Array(ids) => ids.iter().map_while(id).collect(),
            one => id(one).into_iter().collect(),
        };
        if !ids.is_empty() {
            named.push((name, ids));
        }
    }
    Ok(named)
}

/// A JSON file that need not be there.
fn optional<T: Default + for<'a> Deserialize<'a>>(path: &Path) -> Result<T, TokenizerError> {
    if !path.is_file() {
        return Ok(T::default());
    }
    let json = read_at_most(path, CONFIG_BYTES_MAX)?;
    Ok(serde_json::from_slice(&json).map_err(|error| unreadable(path, error))?)
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Foreign({} ids, {})", self.vocab, self.fingerprint)
    }
}
