//! Sends what the hub has noted, in the way of the listener's revision.

use rmcp::RoleServer;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::{Peer, ServiceError, SubscriptionContext, SubscriptionSendError};

use super::hub::{Listener, News};

/// Sends the news of a session until it ends.
pub(super) async fn tell_session(listener: &Listener, peer: &Peer<RoleServer>) {
    loop {
        let News { tools, prompts, resources, updated } = listener.news().await;
        let told = async {
            if tools {
                peer.notify_tool_list_changed().await?;
            }
            if prompts {
                peer.notify_prompt_list_changed().await?;
            }
            if resources {
                peer.notify_resource_list_changed().await?;
            }
            for uri in updated {
                peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await?;
            }
            Ok::<_, ServiceError>(())
        };
        if told.await.is_err() {
            return;
        }
    }
}

/// Sends the news of a subscription until it ends.
pub(super) async fn tell_subscription(listener: &Listener, context: &SubscriptionContext) {
    let sink = context.sink();
    loop {
        let News { tools, prompts, resources, updated } = listener.news().await;
        let told = async {
            if tools {
                sink.notify_tool_list_changed().await?;
            }
            if prompts {
                sink.notify_prompt_list_changed().await?;
            }
            if resources {
                sink.notify_resource_list_changed().await?;
            }
            for uri in updated {
                sink.notify_resource_updated(uri).await?;
            }
            Ok::<_, SubscriptionSendError>(())
        };
        if told.await.is_err() {
            return;
        }
    }
}
