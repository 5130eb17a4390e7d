// Keys that are made, replaced and taken away while the server runs, as the AWS SDK
// and aws-amplify show them.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { Amplify } from 'aws-amplify'
import { bearer, connect, conversation } from './aws.js'
import { project, run } from './fairway.js'
import { serve } from './serve.js'
import { start } from './user.js'

test('keys of model clients', async (t) => {
  const server = await serve(t, { master_key: 'env:MASTER_KEY' }, { MASTER_KEY: randomBytes(32).toString('base64') })
  const keys = async (...args) => {
    const { code, stdout, stderr } = await run('keys', ...args, '--url', server.admin)
    assert.equal(code, 0, stderr)
    return stdout
  }
  const make = async (...args) => JSON.parse(await keys(...args, '--json'))
  const say = (options) => connect(t, { ...server, accessKey: undefined }, options).send(new ConverseCommand(conversation('Hello')))
  const good = async (options) => assert.equal((await say(options)).stopReason, 'end_turn')

  await t.test('a bearer key is replaced, and the old one expires', async () => {
    const first = await make('create', 'checkout', '--principal', 'tester')
    await good(bearer(first.key))
    const second = await make('rotate', 'checkout', '--overlap', '1h')
    await good(bearer(first.key))
    await good(bearer(second.key))
    await keys('expire', 'checkout')
    for (const { key } of [first, second]) await assert.rejects(say(bearer(key)), { name: 'ExpiredTokenException' })
    await keys('delete', 'checkout')
    await assert.rejects(say(bearer(second.key)), { name: 'UnrecognizedClientException' })
  })

  await t.test('an access key signs for its principal', async () => {
    const made = await make('create', 'laptop', '--kind', 'access', '--principal', 'tester')
    const credentials = { accessKeyId: made.id, secretAccessKey: made.secret }
    await good({ credentials })
    await keys('delete', 'laptop')
    await assert.rejects(say({ credentials }), { name: 'UnrecognizedClientException' })
  })

  await t.test('a key is nobody\'s but a principal\'s', async () => {
    const { code, stderr } = await run('keys', 'create', 'stray', '--principal', 'nobody', '--url', server.admin)
    assert.equal(code, 1)
    assert.match(stderr, /nobody/)
  })
})

test('keys of the GraphQL API', async (t) => {
  const fairway = await start(t, project({ 'data/resource.ts': (text) => text.replace('allow.authenticated()', 'allow.publicApiKey()') }))
  const show = (apiKey) => {
    const { API, ...rest } = fairway.client
    Amplify.configure({ ...rest, API: { GraphQL: { ...API.GraphQL, apiKey } } })
  }
  assert.match(await fairway.ask('apiKey'), /rice/)
  const { key } = JSON.parse(await fairway.operate('keys', 'create', 'kiosk', '--kind', 'api', '--json'))
  assert.match(key, /^da2-/)
  show(key)
  assert.match(await fairway.ask('apiKey'), /rice/)
  await fairway.operate('keys', 'expire', 'kiosk')
  assert.deepEqual(await fairway.ask('apiKey'), ['UnauthorizedException'])
})
