//! What is printed: a table for each case, and which targets are met.

use serde_json::{Value, json};

use crate::cases::Case;
use crate::servers::Server;

/// The first column of a closed loop, by which servers are compared.
const CPU: &str = "CPU µs/request";

/// What a case came to.
pub(crate) struct Table {
    pub(crate) case: Case,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Row>,
}

/// The figures of a server: in each round one for each column.
pub(crate) struct Row {
    pub(crate) server: Server,
    pub(crate) rounds: Vec<Vec<f64>>,
}

/// Text in rows and columns, the first of which is the head.
pub(crate) struct Grid {
    title: String,
    rows: Vec<Vec<String>>,
}

/// What a release has to reach.
struct Target {
    case: Case,
    figure: Figure,
    most: f64,
}

enum Figure {
    /// Our CPU time for a request, of that of another server.
    Of(Server),
    /// A figure of our own.
    Own(&'static str),
}

const TARGETS: &[Target] = &[
    cpu(Case::HttpCall, Server::Flymcprust, 0.60),
    cpu(Case::HttpCall, Server::Rmcp, 0.33),
    cpu(Case::HttpCall, Server::Hyper, 1.35),
    cpu(Case::HttpHit, Server::Hyper, 1.25),
    cpu(Case::HttpList, Server::Hyper, 1.25),
    cpu(Case::HttpList, Server::Flymcprust, 0.90),
    cpu(Case::HttpEcho, Server::Rmcp, 0.60),
    cpu(Case::StdioCall, Server::Flymcprust, 0.80),
    cpu(Case::StdioCall, Server::Rmcp, 0.15),
    cpu(Case::StdioLegacy, Server::Flymcprust, 0.80),
    cpu(Case::StdioLegacy, Server::Rmcp, 0.15),
    own(Case::Idle, "after MiB", 40.0),
    own(Case::Wait, "p99 µs", 40_000.0),
    own(Case::Start, "first answer ms", 5.0),
    own(Case::Start, "idle MiB", 8.0),
    own(Case::Fair, "beside/alone", 1.2),
];

const fn cpu(case: Case, server: Server, most: f64) -> Target {
    Target { case, figure: Figure::Of(server), most }
}

const fn own(case: Case, column: &'static str, most: f64) -> Target {
    Target { case, figure: Figure::Own(column), most }
}

impl Table {
    /// Returns a figure of a server in each round.
    fn figures(&self, server: Server, column: &str) -> Option<impl Iterator<Item = f64>> {
        let at = self.columns.iter().position(|name| *name == column)?;
        let row = self.rows.iter().find(|row| row.server == server)?;
        Some(row.rounds.iter().map(move |round| round[at]))
    }

    fn figure(&self, server: Server, column: &str) -> Option<f64> {
        Some(median(self.figures(server, column)?))
    }

    /// Returns our CPU time as a share of that of another server.
    ///
    /// The median is of the rounds' ratios, as the servers of a round have seen the same machine.
    fn ratio(&self, server: Server) -> Option<f64> {
        let (ours, its) = (self.figures(Server::Ours, CPU)?, self.figures(server, CPU)?);
        Some(median(ours.zip(its).map(|(ours, its)| ours / its)))
    }

    /// Returns the table as text.
    pub(crate) fn text(&self, markdown: bool) -> String {
        let compared = self.columns.contains(&CPU);
        let mut head = vec!["server".to_owned()];
        head.extend(self.columns.iter().map(ToString::to_string));
        head.extend(compared.then(|| "ours/it (CPU)".to_owned()));
        let mut rows = vec![head];
        for row in &self.rows {
            let mut cells = vec![row.server.to_string()];
            let figures = self.columns.iter().filter_map(|column| self.figure(row.server, column));
            cells.extend(figures.map(shown));
            cells.extend(compared.then(|| self.ratio(row.server).map_or_else(String::new, shown)));
            rows.push(cells);
        }
        Grid { title: format!("{}: {}", self.case.name(), self.case.about()), rows }.text(markdown)
    }
}

impl Target {
    fn measured(&self, table: &Table) -> Option<f64> {
        match self.figure {
            Figure::Of(server) => table.ratio(server),
            Figure::Own(column) => table.figure(Server::Ours, column),
        }
    }

    fn words(&self) -> String {
        match self.figure {
            Figure::Of(server) => format!("ours/{server} (CPU)"),
            Figure::Own(column) => column.to_owned(),
        }
    }
}

/// Returns the targets of the cases that were measured.
fn reached(tables: &[Table]) -> impl Iterator<Item = (&'static Target, f64)> {
    TARGETS.iter().filter_map(|target| {
        let table = tables.iter().find(|table| table.case == target.case)?;
        Some((target, target.measured(table)?))
    })
}

/// Returns which targets are met.
pub(crate) fn summary(tables: &[Table]) -> Grid {
    let mut rows = vec![["case", "figure", "target", "measured", ""].map(ToOwned::to_owned).to_vec()];
    rows.extend(reached(tables).map(|(target, measured)| {
        let met = if measured <= target.most { "met" } else { "missed" };
        let limit = format!("<= {}", shown(target.most));
        vec![target.case.name().to_owned(), target.words(), limit, shown(measured), met.to_owned()]
    }));
    Grid { title: "targets".to_owned(), rows }
}

/// Returns all figures as JSON.
pub(crate) fn json(tables: &[Table]) -> Value {
    let cases = tables.iter().map(|table| {
        let rows = table.rows.iter().map(|row| {
            let named =
                table.columns.iter().map(|name| ((*name).to_owned(), json!(table.figure(row.server, name))));
            let medians: serde_json::Map<_, _> = named.collect();
            json!({ "server": row.server.name(), "medians": medians, "rounds": row.rounds })
        });
        json!({ "case": table.case.name(), "columns": table.columns, "rows": rows.collect::<Vec<_>>() })
    });
    let targets = reached(tables).map(|(target, measured)| {
        json!({ "case": target.case.name(), "figure": target.words(), "most": target.most, "measured": measured })
    });
    json!({ "cases": cases.collect::<Vec<_>>(), "targets": targets.collect::<Vec<_>>() })
}

impl Grid {
    /// Returns the grid with aligned columns, or as a table of Markdown.
    pub(crate) fn text(&self, markdown: bool) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns).map(width).collect();
        let mut lines = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                // Names stand to the left, figures to the right.
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let cells = cells.collect::<Vec<_>>();
            if markdown {
                lines.push(format!("| {} |", cells.join(" | ")));
            } else {
                lines.push(cells.join("  "));
            }
            if markdown && index == 0 {
                lines.push(format!("|---|{}", "---:|".repeat(columns - 1)));
            }
        }
        let title = if markdown { format!("### {}\n", self.title) } else { format!("## {}", self.title) };
        format!("{title}\n{}\n", lines.join("\n"))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    match (values.len() / 2, values.len() % 2) {
        (0, 0) => f64::NAN,
        (middle, 0) => f64::midpoint(values[middle - 1], values[middle]),
        (middle, _) => values[middle],
    }
}

/// Writes a figure with three digits, or as a whole number.
fn shown(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => format!("{figure:.0}"),
        size if size >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}
