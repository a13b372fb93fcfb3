//! A connection whose other side must read on.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// A connection that fails if nothing of what is to be sent gets away for some time.
pub(crate) struct Patient {
    connection: TcpStream,
    within: Duration,
    /// Set while it waits for the other side to read.
    until: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub(crate) fn new(connection: TcpStream, within: Duration) -> Self {
        Self { connection, within, until: None }
    }

    fn connection(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.connection)
    }

    /// An error instead of waiting for too long.
    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        sent: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.until = None;
            return sent;
        }
        let within = self.within;
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(within)));
        ready!(until.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection().poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = self.connection().poll_write(context, bytes);
        self.bounded(context, sent)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.connection().poll_flush(context);
        self.bounded(context, sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection().poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn who_does_not_read_is_not_waited_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (connection, _) = listener.accept().await.unwrap();
            let mut patient = Patient::new(connection, Duration::from_millis(50));
            let some = vec![0; 1 << 20];
            let sends = async {
                loop {
                    let send = poll_fn(|context| Pin::new(&mut patient).poll_write(context, &some));
                    if let Err(error) = send.await {
                        return error.kind();
                    }
                }
            };
            let ended = tokio::time::timeout(Duration::from_mins(1), sends).await;
            assert_eq!(ended, Ok(io::ErrorKind::TimedOut));
        });
    }
}
