// Short-term Bedrock API keys, made of an access key by @aws/bedrock-token-generator
// and shown by the AWS SDK.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { getToken } from '@aws/bedrock-token-generator'
import { bearer, connect, conversation } from './aws.js'
import { profile, region, serve } from './serve.js'

const longAgo = new Date('2026-01-01T00:00:00Z')
const elsewhere = 'ap-southeast-2'

test('a short-term Bedrock API key', async (t) => {
  const role = 'arn:aws:iam::123456789012:role/cook'
  const policy = (...actions) => [{ Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] }]
  const signer = { accessKeyId: 'FWAKSIGNER0000000001', secretAccessKey: 'signs-and-shows-no-key' }
  const server = await serve(t, {
    principals: [
      { name: 'cook', arn: role, assumed_by: ['tester'], policies: policy('bedrock:*') },
      { name: 'signer', access_keys: [{ id: signer.accessKeyId, secret: 'env:SIGNER_SECRET' }], policies: policy('bedrock:InvokeModel') },
    ],
  }, { SIGNER_SECRET: signer.secretAccessKey })
  const { accessKey } = server

  const say = (token) =>
    connect(t, { ...server, accessKey: undefined }, bearer(token)).send(new ConverseCommand(conversation('Hello', profile)))
  const key = (credentials, options) => getToken({ credentials, region, ...options })

  await t.test('opens what its access key does', async () => {
    assert.equal((await say(await key(accessKey))).stopReason, 'end_turn')
    assert.equal((await say(await key(accessKey, { expiresInSeconds: 60 }))).stopReason, 'end_turn')
  })

  await t.test('is made of temporary credentials too', async () => {
    const sts = new STSClient({ endpoint: server.endpoint, region, credentials: accessKey })
    t.after(() => sts.destroy())
    const { Credentials: { AccessKeyId, SecretAccessKey, SessionToken } } =
      await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'lunch' }))
    const token = await key({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken })
    assert.equal((await say(token)).stopReason, 'end_turn')
  })

  await t.test('needs a permission of its own', async () => {
    const { stopReason } = await connect(t, { ...server, accessKey: signer }).send(new ConverseCommand(conversation('Hello', profile)))
    assert.equal(stopReason, 'end_turn')
    await assert.rejects(say(await key(signer)), { name: 'AccessDeniedException', message: /bedrock:CallWithBearerToken/ })
  })

  await t.test('expires', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: longAgo })
    const old = await key(accessKey)
    t.mock.timers.reset()
    await assert.rejects(say(old), { name: 'ExpiredTokenException' })
  })

  await t.test('enters the region that it was made for', async () => {
    const { $metadata } = await say(await key(accessKey, { region: elsewhere }))
    assert.equal($metadata.headers['x-fairway-entry-region'], elsewhere)
  })

  await t.test('is refused when anything in it was changed', async () => {
    const prefix = 'bedrock-api-key-'
    const change = async (from, to) => {
      const url = Buffer.from((await key(accessKey)).slice(prefix.length), 'base64').toString()
      assert.match(url, from)
      return prefix + Buffer.from(url.replace(from, to)).toString('base64')
    }
    assert.equal((await say(await change(/$/, ''))).stopReason, 'end_turn')
    for (const [from, to, name] of [
      [/X-Amz-Expires=\d+/, 'X-Amz-Expires=43199', 'InvalidSignatureException'],
      [/(X-Amz-Signature=)\w{8}/, '$100000000', 'InvalidSignatureException'],
      [/FWAK\w+/, 'FWAKUNKNOWN000000001', 'UnrecognizedClientException'],
      [/^bedrock\.amazonaws\.com/, 'attacker.example', 'UnrecognizedClientException'],
      [/CallWithBearerToken/, 'SomethingElse', 'UnrecognizedClientException'],
    ]) {
      await assert.rejects(say(await change(from, to)), { name })
    }
  })
})
