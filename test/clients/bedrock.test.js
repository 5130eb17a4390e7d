// The AWS SDK for JavaScript with nothing changed but its endpoint and
// credentials. To a plain http endpoint it speaks HTTP/2.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvokeModelCommand, ThrottlingException, ValidationException } from '@aws-sdk/client-bedrock-runtime'
import { bearer, connect, invocation, json } from './aws.js'
import { dev, project, run } from './fairway.js'
import { destinations, profile, profileArn } from './serve.js'

test('AWS SDK for JavaScript', async (t) => {
  const { outputs } = await dev(t, project())

  const server = {
    endpoint: outputs.endpoint,
    region: outputs.region,
    accessKey: { accessKeyId: outputs.aws.access_key_id, secretAccessKey: outputs.aws.secret_access_key },
  }
  const invoke = async (client, modelId) => {
    const { body, $metadata } = await client.send(new InvokeModelCommand(invocation('What goes with rice?', modelId)))
    return { message: json(body), headers: $metadata.headers }
  }

  const fault = async (name, ...regions) => {
    const { code, stderr } = await run('regions', name, ...regions, '--url', outputs.endpoint)
    assert.equal(code, 0, stderr)
  }

  const client = connect(t, server)

  for (const [form, modelId] of Object.entries({ id: profile, ARN: profileArn })) {
    await t.test(`InvokeModel by a profile's ${form}`, async () => {
      const { message, headers } = await invoke(client, modelId)
      assert.match(message.content[0].text, /What goes with rice\?/)
      assert.equal(message.stop_reason, 'end_turn')
      assert.equal(headers['x-fairway-destination-region'], 'ap-southeast-1')
      assert.equal(headers['x-fairway-attempts'], '1')
      assert.equal(headers['x-fairway-simulated'], 'true')
      assert.equal(headers[':status'], 200) // a pseudo-header: it was HTTP/2
    })
  }

  await t.test('InvokeModel with a bearer key', async () => {
    const { message } = await invoke(connect(t, server, bearer(outputs.bearer_key)), profile)
    assert.match(message.content[0].text, /What goes with rice\?/)
  })

  await t.test('the headers count the tokens that the body reports', async () => {
    const { message, headers } = await invoke(client, profile)
    assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
    assert.equal(headers['x-amzn-bedrock-input-token-count'], String(message.usage.input_tokens))
    assert.equal(headers['x-amzn-bedrock-output-token-count'], String(message.usage.output_tokens))
    assert.match(headers['x-amzn-bedrock-invocation-latency'], /^\d+$/)
  })

  await t.test('the next region answers while the first is down', async () => {
    const healthy = await invoke(client, profile)
    await fault('down', 'ap-southeast-1')
    const { message, headers } = await invoke(client, profile)
    await fault('up', 'ap-southeast-1')
    assert.deepEqual(message.content, healthy.message.content)
    assert.equal(headers['x-fairway-destination-region'], 'ap-northeast-1')
    assert.equal(headers['x-fairway-attempts'], '2')
  })

  await t.test("a wrong secret is the service's signature error", async () => {
    const stranger = connect(t, server, { credentials: { ...server.accessKey, secretAccessKey: 'wrong' } })
    await assert.rejects(invoke(stranger, profile), (err) => {
      assert.equal(err.name, 'InvalidSignatureException')
      assert.match(err.message, /^The request signature we calculated does not match/)
      assert.equal(err.$metadata.httpStatusCode, 403)
      return true
    })
  })

  await t.test('an unknown model is a ValidationException', async () => {
    await assert.rejects(invoke(client, 'example.no-such-model-v1:0'), (err) => {
      assert.ok(err instanceof ValidationException, err)
      assert.equal(err.message, 'The provided model identifier is invalid.')
      return true
    })
  })

  await t.test('throttling everywhere is a ThrottlingException', async () => {
    await fault('throttle', ...destinations)
    await assert.rejects(invoke(client, profile), (err) => {
      assert.ok(err instanceof ThrottlingException, err)
      assert.equal(err.$metadata.httpStatusCode, 429)
      return true
    })
  })
})
