// What a browser adds to a request, and what it and other programs may add for
// Fairway.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { decodeJWT, signOut } from 'aws-amplify/auth'
import { generateClient } from 'aws-amplify/data'
import { ask, dev, project } from './fairway.js'
import { accessToken } from './user.js'

const app = 'http://localhost:5173' // a development server's page
const foreign = 'https://attacker.example'

test('browsers', async (t) => {
  const fairway = await dev(t, project())
  const { url, api_key } = fairway.outputs.graphql
  const authorization = await accessToken(fairway)

  await t.test('a preflight admits every header that Amplify sends', async (t) => {
    const { mock } = t.mock.method(globalThis, 'fetch')
    await accessToken(fairway)
    for (const authMode of ['apiKey', 'userPool', 'iam']) {
      await generateClient().queries.askBedrock({ ingredients: ['rice'] }, { authMode })
    }
    await signOut()
    const requests = mock.calls.map(({ arguments: [url, { headers }] }) =>
      ({ url, names: Object.keys(headers).filter((name) => name !== 'host') })) // that is the browser's own
    const sent = new Set(requests.flatMap(({ names }) => names))
    for (const name of ['authorization', 'x-api-key', 'x-amz-security-token', 'x-amz-target']) assert.ok(sent.has(name), name)

    for (const { url, names } of requests) {
      const response = await fetch(url, {
        method: 'OPTIONS',
        headers: {
          origin: app,
          'access-control-request-method': 'POST',
          'access-control-request-headers': names.join(','),
        },
      })
      assert.equal(response.status, 204)
      assert.equal(response.headers.get('access-control-allow-origin'), app)
      assert.match(response.headers.get('access-control-allow-methods'), /\bPOST\b/)
      const admitted = response.headers.get('access-control-allow-headers').split(', ')
      assert.deepEqual(names.filter((name) => !admitted.includes(name)), [])
    }
  })

  await t.test('a page on this machine may read the answer', async () => {
    const response = await ask(url, { authorization, origin: app })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('access-control-allow-origin'), app)
    assert.equal(response.headers.get('vary'), 'Origin')
  })

  await t.test('a foreign page is refused', async () => {
    const response = await ask(url, { authorization, origin: foreign })
    assert.equal(response.status, 403)
    assert.equal(response.headers.get('access-control-allow-origin'), null)
    assert.match((await response.json()).message, /the origin https:\/\/attacker\.example is not allowed/)
  })

  await t.test('a foreign host name for this machine is refused', async () => {
    // As a browser sends it after DNS rebinding; fetch would not be told a Host.
    const headers = { host: 'attacker.example', 'content-type': 'application/json', 'x-api-key': api_key }
    const [response] = await once(request(url, { method: 'POST', headers }).end('{}'), 'response')
    response.resume()
    assert.equal(response.statusCode, 403)
  })

  await t.test('the trace comes with the answer when it is asked for', async () => {
    const plain = await (await ask(url, { authorization })).json()
    assert.equal(plain.extensions, undefined)
    const traced = await (await ask(url, { authorization, 'x-fairway-trace': '1' })).json()
    assert.deepEqual(traced.data, plain.data)
    const [call, ...others] = traced.extensions.fairway.calls
    assert.deepEqual(others, [])
    assert.deepEqual(call.path, ['askBedrock'])
    assert.equal(call.caller, decodeJWT(authorization).payload.username)
    assert.equal(call.destination_region, 'ap-southeast-1')
    assert.deepEqual(call.attempts.map(({ region, outcome }) => [region, outcome]), [['ap-southeast-1', 'ok']])
  })
})
