//! Limits a process to the share of a processor that Lambda assigns to a function.

use std::fs::{create_dir, remove_dir, write};
use std::path::PathBuf;

/// The scheduling period, in microseconds. A process that has used up its share waits for the next.
const PERIOD: u32 = 20_000;
/// The memory size with which a function has one whole processor, in MB.
/// Source: [Configure Lambda function memory](https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
const WHOLE: u32 = 1_769;

/// A control group with the processor share of a memory size. It is removed on drop, which must come
/// after the process has ended.
pub struct Share(PathBuf);

impl Share {
    /// The share of a function with this memory size, in MB. Needs root, on Linux.
    /// Source: [CFS bandwidth control](https://docs.kernel.org/scheduler/sched-bwc.html).
    pub fn of(memory: u32) -> Self {
        let name = format!("edge-crm-{}-{memory}", std::process::id());
        let quota = PERIOD * memory / WHOLE;
        let (group, settings) = match PathBuf::from("/sys/fs/cgroup/cpu") {
            first if first.is_dir() => (
                first.join(name),
                [
                    ("cpu.cfs_period_us", PERIOD.to_string()),
                    ("cpu.cfs_quota_us", quota.to_string()),
                ]
                .to_vec(),
            ),
            _ => (
                PathBuf::from("/sys/fs/cgroup").join(name),
                [("cpu.max", format!("{quota} {PERIOD}"))].to_vec(),
            ),
        };
        create_dir(&group).expect("a control group, as root");
        let share = Self(group);
        for (file, value) in settings {
            write(share.0.join(file), value).expect("a setting of the control group");
        }
        share
    }

    /// Limits a process to this share.
    pub fn give(&self, process: u32) {
        write(self.0.join("cgroup.procs"), process.to_string()).expect("a process");
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let _in_use_until_the_process_is_gone = remove_dir(&self.0);
    }
}
