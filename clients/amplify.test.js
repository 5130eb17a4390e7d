// aws-amplify as an app uses it: configured with the outputs file as it is
// written, asking through the client that it generates from that file.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Amplify } from 'aws-amplify'
import { decodeJWT } from 'aws-amplify/auth'
import { generateClient } from 'aws-amplify/data'
import { dev, project } from './fairway.js'
import { accessToken } from './token.js'

const hour = 3_600_000
const question = { ingredients: ['chicken', 'rice'] }

test('aws-amplify', async (t) => {
  const fairway = await dev(t, project())
  Amplify.configure(fairway.amplifyOutputs)
  const client = generateClient()

  // signIn makes Amplify send the token, as it does after its own signIn.
  const signIn = (token) => {
    const getTokens = async () => ({ accessToken: decodeJWT(token) })
    Amplify.configure(fairway.amplifyOutputs, { Auth: { tokenProvider: { getTokens } } })
  }

  await t.test('the client has the query of the schema', () => {
    assert.deepEqual(Object.keys(client.queries), ['askBedrock'])
  })

  await t.test('a signed-in user gets an answer', async () => {
    signIn(await accessToken(fairway))
    const { data, errors } = await client.queries.askBedrock(question, { authMode: 'userPool' })
    assert.equal(errors, undefined)
    assert.match(data.body, /chicken, rice/)
    assert.equal(data.error, null)
  })

  await t.test('an API key is not enough for the field', async () => {
    const { data, errors } = await client.queries.askBedrock(question, { authMode: 'apiKey' })
    assert.equal(data, null)
    assert.equal(errors.length, 1)
    assert.equal(errors[0].errorType, 'Unauthorized')
    assert.equal(errors[0].message, 'Not Authorized to access askBedrock on type Query')
    assert.deepEqual(errors[0].path, ['askBedrock'])
  })

  await t.test('an expired token is refused', async () => {
    signIn(await accessToken(fairway, Date.now() - 2 * hour))
    const { data, errors } = await client.queries.askBedrock(question, { authMode: 'userPool' })
    console.log(data, errors)
  })

  await t.test('an unknown API key is refused', async () => {
    const { data, errors } = await client.queries.askBedrock(question, { authMode: 'apiKey', apiKey: 'da2-unknown' })
    console.log(data, errors)
  })

  await t.test('a browser may send what Amplify sends', async (t) => {
    const fetch = t.mock.method(globalThis, 'fetch')
    await client.queries.askBedrock(question, { authMode: 'apiKey' })
    await client.queries.askBedrock(question, { authMode: 'userPool' })
    console.log(fetch.mock.calls.map(c=>[c.arguments[0], c.arguments[1].headers]))
  })

  const f = await fetch(fairway.outputs.graphql.url, {method:'POST', headers: {authorization: await accessToken(fairway), 'x-fairway-trace': '1', origin: 'http://localhost:5173'}, body: JSON.stringify({query: '{askBedrock(ingredients:["a"]){body}}'})})
  console.log(f.status, f.headers, JSON.stringify(await f.json(), null, 1))
})
