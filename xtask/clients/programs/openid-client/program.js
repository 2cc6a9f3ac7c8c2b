// Access on behalf of a user, and an app's own, through openid-client (on oauth4webapi) and graphql-request. They know
// the URL of the API, and what the developer of an app knows.

import assert from "node:assert/strict";
import { ClientError, GraphQLClient } from "graphql-request";
import * as oauth from "oauth4webapi";
import * as client from "openid-client";
import { ALLOW, Browser, REFUSE } from "../browser/browser.js";

const environment = process.env;
const api = new URL(environment.API_URL);
const user = { email: environment.USER_EMAIL, password: environment.USER_PASSWORD };
const scope = environment.APP_SCOPE;
const confidential = {
  id: environment.APP_CLIENT_ID,
  secret: environment.APP_CLIENT_SECRET,
  redirectUri: environment.APP_REDIRECT_URI,
};
// A native app listens on the port that is free.
const native = { id: environment.NATIVE_CLIENT_ID, redirectUri: environment.NATIVE_REDIRECT_URI };
const overHttp = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };

/** Who issues tokens for the API (RFC 9728). */
async function issuerOfApi() {
  const response = await oauth.resourceDiscoveryRequest(api, { [oauth.allowInsecureRequests]: true });
  const resource = await oauth.processResourceDiscoveryResponse(api, response);
  assert.deepEqual(resource.bearer_methods_supported, ["header"]);
  for (const name of scope.split(" ")) assert.ok(resource.scopes_supported.includes(name), name);
  assert.equal(resource.authorization_servers.length, 1);
  return new URL(resource.authorization_servers[0]);
}

const discover = (issuer, id, authentication) => client.discovery(issuer, id, undefined, authentication, overHttp);

const jobs = new URL("/v1/jobs?limit=1", api);
const callApi = (config, token) => client.fetchProtectedResource(config, token, jobs, "GET");

async function assertApiTakes(config, token) {
  const response = await callApi(config, token);
  assert.equal(response.status, 200);
  assert.ok(Array.isArray((await response.json()).jobs));
}

