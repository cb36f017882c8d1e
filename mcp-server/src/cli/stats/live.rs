//! `top`: what `stats` shows, again and again.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use mcp_core::profile::Span;
use mcp_core::units;

use super::page::Page;
use super::servers;
use crate::cli::control::Seen;
use crate::cli::{eprintln_line, pid, serve};
use crate::error::Error;
use crate::server::Server;
use crate::text_report;

/// How often a server may be asked.
const LEAST: Duration = Duration::from_millis(100);

/// Another page of the terminal, without a cursor; and back to where one was.
const OPEN: &str = "\x1b[?1049h\x1b[?25l";
const CLOSE: &str = "\x1b[?25h\x1b[?1049l";

pub(crate) fn command(example: impl Fn(&str) -> String) -> Command {
    let every = |text: &str| match units::duration(text) {
        Ok(every) if every >= LEAST => Ok(every),
        Ok(_) => Err(format!("`{text}` is too often: write `100ms` or more")),
        Err(error) => Err(error),
    };
    Command::new("top")
        .about("Shows live what running servers of this name measure, until Ctrl-C")
        .arg(
            Arg::new("every")
                .long("every")
                .value_name("TIME")
                .value_parser(every)
                .default_value("1s")
                .help("how often it is drawn"),
        )
        .arg(Arg::new("once").long("once").action(ArgAction::SetTrue).help("print it once"))
        .arg(pid())
        .arg(servers::window(Span::Minute))
        .after_help(example("top --every 2s"))
}

pub(crate) async fn run(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let (name, _) = server.server_name();
    let once = matches.get_flag("once");
    let every = matches.get_one::<Duration>("every").copied().unwrap_or(Duration::from_secs(1));
    let span = servers::span(matches);
    let mut screen = Screen::new(once);
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let stopped = serve::signalled();
    tokio::pin!(stopped);
    let mut rounds = 0_u64;
    loop {
        let asked = async {
            ticks.tick().await;
            servers::running(name, matches).await
        };
        let seen = tokio::select! {
            seen = asked => seen,
            () = &mut stopped => return Ok(ExitCode::SUCCESS),
        };
        if seen.is_empty() && rounds == 0 {
            return Err(Error::start(format!("no server named `{name}` runs: start one with `serve`")));
        }
        if seen.is_empty() {
            drop(screen);
            eprintln_line(&format!("the server `{name}` has ended: `stats` shows its last figures"));
            return Ok(ExitCode::SUCCESS);
        }
        rounds += 1;
        // Whoever read it has gone.
        if screen.draw(&seen, span).is_err() || once {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Where it is drawn: a page of the terminal that is left as it was, or one text after the other.
struct Screen {
    drawn: bool,
    in_place: bool,
}

impl Screen {
    fn new(once: bool) -> Self {
        Self { drawn: false, in_place: !once && Page::of_stdout().rows.is_some() }
    }

    fn draw(&mut self, seen: &[Result<Seen, Error>], span: Span) -> std::io::Result<()> {
        let page = Page::of_stdout();
        let texts = seen.iter().map(|seen| match seen {
            Ok(seen) if self.in_place => {
                text_report::summary(&seen.report, seen.running, span).text(page.look)
            }
            Ok(seen) => text_report::overview(&seen.report, seen.running, span).text(page.look),
            Err(error) => format!("{}\n", text_report::clean(&error.to_string())),
        });
        let text = texts.collect::<Vec<_>>().join(if self.in_place { "\n" } else { "" });
        let mut out = std::io::stdout().lock();
        if self.in_place {
            if !self.drawn {
                out.write_all(OPEN.as_bytes())?;
            }
            out.write_all(frame(&text, page.rows.unwrap_or(24)).as_bytes())?;
        } else {
            let before = if self.drawn { "\n" } else { "" };
            out.write_all(format!("{before}{text}").as_bytes())?;
        }
        self.drawn = true;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.in_place && self.drawn {
            let mut out = std::io::stdout().lock();
            let _ = out.write_all(CLOSE.as_bytes()).and_then(|()| out.flush());
        }
    }
}

/// Returns what draws a text over the one before, cut to the rows that there are.
fn frame(text: &str, rows: usize) -> String {
    // Nothing is cleared before it is drawn over, so that nothing flickers; the last line ends without a new one.
    let lines: Vec<_> = text.lines().take(rows).map(|line| format!("{line}\x1b[K")).collect();
    format!("\x1b[H{}\x1b[J", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_drawn_over_the_last_and_is_no_higher_than_the_terminal() {
        assert_eq!(frame("a\nb\nc\n", 2), "\x1b[Ha\x1b[K\nb\x1b[K\x1b[J");
        assert_eq!(frame("a\n", 24), "\x1b[Ha\x1b[K\x1b[J");
    }
}
