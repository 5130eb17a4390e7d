// A production server whose callers have tokens of somebody else's issuer, on every
// door: GraphQL, and the model clients, which show them as their key.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { Amplify } from 'aws-amplify'
import { decodeJWT } from 'aws-amplify/auth'
import { generateClient } from 'aws-amplify/data'
import OpenAI from 'openai'
import { bearer, connect, conversation } from './aws.js'
import { project } from './fairway.js'
import { issuer } from './issuer.js'
import { profile, serve } from './serve.js'

test('tokens of an issuer', async (t) => {
  const provider = await issuer(t)
  const server = await serve(t, {
    backend: project(),
    issuers: [{
      url: provider.url, mode: 'user_pool', audiences: ['recipes'], token_use: ['access'], claims: { tenant: 'kitchen' },
      principal: 'tester', by_group: { Guests: 'outsider' },
    }],
  })
  const token = (claims) => provider.token({ client_id: 'recipes', token_use: 'access', tenant: 'kitchen', username: 'ana', ...claims })
  const expired = { exp: 1_700_000_000 }
  const messages = [{ role: 'user', content: 'Hello' }]

  await t.test('at the GraphQL API', async () => {
    const ask = async (claims) => {
      const getTokens = async () => ({ accessToken: decodeJWT(token(claims)) })
      const GraphQL = { endpoint: `${server.endpoint}/graphql`, defaultAuthMode: 'userPool' }
      Amplify.configure({ API: { GraphQL } }, { Auth: { tokenProvider: { getTokens } } })
      return generateClient().graphql({ query: '{ askBedrock(ingredients: ["rice"]) { body } }' })
    }
    assert.match((await ask()).data.askBedrock.body, /rice/)
    for (const wrong of [expired, { tenant: 'garden' }, { client_id: 'wines' }]) {
      await assert.rejects(ask(wrong), ({ errors: [{ originalError }] }) => originalError.name === 'UnauthorizedException')
    }
  })

  await t.test('at Bedrock, by the AWS SDK', async () => {
    const say = (claims) =>
      connect(t, { ...server, accessKey: undefined }, bearer(token(claims))).send(new ConverseCommand(conversation('Hello')))
    assert.equal((await say()).stopReason, 'end_turn')
    await assert.rejects(say({ 'cognito:groups': ['Guests'] }), { name: 'AccessDeniedException' })
    await assert.rejects(say(expired), { name: 'ExpiredTokenException' })
    await assert.rejects(say({ tenant: 'garden' }), { name: 'UnrecognizedClientException' })
  })

  await t.test('at the OpenAI door', async () => {
    const say = (claims) =>
      new OpenAI({ baseURL: `${server.endpoint}/v1`, apiKey: token(claims), maxRetries: 0 }).chat.completions.create({ model: profile, messages })
    assert.equal((await say()).choices[0].finish_reason, 'stop')
    await assert.rejects(say(expired), { status: 401 })
  })

  await t.test('at the Anthropic door', async () => {
    const say = (claims) =>
      new Anthropic({ baseURL: server.endpoint, apiKey: token(claims), maxRetries: 0 }).messages.create({ model: profile, max_tokens: 500, messages })
    assert.equal((await say()).stop_reason, 'end_turn')
    await assert.rejects(say(expired), { status: 401 })
  })
})
