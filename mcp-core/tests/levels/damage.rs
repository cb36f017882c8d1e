//! A file that is damaged while it is in use: never a panic, never a wrong value, and it works again.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use mcp_core::cache::level::{Level, Origin, Voided};
use mcp_core::cache::sql::{Database, DatabaseOptions};
use sqlx::Connection;

use crate::sqlite::{Folder, outside};
use crate::support::*;

const VALUES: u64 = 200;

fn made_of(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(300)
}

/// Fills a file, damages it and reads all of it, until the level works again.
async fn survive(folder: &Folder, damage: impl Fn(&Path)) {
    let level = folder.level();
    let tags = [tag("a")];
    level.invalidate(&Voided::Tags(tags.to_vec()), Origin(1)).await.unwrap();
    let marks = marks(&level, &tags).await;
    for number in 0..VALUES {
        assert!(store(&level, number, &tags, &marks, &made_of(number)).await.unwrap());
    }
    let mut other = outside(&folder.file()).await;
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    damage(&folder.file());
    for round in 0..3 {
        for number in 0..VALUES {
            let Ok(read) = level.read(&key(number), &tags).await else { continue };
            let Some((value, _)) = read.value else { continue };
            match opened(&value) {
                Some(content) => assert_eq!(content, made_of(number), "a wrong value"),
                // What its owner does with what is not whole.
                None => _ = level.discard(&key(number), &value).await,
            }
            if round == 1 {
                _ = store(&level, number, &tags, &read.marks, &made_of(number)).await;
            }
        }
        _ = level.invalidate(&Voided::Tags(tags.to_vec()), Origin(1)).await;
        _ = level.tend().await;
    }
    until_it_works(&level).await;
    // So does one that comes to the file only now.
    until_it_works(&folder.level()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_a_file_that_was_deleted_is_made_again() {
    let folder = Folder::new();
    survive(&folder, |file| fs::remove_file(file).unwrap()).await;
    assert!(folder.file().exists());
    survive(&folder, |file| {
        for part in ["", "-wal", "-shm"] {
            _ = fs::remove_file(format!("{}{part}", file.display()));
        }
    })
    .await;
    assert!(folder.file().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_a_file_that_was_cut_is_replaced() {
    for length in [0, 100, 4096, 5000, 40_000] {
        let folder = Folder::new();
        survive(&folder, |file| {
            OpenOptions::new().write(true).open(file).unwrap().set_len(length).unwrap();
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_a_file_whose_header_was_overwritten_is_moved_aside_and_replaced() {
    let folder = Folder::new();
    survive(&folder, |file| {
        OpenOptions::new().write(true).open(file).unwrap().write_all_at(&[0x55; 4096], 0).unwrap();
    })
    .await;
    // Connections that are open go on without the header; whoever comes new finds the damage.
    assert!(folder.names().iter().any(|name| name.contains(".corrupt-")), "{:?}", folder.names());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_a_file_that_was_cut_while_nobody_used_it_is_moved_aside_at_the_start() {
    let folder = Folder::new();
    survive(&folder, |_| {}).await;
    // The last one who closes it takes the log along, unless two close at the same moment.
    until("nobody has it open", async || {
        let is_open = folder.names().iter().any(|name| name.ends_with("-wal"));
        if is_open {
            until_it_works(&folder.level()).await;
        }
        !is_open
    })
    .await;
    OpenOptions::new().write(true).open(folder.file()).unwrap().set_len(5_000).unwrap();
    until_it_works(&folder.level()).await;
    assert!(folder.names().iter().any(|name| name.contains(".corrupt-")), "{:?}", folder.names());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_bytes_that_were_flipped_give_no_wrong_value() {
    for seed in 0..8 {
        let folder = Folder::new();
        survive(&folder, |file| {
            let length = fs::metadata(file).unwrap().len();
            let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
            let mut dice = Dice(seed);
            for _ in 0..400 {
                flip(&file, 4096 + dice.roll(length - 4096), &mut dice);
            }
        })
        .await;
    }
}

fn flip(file: &File, at: u64, dice: &mut Dice) {
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    byte[0] ^= 1 + dice.roll(255) as u8;
    file.write_all_at(&byte, at).unwrap();
}

/// A small disk of its own; `None` where mounting is not permitted.
struct Disk {
    folder: Folder,
}

impl Disk {
    fn new(size: &str) -> Option<Self> {
        let folder = Folder::new();
        let disk = Self { folder };
        let options = format!("size={size}");
        if disk.mount(&["-t", "tmpfs", "-o", &options, "tmpfs"]) {
            return Some(disk);
        }
        eprintln!("skipped: mounting is not permitted here");
        None
    }

    fn mount(&self, arguments: &[&str]) -> bool {
        let mounted = Command::new("mount").args(arguments).arg(&self.folder.0).output();
        mounted.is_ok_and(|output| output.status.success())
    }

    fn level(&self, options: DatabaseOptions) -> Database {
        self.folder.level_with(options)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(&self.folder.0).output();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_a_full_disk_is_an_error_and_recovers_when_there_is_room_again() {
    let Some(disk) = Disk::new("3m") else { return };
    let level = disk.level(DatabaseOptions::default());
    let marks = marks(&level, &[]).await;
    let mut errors = 0;
    for number in 0..200 {
        match store(&level, number, &[], &marks, &vec![number as u8; 60_000]).await {
            Ok(stored) => assert!(stored),
            Err(_) => errors += 1,
        }
    }
    assert!(errors > 0, "12 MB went onto a disk of 3 MB");
    for number in 0..200 {
        if let Ok(read) = level.read(&key(number), &[]).await
            && let Some((value, _)) = read.value
        {
            assert_eq!(opened(&value).unwrap(), vec![number as u8; 60_000]);
        }
    }
    assert!(disk.mount(&["-o", "remount,size=64m"]));
    until_it_works(&level).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_a_disk_that_cannot_be_written_is_an_error_and_recovers() {
    let Some(disk) = Disk::new("16m") else { return };
    assert!(disk.mount(&["-o", "remount,ro"]));
    let level = disk.level(DatabaseOptions::default());
    assert!(level.read(&key(1), &[]).await.is_err());
    assert!(level.invalidate(&Voided::All, Origin(1)).await.is_err());
    assert!(level.tend().await.is_err());
    assert!(disk.mount(&["-o", "remount,rw"]));
    until_it_works(&level).await;
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}
