// What Apollo Client and urql make of the GraphQL transport: an approved document, and a refusal.

import assert from "node:assert/strict";
import { ApolloClient, HttpLink, InMemoryCache, ServerError, gql } from "@apollo/client";
import { Client, fetchExchange } from "@urql/core";

const approved = process.env.ARGUS_GRAPHQL_DOCUMENT;
const other = `query Other { profile(id: "p2") { id } }`;
const url = `${process.env.ARGUS_SANDBOX_URL}/graphql`;
const headers = { Authorization: `Bearer ${process.env.ARGUS_SANDBOX_TOKEN}` };
const variables = { id: "p1" };

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
