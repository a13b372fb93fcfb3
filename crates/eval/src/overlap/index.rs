//! The runs of all items, to be found in a text.

use super::texts::ItemTexts;
use super::words::Words;
use super::{COVERED_PERCENT, LEAST, RUN};

/// What all items are made of, ready to be looked for.
///
/// # Guarantees
///
/// The same items give the same index; items are counted from 0 in the order they were given.
#[derive(Debug)]
pub struct OverlapIndex {
    /// The words of all texts, each text's with a space between two.
    words: Vec<u8>,
    /// Distinct runs, and whole texts that are shorter than one.
    pub(super) grams: Vec<Gram>,
    /// Grams of [`RUN`] words, by the hash of all of them.
    pub(super) runs: GramTable,
    /// Shorter grams, by the hash of their last [`LEAST`] words.
    pub(super) shorts: GramTable,
    pub(super) texts: Vec<Text>,
    /// Where each gram stands: its first place, and then one past its last in `places`.
    offsets: Vec<usize>,
    places: Vec<Place>,
    items: usize,
    too_short: Vec<usize>,
    common: Vec<usize>,
    /// Whether documents are looked for, which may have been cut into passages.
    pub(super) is_of_documents: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Gram {
    /// Where it stands in the words of the index.
    at: usize,
    len: usize,
    pub(super) words: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) item: usize,
    at: usize,
    len: usize,
    pub(super) words: usize,
    /// Places of its grams that must all be met, however much is covered.
    pub(super) needed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) text: usize,
    /// Words before it.
    pub(super) word: usize,
}

/// Places at which a run of documents may stand to be looked for.
const COMMON: usize = 8;
/// Runs, one word after the other, of a passage of 52 words: less of a document is met by chance
/// where texts are made from one template. A shorter document must stand in another whole.
pub(super) const PASSAGE: usize = 40;

/// A gram before equal ones are put together.
struct Entry {
    hash: u64,
    gram: Gram,
    place: Place,
}

impl OverlapIndex {
    /// Makes the index of some items.
    pub fn new(items: &[ItemTexts]) -> Self {
        Self::of(items, None)
    }

    /// Makes the index of some documents, by the runs that stand in few places of them: what stands
    /// in many is a form or a licence, and tells no copy. See [`OverlapIndex::common`].
    pub fn of_documents(documents: impl Iterator<Item = String>) -> Self {
        let item = |whole| ItemTexts { whole, alone: Vec::new() };
        Self::of(&documents.map(item).collect::<Vec<_>>(), Some(COMMON))
    }

    /// - `most`: places at which a gram of a document may stand to be looked for.
    fn of(items: &[ItemTexts], most: Option<usize>) -> Self {
        let (mut words, mut texts) = (Vec::new(), Vec::new());
        let (mut entries, mut too_short) = (Vec::new(), Vec::new());
        for (item, ItemTexts { whole, alone }) in items.iter().enumerate() {
            let before = texts.len();
            let all = std::iter::once((whole, LEAST)).chain(alone.iter().map(|part| (part, RUN)));
            for (text, least) in all {
                add(text, item, least, &mut words, &mut texts, &mut entries);
            }
            if texts.len() == before {
                too_short.push(item);
            }
        }
        let spelled = |gram: &Gram| &words[gram.at..gram.at + gram.len];
        entries.sort_unstable_by(|a, b| {
            (a.hash, spelled(&a.gram), a.place).cmp(&(b.hash, spelled(&b.gram), b.place))
        });
        let same_gram = |a: &Entry, b: &Entry| spelled(&a.gram) == spelled(&b.gram);
        let most_places = most.unwrap_or(usize::MAX);
        let kept = || entries.chunk_by(same_gram).filter(|same| same.len() <= most_places);
        let tells = match most {
            Some(_) => tells(&mut texts, kept()),
            None => vec![true; texts.len()],
        };
        let common = texts.iter().zip(&tells).filter(|(_, tells)| !**tells);
        let common = common.map(|(text, _)| text.item).collect();
        let (mut grams, mut offsets, mut places) = (Vec::new(), vec![0], Vec::new());
        let (mut runs, mut shorts) = (Vec::new(), Vec::new());
        for same in kept() {
            let before = places.len();
            let looked_for = same.iter().filter(|entry| tells[entry.place.text]);
            places.extend(looked_for.map(|entry| entry.place));
            if places.len() > before {
                let keys = if same[0].gram.words == RUN { &mut runs } else { &mut shorts };
                keys.push((same[0].hash, grams.len()));
                grams.push(same[0].gram);
                offsets.push(places.len());
            }
        }
        let (runs, shorts) = (GramTable::new(runs), GramTable::new(shorts));
        let items = items.len();
        let is_of_documents = most.is_some();
        Self {
            words,
            grams,
            runs,
            shorts,
            texts,
            offsets,
            places,
            items,
            too_short,
            common,
            is_of_documents,
        }
    }

    /// How many items there are.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Items with fewer than [`LEAST`] words: whether they stand in a text is not known.
    pub fn too_short(&self) -> &[usize] {
        &self.too_short
    }

    /// Documents that are not looked for, because they repeat themselves or too much of them stands
    /// in many places of all documents.
    pub fn common(&self) -> &[usize] {
        &self.common
    }

    pub(super) fn spelled(&self, gram: usize) -> &[u8] {
        let Gram { at, len, .. } = self.grams[gram];
        &self.words[at..at + len]
    }

    /// Where a gram stands in the items' texts, sorted.
    pub(super) fn places(&self, gram: usize) -> &[Place] {
        &self.places[self.offsets[gram]..self.offsets[gram + 1]]
    }

