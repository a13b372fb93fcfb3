//! A file as a stream of text: decompressed, and hashed as stored.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use sparkjoy_base::{FileError, Fingerprint, Problem, bytes, open};

use crate::DataError;
use crate::sniff::{self, refuse_pointer};
use crate::source::{Compression, Input, Kind, Stamp};

/// Bytes read from a file at a time.
const READ_BYTES: usize = 1 << 18;

/// log2 of the largest zstd window that is decoded; `zstd --long=27` writes it. The window is
/// memory: 128 MiB.
const ZSTD_WINDOW_LOG: u32 = 27;

/// A file being read, with the hash of the bytes read so far.
struct Hashed {
    file: BufReader<File>,
    hasher: blake3::Hasher,
    stored_bytes: u64,
}

impl Read for Hashed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(out.len());
        out[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Hashed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.file.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.hasher.update(&self.file.buffer()[..n]);
        self.stored_bytes += n as u64;
        self.file.consume(n);
    }
}

/// A hashed file with its decoder.
enum Stream {
    Plain(Box<Hashed>),
    Gzip(Box<Gzip>),
    Zstd(Box<zstd::Decoder<'static, Hashed>>),
}

/// A gzip file: members one after the other, and zeros up to the end of a block of a tape.
struct Gzip(Option<GzDecoder<Hashed>>);

impl Gzip {
    fn member(&self) -> &GzDecoder<Hashed> {
        self.0.as_ref().expect("only `read` takes it, and puts the next one there")
    }
}

impl Read for Gzip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let member = self.0.as_mut().expect("put back below");
            let n = member.read(out)?;
            if n > 0 || out.is_empty() {
                return Ok(n);
            }
            loop {
                let rest = member.get_mut().fill_buf()?;
                if rest.is_empty() {
                    return Ok(0);
                }
                let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
                if zeros == 0 {
                    break;
                }
                member.get_mut().consume(zeros);
            }
            let file = self.0.take().expect("taken only here").into_inner();
            self.0 = Some(GzDecoder::new(file));
        }
    }
}

/// The text of one input file as a stream.
pub(crate) struct TextStream {
    stream: Stream,
    name: String,
    text_bytes: u64,
}

impl TextStream {
    /// Opens `input`, compressed with `compression`.
    pub(crate) fn open(input: &Input, compression: Compression) -> Result<Self, DataError> {
        let at = |error| DataError::from(FileError::at("read", &input.path)(error));
        let file = open_unchanged(input)?;
        let file = BufReader::with_capacity(READ_BYTES, file);
        let hashed = Hashed { file, hasher: blake3::Hasher::new(), stored_bytes: 0 };
        let stream = match compression {
            Compression::Plain => Stream::Plain(Box::new(hashed)),
            Compression::Gzip => Stream::Gzip(Box::new(Gzip(Some(GzDecoder::new(hashed))))),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(hashed).map_err(at)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(at)?;
                Stream::Zstd(Box::new(decoder))
            }
        };
        let unpacked = Self { stream, name: input.name.clone(), text_bytes: 0 };
        // The decoders accept an empty file, but no compressor writes one.
        if compression != Compression::Plain && input.stamp.size == 0 {
            let empty = io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty");
            return Err(unpacked.explain(input, empty));
        }
        Ok(unpacked)
    }

    fn hashed(&self) -> &Hashed {
        match &self.stream {
            Stream::Plain(file) => file,
            Stream::Gzip(gzip) => gzip.member().get_ref(),
            Stream::Zstd(decoder) => decoder.get_ref(),
        }
    }

    /// Bytes read so far, as stored.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.hashed().stored_bytes
    }

    /// The error for `error`: of the disk, or of the compressed data.
    pub(crate) fn explain(&self, input: &Input, error: io::Error) -> DataError {
        let (format, check) = match self.stream {
            Stream::Gzip(_) => ("gzip", "gzip --test"),
            Stream::Zstd(_) => ("zstd", "zstd --test --long=27"),
            Stream::Plain(_) => return FileError::at("read", &input.path)(error).into(),
        };
        if error.raw_os_error().is_some() {
            return FileError::at("read", &input.path)(error).into();
        }
        let path = &self.name;
        // The words of the library for a window past the limit.
        if error.to_string().contains("too much memory") {
            let most = bytes(1 << ZSTD_WINDOW_LOG);
            let text =
                format!("`{path}` needs a zstd window of more than {most}, the most that is read");
            let hint = format!(
                "pack it again with a smaller one: \
                 `zstd -dc --long=31 {path} | zstd --long=27 -o NEW.zst`"
            );
            return Problem::new(text).with_hint(hint).into();
        }
        let text = format!(
            "`{path}` is not a whole {format} file: {error} ({} of text came before)",
            bytes(self.text_bytes)
        );
        Problem::new(text)
            .with_hint(format!("check it with `{check} {path}` and copy it again"))
            .into()
    }

    /// The fingerprint of the file, after it was read completely.
    ///
    /// # Errors
    ///
    /// If the file has changed since it was listed.
    pub(crate) fn finish(&self, input: &Input) -> Result<Fingerprint, DataError> {
        let metadata = std::fs::metadata(&input.path);
        let stamp = Stamp::of(&metadata.map_err(FileError::at("read", &input.path))?);
        if stamp != input.stamp || self.stored_bytes() != stamp.size {
            return Err(moving(input, stamp.size));
        }
        Ok(Fingerprint::from_hash(*self.hashed().hasher.finalize().as_bytes()))
    }
}

impl Read for TextStream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.stream {
            Stream::Plain(file) => file.read(out),
            Stream::Gzip(decoder) => decoder.read(out),
            Stream::Zstd(decoder) => decoder.read(out),
        }?;
        self.text_bytes += n as u64;
        Ok(n)
    }
}

/// Opens a file; one that has changed since it was listed is refused, and so is one that only
/// stands for another.
pub(crate) fn open_unchanged(input: &Input) -> Result<File, DataError> {
    let file = open(&input.path)?;
    let metadata = file.metadata().map_err(FileError::at("read", &input.path))?;
    let stamp = Stamp::of(&metadata);
    if stamp != input.stamp {
        return Err(moving(input, stamp.size));
    }
    refuse_pointer(input, &file)?;
    Ok(file)
}

fn moving(input: &Input, found: u64) -> DataError {
    let text = format!(
        "`{}` changed while it was read: {} found, {} expected (or its times differ)",
        input.name,
        bytes(found),
        bytes(input.stamp.size)
    );
    Problem::new(text).with_hint("run the same command again once nothing writes to it").into()
}

/// Why a compressed file is not whole, if it is not. Its text is then not what was written.
pub(crate) fn damage(input: &Input) -> Option<DataError> {
    let (Kind::JsonLines(compression) | Kind::Text(compression)) = sniff::kind(input).ok()? else {
        return None;
    };
    if compression == Compression::Plain {
        return None;
    }
    let mut text = TextStream::open(input, compression).ok()?;
    let error = io::copy(&mut text, &mut io::sink()).err()?;
    Some(text.explain(input, error))
}

/// The fingerprint of a file's bytes as stored.
pub(crate) fn fingerprint(input: &Input) -> Result<Fingerprint, DataError> {
    let mut file = TextStream::open(input, Compression::Plain)?;
    io::copy(&mut file, &mut io::sink()).map_err(FileError::at("read", &input.path))?;
    file.finish(input)
}
