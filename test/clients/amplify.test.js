// aws-amplify as an app uses it: configured with the outputs file as it is
// written, asking through the client that it generates from that file.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Amplify } from 'aws-amplify'
import { decodeJWT } from 'aws-amplify/auth'
import { generateClient } from 'aws-amplify/data'
import { dev, project } from './fairway.js'
import { issuer } from './issuer.js'
import { accessToken } from './user.js'

const twoHoursAgo = Math.floor(Date.now() / 1000) - 7200

test('aws-amplify', async (t) => {
  const provider = await issuer(t)
  const fairway = await dev(t, project({}, {
    issuers: [{ url: provider.url, mode: 'user_pool', audiences: ['recipes'], token_use: ['access'] }],
  }))
  Amplify.configure(fairway.amplifyOutputs)
  const client = generateClient()
  const ask = (authMode) => client.queries.askBedrock({ ingredients: ['chicken', 'rice'] }, { authMode })

  // signIn makes Amplify send the token, as it does after a sign-in of its own.
  const signIn = (token) => {
    const getTokens = async () => ({ accessToken: decodeJWT(token) })
    Amplify.configure(fairway.amplifyOutputs, { Auth: { tokenProvider: { getTokens } } })
  }

  // refused asserts that a whole request was, before GraphQL looked at it, and
  // gives the service's text, which Amplify hides behind its own.
  const refused = ({ data, errors: [error, ...others] }) => {
    assert.equal(data, null)
    assert.deepEqual(others, [])
    assert.equal(error.message, 'Unauthorized')
    const { name, response } = error.originalError
    assert.equal(name, 'UnauthorizedException')
    assert.equal(response.statusCode, 401)
    return JSON.parse(response.body).errors[0].message
  }

  await t.test('the client has the query of the schema', () => {
    assert.deepEqual(Object.keys(client.queries), ['askBedrock'])
  })

  await t.test('a signed-in user gets an answer', async () => {
    signIn(await accessToken(fairway))
    const { data, errors } = await ask('userPool')
    assert.equal(errors, undefined)
    assert.match(data.body, /chicken, rice/)
    assert.equal(data.error, null)
  })

  await t.test('a user of another issuer gets one too, with a new key as well', async () => {
    const claims = { client_id: 'recipes', token_use: 'access', username: 'ana' }
    signIn(provider.token(claims))
    assert.match((await ask('userPool')).data.body, /chicken, rice/)
    provider.rotate()
    signIn(provider.token(claims))
    assert.match((await ask('userPool')).data.body, /chicken, rice/)

    signIn(provider.token({ ...claims, iat: twoHoursAgo, exp: twoHoursAgo + 3600 }))
    assert.equal(refused(await ask('userPool')), 'Token has expired.')
    for (const wrong of [{ client_id: 'wines' }, { token_use: 'id' }, { iss: 'https://attacker.example' }]) {
      signIn(provider.token({ ...claims, ...wrong }))
      assert.equal(refused(await ask('userPool')), 'You are not authorized to make this call.')
    }
  })

  await t.test('an API key does not open a field for signed-in users', async () => {
    const { data, errors } = await ask('apiKey')
    assert.equal(data, null)
    assert.deepEqual(errors.map((e) => [e.errorType, e.message, e.path]), [
      ['Unauthorized', 'Not Authorized to access askBedrock on type Query', ['askBedrock']],
    ])
  })

  await t.test('a token with a forged signature is refused', async () => {
    const [header, claims] = (await accessToken(fairway)).split('.')
    signIn([header, claims, Buffer.alloc(256).toString('base64url')].join('.'))
    assert.equal(refused(await ask('userPool')), 'You are not authorized to make this call.')
  })

  await t.test('an unknown API key is refused', async () => {
    const { data, ...rest } = fairway.amplifyOutputs
    Amplify.configure({ ...rest, data: { ...data, api_key: 'da2-unknown' } })
    assert.equal(refused(await ask('apiKey')), 'You are not authorized to make this call.')
  })
})
