//! Logging in with SASL (RFC 4422; specification, `mail.authenticate`): by a password, or by an access
//! token of OAuth2 (RFC 7628, and XOAUTH2, which came before it).

use crate::account::{Account, Auth, Endpoint};

/// What a server does that asks on when all is said.
pub(crate) const ASKS_ON: &str = "it asks for more than the login has";
/// Why a server and an account have no common way to log in, and what to do.
const TOKEN_WANTED: &str = "takes no password, but an access token (OAuth2); set `auth = \"oauth2\"` \
    and a `password_command` that prints one, as `kith init --help` says";
const PASSWORD_WANTED: &str = "takes no access token, but a password; take `auth` out of the \
    configuration, and let file or command hold the password";
const NEITHER: &str = "offers neither a login with a password nor one with an access token; ask the provider how to log in";

/// What a client says in one mechanism.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The mechanism.
    pub(crate) name: &'static str,
    /// Its answers, one after the other.
    pub(crate) answers: Vec<String>,
    /// Whether the first one may go along with the command.
    pub(crate) begins: bool,
}

/// The best mechanism of those that a server offers.
///
/// # Errors
///
/// If it offers none for this account: what it does instead, and what to do.
pub(crate) fn exchange(
    account: &Account,
    at: &Endpoint,
    offers: impl Fn(&str) -> bool,
) -> Result<Exchange, &'static str> {
    let (user, secret) = (account.user.clone(), account.password.reveal());
    let begins = |name, answers| Exchange {
        name,
        answers,
        begins: true,
    };
    let (password, token) = (
        offers("PLAIN") || offers("LOGIN"),
        offers("OAUTHBEARER") || offers("XOAUTH2"),
    );
    Ok(match account.auth {
        Auth::Password if offers("PLAIN") => begins("PLAIN", vec![format!("\0{user}\0{secret}")]),
        Auth::Password if password => Exchange {
            name: "LOGIN",
            answers: vec![user, secret.to_owned()],
            begins: false,
        },
        Auth::Password if token => return Err(TOKEN_WANTED),
        // Whose token is refused hears why in a challenge, and must answer it.
        Auth::Oauth2 if offers("OAUTHBEARER") => {
            let name = user.replace('=', "=3D").replace(',', "=2C");
            let (host, port) = (&at.host, at.port);
            let answer = format!(
                "n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {secret}\x01\x01"
            );
            begins("OAUTHBEARER", vec![answer, "\x01".to_owned()])
        }
        Auth::Oauth2 if token => {
            let answer = format!("user={user}\x01auth=Bearer {secret}\x01\x01");
            begins("XOAUTH2", vec![answer, String::new()])
        }
        Auth::Oauth2 if password => return Err(PASSWORD_WANTED),
        _ => return Err(NEITHER),
    })
}

/// What to do when a login is refused.
pub(crate) fn advice(auth: Auth) -> &'static str {
    match auth {
        Auth::Password => {
            "check user name and password, which are where `kith doctor` says; some providers want an \
             app password"
        }
        Auth::Oauth2 => {
            "check the user name, and that the password command prints an access token that is not \
             too old and may be used for IMAP and SMTP"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{PATIENCE, Password, Roots, TlsMode};

    fn account(auth: Auth) -> Account {
        let endpoint = Endpoint {
            host: "mail.example.org".to_owned(),
            connect: None,
            port: 993,
            mode: TlsMode::Tls,
        };
        Account {
            user: "a,b=c@example.org".to_owned(),
            password: Password::new("secret"),
            auth,
            submission: endpoint.clone(),
            mailbox: endpoint,
            roots: Roots::Platform,
            authserv_id: None,
            daily: None,
            patience: PATIENCE,
        }
    }

    fn chosen(auth: Auth, offers: &[&str]) -> Result<(&'static str, String), &'static str> {
        let account = account(auth);
        let exchange = exchange(&account, &account.mailbox, |name| offers.contains(&name));
        exchange.map(|exchange| (exchange.name, exchange.answers[0].clone()))
    }

    #[test]
    fn the_best_mechanism_of_the_right_sort_is_taken() {
        let all = ["XOAUTH2", "OAUTHBEARER", "LOGIN", "PLAIN"];
        let plain = "\0a,b=c@example.org\0secret".to_owned();
        assert_eq!(chosen(Auth::Password, &all), Ok(("PLAIN", plain)));
        let user = "a,b=c@example.org".to_owned();
        assert_eq!(chosen(Auth::Password, &all[..3]), Ok(("LOGIN", user)));
        let bearer = "n,a=a=2Cb=3Dc@example.org,\x01host=mail.example.org\x01port=993\x01\
            auth=Bearer secret\x01\x01";
        let bearer = ("OAUTHBEARER", bearer.to_owned());
        assert_eq!(chosen(Auth::Oauth2, &all), Ok(bearer));
        let old = "user=a,b=c@example.org\x01auth=Bearer secret\x01\x01".to_owned();
        assert_eq!(chosen(Auth::Oauth2, &all[..1]), Ok(("XOAUTH2", old)));
    }

    #[test]
    fn what_is_missing_says_what_to_do() {
        assert_eq!(chosen(Auth::Password, &["XOAUTH2"]), Err(TOKEN_WANTED));
        assert_eq!(chosen(Auth::Oauth2, &["PLAIN"]), Err(PASSWORD_WANTED));
        assert_eq!(chosen(Auth::Oauth2, &["GSSAPI"]), Err(NEITHER));
        assert_eq!(chosen(Auth::Password, &[]), Err(NEITHER));
    }
}
