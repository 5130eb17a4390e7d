// The AWS SDK's Bedrock Runtime client: every operation, plain and streamed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as runtime from '@aws-sdk/client-bedrock-runtime'
import { failures, hops, model, nova, profile, profileArn, serve, until } from './serve.js'

const {
  BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, CountTokensCommand,
  InvokeModelCommand, InvokeModelWithResponseStreamCommand,
} = runtime

const messages = (text) => ({
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 500,
  messages: [{ role: 'user', content: text }],
})
const invocation = (text, modelId = profile) => ({ modelId, contentType: 'application/json', body: JSON.stringify(messages(text)) })
const conversation = (text, modelId = profile) => ({ modelId, messages: [{ role: 'user', content: [{ text }] }] })

const toolConfig = {
  tools: [{
    toolSpec: {
      name: 'weather',
      description: 'The weather of a city',
      inputSchema: { json: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 7 } }, required: ['city', 'days'] } },
    },
  }],
  toolChoice: { any: {} },
}

function connect(t, server, options = {}) {
  const client = new BedrockRuntimeClient({
    endpoint: server.endpoint, region: server.region, credentials: server.accessKey, maxAttempts: 1, ...options,
  })
  t.after(() => client.destroy())
  return client
}

async function chunks(answer) {
  const events = []
  for await (const { chunk } of answer.body) events.push(JSON.parse(Buffer.from(chunk.bytes).toString()))
  return events
}

async function pieces(answer) {
  const events = []
  for await (const event of answer.stream) events.push(event)
  return events
}