    /// The first words of a text, and an ellipsis where it goes on.
    pub(super) fn beginning(&self, text: usize) -> String {
        let Text { at, len, words, .. } = self.texts[text];
        let spelled = std::str::from_utf8(&self.words[at..at + len]).expect("words are UTF-8");
        if words <= RUN {
            return spelled.to_owned();
        }
        let first: Vec<&str> = spelled.split(' ').take(RUN).collect();
        format!("{} …", first.join(" "))
    }
}

/// Which texts tell a copy: the grams that are kept cover enough of their words, and are not a few
/// that come again and again. Of a short one all of them are needed.
fn tells<'a>(texts: &mut [Text], kept: impl Iterator<Item = &'a [Entry]>) -> Vec<bool> {
    let first =
        |before: &mut usize, text: &Text| Some(std::mem::replace(before, *before + text.words));
    let first: Vec<usize> = texts.iter().scan(0, first).collect();
    let mut begins = vec![false; texts.iter().map(|text| text.words).sum()];
    let mut distinct = vec![0; texts.len()];
    for same in kept {
        // Places are sorted: those in one text stand together.
        for in_text in same.chunk_by(|a, b| a.place.text == b.place.text) {
            distinct[in_text[0].place.text] += 1;
            for Entry { place, .. } in in_text {
                begins[first[place.text] + place.word] = true;
            }
        }
    }
    let tells = |((text, first), distinct): ((&mut Text, usize), usize)| {
        let (mut covered, mut to, mut places) = (0, 0, 0);
        for word in (0..text.words).filter(|word| begins[first + word]) {
            let end = word + text.words.min(RUN);
            covered += end - word.max(to);
            (to, places) = (end, places + 1);
        }
        let is_covered = 100 * covered as u64 >= COVERED_PERCENT * text.words as u64;
        if text.words >= PASSAGE + RUN - 1 {
            return is_covered && distinct >= PASSAGE;
        }
        text.needed = text.words.saturating_sub(RUN - 1).max(1);
        places >= text.needed && 2 * distinct >= places
    };
    texts.iter_mut().zip(first).zip(distinct).map(tells).collect()
}

/// Adds a text with its grams, unless it is too short.
fn add(
    text: &str,
    item: usize,
    least: usize,
    words: &mut Vec<u8>,
    texts: &mut Vec<Text>,
    entries: &mut Vec<Entry>,
) {
    let (at, first) = (words.len(), entries.len());
    let place = |word| Place { text: texts.len(), word };
    let (mut count, mut tail) = (0, 0);
    let mut reader = Words::new();
    let mut on_word = |read: &Words| {
        if count > 0 {
            words.push(b' ');
        }
        words.extend_from_slice(read.last(1, 0));
        (count, tail) = (read.count(), read.least());
        if count >= RUN {
            let len = read.last(RUN, 0).len();
            let gram = Gram { at: words.len() - len, len, words: RUN };
            entries.push(Entry { hash: read.run(), gram, place: place(count - RUN) });
        }
    };
    reader.read(text, &mut on_word);
    reader.end_word(&mut on_word);
    let len = words.len() - at;
    if count < least {
        words.truncate(at);
        return;
    }
    if entries.len() == first {
        let gram = Gram { at, len, words: count };
        entries.push(Entry { hash: tail, gram, place: place(0) });
    }
    texts.push(Text { item, at, len, words: count, needed: 0 });
}

/// Hashes and the grams that have them.
#[derive(Debug)]
pub(super) struct GramTable {
    /// A bit for each of some values of a hash: most texts are turned away here.
    filter: Vec<u64>,
    /// How far a hash is shifted to number a bit.
    shift: u32,
    /// Sorted.
    keys: Vec<(u64, usize)>,
}

/// Bits of the filter for each key, at least: with two bits set, about one stranger in 60 gets in.
const BITS_PER_KEY: usize = 16;
/// The power of two of the bits that processors fetch at once.
const LINE: u32 = 9;

impl GramTable {
    fn new(keys: Vec<(u64, usize)>) -> Self {
        let bits = (keys.len() * BITS_PER_KEY).next_power_of_two().max(1 << LINE);
        let shift = 64 - bits.trailing_zeros();
        let mut table = Self { filter: vec![0; bits / 64], shift, keys };
        for i in 0..table.keys.len() {
            for bit in table.bits(table.keys[i].0) {
                table.filter[bit / 64] |= 1 << (bit % 64);
            }
        }
        table
    }

    /// Whether there is nothing to be found.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Which of at most 64 hashes a gram may have, a bit each.
    pub(super) fn which(&self, hashes: &[u64]) -> u64 {
        let may = |hash: &u64| self.bits(*hash).map(|bit| self.filter[bit / 64] >> (bit % 64) & 1);
        let known = hashes.iter().map(|hash| may(hash).into_iter().fold(1, |both, bit| both & bit));
        known.enumerate().fold(0, |all, (at, bit)| all | bit << at)
    }

    /// Two bits that lie in one cache line, from the upper half of a product: the lower bits of a
    /// sum of products know only the lower bits of its words.
    fn bits(&self, hash: u64) -> [usize; 2] {
        let first = (hash.wrapping_mul(0xff51_afd7_ed55_8ccd) >> self.shift) as usize;
        let second = (hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53) >> (64 - LINE)) as usize;
        [first, first >> LINE << LINE | second]
    }

    pub(super) fn of(&self, hash: u64) -> impl Iterator<Item = usize> {
        let first = self.keys.partition_point(|key| key.0 < hash);
        self.keys[first..].iter().take_while(move |key| key.0 == hash).map(|key| key.1)
    }
}
