//! Who is to be told of what has changed.
//!
//! A listener is a session of the older revisions or one `subscriptions/listen`. News are noted in
//! its mailbox, where the same news twice are one, and a task of its own sends them: whoever
//! invalidates never waits for a client, and a slow client costs one flag for each subscription.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use mcp_core::cache::{Invalidated, TagId};
use mcp_core::component::Kind;
use tokio::sync::Notify;

/// How many resources one listener may subscribe to.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 1024;

/// How many sessions and subscriptions may listen.
const MAX_LISTENERS: usize = 10_000;

/// All listeners of a server.
#[derive(Default)]
pub(crate) struct Hub(Mutex<Vec<Weak<Listener>>>);

/// One who is told.
#[derive(Default)]
pub(crate) struct Listener {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    wants: Wants,
    mail: News,
}

/// What a listener wants to hear of.
#[derive(Default, Clone)]
pub(crate) struct Wants {
    pub(crate) tools: bool,
    pub(crate) prompts: bool,
    pub(crate) resources: bool,
    /// URIs, each with the tags that make it change.
    pub(crate) updates: BTreeMap<String, Vec<TagId>>,
}

/// What has changed since the last look.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct News {
    pub(crate) tools: bool,
    pub(crate) prompts: bool,
    pub(crate) resources: bool,
    pub(crate) updated: BTreeSet<String>,
}

impl Hub {
    /// Adds a listener; it is forgotten when its last handle is dropped.
    pub(crate) fn listen(&self, wants: Wants) -> Arc<Listener> {
        let listener = Arc::new(Listener {
            state: Mutex::new(State { wants, ..State::default() }),
            news: Notify::new(),
        });
        let mut listeners = locked(&self.0);
        listeners.retain(|listener| listener.strong_count() > 0);
        if listeners.len() < MAX_LISTENERS {
            listeners.push(Arc::downgrade(&listener));
        } else {
            tracing::warn!(
                "{MAX_LISTENERS} sessions and subscriptions listen already: one more hears nothing"
            );
        }
        listener
    }

    /// Tells of invalidated tags those who subscribed to a resource that carries one.
    pub(crate) fn invalidated(&self, what: Invalidated<'_>) {
        self.tell(|wants, news| {
            let changed = |tags: &Vec<TagId>| match what {
                Invalidated::Tags(invalid) => tags.iter().any(|tag| invalid.contains(tag)),
                Invalidated::All => true,
            };
            let updated = wants.updates.iter().filter(|(_, tags)| changed(tags)).map(|(uri, _)| uri.clone());
            news.updated.extend(updated);
        });
    }

    /// Tells of a list that changed.
    pub(crate) fn listed(&self, kind: &Kind) {
        self.tell(|wants, news| match kind {
            Kind::Tool(_) => news.tools |= wants.tools,
            Kind::Prompt => news.prompts |= wants.prompts,
            _ => news.resources |= wants.resources,
        });
    }

    fn tell(&self, note: impl Fn(&Wants, &mut News)) {
        let listeners: Vec<_> = locked(&self.0).iter().filter_map(Weak::upgrade).collect();
        for listener in listeners {
            let mut state = locked(&listener.state);
            let State { wants, mail } = &mut *state;
            note(wants, mail);
            let any = *mail != News::default();
            drop(state);
            if any {
                listener.news.notify_one();
            }
        }
    }
}

impl Listener {
    /// Subscribes to one more resource.
    ///
    /// # Errors
    ///
    /// Fails where the listener has subscribed to too many.
    pub(crate) fn subscribe(&self, uri: String, tags: Vec<TagId>) -> Result<(), String> {
        let mut state = locked(&self.state);
        if state.wants.updates.len() >= MAX_SUBSCRIPTIONS && !state.wants.updates.contains_key(&uri) {
            return Err(format!(
                "this session has subscribed to {MAX_SUBSCRIPTIONS} resources: unsubscribe from one first"
            ));
        }
        state.wants.updates.insert(uri, tags);
        Ok(())
    }

    /// Ends the subscription to a resource.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        let mut state = locked(&self.state);
        state.wants.updates.remove(uri);
        state.mail.updated.remove(uri);
    }

    /// Waits for news and takes them.
    pub(crate) async fn news(&self) -> News {
        loop {
            let news = std::mem::take(&mut locked(&self.state).mail);
            if news != News::default() {
                return news;
            }
            self.news.notified().await;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
