//! What a process uses, as the kernel counts it, and what a binary weighs.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What a process has used so far.
pub struct Usage {
    /// Time in the program.
    pub user: Duration,
    /// Time in the kernel on its behalf: most of it is sending and receiving.
    pub system: Duration,
    /// The most memory that was resident, in KiB.
    pub peak: u64,
    /// The memory that is resident, in KiB.
    pub resident: u64,
}

impl Usage {
    /// Time in the program and in the kernel.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.user + self.system
    }

    /// Of a running process.
    ///
    /// # Panics
    /// Where there is no such process, or no such kernel.
    #[must_use]
    /// Source: [proc(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
    pub fn of(process: u32) -> Self {
        let read = |file: &str| {
            std::fs::read_to_string(format!("/proc/{process}/{file}")).expect("a process")
        };
        // The name, in parentheses, may hold spaces; utime and stime are fields 14 and 15.
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
    let answer = Command::new("getconf").arg("CLK_TCK").output();
    let text = answer.expect("getconf").stdout;
    String::from_utf8_lossy(&text)
        .trim()
        .parse()
        .expect("ticks")
}

/// The size of the archive that is deployed: one file, `bootstrap`, deflated, with its headers
/// (a local one of 30 bytes, a central one of 46, the end of 22, and the name twice:
/// [APPNOTE.TXT](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), section 4.3).
///
/// # Panics
/// Where the file cannot be read.
#[must_use]
pub fn zipped(binary: &Path) -> u64 {
    let bytes = std::fs::read(binary).unwrap_or_else(|e| panic!("{}: {e}", binary.display()));
    let mut archive = DeflateEncoder::new(Vec::new(), Compression::default());
    archive.write_all(&bytes).expect("memory");
    let deflated = archive.finish().expect("memory").len();
    (deflated + 30 + 46 + 22 + 2 * "bootstrap".len()) as u64
}
