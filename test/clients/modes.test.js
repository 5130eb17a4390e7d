// The GraphQL API's modes that ask somebody else who calls, as aws-amplify uses them:
// an OpenID Connect provider, and a function of the app's own.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { json } from 'node:stream/consumers'
import { Amplify } from 'aws-amplify'
import { decodeJWT } from 'aws-amplify/auth'
import { generateClient } from 'aws-amplify/data'
import { dev, project } from './fairway.js'
import { issuer } from './issuer.js'

// api edits the sample so that its field is for who the rule allows, in a mode that
// is added.
const api = (rule, mode) => ({
  'data/resource.ts': (text) => text
    .replace('allow.authenticated()', rule)
    .replace('apiKeyAuthorizationMode:', `${mode}, $&`)
    .replace('import { a, ', '$&defineFunction, '),
})

const unauthorized = { errorType: 'Unauthorized', message: 'Not Authorized to access askBedrock on type Query' }

test('OpenID Connect', async (t) => {
  const provider = await issuer(t)
  const mode = `oidcAuthorizationMode: {
    oidcProviderName: "kitchen", oidcIssuerUrl: "${provider.url}", clientId: "recipes",
    tokenExpiryFromAuthInSeconds: 1800, tokenExpireFromIssueInSeconds: 1800,
  }`
  const { client } = await dev(t, project(api('allow.authenticated("oidc")', mode)))
  const ask = async (claims) => {
    const getTokens = async () => ({ accessToken: decodeJWT(provider.token(claims)) })
    Amplify.configure(client, { Auth: { tokenProvider: { getTokens } } })
    return generateClient().queries.askBedrock({ ingredients: ['rice'] }, { authMode: 'oidc' })
  }

  assert.match((await ask()).data.body, /rice/)
  provider.rotate()
  assert.match((await ask()).data.body, /rice/)

  const ago = (seconds) => Math.floor(Date.now() / 1000) - seconds
  for (const wrong of [
    { aud: 'wines' }, { iss: 'https://attacker.example' }, { exp: ago(600) }, { auth_time: ago(2400) }, { iat: ago(2400) },
  ]) {
    const { data, errors: [{ originalError }] } = await ask(wrong)
    assert.equal(data, null)
    assert.equal(originalError.name, 'UnauthorizedException', JSON.stringify(wrong))
  }
})

test('a function that authorizes', async (t) => {
  const asked = []
  const authorizer = createServer(async (request, response) => {
    const event = await json(request)
    asked.push(event)
    const answer = { mango: { isAuthorized: true }, peel: { isAuthorized: true, deniedFields: ['Query.askBedrock'] } }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer[event.authorizationToken] ?? { isAuthorized: false }))
  })
  await once(authorizer.listen(0, '127.0.0.1'), 'listening')
  t.after(() => authorizer.close())

  const edits = api('allow.custom()', 'lambdaAuthorizationMode: { function: defineFunction({ name: "gate", entry: "./gate.ts" }) }')
  const settings = { graphql: { authorizer: `http://127.0.0.1:${authorizer.address().port}/gate` } }
  Amplify.configure((await dev(t, project(edits, settings))).client)
  const ask = (authToken) => generateClient().queries.askBedrock({ ingredients: ['rice'] }, { authMode: 'lambda', authToken })

  assert.match((await ask('mango')).data.body, /rice/)
  assert.equal(asked.length, 1)
  assert.match(asked[0].requestContext.queryString, /askBedrock/)
  assert.deepEqual(asked[0].requestContext.variables, { ingredients: ['rice'] })
  assert.match((await ask('mango')).data.body, /rice/)
  assert.equal(asked.length, 1, 'the answer is kept')

  const { data, errors: [{ errorType, message }] } = await ask('peel')
  assert.equal(data, null)
  assert.deepEqual({ errorType, message }, unauthorized)
  assert.equal((await ask('stone')).errors[0].originalError.name, 'UnauthorizedException')
})
