//! stdio: the client starts the server and talks over its pipes.

use rmcp::ServiceExt as _;
use rmcp::service::{QuitReason, ServerInitializeError};
use rmcp::transport::async_rw::AsyncRwTransport;

use crate::error::Error;
use crate::protocol::Handler;
use crate::server::Server;

impl Server {
    /// Serves one client over stdin and stdout until it closes them.
    ///
    /// Nothing but messages of the protocol is written to stdout.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] with every mistake in the components, [`Error::Transport`] where the pipes fail.
    pub async fn serve_stdio(&self) -> Result<(), Error> {
        let core = self.core()?;
        core.open().await?;
        let (read, write) = rmcp::transport::stdio_pipes();
        let limit = usize::try_from(core.dispatch.config.max_request_size).unwrap_or(usize::MAX);
        let transport = AsyncRwTransport::new_server(read, write).with_max_line_length(limit);
        let handler = Handler::new(std::sync::Arc::clone(core));
        let serving = match handler.serve_with_ct(transport, core.ended.clone()).await {
            Ok(serving) => serving,
            // A client that closes the pipe before its first message wants nothing.
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {
                return Ok(());
            }
            // The message itself stays out of the log.
            Err(ServerInitializeError::ExpectedInitializeRequest(_)) => {
                let reason = "stdio: the client's first message is no request: it must be `initialize` or one of its own";
                return Err(Error::Transport(reason.to_owned()));
            }
            Err(error) => return Err(Error::Transport(format!("stdio: {error}"))),
        };
        match serving.waiting().await {
            Ok(QuitReason::JoinError(error)) | Err(error) => Err(Error::Transport(format!("stdio: {error}"))),
            Ok(_) => Ok(()),
        }
    }
}
