//! The machine: which core works for whom, and what a process has used up.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::FileExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The core of the server under test.
pub const SERVER: usize = 0;

/// The core of the load, and of PostgreSQL.
pub const LOAD: usize = 1;

/// Ticks a second in which Linux tells of a process's time (`getconf CLK_TCK`).
const TICKS: u64 = 100;

/// A program on one core.
pub fn on_core(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

/// Puts this process on one core.
pub fn stay_on(core: usize) -> io::Result<()> {
    let done = Command::new("taskset")
        .args(["--all-tasks", "--pid", "--cpu-list", &core.to_string(), &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status()?;
    if done.success() { Ok(()) } else { Err(io::Error::other("taskset failed")) }
}

/// Starts a program and waits until it prints a line that begins like this; the rest of that line.
pub fn start(mut command: Command, beginning: &str) -> io::Result<(Child, String)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
    let mut lines = BufReader::new(output).lines();
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some(rest) = line.strip_prefix(beginning) {
            let rest = rest.trim().to_owned();
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((child, rest));
        }
    }
    Err(io::Error::other(format!("{command:?} ended: {}", child.wait()?)))
}

/// The processor time that a process has used, of all its threads.
pub fn cpu(process: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // After the name in parentheses, which may hold anything: user time is the 12th field, system time the 13th.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields.iter().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

/// A value of a process's memory in MB (10^6 bytes): `VmRSS` is what is resident now, `VmHWM` the most there was.
pub fn memory(process: u32, what: &str) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_default();
    let kib = line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0 / 1e6).ok_or_else(|| io::Error::other(format!("no {what}")))
}

/// Syncs a second that the disk of a folder does, one after the other, each of a page written.
pub fn syncs(folder: &Path) -> io::Result<f64> {
    let path = folder.join("syncs");
    let mut file = fs::File::create(&path)?;
    file.write_all(&[0; 4096 * 64])?;
    file.sync_all()?;
    let (began, mut done) = (Instant::now(), 0_u64);
    while began.elapsed() < Duration::from_secs(1) {
        file.write_all_at(&[1; 4096], done % 64 * 4096)?;
        file.sync_data()?;
        done += 1;
    }
    let rate = done as f64 / began.elapsed().as_secs_f64();
    fs::remove_file(path)?;
    Ok(rate)
}

/// The processor, the memory and the kernel, for the table's heading.
pub fn words() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    let cores = read("/proc/cpuinfo").lines().filter(|line| line.starts_with("processor")).count();
    format!(
        "{cores} cores of {}, {} of memory, Linux {}",
        after(&read("/proc/cpuinfo"), "model name"),
        after(&read("/proc/meminfo"), "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim()
    )
}
