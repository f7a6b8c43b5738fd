//! Draws a line chart with two logarithmic axes as SVG. Text stays text, and the colours suit light and
//! dark pages.

use crate::report::thousands;
use std::fmt::Write;

/// A point: the name of its curve, x and y.
pub type Point = (String, f64, f64);

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Margins for the labels of the axes and the names of the curves.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;
/// The least distance between two names.
const LINE: f64 = 18.0;

/// Colours that differ on white and on black, and for readers who are colour-blind
/// ([Okabe and Ito](https://jfly.uni-koeln.de/color/), with a grey added).
const COLORS: [&str; 8] = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#a08a00", "#808080",
];

/// A logarithmic axis between two powers of ten.
struct Axis {
    from: f64,
    to: f64,
    start: f64,
    length: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, start: f64, length: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(f64::NEG_INFINITY, f64::max);
        let (from, to) = (least.log10().floor(), most.log10().ceil());
        let to = if to > from { to } else { from + 1.0 };
        Self {
            from,
            to,
            start,
            length,
        }
    }

    fn at(&self, value: f64) -> f64 {
        self.start + (value.log10() - self.from) / (self.to - self.from) * self.length
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.from as i32..=self.to as i32).map(|power| 10f64.powi(power))
    }
}

/// Draws the curves. All values must be greater than 0.
pub fn draw(title: &str, unit: &str, points: &[Point]) -> String {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let x = Axis::over(points.iter().map(|point| point.1), LEFT, right - LEFT);
    let y = Axis::over(points.iter().map(|point| point.2), bottom, TOP - bottom);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>{title}, by the number of contacts</title>\n\
         <style>text {{ fill: #24292f }} .grid {{ stroke: #d0d7de }} \
         @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} .grid {{ stroke: #3d444d }} }}</style>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{title}</text>\n"
    );
    for value in x.ticks() {
        let (at, text) = (x.at(value), thousands(value as usize));
        line(&mut svg, [(at, TOP), (at, bottom)]);
        text_at(&mut svg, (at, bottom + 18.0), "middle", &text);
    }
    for value in y.ticks() {
        let at = y.at(value);
        line(&mut svg, [(LEFT, at), (right, at)]);
        let text = if value < 1.0 {
            value.to_string()
        } else {
            thousands(value as usize)
        };
        text_at(&mut svg, (LEFT - 8.0, at + 4.0), "end", &text);
    }
    let middle = LEFT.midpoint(right);
    text_at(
        &mut svg,
        (middle, HEIGHT - 18.0),
        "middle",
        "contacts in the organisation",
    );
    text_at(&mut svg, (LEFT - 8.0, TOP - 10.0), "end", unit);
    curves(&mut svg, points, &x, &y);
    svg + "</svg>\n"
}

fn curves(svg: &mut String, points: &[Point], x: &Axis, y: &Axis) {
    let mut names: Vec<&str> = Vec::new();
    for (name, ..) in points {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut labels: Vec<(f64, &str, &str)> = Vec::new();
    for (name, color) in names.iter().zip(COLORS.iter().cycle()) {
        let own = points.iter().filter(|point| point.0 == *name);
        let own: Vec<_> = own.map(|point| (x.at(point.1), y.at(point.2))).collect();
        let path: Vec<_> = own.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        let _ = writeln!(
            svg,
            "<polyline points=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>"
        );
        for (x, y) in &own {
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>"
            );
        }
        labels.extend(own.last().map(|(_, y)| (*y, *name, *color)));
    }
    name_them(svg, labels);
}

/// Writes each curve's name next to its end. Moves names apart if they would overlap.
fn name_them(svg: &mut String, mut labels: Vec<(f64, &str, &str)>) {
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut least = TOP;
    for label in &mut labels {
        label.0 = label.0.max(least);
        least = label.0 + LINE;
    }
    let mut most = HEIGHT - BOTTOM;
    for label in labels.iter_mut().rev() {
        label.0 = label.0.min(most);
        most = label.0 - LINE;
    }
    let from = WIDTH - RIGHT + 10.0;
    for (y, name, color) in labels {
        let top = y - 1.5;
        let _ = writeln!(
            svg,
            "<rect x=\"{from}\" y=\"{top:.1}\" width=\"12\" height=\"3\" fill=\"{color}\"/>"
        );
        text_at(svg, (from + 18.0, y + 4.0), "start", name);
    }
}

fn line(svg: &mut String, [from, to]: [(f64, f64); 2]) {
    let _ = writeln!(
        svg,
        "<line class=\"grid\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text_at(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}
