//! The processor time and memory of a process, as the kernel counts them, and the size of a binary.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The time and memory that a process has used so far.
pub struct Usage {
    /// Processor time in the program.
    pub user: Duration,
    /// Processor time in the kernel on its behalf. Most of it is sending and receiving.
    pub system: Duration,
    /// The peak resident memory, in KiB.
    pub peak: u64,
    /// The resident memory now, in KiB.
    pub resident: u64,
}

impl Usage {
    /// Processor time in the program and in the kernel.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.user + self.system
    }

    /// The usage of a running process.
    ///
    /// Source: [proc(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
    ///
    /// # Panics
    /// If there is no such process, or the kernel has no `/proc`.
    #[must_use]
    pub fn of(process: u32) -> Self {
        let read = |file: &str| {
            std::fs::read_to_string(format!("/proc/{process}/{file}")).expect("a process")
        };
        // The process name in parentheses may have spaces. utime and stime are fields 14 and 15.
        let stat = read("stat");
        let fields = stat.rsplit(')').next().expect("fields").split_whitespace();
        let second = ticks_a_second();
        let mut times = fields.skip(11).map(|field| {
            let ticks: f64 = field.parse().expect("ticks");
            Duration::from_secs_f64(ticks / second)
        });
        let status = read("status");
        let memory = |name: &str| {
            let mut lines = status.lines();
            let size = lines.find_map(|line| line.strip_prefix(name)?.strip_suffix("kB"));
            size.expect("a size").trim().parse().expect("KiB")
        };
        Self {
            user: times.next().expect("utime"),
            system: times.next().expect("stime"),
            peak: memory("VmHWM:"),
            resident: memory("VmRSS:"),
        }
    }
}

fn ticks_a_second() -> f64 {
    let output = Command::new("getconf").arg("CLK_TCK").output();
    let text = output.expect("getconf").stdout;
    String::from_utf8_lossy(&text)
        .trim()
        .parse()
        .expect("ticks")
}

/// The size of the archive to deploy: one deflated file, `bootstrap`, with a local header of 30 bytes,
/// a central header of 46, an end record of 22, and the name twice
/// ([APPNOTE.TXT](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), section 4.3).
///
/// # Panics
/// If the file cannot be read.
#[must_use]
pub fn zipped(binary: &Path) -> u64 {
    let bytes = std::fs::read(binary).unwrap_or_else(|e| panic!("{}: {e}", binary.display()));
    let mut archive = DeflateEncoder::new(Vec::new(), Compression::default());
    archive.write_all(&bytes).expect("memory");
    let deflated = archive.finish().expect("memory").len();
    (deflated + 30 + 46 + 22 + 2 * "bootstrap".len()) as u64
}
