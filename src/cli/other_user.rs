//! Commands run by another user than the server's. As root they switch to the owner of the data folder, before any
//! thread starts: the server could not open files that root creates there.

use std::{
    env, io,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
};

use crate::base::settings::Settings;

/// Restarts the program as the owner of the data folder, if it runs as root. `Ok` if there is nothing to do.
///
/// # Errors
/// A sentence for the host if this user cannot use the folder.
pub fn switch_user(settings: &Settings) -> Result<(), String> {
    if settings.database_url.is_some() {
        return Ok(());
    }
    let folder = settings.data_dir();
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let owner_of = |path: &Path| std::fs::metadata(path).ok().map(|found| (found.uid(), found.gid()));
    // A volume may belong to root although another user works in it.
    let file = owner_of(&folder.join("latchkey.db"));
    let Some((user, group)) = owner_of(&folder).filter(|(user, _)| *user != 0 || file.is_none()).or(file) else {
        return Ok(());
    };
    let me = rustix::process::geteuid().as_raw();
    if me == 0 && user != 0 {
        let error = exec_as(user, group);
        return Err(format!("{}\n{error}", refusal(&folder, user)));
    }
    let may_write = rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok();
    let is_strange = me != 0 && (file.is_some_and(|(owner, _)| owner != me) || !may_write);
    match file {
        _ if !is_strange => Ok(()),
        Some((owner, _)) if user == me => Err(format!(
            "The database in {} belongs to {}, so {} cannot use it. Run as root: chown -R {me} {}",
            folder.display(),
            name(owner),
            name(me),
            quoted(&folder.to_string_lossy()),
        )),
        _ => Err(refusal(&folder, user)),
    }
}

/// Replaces the process by the same program, run as this user with its group only. Standard input stays open.
fn exec_as(user: u32, group: u32) -> io::Error {
    let mut arguments = env::args_os();
    let called = arguments.next().unwrap_or_else(|| "latchkey".into());
    // By the link of the process itself: the other user may not be able to access the program's folder.
    let program = Path::new("/proc/self/exe");
    let program = if program.exists() { Ok(program.to_owned()) } else { env::current_exe() };
    match program {
        Ok(program) => Command::new(program).arg0(called).args(arguments).uid(user).gid(group).exec(),
        Err(error) => error,
    }
}

fn refusal(folder: &Path, user: u32) -> String {
    let me = rustix::process::geteuid().as_raw();
    let arguments: Vec<String> = env::args().skip(1).map(|argument| quoted(&argument)).collect();
    let sudo = match (user, name_of(user)) {
        (0, _) => "sudo".to_owned(),
        (_, Some(name)) => format!("sudo -u {name}"),
        (_, None) => format!("sudo -u '#{user}'"),
    };
    format!(
        "The data folder {} belongs to {}, but this command runs as {}. The folder must be writable, and its files \
         must belong to the same user. Run: {sudo} latchkey {}\nTo give it to this user: chown -R {me} {}",
        folder.display(),
        name(user),
        name(me),
        arguments.join(" "),
        quoted(&folder.to_string_lossy()),
    )
}

fn name(user: u32) -> String {
    name_of(user).unwrap_or_else(|| format!("the user {user}"))
}

/// A user's name, if there is one.
fn name_of(user: u32) -> Option<String> {
    let all = std::fs::read_to_string("/etc/passwd").ok()?;
    all.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == user.to_string()).then(|| name.to_owned())
    })
}

/// Quotes a text for a shell.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./@:=+,%".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
