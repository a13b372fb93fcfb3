//! Names of sources and domains, checked when they are made.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "name `{name}` is not usable, expected 1 to 64 of the characters a-z, 0-9, `-`, `_`, `.` \
     starting with a letter or digit"
)]
pub struct NameError {
    /// The name as the user wrote it.
    pub name: String,
}

/// Names become folder names and table columns, so they are short, lower case and ASCII.
fn check(name: &str) -> Result<Arc<str>, NameError> {
    let mut characters = name.chars();
    let first_is_valid =
        characters.next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest_is_valid = characters
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'));
    if first_is_valid && rest_is_valid && name.len() <= 64 {
        Ok(name.into())
    } else {
        Err(NameError { name: name.to_owned() })
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `name`.
            ///
            /// # Errors
            ///
            /// [`NameError`] unless it is 1 to 64 of `a-z 0-9 - _ .`, starting with a letter or
            /// digit.
            pub fn new(name: &str) -> Result<Self, NameError> {
                check(name).map(Self)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{}`", self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(&name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

name_type! {
    /// The name of a source: a corpus, the unit of mixing and of removal.
    SourceName
}

name_type! {
    /// The name of a domain: a group of sources, such as web, code or math.
    DomainName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_kept_as_written() {
        for name in ["web", "enwiki-articles", "100_novels", "v1.5"] {
            assert_eq!(SourceName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_could_escape_a_folder_or_a_table_are_refused() {
        for name in ["", "../etc", "a/b", "Web", "-web", ".web", "math code", "é", &"a".repeat(65)]
        {
            assert!(SourceName::new(name).is_err(), "`{name}` was accepted");
        }
    }
}
