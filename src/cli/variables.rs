//! Environment variables. A misspelt setting would be silently ignored, so an unknown variable with our prefix is an
//! error, except those that Kubernetes and Docker set for a service of our name.

use std::env;

use crate::base::{mail_settings, secret_keys};

const OURS: &str = "LATCHKEY_";

/// Settings that are no options, since everybody on the machine can read a command line.
const NO_OPTIONS: [&str; 2] = [secret_keys::VARIABLE, mail_settings::PASSWORD];

/// Rejects unknown variables with our prefix. A variable that is set but empty counts as not set.
pub fn refuse_unknown(command: &clap::Command) -> Result<(), String> {
    let options = command.get_arguments().filter_map(|argument| argument.get_env());
    let known: Vec<&str> = options.filter_map(|name| name.to_str()).chain(NO_OPTIONS).collect();
    for (name, value) in env::vars_os() {
        let (Some(name), value) = (name.to_str(), value.to_string_lossy()) else { continue };
        let Some(rest) = name.strip_prefix(OURS) else { continue };
        if value.is_empty() || known.contains(&name) || is_of_a_service(rest, &value) {
            continue;
        }
        let hint = nearest(rest, &known).map_or(String::new(), |near| format!(" Did you mean {near}?"));
        return Err(format!("There is no setting {name}.{hint} To list all settings, run: latchkey --help"));
    }
    Ok(())
}

/// True for what Kubernetes sets for a Service named `latchkey` or `latchkey-…` beside the program, and Docker for a
/// container that is linked by such a name. `rest` is the name without our prefix.
fn is_of_a_service(rest: &str, value: &str) -> bool {
    // `PORT` of `latchkey` itself, `DB_PORT` of `latchkey-db`.
    let name = format!("_{rest}");
    let is_address = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_number = value.parse::<u16>().is_ok();
    let is_numbered = name.split("_PORT_").skip(1).any(|port| {
        let mut parts = port.split('_');
        parts.next().is_some_and(|number| number.parse::<u16>().is_ok())
            && parts.next().is_some_and(|protocol| matches!(protocol, "TCP" | "UDP" | "SCTP"))
    });
    name.ends_with("_SERVICE_HOST")
        || ((name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_")) && is_number)
        || (name.ends_with("_PORT") && is_address)
        || is_numbered
        || (name.ends_with("_NAME") && value.starts_with('/'))
        || name.contains("_ENV_")
}

/// The setting that was probably meant, if one is similar.
fn nearest<'a>(rest: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |setting: &str| strsim::damerau_levenshtein(setting.strip_prefix(OURS).unwrap_or(setting), rest);
    let near = known.iter().copied().min_by_key(|setting| distance(setting))?;
    (distance(near) <= 1 + rest.len() / 5).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::{is_of_a_service, nearest};

    #[test]
    fn what_orchestrators_set_is_theirs_and_what_only_looks_like_it_is_not() {
        for (rest, value) in [
            ("PORT", "tcp://10.0.0.11:80"),
            ("SERVICE_HOST", "10.0.0.11"),
            ("SERVICE_PORT", "80"),
            ("SERVICE_PORT_HTTP_API", "80"),
            ("PORT_80_TCP", "tcp://10.0.0.11:80"),
            ("PORT_80_TCP_ADDR", "10.0.0.11"),
            ("PORT_80_TCP_PORT", "80"),
            ("PORT_80_TCP_PROTO", "tcp"),
            ("DB_PORT", "udp://10.0.0.12:5432"),
            ("DB_PORT_5432_TCP_ADDR", "10.0.0.12"),
            ("MY_DB_SERVICE_HOST", "10.0.0.12"),
            ("DB_NAME", "/web/latchkey-db"),
            ("NAME", "/web/latchkey"),
            ("ENV_PATH", "/bin"),
            ("DB_ENV_POSTGRES_PASSWORD", "secret"),
        ] {
            assert!(is_of_a_service(rest, value), "{rest}={value}");
        }
        for (rest, value) in
            [("PORT", "8080"), ("DB_NAME", "latchkey"), ("LOGO", "a.png"), ("SERVICE_PORT", "http"), ("PORT_TCP", "1")]
        {
            assert!(!is_of_a_service(rest, value), "{rest}={value}");
        }
    }

    #[test]
    fn only_a_close_name_is_suggested() {
        let known = ["LATCHKEY_LISTEN", "LATCHKEY_DATA_DIR", "LATCHKEY_GRACE_DAYS"];
        assert_eq!(nearest("LISTN", &known), Some("LATCHKEY_LISTEN"));
        assert_eq!(nearest("DATADIR", &known), Some("LATCHKEY_DATA_DIR"));
        assert_eq!(nearest("GRACE_DAY", &known), Some("LATCHKEY_GRACE_DAYS"));
        assert_eq!(nearest("LOGO", &known), None);
        assert_eq!(nearest("COLOUR", &known), None);
    }
}
