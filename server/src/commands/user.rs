//! `argus user`: people who sign in.

use super::{CommandResult, print, run};
use crate::service;
use crate::settings::{DataArgs, Settings, UserAction};
use argus_core::context::{Context, Live};
use argus_core::store::Store;
use argus_core::users::{INVITATION_DAYS, NewUser, Password, User};
use argus_core::{Clock, Users, tenants};
use argus_openapi::Host;
use argus_partner::account;
use std::error::Error;
use std::io::BufRead;
use std::path::Path;
use zeroize::Zeroizing;

pub(super) fn user(action: UserAction, data: DataArgs, config: Option<&Path>) -> CommandResult {
    let settings = Settings::load(&data.into(), config)?;
    service::open_data_dir(&settings)?;
    // Held to the end: SQLite refuses a process that opens the store while the last other one closes it.
    let _turn = service::take_turn(&settings)?;
    run::block_on(async {
        let (database, identity) = service::open(&settings, Clock::system())?;
        let store = database.requests;
        let users = Users::new(store.clone(), identity.pepper().clone(), Clock::system());
        let auth_url = settings.auth_url.as_deref().unwrap_or(Host::Auth.public_url());
        match action {
            UserAction::Add { tenant, email, name, scopes, secrecy_level, invite } => {
                let new = NewUser { email: email.parse()?, name: name.parse()?, secrecy_level, scopes };
                let password = if invite { None } else { Some(read_password()?) };
                let tenant = tenants::view(&store, &super::tenant_named(&tenant)?).await?;
                let operator = tenant.operator(&Clock::system());
                let user = users.add(&operator, new, password.as_ref()).await?;
                print(line(&user))?;
                if invite { invitation(&users, &operator, &user, auth_url).await } else { Ok(()) }
            }
            UserAction::List { tenant } => {
                let tenant = tenants::view(&store, &super::tenant_named(&tenant)?).await?;
                let list = users.list(&tenant.operator(&Clock::system())).await?;
                list.iter().try_for_each(|user| print(line(user)))
            }
            UserAction::Disable { email } => {
                let (operator, user) = named(&store, &users, &email).await?;
                users.disable(&operator, &user.id).await?;
                print(format!("{} can no longer sign in; all sessions have ended", user.email))
            }
            UserAction::Enable { email } => {
                let (operator, user) = named(&store, &users, &email).await?;
                users.enable(&operator, &user.id).await?;
                print(format!("{} can sign in again", user.email))
            }
            UserAction::Remove { email } => {
                let (operator, user) = named(&store, &users, &email).await?;
                account::remove(&store, &operator, &user.id).await?;
                print(format!("{} is gone; what they had allowed to apps has ended", user.email))
            }
            UserAction::Password { email, invite: true } => {
                let (operator, user) = named(&store, &users, &email).await?;
                invitation(&users, &operator, &user, auth_url).await
            }
            UserAction::Password { email, invite: false } => {
                let (operator, user) = named(&store, &users, &email).await?;
                users.set_password(&operator, &user.id, &read_password()?).await?;
                print(format!("{} has a new password; all sessions have ended", user.email))
            }
        }
    })
}

/// A user, and the operator inside the user's tenant.
async fn named(store: &Store, users: &Users, email: &str) -> Result<(Context<Live>, User), Box<dyn Error>> {
    let user = users.named(&email.parse()?).await?;
    let tenant = tenants::view(store, &user.tenant_id).await?;
    Ok((tenant.operator(&Clock::system()), user))
}

async fn invitation(users: &Users, operator: &Context<Live>, user: &User, auth_url: &str) -> CommandResult {
    let token = users.invite(operator, user).await?;
    eprintln!("This link lets whoever has it choose the password, once and within {INVITATION_DAYS} days:");
    print(format!("{auth_url}/invitation/{}", token.expose()))
}

/// The first line of standard input.
fn read_password() -> Result<Password, Box<dyn Error>> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).parse()?)
}

fn line(user: &User) -> String {
    let state = match (user.disabled_at, user.password_changed_at) {
        (Some(_), _) => "disabled",
        (None, None) => "invited",
        (None, Some(_)) => "active",
    };
    let scopes: Vec<&str> = user.scopes.iter().map(|scope| scope.as_str()).collect();
    let User { id, email, name, secrecy_level, .. } = user;
    format!("{id}  {state:8}  {email}  {name}  {secrecy_level}  {}", scopes.join(" "))
}
