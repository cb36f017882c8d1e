//! Four processes on one file, killed in the middle of what they do.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mcp_core::cache::level::{Level, Origin, Voided};
use mcp_core::cache::sql::{Database, DatabaseOptions};

use crate::damage::Dice;
use crate::sqlite::{Folder, outside};
use crate::support::*;

/// Set in the environment of a child: the address of the file.
const CHILD: &str = "MCP_LEVELS_CHILD";
const KEYS: u64 = 50;

fn spawn(folder: &Folder) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::what_a_child_does", "--nocapture"])
        .env(CHILD, format!("sqlite://{}", folder.file().display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs only in a child: writes, reads and invalidates until it is killed, and says what is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_child_does() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let level = Database::open(&url, DatabaseOptions::default()).unwrap();
    let mut dice = Dice(u64::from(std::process::id()));
    let tags = [tag("a")];
    // Bounded, should the parent die without having killed it.
    for round in 0..50_000 {
        let number = dice.roll(KEYS);
        // What is busy or locked is tried again: only what is read wrongly is a failure.
        let Ok(read) = level.read(&key(number), &tags).await else { continue };
        if let Some((value, _)) = &read.value
            && opened(value).is_none_or(|content| content != number.to_le_bytes().repeat(500))
        {
            println!("WRONG value of {number}");
        }
        _ = store(&level, number, &tags, &read.marks, &number.to_le_bytes().repeat(500)).await;
        if dice.roll(10) == 0 {
            _ = level.invalidate(&Voided::Tags(tags.to_vec()), Origin(1)).await;
        }
        if round == 3 {
            println!("BUSY with the file");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p34_the_file_survives_100_kills_of_4_processes() {
    let folder = Folder::new();
    let mut dice = Dice(1);
    for _ in 0..25 {
        let mut children: Vec<_> = (0..4).map(|_| spawn(&folder)).collect();
        let mut outputs = Vec::new();
        for child in &mut children {
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            while !line.contains("BUSY") {
                assert!(!line.contains("WRONG"), "{line}");
                line.clear();
                assert!(output.read_line(&mut line).unwrap() > 0, "a child ended without having worked");
            }
            outputs.push(output);
        }
        for (child, mut output) in children.iter_mut().zip(outputs) {
            // Not to wait for anything: to be at another point each time.
            std::thread::sleep(Duration::from_micros(dice.roll(20_000)));
            child.kill().unwrap();
            child.wait().unwrap();
            let mut rest = String::new();
            output.read_to_string(&mut rest).unwrap();
            assert!(!rest.contains("WRONG"), "{rest}");
        }
    }
    let mut other = outside(&folder.file()).await;
    let integrity: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut other).await.unwrap();
    assert_eq!(integrity, "ok");
    assert!(!folder.names().iter().any(|name| name.contains("corrupt")), "a kill is no corruption");
    let level = folder.level();
    let mut found = 0;
    for number in 0..KEYS {
        if let Some(content) = content(&level, number).await {
            assert_eq!(content, number.to_le_bytes().repeat(500));
            found += 1;
        }
    }
    assert!(found > KEYS / 2, "only {found} values were kept");
    until_it_works(&level).await;
}
