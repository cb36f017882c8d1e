//! `optimize`: looks after the database level.

use std::process::ExitCode;

use clap::ArgMatches;

use super::{print, print_json};
use crate::error::Error;
use crate::levels;
use crate::server::Server;

pub(super) async fn run(server: &Server, matches: &ArgMatches) -> Result<ExitCode, Error> {
    let core = server.core()?;
    let did = levels::optimize(&core.dispatch.config, &core.name).await?;
    if matches.get_flag("json") {
        print_json(&did)?;
    } else {
        did.iter().for_each(|sentence| print(sentence));
    }
    Ok(ExitCode::SUCCESS)
}
