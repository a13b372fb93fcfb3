//! What keeps the page from being served. What is wrong with a study is shown on the page.

use std::io;

use sparkjoy_base::Hint;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is not to be had.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Bind {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no threads or no clock.
    #[error("cannot start the server")]
    Start {
        /// What the system said.
        source: io::Error,
    },
}

impl Hint for ServeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse => Some(
                "another program has this port, perhaps another `sparkjoy serve`: `--port 0` takes \
                 any that is free"
                    .to_owned(),
            ),
            Self::Bind { .. } => Some("`--port 0` takes any port that is free".to_owned()),
            Self::Start { .. } => None,
        }
    }
}
