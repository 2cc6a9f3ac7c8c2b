//! How much memory another process holds, as the kernel tells it: what it has made, not the pages of its program,
//! which the kernel reads when it likes and of which a debug build has many times more.

/// A process whose memory is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Memory(u32);

impl Memory {
    /// Of the process with this id.
    pub fn of(process: u32) -> Self {
        Self(process)
    }

    /// How much it holds now, in bytes; its peak begins here anew.
    pub fn idle(self) -> usize {
        std::fs::write(format!("/proc/{}/clear_refs", self.0), "5").unwrap();
        self.told("VmRSS:") - self.told("RssFile:")
    }

    /// The most that it held since, in bytes.
    pub fn peak(self) -> usize {
        self.told("VmHWM:") - self.told("RssFile:")
    }

    /// A line of what the kernel tells of the process, in bytes.
    fn told(self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
    }
}
