//! Connections to one server or to a cluster, behind one face.

use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, RedisFuture, Value};

use crate::cache::level::{LevelError, SILENCE};

/// How long a connection may take to come about.
pub(super) const CONNECT: Duration = Duration::from_secs(1);

/// Where a Redis is.
#[derive(Clone)]
pub(crate) enum Place {
    One(Box<Client>),
    Cluster(Box<ClusterClient>),
}

/// A connection that many use at a time.
#[derive(Clone)]
pub(crate) enum Connection {
    One(ConnectionManager),
    Alone(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Place {
    /// Reads `redis://host`, `rediss://host`, or for a cluster `redis+cluster://host,host`.
    pub(crate) fn read(url: &str) -> Result<Self, LevelError> {
        // The URL has a password in it, most of the time.
        let unusable = |error: &RedisError| {
            let detail = error.detail().unwrap_or_default();
            LevelError::new(format_args!("the URL of Redis cannot be used: {} {detail}", error.category()))
        };
        let Some((scheme, rest)) = url.split_once("+cluster://") else {
            return Client::open(url).map(Box::new).map(Self::One).map_err(|error| unusable(&error));
        };
        // Who one is stands before the first host, and is the same at all.
        let (user, hosts) = rest.rsplit_once('@').map_or(("", rest), |(user, hosts)| (user, hosts));
        let at = if user.is_empty() { "" } else { "@" };
        let nodes = hosts.split(',').map(|host| format!("{scheme}://{user}{at}{}", host.trim()));
        let client = ClusterClient::new(nodes.collect::<Vec<_>>());
        client.map(Box::new).map(Self::Cluster).map_err(|error| unusable(&error))
    }

    /// Returns a connection that comes about when it is needed, and again when it is lost.
    ///
    /// Whoever asks has a deadline, and asks again: nothing is waited for or repeated in here.
    pub(super) fn connect(&self) -> Result<Connection, RedisError> {
        match self {
            Self::One(client) => {
                let config = ConnectionManagerConfig::new()
                    .set_response_timeout(None)
                    .set_connection_timeout(Some(CONNECT))
                    .set_number_of_retries(0)
                    .set_pipeline_buffer_size(256);
                ConnectionManager::new_lazy_with_config((**client).clone(), config).map(Connection::One)
            }
            Self::Cluster(client) => {
                let config = ClusterConfig::new().set_connection_timeout(CONNECT);
                Ok(Connection::Cluster(client.get_pending_async_connection_with_config(config)))
            }
        }
    }

    /// Connects for reads that block: others would have to wait for them.
    pub(super) async fn connect_alone(&self) -> Result<Connection, RedisError> {
        let answer = SILENCE + Duration::from_millis(500);
        match self {
            Self::One(client) => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(SILENCE))
                    .set_response_timeout(Some(answer));
                client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::Alone)
            }
            Self::Cluster(client) => {
                let config =
                    ClusterConfig::new().set_connection_timeout(SILENCE).set_response_timeout(answer);
                client.get_async_connection_with_config(config).await.map(Connection::Cluster)
            }
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(connection) => connection.req_packed_command(command),
            Self::Alone(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Alone(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(connection) => connection.get_db(),
            Self::Alone(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
