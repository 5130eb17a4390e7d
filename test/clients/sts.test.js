// The AWS SDK's STS client: roles taken on for a while, and Bedrock called as one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import {
  AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient,
} from '@aws-sdk/client-sts'
import { connect, conversation } from './aws.js'
import { issuer } from './issuer.js'
import { nova, profile, region, serve } from './serve.js'

const role = (name) => `arn:aws:iam::123456789012:role/${name}`

test('STS', async (t) => {
  const provider = await issuer(t)
  const invoking = (...resources) => [{ Statement: [{ Effect: 'Allow', Action: 'bedrock:InvokeModel', Resource: resources }] }]
  const claude = invoking('arn:aws:bedrock:*:*:inference-profile/apac.anthropic.*', 'arn:aws:bedrock:*::foundation-model/anthropic.*')
  const server = await serve(t, {
    issuers: [{ url: provider.url, jwks: `${provider.url}/keys`, audiences: ['recipes'] }],
    principals: [
      { name: 'cook', arn: role('cook'), assumed_by: ['tester'], policies: claude },
      { name: 'baker', arn: role('baker'), assumed_by: ['cook'], policies: claude },
      { name: 'waiter', arn: role('waiter'), issuers: [provider.url], policies: claude },
    ],
  })
  const sts = (credentials) => {
    const client = new STSClient({ endpoint: server.endpoint, region, credentials, maxAttempts: 1 })
    t.after(() => client.destroy())
    return client
  }
  const assume = async (RoleArn, credentials = server.accessKey, options) => {
    const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'lunch', ...options })
    return keyOf((await sts(credentials).send(command)).Credentials)
  }
  const say = (accessKey, modelId) => connect(t, { ...server, accessKey }).send(new ConverseCommand(conversation('Hello', modelId)))

  await t.test('tells who signed', async () => {
    const { Account, Arn, UserId } = await sts(server.accessKey).send(new GetCallerIdentityCommand())
    assert.equal(Account, '123456789012')
    assert.match(Arn, /^arn:aws:iam::123456789012:\w+\/tester$/)
    assert.ok(UserId)
    const wrong = { ...server.accessKey, secretAccessKey: 'wrong' }
    await assert.rejects(sts(wrong).send(new GetCallerIdentityCommand()), { name: 'SignatureDoesNotMatch' })
  })

  await t.test('gives credentials that are the role, not who took it on', async () => {
    const cook = await assume(role('cook'))
    assert.ok(cook.expiration > new Date())
    const { Arn } = await sts(cook).send(new GetCallerIdentityCommand())
    assert.equal(Arn, 'arn:aws:sts::123456789012:assumed-role/cook/lunch')

    assert.equal((await say(cook, profile)).stopReason, 'end_turn')
    assert.equal((await say(server.accessKey, nova)).stopReason, 'end_turn')
    await assert.rejects(say(cook, nova), (err) => {
      assert.equal(err.name, 'AccessDeniedException')
      assert.ok(err.message.startsWith(`User: ${Arn} is not authorized to perform: bedrock:InvokeModel on resource: `), err.message)
      return true
    })
  })

  await t.test('gives one role to another, for an hour', async () => {
    const cook = await assume(role('cook'))
    const baker = await assume(role('baker'), cook)
    assert.equal((await say(baker, profile)).stopReason, 'end_turn')
    await assert.rejects(assume(role('baker'), cook, { DurationSeconds: 7200 }), { name: 'ValidationError' })
  })

  await t.test('refuses a role that is not for the caller, and one that is not there', async () => {
    for (const name of ['baker', 'nobody']) {
      await assert.rejects(assume(role(name)), { name: 'AccessDenied' })
    }
    await assert.rejects(assume('cook'), { name: 'ValidationError' })
  })

  await t.test('gives credentials of one\'s own that do not last', async () => {
    const { Credentials } = await sts(server.accessKey).send(new GetSessionTokenCommand({ DurationSeconds: 900 }))
    assert.equal((await say(keyOf(Credentials), nova)).stopReason, 'end_turn')
  })

  await t.test('credentials are good with their token only', async () => {
    const { sessionToken, ...key } = await assume(role('cook'))
    await assert.rejects(say(key, profile), { name: 'UnrecognizedClientException' })
    await assert.rejects(say({ ...key, sessionToken: sessionToken.slice(0, -4) + 'AAAA' }, profile), { name: 'UnrecognizedClientException' })
    await assert.rejects(say({ ...key, sessionToken, secretAccessKey: 'wrong' }, profile), { name: 'InvalidSignatureException' })
  })

  await t.test('takes the token of an issuer for a role', async () => {
    const assumeWith = (WebIdentityToken, name = 'waiter') =>
      sts().send(new AssumeRoleWithWebIdentityCommand({ RoleArn: role(name), RoleSessionName: 'lunch', WebIdentityToken }))
    const { Credentials, SubjectFromWebIdentityToken } = await assumeWith(provider.token())
    assert.equal(SubjectFromWebIdentityToken, 'ana')
    assert.equal((await say(keyOf(Credentials), profile)).stopReason, 'end_turn')

    await assert.rejects(assumeWith(provider.token(), 'cook'), { name: 'AccessDenied' })
    await assert.rejects(assumeWith(provider.token({ exp: 1_700_000_000 })), { name: 'ExpiredTokenException' })
    for (const wrong of [provider.token({ aud: 'wines' }), provider.token({ iss: 'https://attacker.example' }), 'no token']) {
      await assert.rejects(assumeWith(wrong), { name: 'InvalidIdentityTokenException' })
    }
  })
})

// keyOf is the SDK's form of credentials that STS gives.
const keyOf = ({ AccessKeyId, SecretAccessKey, SessionToken, Expiration }) =>
  ({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken, expiration: Expiration })
