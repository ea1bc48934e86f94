//! The state directory: made, closed to others, locked. What is in its files is others' affair.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::fs::{FlockOperation, IFlags, flock, ioctl_getflags, ioctl_setflags};

/// Makes the folder if it is not there, and closes it to others if it is.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    match fs::metadata(folder)?.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => fs::set_permissions(folder, Permissions::from_mode(0o700)),
    }
}

/// Makes the folders that runs are put in. There are many of them, so that none gets large, and so that ext4, which is
/// told (chattr(1) +T) that they have nothing to do with each other, spreads them over the disk: without a journal it
/// looks, before it makes a file, at every inode lately deleted near by. In one folder beside a busy /tmp the files of a
/// run took up to 700 µs so; here they take 20 µs. Other file systems do not mind.
pub(super) fn make_shelves(runs: &Path) -> io::Result<()> {
    make_private(runs)?;
    let opened = File::open(runs)?;
    if let Ok(flags) = ioctl_getflags(&opened) {
        let _ = ioctl_setflags(&opened, flags | IFlags::TOPDIR);
    }
    (0..=u8::MAX).try_for_each(|shelf| make_private(&runs.join(format!("{shelf:02x}"))))
}

/// A server that was killed holds its directory for a moment longer: a child that it had begun to start has its files
/// until the program is executed.
const HANDOVER: Duration = Duration::from_secs(1);

/// Takes the directory for this process, for as long as the file is held.
pub(super) fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot write in the state directory {}", folder.display()))?;
    let since = Instant::now();
    while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        anyhow::ensure!(
            since.elapsed() < HANDOVER,
            "the state directory {} is used by another joblines: stop it, or choose another with --state-dir",
            folder.display()
        );
        thread::sleep(HANDOVER / 50);
    }
    Ok(file)
}