/** What was revoked is refused within five seconds. */
async function assertApiComesToRefuse(config, token) {
  const until = Date.now() + 5_000;
  for (;;) {
    const refused = await callApi(config, token).then(
      (response) => assert.equal(response.status, 200),
      (error) => {
        assert.ok(error instanceof client.WWWAuthenticateChallengeError, error);
        assert.equal(error.status, 401);
        assert.equal(error.cause[0].parameters.error, "invalid_token");
        return true;
      },
    );
    if (refused) return;
    assert.ok(Date.now() < until, "a revoked token is still taken");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function assertIntrospected(config, token, wanted) {
  const { active, client_id, scope, sub, iss } = await client.tokenIntrospection(config, token);
  assert.deepEqual({ active, client_id, scope, sub, iss }, wanted);
}

const inactive = { active: false, client_id: undefined, scope: undefined, sub: undefined, iss: undefined };

const refusedGrant = (error) => {
  assert.ok(error instanceof client.ResponseBodyError, error);
  assert.equal(error.status, 400);
  assert.equal(error.error, "invalid_grant");
  assert.ok(error.error_description, "the refusal says why");
  return true;
};

async function clientCredentials(issuer) {
  const { id, secret } = confidential;
  for (const authentication of [client.ClientSecretBasic, client.ClientSecretPost]) {
    const config = await discover(issuer, id, authentication(secret));
    const tokens = await client.clientCredentialsGrant(config, { scope });
    assert.equal(tokens.token_type, "bearer");
    assert.equal(tokens.scope, scope);
    assert.equal(tokens.refresh_token, undefined);
    assert.ok(tokens.expiresIn() > 0);
    await assertApiTakes(config, tokens.access_token);

    const mistaken = await discover(issuer, id, authentication(`${secret}x`));
    await assert.rejects(client.clientCredentialsGrant(mistaken), (error) => {
      assert.ok(error instanceof client.WWWAuthenticateChallengeError, error);
      assert.equal(error.status, 401);
      assert.equal(error.cause[0].scheme, "basic");
      return true;
    });
  }
}

/** An app that has no secret: it signs with a key that never leaves it. */
async function signingApp(issuer) {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const response = await fetch(new URL("/v1/platform/apps", issuer), {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${environment.REGISTRATION_TOKEN}` },
    body: JSON.stringify({
      name: "An app that signs",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      requested_scopes: scope.split(" "),
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [{ kty, crv, x, y, kid: "first", alg: "ES256" }] },
    }),
  });
  assert.equal(response.status, 201);
  return { id: (await response.json()).client_id, key: { key: privateKey, kid: "first" } };
}

async function privateKeyJwt(issuer) {
  const { id, key } = await signingApp(issuer);
  const config = await discover(issuer, id, client.PrivateKeyJwt(key));
  const tokens = await client.clientCredentialsGrant(config, { scope });
  assert.equal(tokens.scope, scope);
  await assertApiTakes(config, tokens.access_token);
  const { active, client_id } = await client.tokenIntrospection(config, tokens.access_token);
  assert.deepEqual({ active, client_id }, { active: true, client_id: id });
  await client.tokenRevocation(config, tokens.access_token);
  await assertIntrospected(config, tokens.access_token, inactive);
  const stranger = await discover(issuer, id, client.PrivateKeyJwt((await signingApp(issuer)).key));
  await assert.rejects(client.clientCredentialsGrant(stranger), (error) => {
    assert.equal(error.status, 401);
    return true;
  });
}

/** The authorization code flow; what the user has allowed already is asked for no more. */
async function authorize(config, browser, redirectUri, { decision = ALLOW, isPushed = false } = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const parameters = {
    redirect_uri: redirectUri,
    scope,
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  };
  const url = isPushed
    ? await client.buildAuthorizationUrlWithPAR(config, parameters)
    : client.buildAuthorizationUrl(config, parameters);
  if (isPushed) assert.deepEqual([...url.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const callback = await browser.visit(url, redirectUri, decision);

  // An answer of somebody else is not taken (RFC 9207), nor is the answer to another request.
  const foreign = new URL(callback);
  foreign.searchParams.set("iss", "https://other.example");
  for (const [answer, state] of [[foreign, expectedState], [callback, client.randomState()]]) {
    await assert.rejects(client.authorizationCodeGrant(config, answer, { pkceCodeVerifier, expectedState: state }), {
      code: "OAUTH_INVALID_RESPONSE",
    });
  }
  return client.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState });
}

async function onBehalfOfUser(config, redirectUri) {
  assert.ok(config.serverMetadata().supportsPKCE());
  const browser = new Browser(user);
  await assert.rejects(authorize(config, browser, redirectUri, { decision: REFUSE }), (error) => {
    assert.ok(error instanceof client.AuthorizationResponseError, error);
    assert.equal(error.error, "access_denied");
    assert.ok(error.error_description, "the refusal says why");
    return true;
  });

  const first = await authorize(config, browser, redirectUri);
  assert.equal(first.scope, scope);
  await assertApiTakes(config, first.access_token);
  const { sub } = await client.tokenIntrospection(config, first.access_token);
  const { issuer: iss } = config.serverMetadata();
  const active = { active: true, client_id: config.clientMetadata().client_id, scope, sub, iss };
  await assertIntrospected(config, first.access_token, active);
  await assertIntrospected(config, first.refresh_token, active);

  // A refresh token is good once; when it is used again after its successor was, all that the code has led to ends.
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.notEqual(second.access_token, first.access_token);
  await assertApiTakes(config, second.access_token);
  const narrowed = scope.split(" ")[0];
  const third = await client.refreshTokenGrant(config, second.refresh_token, { scope: narrowed });
  assert.equal(third.scope, narrowed);
  await assert.rejects(client.refreshTokenGrant(config, first.refresh_token), refusedGrant);
  await assert.rejects(client.refreshTokenGrant(config, third.refresh_token), refusedGrant);
  await assertIntrospected(config, third.access_token, inactive);

  const pushed = await authorize(config, browser, redirectUri, { isPushed: true });
  await assertApiTakes(config, pushed.access_token);
  await client.tokenRevocation(config, pushed.access_token);
  await assertIntrospected(config, pushed.access_token, inactive);
  await assertIntrospected(config, pushed.refresh_token, active);
  await assertApiComesToRefuse(config, pushed.access_token);
  const last = await client.refreshTokenGrant(config, pushed.refresh_token);
  await graphql(last.access_token);
  await client.tokenRevocation(config, last.refresh_token, { token_type_hint: "refresh_token" });
  await client.tokenRevocation(config, "a token that nobody has issued");
  await assertIntrospected(config, last.refresh_token, inactive);
  await assert.rejects(client.refreshTokenGrant(config, last.refresh_token), refusedGrant);
}

async function graphql(token) {
  const graphql = new GraphQLClient(new URL("/graphql", api).href, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const { profile } = await graphql.request(environment.GRAPHQL_DOCUMENT, { id: environment.PROFILE_ID });
  assert.equal(profile.id, environment.PROFILE_ID);
  await assert.rejects(graphql.request("query Other { profile(id: \"p2\") { id } }"), (error) => {
    assert.ok(error instanceof ClientError, error);
    assert.equal(error.response.status, 403);
    assert.equal(error.response.errors[0].extensions.code, "operation_not_approved");
    return true;
  });
}

const issuer = await issuerOfApi();
assert.equal(issuer.href, new URL(environment.ISSUER_URL).href);
await clientCredentials(issuer);
await privateKeyJwt(issuer);
const { id, secret, redirectUri } = confidential;
await onBehalfOfUser(await discover(issuer, id, client.ClientSecretBasic(secret)), redirectUri);
await onBehalfOfUser(await discover(issuer, native.id, client.None()), native.redirectUri);
