//! A level that misbehaves in every way its contract allows, by a seed.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_core::cache::level::{
    Answer, Event, Holds, Level, LevelError, News, Origin, Read, Tier, Voided, Write,
};
use mcp_core::cache::{Key, TagId};

/// How often what goes wrong, as shares of all requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Fails; half of the time after it has taken effect.
    pub(crate) error: f64,
    /// Never answers; half of the time after it has taken effect.
    pub(crate) hang: f64,
    /// How long it takes to arrive, and again to come back.
    pub(crate) delay: Range<Duration>,
    /// A write says that it stored, and did not. An invalidation never does that: nothing could help then.
    pub(crate) drop: f64,
    /// Takes effect twice: the second time after as long a delay again.
    pub(crate) duplicate: f64,
    /// A value comes back with one bit changed, or cut off.
    pub(crate) corrupt: f64,
    /// News come twice, or in another order.
    pub(crate) shuffle: f64,
}

/// A level under faults.
pub(crate) struct Chaos<L> {
    level: Arc<L>,
    control: Arc<Control>,
}

struct Control {
    faults: Mutex<Faults>,
    dice: Dice,
}

/// What will happen to one request.
struct Fate {
    before: Duration,
    after: Duration,
    lost: Option<Loss>,
    drop: bool,
    duplicate: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    FailsBefore,
    FailsAfter,
    HangsBefore,
    HangsAfter,
}

impl<L: Level> Chaos<L> {
    pub(crate) fn new(level: L, seed: u64, faults: Faults) -> Self {
        let control = Control { faults: Mutex::new(faults), dice: Dice::new(seed) };
        Self { level: Arc::new(level), control: Arc::new(control) }
    }

    pub(crate) fn set(&self, faults: Faults) {
        *self.control.faults.lock().unwrap() = faults;
    }

    /// Runs a request to its end, whoever still waits for it: what is under way arrives.
    async fn suffer<T, F, Fut>(&self, request: F) -> Result<T, LevelError>
    where
        T: Send + 'static,
        F: Fn(Arc<L>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, LevelError>> + Send + 'static,
    {
        let (fate, level) = (self.control.fate(), Arc::clone(&self.level));
        let run = async move {
            tokio::time::sleep(fate.before).await;
            if fate.lost == Some(Loss::FailsBefore) {
                return Err(LevelError::new("chaos"));
            }
            if fate.lost == Some(Loss::HangsBefore) {
                return std::future::pending().await;
            }
            let answer = request(Arc::clone(&level)).await;
            if fate.duplicate {
                tokio::spawn(async move {
                    tokio::time::sleep(fate.after).await;
                    request(level).await
                });
            }
            tokio::time::sleep(fate.after).await;
            match fate.lost {
                Some(Loss::FailsAfter) => Err(LevelError::new("chaos")),
                Some(Loss::HangsAfter) => std::future::pending().await,
                _ => answer,
            }
        };
        tokio::spawn(run).await.map_err(LevelError::new)?
    }
}

impl Control {
    fn faults(&self) -> Faults {
        self.faults.lock().unwrap().clone()
    }

    fn fate(&self) -> Fate {
        let (faults, dice) = (self.faults(), &self.dice);
        let delay = || {
            let width = faults.delay.end.saturating_sub(faults.delay.start);
            faults.delay.start + width.mul_f64(dice.unit())
        };
        let late = dice.chance(0.5);
        let lost = if dice.chance(faults.error) {
            Some(if late { Loss::FailsAfter } else { Loss::FailsBefore })
        } else if dice.chance(faults.hang) {
            Some(if late { Loss::HangsAfter } else { Loss::HangsBefore })
        } else {
            None
        };
        let (drop, duplicate) = (dice.chance(faults.drop), dice.chance(faults.duplicate));
        Fate { before: delay(), after: delay(), lost, drop, duplicate }
    }
}

impl<L: Level> Level for Chaos<L> {
    fn tier(&self) -> Tier {
        self.level.tier()
    }

    fn read<'a>(&'a self, key: &'a Key, tags: &'a [TagId]) -> Answer<'a, Read> {
        let (key, tags): (Key, Arc<[TagId]>) = (*key, tags.into());
        Box::pin(async move {
            let read = move |level: Arc<L>| {
                let tags = Arc::clone(&tags);
                async move { level.read(&key, &tags).await }
            };
            let mut read = self.suffer(read).await?;
            if self.control.dice.chance(self.control.faults().corrupt)
                && let Some((value, _)) = &mut read.value
                && !value.is_empty()
            {
                let at = self.control.dice.below(value.len());
                if self.control.dice.chance(0.2) {
                    value.truncate(at);
                } else {
                    value[at] ^= 1 << self.control.dice.below(8);
                }
            }
            Ok(read)
        })
    }

    fn write<'a>(&'a self, write: Write<'a>) -> Answer<'a, bool> {
        let (key, life) = (*write.key, write.life);
        let (tags, marks, value) = (write.tags.to_vec(), write.marks.clone(), write.value.to_vec());
        let owned = Arc::new((tags, marks, value));
        Box::pin(async move {
            if self.control.fate().drop {
                return Ok(true);
            }
            let store = move |level: Arc<L>| {
                let owned = Arc::clone(&owned);
                async move {
                    let (tags, marks, value) = &*owned;
                    level.write(Write { key: &key, tags, marks, value, life }).await
                }
            };
            self.suffer(store).await
        })
    }

    fn invalidate<'a>(&'a self, voided: &'a Voided, origin: Origin) -> Answer<'a, ()> {
        let voided = Arc::new(voided.clone());
        let tell = move |level: Arc<L>| {
            let voided = Arc::clone(&voided);
            async move { level.invalidate(&voided, origin).await }
        };
        Box::pin(self.suffer(tell))
    }

    fn discard<'a>(&'a self, key: &'a Key, value: &'a [u8]) -> Answer<'a, ()> {
        let (key, value): (Key, Arc<[u8]>) = (*key, value.into());
        let discard = move |level: Arc<L>| {
            let value = Arc::clone(&value);
            async move { level.discard(&key, &value).await }
        };
        Box::pin(self.suffer(discard))
    }

    fn news(&self) -> Box<dyn News> {
        Box::new(ChaosNews { news: self.level.news(), control: Arc::clone(&self.control) })
    }

    fn holds(&self) -> Answer<'_, Holds> {
        self.level.holds()
    }
}

struct ChaosNews {
    news: Box<dyn News>,
    control: Arc<Control>,
}

impl News for ChaosNews {
    fn next(&mut self) -> Answer<'_, Vec<Event>> {
        Box::pin(async move {
            let fate = self.control.fate();
            match fate.lost {
                // Before they are taken: what is lost on the way is asked for again.
                Some(Loss::FailsBefore | Loss::FailsAfter) => return Err(LevelError::new("chaos")),
                Some(Loss::HangsBefore | Loss::HangsAfter) => return std::future::pending().await,
                None => {}
            }
            let mut events = self.news.next().await?;
            tokio::time::sleep(fate.after).await;
            if self.control.dice.chance(self.control.faults().shuffle) {
                events.reverse();
                events.extend(events.clone());
            }
            Ok(events)
        })
    }
}

/// Numbers at random, the same for the same seed (SplitMix64).
pub(crate) struct Dice(Mutex<u64>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    pub(crate) fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = *state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn unit(&self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn chance(&self, share: f64) -> bool {
        self.unit() < share
    }

    pub(crate) fn below(&self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
