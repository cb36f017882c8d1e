//! A level in this process's memory, as plain as its contract.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_core::cache::level::{
    Answer, Event, Holds, Level, Marks, News, Origin, Read, SILENCE, Tier, Voided, Write,
};
use mcp_core::cache::{Key, TagId};
use tokio::sync::watch;
use tokio::time::Instant;

#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// How many invalidations there were.
    length: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    values: HashMap<Key, (Vec<u8>, Instant)>,
    all: u64,
    marks: HashMap<TagId, u64>,
    log: Vec<(Origin, Voided)>,
}

impl State {
    fn marks(&self, tags: &[TagId]) -> Marks {
        // Never 0: that means "never invalidated", which everything together is not.
        let all = self.all + 1;
        let of = |tag| self.marks.get(tag).copied().unwrap_or_default();
        Marks(std::iter::once(all).chain(tags.iter().map(of)).collect())
    }
}

impl Shelf {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> Answer<'_, T>
    where
        T: Send + 'static,
    {
        let changed = change(&mut self.0.state.lock().unwrap());
        Box::pin(std::future::ready(Ok(changed)))
    }
}

impl Level for Shelf {
    fn tier(&self) -> Tier {
        Tier::Shared
    }

    fn read<'a>(&'a self, key: &'a Key, tags: &'a [TagId]) -> Answer<'a, Read> {
        self.change(|state| {
            let left = |end: Instant| end.checked_duration_since(Instant::now());
            let found = state.values.get(key);
            let value = found.and_then(|(value, end)| Some((value.clone(), left(*end)?)));
            Read { value: value.filter(|(_, left)| *left > Duration::ZERO), marks: state.marks(tags) }
        })
    }

    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool> {
        self.change(|state| {
            let holds = state.marks(write.tags) == *write.marks;
            if holds {
                state.values.insert(*write.key, (write.value.to_vec(), Instant::now() + write.life));
            }
            holds
        })
    }

    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()> {
        self.change(|state| {
            state.log.push((origin, voided.clone()));
            let number = state.log.len() as u64;
            match voided {
                Voided::Tags(tags) => state.marks.extend(tags.iter().map(|tag| (*tag, number))),
                Voided::All => state.all = number,
            }
            self.0.length.send_replace(state.log.len());
        })
    }

    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()> {
        self.change(|state| {
            if state.values.get(key).is_some_and(|(there, _)| there == value) {
                state.values.remove(key);
            }
        })
    }

    fn news(&self) -> Box<dyn News> {
        Box::new(ShelfNews { shelf: self.clone(), position: None })
    }

    fn holds(&self) -> Answer<'_, Holds> {
        self.change(|state| Holds { entries: Some(state.values.len() as u64), bytes: None })
    }
}

struct ShelfNews {
    shelf: Shelf,
    position: Option<usize>,
}

impl News for ShelfNews {
    fn next(&mut self) -> Answer<'_, Vec<Event>> {
        Box::pin(async move {
            let Some(position) = self.position else {
                self.position = Some(self.shelf.0.state.lock().unwrap().log.len());
                return Ok(vec![Event::Gap]);
            };
            let mut length = self.shelf.0.length.subscribe();
            _ = tokio::time::timeout(SILENCE, length.wait_for(|length| *length > position)).await;
            let state = self.shelf.0.state.lock().unwrap();
            self.position = Some(state.log.len());
            let event = |(origin, voided): &(Origin, Voided)| Event::Voided(*origin, voided.clone());
            Ok(state.log[position..].iter().map(event).collect())
        })
    }
}
