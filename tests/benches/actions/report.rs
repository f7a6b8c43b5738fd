//! Writes the results as Markdown, JSON and charts.

use crate::drive::{Measured, millis};
use crate::{against, cases, chart, growth, sustained};
use edge_crm_tests::statistics::Statistics;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The page with the tables. Each is between `<!-- bench: NAME -->` and `<!-- end: NAME -->`.
const PAGE: &str = "docs/benchmarks.md";
const DATA: &str = "docs/benchmarks.json";

/// A part of the results.
pub struct Part {
    pub name: &'static str,
    pub markdown: String,
    pub json: Value,
    /// Chart files next to the page.
    pub pictures: Vec<(&'static str, String)>,
}

/// Describes the machine and its load.
pub fn machine(load: &str) -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |text| text.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    format!("Measured on {day}, on {cores} cores ({model}). Load of the machine before: {load}.")
}

/// The machine's load averages over one, five and fifteen minutes.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(", ")
}

impl Part {
    pub fn of_actions(rows: &[cases::Row], machine: &str) -> Self {
        let mut text = format!("{machine}\n\n{}\n", prices(rows));
        let _ = writeln!(text, "Every measurement, in ms:\n\n{}", times(rows));
        Self {
            name: "actions",
            markdown: text,
            json: json!({ "machine": machine, "rows": rows.iter().map(cases::Row::json).collect::<Vec<_>>() }),
            pictures: Vec::new(),
        }
    }

    pub fn of_against(rows: &[against::Row], machine: &str) -> Self {
        let mut text = format!(
            "{machine}\n\n| operation | at once | earlier, a second | this, a second | times as fast: least \
             | median | most | CPU of the earlier, ms | of this, ms | ratio |\n|---|{}\n",
            "---:|".repeat(9)
        );
        for row in rows {
            let [earlier, this] = row.mean(|measured| measured.rate);
            let [cpu, less] = row.mean(|measured| millis(measured.server));
            let [least, median, most] = row.ratios();
            let _ = writeln!(
                text,
                "| {} | {} | {earlier:.0} | {this:.0} | {least:.2} | {median:.2} | {most:.2} \
                 | {cpu:.2} | {less:.2} | {:.2} |",
                row.operation,
                row.at_once,
                cpu / less,
            );
        }
        Self {
            name: "against",
            markdown: text,
            json: json!({ "machine": machine, "rows": rows.iter().map(against::Row::json).collect::<Vec<_>>() }),
            pictures: Vec::new(),
        }
    }

