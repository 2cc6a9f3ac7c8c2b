//! What the pages say, in each language.

use argus_openapi::types::scopes::Scope;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The one of whoever asks for no other.
    English,
    /// French.
    French,
}

/// Every text of the pages. A pair is a heading with what can be done.
pub struct Texts {
    /// Before the title of a page whose form was wrong.
    pub error_title: &'static str,
    /// Heading of the page to sign in.
    pub sign_in_heading: &'static str,
    /// Label.
    pub email: &'static str,
    /// Label.
    pub password: &'static str,
    /// Button.
    pub sign_in: &'static str,
    /// Button.
    pub sign_out: &'static str,
    /// The same whatever was wrong.
    pub wrong_password: &'static str,
    /// Link.
    pub to_sign_in: &'static str,
    /// Heading of the page of somebody who is signed in.
    pub account_heading: &'static str,
    /// Before a name.
    pub signed_in_as: &'static str,
    /// Heading of the list.
    pub devices: &'static str,
    /// Behind the device that shows the page.
    pub this_device: &'static str,
    /// A device that says nothing of itself.
    pub unknown_device: &'static str,
    /// Before a network address.
    pub address: &'static str,
    /// Before a time.
    pub opened: &'static str,
    /// Before a time.
    pub last_seen: &'static str,
    /// Button.
    pub end_session: &'static str,
    /// Heading of the list.
    pub apps: &'static str,
    /// In place of the list.
    pub no_apps: &'static str,
    /// Button behind an app.
    pub withdraw: &'static str,
    /// Heading of the page of consent.
    pub consent_heading: &'static str,
    /// Behind the name of an app, before what it asks for.
    pub app_asks: &'static str,
    /// Button.
    pub allow: &'static str,
    /// Button.
    pub refuse: &'static str,
    /// An authorization request that nobody can be sent back from.
    pub unusable_request: (&'static str, &'static str),
    /// Heading of the page to choose a password.
    pub invitation_heading: &'static str,
    /// Before an e-mail address.
    pub invitation_for: &'static str,
    /// Label.
    pub new_password: &'static str,
    /// Label.
    pub repeat_password: &'static str,
    /// Which passwords are taken.
    pub password_hint: &'static str,
    /// Button.
    pub save_password: &'static str,
    /// The password is too short or too long.
    pub password_length: &'static str,
    /// The two differ.
    pub passwords_differ: &'static str,
    /// 403
    pub form_expired: (&'static str, &'static str),
    /// 404
    pub not_found: (&'static str, &'static str),
    /// 429
    pub too_often: (&'static str, &'static str),
    /// Other 4xx
    pub bad_request: (&'static str, &'static str),
    /// 5xx
    pub fault: (&'static str, &'static str),
}

static ENGLISH: Texts = Texts {
    error_title: "Error: ",
    sign_in_heading: "Sign in",
    email: "E-mail address",
    password: "Password",
    sign_in: "Sign in",
    sign_out: "Sign out",
    wrong_password: "The e-mail address or the password is not right.",
    to_sign_in: "To the sign-in page",
    account_heading: "Your account",
    signed_in_as: "You are signed in as",
    devices: "Signed-in devices",
    this_device: "this device",
    unknown_device: "Unknown device",
    address: "Signed in from",
    opened: "Signed in",
    last_seen: "last used",
    end_session: "End",
    apps: "Apps that act for you",
    no_apps: "No app acts for you.",
    withdraw: "Revoke",
    consent_heading: "Allow this app to act for you?",
    app_asks: "asks to be allowed to:",
    allow: "Allow",
    refuse: "Refuse",
    unusable_request: (
        "This request cannot be used",
        "The app has sent you here with a request that is not complete, has expired or was used before, or it is not \
         the app that it says it is. Nothing was done. Go back to the app and begin anew.",
    ),
    invitation_heading: "Choose a password",
    invitation_for: "For",
    new_password: "New password",
    repeat_password: "The same password again",
    password_hint: "12 to 256 characters. A few words that nobody would guess are a good password.",
    save_password: "Save the password",
    password_length: "The password must have 12 to 256 characters.",
    passwords_differ: "The two passwords are not the same.",
    form_expired: (
        "This form has expired",
        "Nothing was done. Go back, load the page anew and try again. Your browser must take cookies from this site.",
    ),
    not_found: (
        "There is nothing here",
        "The link is not complete, has expired or was used before. Ask whoever gave it to you for a new one.",
    ),
    too_often: ("Too many attempts", "Signing in has failed too often. Wait a little, then try again."),
    bad_request: ("This request cannot be read", "Go back, load the page anew and try again."),
    fault: ("Something went wrong", "The fault is on our side. Try again in a moment."),
};

