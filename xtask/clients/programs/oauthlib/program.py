"""Access on behalf of a user, and an app's own, through oauthlib and requests-oauthlib. They know nothing of metadata, and
are given the endpoints; for the rest they know what the developer of an app knows."""

import os

import requests
from browser import ALLOW, REFUSE, Browser
from oauthlib.oauth2 import (
    AccessDeniedError,
    BackendApplicationClient,
    InvalidClientError,
    InvalidGrantError,
    MismatchingStateError,
    OAuth2Error,
    WebApplicationClient,
)
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

SCOPE = os.environ["APP_SCOPE"].split(" ")
ENDPOINTS = requests.get(f"{os.environ['ISSUER_URL']}/.well-known/oauth-authorization-server").json()
TOKEN_URL = ENDPOINTS["token_endpoint"]


def refusal(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except OAuth2Error as error:
        return error
    raise AssertionError("this was not refused")


def assert_api_takes(session):
    response = session.get(f"{os.environ['API_URL']}/v1/jobs", params={"limit": 1})
    assert response.status_code == 200 and isinstance(response.json()["jobs"], list), response.text


def client_credentials(client_id, secret):
    def fetch(secret, in_form):
        session = OAuth2Session(client=BackendApplicationClient(client_id, scope=SCOPE))
        shown = {"include_client_id": True} if in_form else {}
        return session, session.fetch_token(TOKEN_URL, client_secret=secret, **shown)

    for in_form in (False, True):
        session, token = fetch(secret, in_form)
        assert set(token.scopes) == set(SCOPE) and not token.scope_changed and "refresh_token" not in token, token
        assert_api_takes(session)
        error = refusal(fetch, secret + "x", in_form)
        assert isinstance(error, InvalidClientError) and error.description, error


class App:
    """An app of a partner; one without a secret is a native one."""

    def __init__(self, client_id, secret, redirect_uri):
        self._client = WebApplicationClient(client_id)
        self.session = OAuth2Session(client=self._client, scope=SCOPE, redirect_uri=redirect_uri, pkce="S256")
        self._browser = Browser(os.environ["USER_EMAIL"], os.environ["USER_PASSWORD"])
        self._secret = secret
        # What goes with a request that the library does not authenticate by itself.
        self._auth = HTTPBasicAuth(client_id, secret) if secret else None
        self._form = {} if secret else {"client_id": client_id}

    def callback(self, decision=ALLOW):
        url, _ = self.session.authorization_url(ENDPOINTS["authorization_endpoint"])
        return self._browser.visit(url, self.session.redirect_uri, decision)

    def fetch_token(self, callback, include_client_id=None):
        fetch = self.session.fetch_token
        return fetch(
            TOKEN_URL,
            authorization_response=callback,
            client_secret=self._secret,
            include_client_id=include_client_id,
        )

    def refresh(self, token):
        return self.session.refresh_token(TOKEN_URL, refresh_token=token, auth=self._auth, **self._form)

    def revoke(self, token, hint):
        prepare = self._client.prepare_token_revocation_request
        url, headers, body = prepare(ENDPOINTS["revocation_endpoint"], token, token_type_hint=hint, **self._form)
        response = requests.post(url, data=body, headers=headers, auth=self._auth)
        assert response.status_code == 200, response.text


def on_behalf_of_user(app):
    error = refusal(app.fetch_token, app.callback(REFUSE))
    assert isinstance(error, AccessDeniedError) and error.description, error
    assert isinstance(refusal(app.fetch_token, app.callback() + "&state=x"), MismatchingStateError)

    first = app.fetch_token(app.callback())
    assert set(first.scopes) == set(SCOPE) and not first.scope_changed and first["expires_in"] > 0, first
    assert_api_takes(app.session)

    # A refresh token is good once; when it is used again after its successor was, all that the code has led to ends.
    second = app.refresh(first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert_api_takes(app.session)
    third = app.refresh(second["refresh_token"])
    for former in first["refresh_token"], third["refresh_token"]:
        error = refusal(app.refresh, former)
        assert isinstance(error, InvalidGrantError) and error.description, error

    # The client's name, and its secret if it has one, may stand in the form as well.
    last = app.fetch_token(app.callback(), include_client_id=True)
    app.revoke(last["access_token"], "access_token")
    last = app.refresh(last["refresh_token"])
    app.revoke(last["refresh_token"], "refresh_token")
    assert isinstance(refusal(app.refresh, last["refresh_token"]), InvalidGrantError)


client_id, secret = os.environ["APP_CLIENT_ID"], os.environ["APP_CLIENT_SECRET"]
client_credentials(client_id, secret)
on_behalf_of_user(App(client_id, secret, os.environ["APP_REDIRECT_URI"]))
# A native app listens on the port that is free.
on_behalf_of_user(App(os.environ["NATIVE_CLIENT_ID"], None, os.environ["NATIVE_REDIRECT_URI"]))
