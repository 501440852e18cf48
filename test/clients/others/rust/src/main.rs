//! A web application that signs people in with openidconnect.

use openidconnect::core::*;
use openidconnect::reqwest::{blocking, redirect};
use openidconnect::url::Url;
use openidconnect::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::HashMap, env, error::Error};
use tiny_http::{Header, Request, Response, Server};

/// The claim that OpenID Connect does not know.
#[derive(Debug, Serialize, Deserialize)]
struct Roles {
    roles: Vec<String>,
}
impl AdditionalClaims for Roles {}

/// The client as discovery leaves it: an authorization endpoint for sure, those of tokens and
/// userinfo perhaps.
type Discovered = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
type Person = UserInfoClaims<Roles, CoreGenderClaim>;
type Answer = Response<std::io::Cursor<Vec<u8>>>;
type Fallible<T> = Result<T, Box<dyn Error>>;

struct Session {
    verifier: String,
    nonce: Nonce,
    /// None until the person is back.
    signed_in: Option<(SubjectIdentifier, CoreTokenResponse)>,
}

struct App {
    own_url: String,
    http: blocking::Client,
    client: Discovered,
    end_session: EndSessionUrl,
    /// By the state, which is also the session's cookie.
    sessions: HashMap<String, Session>,
}

fn main() -> Fallible<()> {
    let port = env::var("PORT")?;
    let own_url = format!("http://localhost:{port}");
    // A redirect could lead the client's secret to a server of an attacker's choice.
    let http = blocking::Client::builder().redirect(redirect::Policy::none());
    let http = http.build()?;
    let issuer = IssuerUrl::new(env::var("ISSUER")?)?;
    let provider = ProviderMetadataWithLogout::discover(&issuer, &http)?;
    let end_session = provider.additional_metadata().end_session_endpoint.clone();
    let id = ClientId::new(env::var("CLIENT_ID")?);
    let secret = ClientSecret::new(env::var("CLIENT_SECRET")?);
    let client = CoreClient::from_provider_metadata(provider, id, Some(secret))
        .set_redirect_uri(RedirectUrl::new(format!("{own_url}/callback"))?);
    let end_session = end_session.ok_or("The server has no end_session_endpoint.")?;
    let mut app = App {
        own_url,
        http,
        client,
        end_session,
        sessions: HashMap::new(),
    };

    let server = Server::http(format!("127.0.0.1:{port}")).map_err(|error| error.to_string())?;
    for request in server.incoming_requests() {
        let answer = app.answer(&request);
        let answer = answer.unwrap_or_else(|error| {
            Response::from_string(format!("{error}: {error:?}")).with_status_code(502)
        });
        // A browser that has gone is no reason to end.
        let _ = request.respond(answer);
    }
    Ok(())
}

impl App {
    fn answer(&mut self, request: &Request) -> Fallible<Answer> {
        let url = Url::parse(&format!("{}{}", self.own_url, request.url()))?;
        match url.path() {
            "/me" => self.me(cookie(request)),
            "/callback" => self.callback(cookie(request), url.query_pairs().into_owned().collect()),
            "/logout" => self.logout(cookie(request)),
            "/signed-out" => Ok(Response::from_string("You are signed out.")),
            _ => Ok(Response::from_string("There is no such page.").with_status_code(404)),
        }
    }

    fn me(&mut self, cookie: String) -> Fallible<Answer> {
        let session = self.sessions.get(&cookie);
        let Some((subject, tokens)) = session.and_then(|session| session.signed_in.clone()) else {
            return self.begin();
        };
        let token = tokens.access_token().clone();
        let request = self.client.user_info(token, Some(subject))?;
        let person: Person = request.request(&self.http)?;
        Ok(Response::from_string(serde_json::to_string(&json!({
            "name": person.name().and_then(|name| name.get(None)),
            "email": person.email(),
            "roles": person.additional_claims().roles,
        }))?))
    }

    fn begin(&mut self) -> Fallible<Answer> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = self
            .client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(["profile", "email", "roles"].map(|scope| Scope::new(scope.into())))
            .set_pkce_challenge(challenge)
            .url();
        let session = Session {
            verifier: verifier.into_secret(),
            nonce,
            signed_in: None,
        };
        let cookie = format!("session={}; Path=/; HttpOnly; SameSite=Lax", state.secret());
        self.sessions.insert(state.into_secret(), session);
        Ok(redirect_to(url.as_str()).with_header(header("Set-Cookie", &cookie)))
    }

    fn callback(&mut self, cookie: String, query: HashMap<String, String>) -> Fallible<Answer> {
        let session = self.sessions.get_mut(&cookie);
        let session = session.filter(|_| query.get("state") == Some(&cookie));
        let session = session.ok_or("This browser began no such sign-in.")?;
        let code = AuthorizationCode::new(query.get("code").ok_or("There is no code.")?.clone());
        let exchange = self.client.exchange_code(code)?;
        let verifier = PkceCodeVerifier::new(session.verifier.clone());
        let tokens = exchange.set_pkce_verifier(verifier).request(&self.http)?;

        let id_token = id_token(&tokens)?;
        let judge = self.client.id_token_verifier();
        let claims = id_token.claims(&judge, &session.nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let (algorithm, key) = (id_token.signing_alg()?, id_token.signing_key(&judge)?);
            if AccessTokenHash::from_token(tokens.access_token(), algorithm, key)? != *expected {
                return Err("The access token is another one.".into());
            }
        }
        session.signed_in = Some((claims.subject().clone(), tokens));
        Ok(redirect_to("/me"))
    }

    fn logout(&mut self, cookie: String) -> Fallible<Answer> {
        let back = PostLogoutRedirectUrl::new(format!("{}/signed-out", self.own_url))?;
        let mut request = LogoutRequest::from(self.end_session.clone())
            .set_client_id(self.client.client_id().clone())
            .set_post_logout_redirect_uri(back);
        let session = self.sessions.remove(&cookie);
        if let Some((_, tokens)) = session.and_then(|session| session.signed_in) {
            request = request.set_id_token_hint(id_token(&tokens)?);
        }
        Ok(redirect_to(request.http_get_url().as_str()))
    }
}

fn id_token(tokens: &CoreTokenResponse) -> Fallible<&CoreIdToken> {
    Ok(tokens.id_token().ok_or("The server sent no ID token.")?)
}

/// The session's cookie, or nothing.
fn cookie(request: &Request) -> String {
    let mut headers = request.headers().iter();
    let header = headers.find(|header| header.field.equiv("Cookie"));
    let mut pairs = header
        .map_or("", |header| header.value.as_str())
        .split("; ");
    let value = pairs.find_map(|pair| pair.strip_prefix("session="));
    value.unwrap_or_default().into()
}

fn redirect_to(url: &str) -> Answer {
    Response::from_string("")
        .with_status_code(302)
        .with_header(header("Location", url))
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("an ASCII header")
}
