//! Tasks on models: what is done, what is missing, and the results on disk.

mod records;
