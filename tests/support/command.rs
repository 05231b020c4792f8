//! The program run as a command, and what it says.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use crate::program::{PATIENCE, signal};

/// What a command has said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Asserts success; what it printed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// Asserts a failure told in words: a message without a panic, and nothing on standard output.
    #[track_caller]
    pub fn refused(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.err.trim().is_empty() && !self.err.contains("panicked"), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        self.err
    }
}

/// A command as another program runs it: `outer` ends where the command begins.
pub fn run_by(outer: &[&str], command: &Command) -> Command {
    let mut run = Command::new(outer[0]);
    run.args(&outer[1..]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => run.env(name, value),
            None => run.env_remove(name),
        };
    }
    run.current_dir(command.get_current_dir().expect("a folder")).stdin(Stdio::null());
    run
}

/// What a command printed first: the link, where it makes one.
pub fn first_line(printed: &str) -> &str {
    printed.lines().next().expect("a line")
}

pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Runs a command to its end, which must come.
pub fn finish(mut command: Command, stdin: &str) -> Said {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    // One that asks for nothing may be gone before it is told.
    let _ = child.stdin.take().expect("its input").write_all(stdin.as_bytes());
    let (id, (sender, receiver)) = (child.id(), mpsc::channel());
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        signal(id, "KILL");
        panic!("{command:?} did not end");
    };
    let output = output.expect("the command ends");
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