for (const [name, start] of Object.entries(hops)) {
  test(`Bedrock Runtime through ${name}`, async (t) => {
    const server = await start(t)
    const client = connect(t, server)

    await t.test('InvokeModel', async () => {
      const { body, contentType } = await client.send(new InvokeModelCommand(invocation('What goes with rice?')))
      const answer = JSON.parse(body.transformToString())
      assert.equal(contentType, 'application/json')
      assert.match(answer.content[0].text, /What goes with rice\?/)
      assert.equal(answer.stop_reason, 'end_turn')
    })

    await t.test('InvokeModelWithResponseStream gives the same text in pieces, and metrics in the last', async () => {
      const plain = await client.send(new InvokeModelCommand(invocation('What goes with rice?')))
      const events = await chunks(await client.send(new InvokeModelWithResponseStreamCommand(invocation('What goes with rice?'))))
      const deltas = events.filter((e) => e.type === 'content_block_delta')
      assert.ok(deltas.length >= 5, `${deltas.length} deltas`)
      assert.equal(deltas.map((e) => e.delta.text).join(''), JSON.parse(plain.body.transformToString()).content[0].text)
      assert.equal(events[0].type, 'message_start')
      const last = events.at(-1)
      assert.equal(last.type, 'message_stop')
      assert.ok(last['amazon-bedrock-invocationMetrics'].outputTokenCount > 0)
    })

    await t.test('Converse', async () => {
      const answer = await client.send(new ConverseCommand(conversation('What goes with rice?')))
      assert.match(answer.output.message.content[0].text, /What goes with rice\?/)
      assert.equal(answer.stopReason, 'end_turn')
      assert.equal(answer.usage.totalTokens, answer.usage.inputTokens + answer.usage.outputTokens)
    })

    await t.test('ConverseStream gives the same text in pieces', async () => {
      const plain = await client.send(new ConverseCommand(conversation('What goes with rice?')))
      const events = await pieces(await client.send(new ConverseStreamCommand(conversation('What goes with rice?'))))
      const deltas = events.flatMap((e) => e.contentBlockDelta ?? [])
      assert.ok(deltas.length >= 5, `${deltas.length} deltas`)
      assert.equal(deltas.map((e) => e.delta.text).join(''), plain.output.message.content[0].text)
      assert.deepEqual(events.at(-1).metadata.usage, plain.usage)
      assert.equal(events.at(-2).messageStop.stopReason, 'end_turn')
    })

    await t.test('another family answers Converse too', async () => {
      const answer = await client.send(new ConverseCommand(conversation('What goes with rice?', nova)))
      assert.match(answer.output.message.content[0].text, /What goes with rice\?/)
    })

    await t.test('tools', async () => {
      const plain = await client.send(new ConverseCommand({ ...conversation('Weather?'), toolConfig }))
      assert.equal(plain.stopReason, 'tool_use')
      const { toolUse } = plain.output.message.content.at(-1)
      assert.equal(toolUse.name, 'weather')
      assert.equal(typeof toolUse.input.city, 'string')
      assert.ok(toolUse.input.days >= 1 && toolUse.input.days <= 7, toolUse.input.days)

      const events = await pieces(await client.send(new ConverseStreamCommand({ ...conversation('Weather?'), toolConfig })))
      const input = events.flatMap((e) => e.contentBlockDelta?.delta.toolUse?.input ?? []).join('')
      assert.deepEqual(JSON.parse(input), toolUse.input)

      const answered = await client.send(new ConverseCommand({
        modelId: profile,
        toolConfig: { tools: toolConfig.tools },
        messages: [
          { role: 'user', content: [{ text: 'Weather?' }] },
          plain.output.message,
          { role: 'user', content: [{ toolResult: { toolUseId: toolUse.toolUseId, content: [{ json: { sky: 'clear' } }] } }] },
        ],
      }))
      assert.equal(answered.stopReason, 'end_turn')
    })

    await t.test('CountTokens', async () => {
      const { body } = await client.send(new InvokeModelCommand(invocation('What goes with rice?')))
      const byInvoke = await client.send(new CountTokensCommand({
        modelId: profile, input: { invokeModel: { body: Buffer.from(JSON.stringify(messages('What goes with rice?'))) } },
      }))
      assert.equal(byInvoke.inputTokens, JSON.parse(body.transformToString()).usage.input_tokens)
      const { modelId, ...converse } = conversation('What goes with rice?')
      const byConverse = await client.send(new CountTokensCommand({ modelId, input: { converse } }))
      assert.equal(byConverse.inputTokens, byInvoke.inputTokens)
    })

    await t.test('a profile by its ARN', async () => {
      const answer = await client.send(new ConverseCommand(conversation('Hello', profileArn)))
      assert.equal(answer.stopReason, 'end_turn')
    })

    await t.test('a bare model that only a profile reaches', async () => {
      await assert.rejects(client.send(new ConverseCommand(conversation('Hello', model))), (err) => {
        assert.ok(err instanceof runtime.ValidationException, err)
        assert.match(err.message, /with on-demand throughput isn’t supported/)
        return true
      })
    })

    for (const [kind, status] of Object.entries(failures)) {
      await t.test(`${kind} is the SDK's own class`, async () => {
        for (const command of [
          new InvokeModelCommand(invocation(`fail with ${kind}`)),
          new InvokeModelWithResponseStreamCommand(invocation(`fail with ${kind}`)),
          new ConverseCommand(conversation(`fail with ${kind}`)),
          new ConverseStreamCommand(conversation(`fail with ${kind}`)),
        ]) {
          await assert.rejects(client.send(command), (err) => {
            assert.ok(err instanceof runtime[kind], err)
            assert.equal(err.$metadata.httpStatusCode, status)
            assert.ok(err.$metadata.requestId)
            return true
          })
        }
      })
    }

    await t.test('a principal without permission', async () => {
      const outsider = connect(t, server, { token: { token: server.outsider }, authSchemePreference: ['httpBearerAuth'] })
      await assert.rejects(outsider.send(new ConverseStreamCommand(conversation('Hello'))), (err) => {
        assert.ok(err instanceof runtime.AccessDeniedException, err)
        assert.match(err.message, /is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock/)
        return true
      })
    })

    await t.test('a bearer key', async () => {
      const bearer = connect(t, server, { token: { token: server.bearer }, authSchemePreference: ['httpBearerAuth'] })
      assert.equal((await bearer.send(new ConverseCommand(conversation('Hello')))).stopReason, 'end_turn')
    })

    await t.test('the next region streams while the first is down', async () => {
      await server.regions('down', 'ap-southeast-1')
      const events = await pieces(await client.send(new ConverseStreamCommand(conversation('Hello'))))
      await server.regions('up', 'ap-southeast-1')
      assert.ok(events.at(-1).metadata)
    })

    await t.test('a retry is the SDK\'s to make', async () => {
      const patient = connect(t, server, { maxAttempts: 3 })
      await assert.rejects(patient.send(new ConverseCommand(conversation('fail with ThrottlingException'))), (err) => {
        assert.equal(err.$metadata.attempts, 3)
        return true
      })
    })
  })

  test(`streams that end early through ${name}`, async (t) => {
    const server = await start(t, { simulate: { speed: '20' } })
    const client = connect(t, server)

    await t.test('a region that drops the connection after content is an error, never a clean end', async () => {
      const all = ['ap-southeast-1', 'ap-northeast-1', 'ap-southeast-2', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2', 'ap-southeast-4']
      await server.regions('cut', ...all)
      const answer = await client.send(new ConverseStreamCommand(conversation('Hello')))
      await assert.rejects(pieces(answer), (err) => {
        assert.ok(err instanceof runtime.ServiceUnavailableException || err instanceof runtime.ModelStreamErrorException, err)
        return true
      })
      await server.regions('up', ...all)
    })

    await t.test('a client that leaves ends the call in its region', async () => {
      const leaving = new AbortController()
      const answer = await client.send(new ConverseStreamCommand(conversation('Hello')), { abortSignal: leaving.signal })
      for await (const event of answer.stream) {
        if (event.contentBlockDelta) break
      }
      leaving.abort()
      client.destroy()
      await until(async () => (await server.regions()).regions.every((r) => r.in_flight === 0))
    })
  })
}

test('without any key', async (t) => {
  const server = await serve(t)
  const response = await fetch(`${server.endpoint}/model/${profile}/converse`, { method: 'POST', body: '{}' })
  assert.equal(response.status, 403)
  assert.match(response.headers.get('x-amzn-errortype'), /^MissingAuthenticationTokenException/)
})
