//! Options of `hook run` that the administrator fixes in the hook.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Server;
use crate::error::{Error, Result};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Absolute: the hook starts in the repository.
    pub policy: Option<PathBuf>,
    /// Seconds.
    pub time_budget: Option<u32>,
    pub audit_log: Option<PathBuf>,
}

impl Settings {
    /// As arguments of `hook run`. Errors: a path that is not absolute.
    pub fn options(&self, server: Server) -> Result<Vec<OsString>> {
        let mut options: Vec<OsString> = vec!["--server".into(), server.name.into()];
        let budget = self.time_budget.map(|seconds| seconds.to_string());
        if let Some(seconds) = budget.or_else(|| server.time_budget.map(str::to_owned)) {
            options.extend(["--time-budget".into(), seconds.into()]);
        }
        for (name, path) in [("--policy", &self.policy), ("--audit-log", &self.audit_log)] {
            let Some(path) = path else { continue };
            if !path.is_absolute() {
                return Err(Error::usage(format!("{name} needs an absolute path: the hook starts in the repository")));
            }
            options.extend([name.into(), path.clone().into_os_string()]);
        }
        Ok(options)
    }
}
