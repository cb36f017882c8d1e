//! What the machine gives to the process.

use std::path::Path;

/// What the machine gives to the process; `None` is what it does not tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    /// How many files and connections may be open.
    pub(super) files: Option<u64>,
    /// How much memory there is, in bytes, and who says so.
    pub(super) memory: Option<(u64, &'static str)>,
}

impl Machine {
    pub(super) fn read() -> Self {
        Self { files: files(), memory: memory() }
    }
}

#[cfg(unix)]
fn files() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};

    // No limit is the largest.
    Some(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
}

#[cfg(not(unix))]
fn files() -> Option<u64> {
    None
}

/// Returns the limit of the control group (cgroup v2), or what the machine has.
fn memory() -> Option<(u64, &'static str)> {
    let text = |path: &Path| std::fs::read_to_string(path).ok();
    let total = text(Path::new("/proc/meminfo")).and_then(|text| total(&text));
    let group = text(Path::new("/proc/self/cgroup")).and_then(|text| group(&text).map(ToOwned::to_owned));
    let limits = group.iter().flat_map(|group| {
        // A group may have less than it was given by those above, never more.
        let folder = Path::new("/sys/fs/cgroup").join(group.trim_start_matches('/'));
        let folders: Vec<_> = folder.ancestors().map(Path::to_path_buf).collect();
        folders.into_iter().take_while(|folder| folder.starts_with("/sys/fs/cgroup"))
    });
    let limit =
        limits.filter_map(|folder| text(&folder.join("memory.max"))?.trim().parse::<u64>().ok()).min();
    match (limit, total) {
        (Some(limit), total) if total.is_none_or(|total| limit < total) => Some((limit, "control group")),
        (_, total) => total.map(|total| (total, "machine")),
    }
}

fn group(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// Returns the kind of file system that a folder is on, where it is one over the network.
pub(super) fn network_of(folder: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    network(&mounts, &folder.canonicalize().ok()?)
}

/// Reads `/proc/self/mountinfo`, see proc_pid_mountinfo(5): the fifth field is where, the first after ` - ` is what.
fn network(mounts: &str, folder: &Path) -> Option<String> {
    const KINDS: [&str; 12] = [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
    ];
    let mounts = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let place = before.split(' ').nth(4)?.replace("\\040", " ");
        Some((place, after.split(' ').next()?))
    });
    // Of two at one place the later one is seen.
    let (_, kind) =
        mounts.filter(|(place, _)| folder.starts_with(place)).max_by_key(|(place, _)| place.len())?;
    KINDS.contains(&kind).then(|| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(
            group("1:name=x:/old\n0::/system.slice/shop.service\n"),
            Some("/system.slice/shop.service")
        );
        assert_eq!(group("12:memory:/x\n"), None);
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       16384 kB\n"), Some(16 << 20));
    }

    #[test]
    fn the_innermost_mount_decides() {
        let mounts = "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
                      30 22 0:40 / /srv rw - nfs4 files:/srv rw\n\
                      31 30 8:2 / /srv/my\\040disk rw - xfs /dev/sdb1 rw\n";
        let kind = |folder: &str| network(mounts, Path::new(folder));
        assert_eq!(kind("/srv/cache"), Some("nfs4".to_owned()));
        assert_eq!((kind("/srv/my disk/cache"), kind("/srvx"), kind("/")), (None, None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_files_and_memory() {
        let machine = Machine::read();
        assert!(machine.files.is_some_and(|files| files > 0));
        assert!(machine.memory.is_some_and(|(bytes, _)| bytes > 1 << 20));
    }
}
