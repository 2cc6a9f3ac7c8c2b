"""Access on behalf of a user, and an app's own, through Authlib and gql: a web application by Authlib's integration into
Flask, and a native app by its sessions. They know the URL of the issuer, and what the developer of an app knows."""

import os
import secrets
import time

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import rfc8414, rfc9207
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from browser import ALLOW, REFUSE, Browser
from flask import Flask
from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport
from joserfc.jwk import ECKey

API = os.environ["API_URL"]
SCOPE = os.environ["APP_SCOPE"]
WEB_APP = (os.environ["APP_CLIENT_ID"], os.environ["APP_CLIENT_SECRET"])
WEB_REDIRECT_URI = os.environ["APP_REDIRECT_URI"]
NATIVE_APP = os.environ["NATIVE_CLIENT_ID"]
# A native app listens on the port that is free.
NATIVE_REDIRECT_URI = os.environ["NATIVE_REDIRECT_URI"]
METADATA_URL = rfc8414.get_well_known_url(os.environ["ISSUER_URL"], external=True)


def discovered():
    metadata = rfc8414.AuthorizationServerMetadata(requests.get(METADATA_URL).json())
    metadata.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])
    assert metadata.issuer == os.environ["ISSUER_URL"], metadata
    for methods in (
        metadata.token_endpoint_auth_methods_supported,
        metadata.revocation_endpoint_auth_methods_supported,
        metadata.introspection_endpoint_auth_methods_supported,
    ):
        assert set(methods) == {"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}, methods
    return metadata


METADATA = discovered()


def browser():
    return Browser(os.environ["USER_EMAIL"], os.environ["USER_PASSWORD"])


def refusal(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except OAuthError as error:
        return error
    raise AssertionError("this was not refused")


def call_api(session, token):
    session.token = token
    return session.get(f"{API}/v1/jobs", params={"limit": 1})


def assert_api_takes(session, token):
    response = call_api(session, token)
    assert response.status_code == 200 and isinstance(response.json()["jobs"], list), response.text


def assert_api_comes_to_refuse(session, token):
    """What was revoked is refused within five seconds."""
    until = time.monotonic() + 5
    while (response := call_api(session, token)).status_code == 200:
        assert time.monotonic() < until, "a revoked token is still taken"
        time.sleep(0.1)
    assert response.status_code == 401, response.text


def introspected(session, token):
    response = session.introspect_token(METADATA.introspection_endpoint, token=token)
    assert response.status_code == 200, response.text
    return response.json()


def revoke(session, token, hint=None):
    response = session.revoke_token(METADATA.revocation_endpoint, token=token, token_type_hint=hint)
    assert response.status_code == 200, response.text


def client_credentials():
    client_id, secret = WEB_APP
    for method in ("client_secret_basic", "client_secret_post"):
        settings = {"token_endpoint_auth_method": method, "scope": SCOPE, **METADATA}
        session = OAuth2Session(client_id, secret, **settings)
        token = session.fetch_token(grant_type="client_credentials")
        assert token["token_type"] == "Bearer" and token["expires_in"] > 0, token
        assert "refresh_token" not in token, token
        assert_api_takes(session, token)
        mistaken = OAuth2Session(client_id, secret + "x", **settings)
        error = refusal(mistaken.fetch_token, grant_type="client_credentials")
        assert error.error == "invalid_client" and error.description, error


def signing_app():
    """An app that has no secret: it signs with a key that never leaves it."""
    key = ECKey.generate_key("P-256", {"kid": "first", "alg": "ES256", "use": "sig"})
    registration = {
        "name": "An app that signs",
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "requested_scopes": SCOPE.split(" "),
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [key.as_dict(private=False)]},
    }
    authorization = {"Authorization": f"Bearer {os.environ['REGISTRATION_TOKEN']}"}
    url = f"{METADATA.issuer}/v1/platform/apps"
    response = requests.post(url, json=registration, headers=authorization)
    assert response.status_code == 201, response.text
    app = response.json()
    assert app["client_secret"] is None, app
    return app["client_id"], key


def private_key_jwt():
    client_id, key = signing_app()

    def session_of(key):
        method = PrivateKeyJWT(METADATA.token_endpoint, headers={"kid": "first"}, alg="ES256")
        session = OAuth2Session(
            client_id,
            key,
            token_endpoint_auth_method=method.name,
            revocation_endpoint_auth_method=method.name,
            scope=SCOPE,
            **METADATA,
        )
        session.register_client_auth_method(method)
        return session

    session = session_of(key)
    token = session.fetch_token(grant_type="client_credentials")
    assert token["token_type"] == "Bearer" and token["scope"] == SCOPE, token
    assert_api_takes(session, token)
    assert introspected(session, token["access_token"])["client_id"] == client_id
    revoke(session, token["access_token"])
    assert introspected(session, token["access_token"]) == {"active": False}
    stranger = session_of(ECKey.generate_key("P-256", {"kid": "first"}))
    error = refusal(stranger.fetch_token, grant_type="client_credentials")
    assert error.error == "invalid_client" and error.description, error


class WebApplication:
    """A partner's application, whose user comes by a browser."""

    def __init__(self):
        app = Flask(__name__)
        app.secret_key = secrets.token_hex()
        oauth = OAuth(app)
        oauth.register(
            "argus",
            client_id=WEB_APP[0],
            client_secret=WEB_APP[1],
            server_metadata_url=METADATA_URL,
            client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
        )

        @app.get("/login")
        def login():
            return oauth.argus.authorize_redirect(WEB_REDIRECT_URI)

        @app.get("/callback")
        def callback():
            return oauth.argus.authorize_access_token()

        app.testing = True  # What a view raises comes here.
        self._site, self._browser = app.test_client(), browser()

    def callback(self, decision=ALLOW):
        begun = self._site.get("/login", base_url=WEB_REDIRECT_URI)
        assert begun.status_code == 302, begun.text
        assert METADATA.code_challenge_methods_supported == ["S256"]
        assert "code_challenge_method=S256" in begun.location, begun.location
        return self._browser.visit(begun.location, WEB_REDIRECT_URI, decision)

    def answer(self, callback):
        return self._site.get(callback).get_json()

    def token(self):
        return self.answer(self.callback())


class NativeApp:
    """A partner's program on the user's machine."""

    def __init__(self, session):
        self._session, self._browser = session, browser()

    def token(self):
        verifier = generate_token(48)
        begin = self._session.create_authorization_url
        url, state = begin(METADATA.authorization_endpoint, code_verifier=verifier)
        callback = self._browser.visit(url, NATIVE_REDIRECT_URI, ALLOW)
        fetch = self._session.fetch_token
        return fetch(authorization_response=callback, state=state, code_verifier=verifier)


def on_behalf_of_user(session, app):
    first = app.token()
    assert first["scope"] == SCOPE and first["token_type"] == "Bearer", first
    assert_api_takes(session, first)
    access, refresh = (introspected(session, first[name]) for name in ("access_token", "refresh_token"))
    for told in access, refresh:
        assert told["active"] is True and told["client_id"] == session.client_id, told
        assert told["scope"] == SCOPE and told["iss"] == METADATA.issuer, told
    assert access["sub"] == refresh["sub"] and access["token_type"] == "Bearer", access

    # A refresh token is good once; when it is used again after its successor was, all that the code has led to ends.
    second = session.refresh_token(refresh_token=first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert_api_takes(session, second)
    third = session.refresh_token(refresh_token=second["refresh_token"], scope=SCOPE.split(" ")[0])
    assert third["scope"] == SCOPE.split(" ")[0], third
    for former in first["refresh_token"], third["refresh_token"]:
        error = refusal(session.refresh_token, refresh_token=former)
        assert error.error == "invalid_grant" and error.description, error
    assert introspected(session, third["access_token"]) == {"active": False}

    # What the user has allowed is asked for no more.
    last = app.token()
    graphql(last["access_token"])
    revoke(session, last["access_token"])
    assert introspected(session, last["access_token"]) == {"active": False}
    assert introspected(session, last["refresh_token"])["active"] is True
    assert_api_comes_to_refuse(session, last)
    revoke(session, last["refresh_token"], "refresh_token")
    revoke(session, "a token that nobody has issued")
    assert introspected(session, last["refresh_token"]) == {"active": False}
    error = refusal(session.refresh_token, refresh_token=last["refresh_token"])
    assert error.error == "invalid_grant", error


def graphql(token):
    transport = HTTPXTransport(f"{API}/graphql", headers={"Authorization": f"Bearer {token}"})
    with Client(transport=transport) as session:
        profile_id = os.environ["PROFILE_ID"]
        approved = GraphQLRequest(os.environ["GRAPHQL_DOCUMENT"], variable_values={"id": profile_id})
        assert session.execute(approved)["profile"]["id"] == profile_id
        try:
            session.execute(GraphQLRequest('query Other { profile(id: "p2") { id } }'))
        except TransportQueryError as error:
            assert error.errors[0]["extensions"]["code"] == "operation_not_approved", error
        else:
            raise AssertionError("a document that nobody has approved was run")


def refusals(app):
    error = refusal(app.answer, app.callback(REFUSE))
    assert error.error == "access_denied" and error.description, error


client_credentials()
private_key_jwt()
web = WebApplication()
refusals(web)
on_behalf_of_user(OAuth2Session(*WEB_APP, scope=SCOPE, **METADATA), web)
forged = web.callback().replace("state=", "state=x")
assert isinstance(refusal(web.answer, forged), MismatchingStateError)
native = OAuth2Session(
    NATIVE_APP, scope=SCOPE, redirect_uri=NATIVE_REDIRECT_URI, code_challenge_method="S256", **METADATA
)
on_behalf_of_user(native, NativeApp(native))
