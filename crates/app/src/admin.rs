//! `foretell admin`: registers admins; there are no default passwords.

use std::io::BufRead as _;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use foretell_application::Registration;
use foretell_domain::text::{Email, UserName};
use foretell_domain::user::Role;
use foretell_ports::secret::NewPassword;
use secrecy::SecretString;

use crate::cli::{NewAdmin, say};
use crate::config::Settings;
use crate::wiring;

pub(crate) async fn create(settings: &Settings, new: NewAdmin) -> anyhow::Result<ExitCode> {
    let registration = Registration {
        email: Email::new(&new.email).context("--email")?,
        name: UserName::new(new.name).context("--name")?,
        password: read_password()?,
        avatar: None,
        role: Role::Admin,
    };
    let application = wiring::start(settings).await?;
    let (user, _) = application.identity.register_user(registration).await?;
    application.operations.drain().await;
    say(format_args!("admin {} is registered with the id {}", user.email.as_str(), user.id));
    Ok(ExitCode::SUCCESS)
}

fn read_password() -> anyhow::Result<NewPassword> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("standard input cannot be read")?;
    let password = line.trim_end_matches(['\r', '\n']);
    NewPassword::new(&SecretString::from(password))
        .map_err(|error| anyhow!("the password on the first line of standard input {error}"))
}
