//! Invitations: a link by which somebody chooses a password, once. Its token has 256 random bits, and its keyed hash is
//! what is stored. Sending the link is the administrator's business.

use super::{Password, User, Users, fresh_token, rows};
use crate::audit;
use crate::context::{Context, Live};
use crate::error::Error;
use crate::store::{AnyConnection, Tx};
use argus_openapi::types::secret::SecretText;

/// For how many days an invitation counts.
pub const INVITATION_DAYS: u32 = 7;

impl Users {
    /// Invites somebody to choose a password; answers with the token of the link. Earlier invitations count no more.
    pub async fn invite(&self, context: &Context<Live>, user: &User) -> Result<SecretText, Error> {
        let token = fresh_token()?;
        let (id, user_id) = (self.invitation_id(&token), user.id.clone());
        let invite = move |tx: &mut Tx<'_>| {
            rows::withdraw(tx, &user_id)?;
            rows::invite(tx, &id, &user_id)?;
            audit::append(tx, "user.invite", user_id.as_str())
        };
        self.store.write(context, invite).await?;
        Ok(token)
    }

    /// Who is invited by this token, while it counts.
    pub async fn invited(&self, token: &SecretText) -> Result<Option<User>, Error> {
        let id = self.invitation_id(token);
        let find = move |connection: &mut AnyConnection| Ok::<_, Error>(rows::find_invited(connection, &id)?);
        self.store.look_up(find).await?.map(rows::UserRow::into_user).transpose()
    }

    /// Gives whoever is invited the password that they chose, for whom the context must be, and uses the invitation up;
    /// says whether it still counted. It ends all sessions.
    pub async fn accept_invitation(
        &self,
        context: &Context<Live>,
        user: &User,
        token: &SecretText,
        password: &Password,
    ) -> Result<bool, Error> {
        let hash = self.passwords.hash(password.secret()).await?;
        let (id, user_id) = (self.invitation_id(token), user.id.clone());
        let accept = move |tx: &mut Tx<'_>| {
            if !rows::use_up(tx, &id)? {
                return Ok(false);
            }
            rows::set_password(tx, &user_id, &hash)?;
            rows::end_all(tx, &user_id)?;
            audit::append(tx, "invitation.accept", user_id.as_str())?;
            Ok::<_, Error>(true)
        };
        self.store.write(context, accept).await
    }

    fn invitation_id(&self, token: &SecretText) -> String {
        self.hashed("invitation", token)
    }
}
