// What Apollo Client and urql make of the GraphQL transport on either host: an approved document, and a refusal.

import assert from "node:assert/strict";
import { ApolloClient, HttpLink, InMemoryCache, ServerError, gql } from "@apollo/client";
import { Client, fetchExchange } from "@urql/core";

const approved = process.env.ARGUS_GRAPHQL_DOCUMENT;
const other = `query Other { profile(id: "p2") { id } }`;
const variables = { id: "p1" };

/** The demo app's own token: governance has approved the bundles that ship for it. */
async function liveToken() {
  const { ARGUS_CLIENT_ID: id, ARGUS_CLIENT_SECRET: secret } = process.env;
  const response = await fetch(`${process.env.ARGUS_AUTH_URL}/v1/oauth/token`, {
    method: "POST",
    headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  assert.equal(response.status, 200);
  return (await response.json()).access_token;
}

/** The live host has what was imported. */
async function importProfile(headers) {
  const profiles = [{ id: "p1", kind: "wallet", display_name: "Cold wallet 7" }];
  const jobs = `${process.env.ARGUS_API_URL}/v1/jobs`;
  const body = JSON.stringify({ kind: "import.bulk", payload: { profiles } });
  const created = await fetch(jobs, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body,
  });
  assert.equal(created.status, 201);
  const { id } = await created.json();
  for (;;) {
    const { status } = await (await fetch(`${jobs}/${id}`, { headers })).json();
    if (status === "succeeded") return;
    assert.ok(["queued", "running"].includes(status), status);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function check(base, headers) {
  const url = `${base}/graphql`;
  const apollo = new ApolloClient({ link: new HttpLink({ uri: url, headers }), cache: new InMemoryCache() });
  const ofApollo = await apollo.query({ query: gql(approved), variables });
  assert.equal(ofApollo.data.profile.id, "p1");
  assert.equal(ofApollo.data.profile.__typename, "Profile");
  // It reads a refusal's `errors` only from the text of the answer.
  await assert.rejects(apollo.query({ query: gql(other) }), (error) => {
    assert.ok(ServerError.is(error), error);
    assert.equal(error.statusCode, 403);
    assert.equal(JSON.parse(error.bodyText).errors[0].extensions.code, "operation_not_approved");
    return true;
  });

  const urql = new Client({
    url,
    exchanges: [fetchExchange],
    fetchOptions: { headers },
    // Argus takes `POST` alone.
    preferGetMethod: false,
  });
  const ofUrql = await urql.query(approved, variables).toPromise();
  assert.equal(ofUrql.error, undefined);
  assert.equal(ofUrql.data.profile.id, "p1");
  assert.deepEqual(ofUrql.data.profile.risk.score, ofApollo.data.profile.risk.score);
  const refused = await urql.query(other, {}).toPromise();
  assert.equal(refused.error.response.status, 403);
  assert.equal(refused.error.graphQLErrors[0].extensions.code, "operation_not_approved");
}

await check(process.env.ARGUS_SANDBOX_URL, { Authorization: `Bearer ${process.env.ARGUS_SANDBOX_TOKEN}` });
const live = { Authorization: `Bearer ${await liveToken()}` };
await importProfile(live);
await check(process.env.ARGUS_API_URL, live);
