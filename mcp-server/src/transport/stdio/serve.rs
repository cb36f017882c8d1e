//! One client over a pair of pipes.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rmcp::ServiceExt as _;
use rmcp::service::{QuitReason, ServerInitializeError};
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::lane::Lane;
use super::pipes::{Inlet, Lines, Outlet, Output, Writing};
use crate::error::Error;
use crate::protocol::{Handler, Observed};
use crate::server::Server;
use crate::started::Core;

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// How much may wait for a client that does not read, before nothing more is read of its requests.
const MOST_WAITING: usize = 4 << 20;

/// How long calls may go on when the client has closed its end; as long as rmcp gives its own.
const DRAIN: Duration = Duration::from_secs(5);

impl Server {
    /// Serves one client over stdin and stdout until it closes them.
    ///
    /// Nothing but messages of the protocol is written to stdout.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] with every mistake in the components, [`Error::Transport`] where the pipes fail.
    pub async fn serve_stdio(&self) -> Result<(), Error> {
        let (read, write) = rmcp::transport::stdio_pipes();
        self.serve_pipes(read, write).await
    }

    /// Serves one client over any pair of byte streams, a message to a line, as over stdin and stdout.
    ///
    /// The future holds the server, and may be spawned.
    ///
    /// # Errors
    ///
    /// As [`serve_stdio`](Self::serve_stdio).
    pub fn serve_pipes<R, W>(&self, read: R, write: W) -> impl Future<Output = Result<(), Error>> + use<R, W>
    where
        R: AsyncRead + Unpin + Send,
        W: AsyncWrite + Unpin + Send,
    {
        let core = self.core().cloned();
        async move { serve(core?, read, write).await }
    }
}

async fn serve<R, W>(core: Arc<Core>, read: R, write: W) -> Result<(), Error>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    core.open().await?;
    #[cfg(feature = "http")]
    crate::admin::open(&core, None)?;
    let output = Arc::new(Output::new(MOST_WAITING));
    let (inlet, lines) = Inlet::new();
    let limit = usize::try_from(core.dispatch.config.max_request_size).unwrap_or(usize::MAX);
    let handler = Handler::new(Arc::clone(&core));
    let lane = Lane::new(Arc::clone(&core), handler.settled(), inlet, Arc::clone(&output));
    let outlet = Outlet::new(Arc::clone(&output));
    let transport = AsyncRwTransport::new_server(lines, outlet).with_max_line_length(limit);
    let pumped = async {
        pump(read, write, lane, &output, &core, limit).await;
        Ok(())
    };
    tokio::try_join!(behind(handler, transport, &core), pumped).map(|_| ())
}

/// Serves what the lane leaves.
async fn behind(
    handler: Handler,
    transport: AsyncRwTransport<rmcp::RoleServer, Lines, Outlet>,
    core: &Core,
) -> Result<(), Error> {
    let serving = match Observed(handler).serve_with_ct(transport, core.ended.child_token()).await {
        Ok(serving) => serving,
        // A client that closes the pipe before its first message wants nothing, or nothing of rmcp.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => return Ok(()),
        // The message itself stays out of the log.
        Err(ServerInitializeError::ExpectedInitializeRequest(_)) => {
            let reason =
                "stdio: the client's first message is no request: it must be `initialize` or one of its own";
            return Err(Error::Transport(reason.to_owned()));
        }
        Err(error) => return Err(Error::Transport(format!("stdio: {error}"))),
    };
    match serving.waiting().await {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(Error::Transport(format!("stdio: {error}"))),
        Ok(_) => Ok(()),
    }
}

/// Reads requests and writes answers until the client leaves or the server ends, and a moment longer
/// for what is under way.
async fn pump<R, W>(mut read: R, mut write: W, mut lane: Lane, output: &Output, core: &Core, limit: usize)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut unread = BytesMut::new();
    let mut writing = Writing::default();
    // Whether there are whole lines among what was read, which the client is to make room for.
    let mut more = false;
    let mut open = true;
    let mut deadline = std::pin::pin!(tokio::time::sleep(DRAIN));
    loop {
        more = more && lane.take(&mut unread, limit);
        writing.fill(output);
        let idle = writing.is_empty();
        if !open && !more && idle && lane.is_done() && output.is_closed() {
            break;
        }
        let may_read = open && !more && output.has_room() && lane.has_room();
        let was_open = open;
        tokio::select! {
            biased;
            written = write.write(writing.chunk()), if !idle => match written {
                Ok(length) if length > 0 => writing.written(length, output),
                // Nobody reads any more.
                gone => {
                    tracing::debug!(?gone, "the client is gone");
                    break;
                }
            },
            length = async {
                unread.reserve(CHUNK);
                read.read_buf(&mut unread).await
            }, if may_read => match length {
                Ok(length) if length > 0 => more = true,
                end => {
                    tracing::debug!(?end, "the client has closed its end");
                    open = false;
                }
            },
            () = output.changed() => {}
            () = lane.consumed(), if open && !may_read => {}
            () = core.ended.cancelled(), if open => open = false,
            () = &mut deadline, if !open => break,
        }
        if was_open && !open {
            lane.close();
            deadline.as_mut().reset(tokio::time::Instant::now() + DRAIN);
        }
    }
    lane.end();
    output.discard();
    let _ = write.flush().await;
}