    pub fn of_sustained(rows: &[sustained::Row], machine: &str) -> Self {
        let slices = rows.first().map_or(0, |row| row.rates.len());
        let heads: Vec<_> = (1..=slices)
            .map(|slice| format!("to {} s", slice * 10))
            .collect();
        let mut text = format!(
            "{machine}\n\n| at once | product | {} | a second | the last of the first \
             | CPU of the product, ms | not indexed at the end |\n|---:|---|{}\n",
            heads.join(" | "),
            "---:|".repeat(slices + 4)
        );
        for row in rows {
            let rates: Vec<_> = row.rates.iter().map(|rate| format!("{rate:.0}")).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.0} | {:.0} % | {:.2} | {} |",
                row.at_once,
                if row.is_earlier { "earlier" } else { "this" },
                rates.join(" | "),
                row.rate(),
                row.kept() * 100.0,
                millis(row.processor),
                thousands(row.unindexed),
            );
        }
        for pair in rows.windows(2).filter(|pair| pair[0].is_earlier) {
            let _ = writeln!(
                text,
                "\nWith {} at once this product is {:.2} times as fast as the earlier one.",
                pair[1].at_once,
                pair[1].rate() / pair[0].rate()
            );
        }
        Self {
            name: "sustained",
            markdown: text,
            json: json!({ "machine": machine, "rows": rows.iter().map(sustained::Row::json).collect::<Vec<_>>() }),
            pictures: Vec::new(),
        }
    }

    pub fn of_growth(rows: &[growth::Row], machine: &str) -> Self {
        let head = "contacts | operation | found | requests | read units | write units";
        let mut text = format!("{machine}\n\n| {head} | {} |\n", Statistics::HEAD);
        let _ = writeln!(text, "|---:|---|{}", "---:|".repeat(4 + 7));
        for row in rows {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.1} | {:.1} | {:.1} | {} |",
                thousands(row.contacts),
                row.operation,
                row.found,
                row.requests,
                row.reads,
                row.writes,
                row.times
            );
        }
        let curve = |wanted: fn(&growth::Row) -> f64| -> Vec<chart::Point> {
            let point =
                |row: &growth::Row| (row.operation.clone(), row.contacts as f64, wanted(row));
            rows.iter().map(point).collect()
        };
        let time = curve(|row| millis(row.times.median));
        let units = curve(|row| row.reads);
        Self {
            name: "growth",
            markdown: text,
            json: json!({ "machine": machine, "rows": rows.iter().map(growth::Row::json).collect::<Vec<_>>() }),
            pictures: vec![
                (
                    "growth-time.svg",
                    chart::draw("Median time of a page that is not cached", "ms", &time),
                ),
                (
                    "growth-units.svg",
                    chart::draw("DynamoDB read units of such a page", "read units", &units),
                ),
            ],
        }
    }

    /// Writes this part into the documentation, in place of its earlier results.
    pub fn write(&self) {
        let (page, data) = (repository(PAGE), repository(DATA));
        let text = std::fs::read_to_string(&page).expect("the page");
        let marks = ["bench", "end"].map(|mark| format!("<!-- {mark}: {} -->", self.name));
        let (before, rest) = text.split_once(&marks[0]).expect("the part's beginning");
        let (_, after) = rest.split_once(&marks[1]).expect("the part's end");
        let text = format!(
            "{before}{}\n\n{}\n{}{after}",
            marks[0], self.markdown, marks[1]
        );
        std::fs::write(&page, text).expect("the page");
        let all = std::fs::read_to_string(&data).unwrap_or_default();
        let mut all: Value = serde_json::from_str(&all).unwrap_or_else(|_| json!({}));
        all[self.name] = self.json.clone();
        let text = serde_json::to_string_pretty(&all).expect("JSON");
        std::fs::write(&data, text + "\n").expect("the data");
        for (name, picture) in &self.pictures {
            std::fs::write(page.with_file_name(name), picture).expect("a picture");
        }
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// The cost of the wrapper: the product's median beside the baseline's.
fn prices(rows: &[cases::Row]) -> String {
    let mut text = "| operation | at once | product, median ms | bare, median ms | times the bare | budget \
                    | product, a second | bare, a second | CPU of the product, ms | of the bare one \
                    | of the client |\n"
        .to_owned();
    let _ = writeln!(text, "|---|{}", "---:|".repeat(10));
    for row in rows {
        let own = &row.product;
        let bare = |of: fn(&Measured) -> f64, places: usize| {
            let value = row.bare.as_ref().map(of);
            value.map_or(String::new(), |value| format!("{value:.places$}"))
        };
        let times = row
            .times()
            .map_or(String::new(), |times| format!("{times:.1}"));
        let budget = match (row.budget(), row.times()) {
            (Some(budget), Some(times)) if times > budget => format!("{budget:.0} (missed)"),
            (Some(budget), _) => format!("{budget:.0}"),
            (None, _) => String::new(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {:.2} | {} | {times} | {budget} | {:.0} | {} | {:.2} | {} | {:.2} |",
            row.operation,
            row.at_once,
            millis(own.times.median),
            bare(|bare| millis(bare.times.median), 2),
            own.rate,
            bare(|bare| bare.rate, 0),
            millis(own.server),
            bare(|bare| millis(bare.server), 2),
            millis(own.client),
        );
    }
    text
}

fn times(rows: &[cases::Row]) -> String {
    let mut text = format!(
        "| operation | at once | by | {} | a second |\n",
        Statistics::HEAD
    );
    let _ = writeln!(text, "|---|---:|---|{}", "---:|".repeat(8));
    for row in rows {
        let pair = [("product", Some(row.product)), ("bare", row.bare)];
        for (by, measured) in pair.into_iter().filter_map(|(by, of)| Some((by, of?))) {
            let (operation, at_once) = (row.operation, row.at_once);
            let (times, rate) = (measured.times, measured.rate);
            let _ = writeln!(
                text,
                "| {operation} | {at_once} | {by} | {times} | {rate:.0} |"
            );
        }
    }
    text
}

/// A number with commas.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