static FRENCH: Texts = Texts {
    error_title: "Erreur : ",
    sign_in_heading: "Connexion",
    email: "Adresse e-mail",
    password: "Mot de passe",
    sign_in: "Se connecter",
    sign_out: "Se déconnecter",
    wrong_password: "L’adresse e-mail ou le mot de passe est incorrect.",
    to_sign_in: "Vers la page de connexion",
    account_heading: "Votre compte",
    signed_in_as: "Vous êtes connecté en tant que",
    devices: "Appareils connectés",
    this_device: "cet appareil",
    unknown_device: "Appareil inconnu",
    address: "Connecté depuis",
    opened: "Connecté le",
    last_seen: "dernière utilisation le",
    end_session: "Déconnecter",
    apps: "Applications agissant en votre nom",
    no_apps: "Aucune application n’agit en votre nom.",
    withdraw: "Révoquer",
    consent_heading: "Autoriser cette application à agir en votre nom ?",
    app_asks: "demande l’autorisation de :",
    allow: "Autoriser",
    refuse: "Refuser",
    unusable_request: (
        "Cette demande est inutilisable",
        "L’application vous a envoyé ici avec une demande incomplète, expirée ou déjà utilisée, ou elle n’est pas celle \
         qu’elle prétend être. Rien n’a été fait. Retournez à l’application et recommencez.",
    ),
    invitation_heading: "Choisissez un mot de passe",
    invitation_for: "Pour",
    new_password: "Nouveau mot de passe",
    repeat_password: "Le même mot de passe, encore une fois",
    password_hint: "De 12 à 256 caractères. Quelques mots que personne ne devinerait font un bon mot de passe.",
    save_password: "Enregistrer le mot de passe",
    password_length: "Le mot de passe doit comporter de 12 à 256 caractères.",
    passwords_differ: "Les deux mots de passe ne sont pas identiques.",
    form_expired: (
        "Ce formulaire a expiré",
        "Rien n’a été fait. Revenez en arrière, rechargez la page et réessayez. Votre navigateur doit accepter les \
         cookies de ce site.",
    ),
    not_found: (
        "Il n’y a rien ici",
        "Le lien est incomplet, a expiré ou a déjà servi. Demandez-en un nouveau à la personne qui vous l’a donné.",
    ),
    too_often: (
        "Trop de tentatives",
        "La connexion a échoué trop souvent. Patientez un peu, puis réessayez.",
    ),
    bad_request: ("Cette demande est illisible", "Revenez en arrière, rechargez la page et réessayez."),
    fault: ("Une erreur s’est produite", "La faute est de notre côté. Réessayez dans un instant."),
};

impl Language {
    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// What a scope permits. The catalogue has it in English.
    pub fn scope(self, scope: Scope) -> &'static str {
        match self {
            Self::English => scope.description(),
            Self::French => in_french(scope),
        }
    }

    /// What the pages say in it.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
        }
    }

    /// The one that a request prefers.
    pub fn of_request(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        Self::preferred(lines)
    }

    /// The one that these `Accept-Language` headers prefer (RFC 9110, section 12.5.4): the one of the highest weight,
    /// of several the first.
    pub fn preferred<'h>(lines: impl IntoIterator<Item = &'h str>) -> Self {
        let mut best = (0, Self::English);
        for range in lines.into_iter().flat_map(|line| line.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, weight);
            let primary = tag.split('-').next().unwrap_or_default();
            let spoken = [Self::English, Self::French];
            let language = spoken.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()));
            if let Some(language) = language.filter(|_| weight > best.0) {
                best = (weight, language);
            }
        }
        best.1
    }
}

const fn in_french(scope: Scope) -> &'static str {
    match scope {
        Scope::PlatformRead => "Consulter le catalogue des autorisations et les applications enregistrées",
        Scope::PlatformAdmin => {
            "Administrer l’organisation : enregistrer et gouverner des applications, renouveler des secrets et émettre \
             des jetons"
        }
        Scope::WebhooksRead => "Consulter les abonnements aux webhooks et leurs livraisons",
        Scope::WebhooksWrite => "Créer et modifier des abonnements aux webhooks",
        Scope::JobsRead => "Consulter les tâches et leurs résultats",
        Scope::JobsWrite => "Créer et annuler des tâches",
        Scope::ProfilesRead => "Consulter les profils",
        Scope::ProfilesWrite => "Enrichir les profils",
        Scope::GraphqlExecute => "Exécuter des opérations GraphQL approuvées",
        Scope::ObservabilityRead => "Consulter les traces enregistrées de l’organisation",
        Scope::DiscoveryRead => "Lister les schémas de données accessibles",
        Scope::InternalOperate => "Exploiter le service",
    }
}

/// A weight in thousandths; what is none counts as 0.
fn weight(text: &str) -> u32 {
    let weight = text.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight));
    weight.map_or(0, |weight| (weight * 1000.0).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_the_highest_weight_is_taken_and_english_where_none_is_spoken() {
        for (header, language) in [
            ("", Language::English),
            ("fr", Language::French),
            ("FR-ca", Language::French),
            ("de, fr;q=0.5, en;q=0.4", Language::French),
            ("en-GB,en;q=0.9,fr;q=0.8", Language::English),
            ("en;q=0.2, fr;q=0.3", Language::French),
            ("fr;q=0", Language::English),
            ("fr;q=nonsense", Language::English),
            ("de", Language::English),
            ("*", Language::English),
            ("frx", Language::English),
        ] {
            assert_eq!(Language::preferred([header]), language, "{header}");
        }
        assert_eq!(Language::preferred(["en;q=0.5", "fr"]), Language::French);
    }
}
