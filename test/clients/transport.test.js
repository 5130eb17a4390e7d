// The AWS SDK over each version of HTTP, with each sort of credential.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConverseCommand, ConverseStreamCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { bearer, connect, conversation, events, invocation } from './aws.js'
import { hops, profile, serve } from './serve.js'

const versions = {
  'HTTP/2': () => ({}), // the client's own choice
  'HTTP/1.1': () => ({ requestHandler: new NodeHttpHandler() }),
}
const credentials = {
  'an access key': () => ({}),
  'a bearer key': (server) => bearer(server.bearer),
}

for (const [name, start] of Object.entries(hops)) {
  test(`transport through ${name}`, async (t) => {
    const server = await start(t)
    for (const [version, handler] of Object.entries(versions)) {
      for (const [credential, auth] of Object.entries(credentials)) {
        await t.test(`${version} with ${credential}`, async () => {
          const client = connect(t, server, { ...handler(), ...auth(server) })
          const { $metadata } = await client.send(new InvokeModelCommand(invocation('Hello')))
          assert.equal(':status' in $metadata.headers, version === 'HTTP/2')
          const { stream } = await client.send(new ConverseStreamCommand(conversation('Hello')))
          assert.ok((await events(stream)).at(-1).metadata)
        })
      }

      await t.test(`${version} with many calls at once`, async () => {
        const client = connect(t, server, handler())
        const answers = Array.from({ length: 40 }, async (_, i) => {
          const { stream } = await client.send(new ConverseStreamCommand(conversation(`Question number ${i}`)))
          return (await events(stream)).map((e) => e.contentBlockDelta?.delta.text ?? '').join('')
        })
        for (const [i, text] of (await Promise.all(answers)).entries()) assert.match(text, new RegExp(`Question number ${i}”`))
      })
    }

    await t.test('the region of the base path', async () => {
      const client = connect(t, { ...server, endpoint: `${server.endpoint}/region/ap-northeast-1` }, bearer(server.bearer))
      const { $metadata } = await client.send(new ConverseCommand(conversation('Hello')))
      assert.equal($metadata.headers['x-fairway-entry-region'], 'ap-northeast-1')
    })
  })
}

test('who is let in', async (t) => {
  const server = await serve(t)
  const signs = (auth) => connect(t, server, auth).send(new ConverseCommand(conversation('Hello')))

  await t.test('without any key', async () => {
    const response = await fetch(`${server.endpoint}/model/${profile}/converse`, { method: 'POST', body: '{}' })
    assert.equal(response.status, 403)
    assert.match(response.headers.get('x-amzn-errortype'), /^MissingAuthenticationTokenException/)
  })

  await t.test('with a wrong secret, an unknown access key, an unknown bearer key', async () => {
    const { accessKey } = server
    await assert.rejects(signs({ credentials: { ...accessKey, secretAccessKey: 'wrong' } }), { name: 'InvalidSignatureException' })
    await assert.rejects(signs({ credentials: { ...accessKey, accessKeyId: 'FWAKUNKNOWN' } }), { name: 'UnrecognizedClientException' })
    await assert.rejects(signs(bearer('unknown')), (err) => err.$metadata.httpStatusCode === 403)
  })
})
