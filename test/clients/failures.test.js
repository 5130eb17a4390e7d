// The AWS SDK's Bedrock Runtime client when things go wrong: exceptions, retries,
// regions that fail, streams that end early, callers that leave.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as runtime from '@aws-sdk/client-bedrock-runtime'
import { bearer, chunks, connect, conversation, events, invocation } from './aws.js'
import { breaking, busy, destinations, failures, hops, idle } from './serve.js'

const { ConverseCommand, ConverseStreamCommand, InvokeModelCommand, InvokeModelWithResponseStreamCommand } = runtime

const commands = (text) => [
  new InvokeModelCommand(invocation(text)),
  new InvokeModelWithResponseStreamCommand(invocation(text)),
  new ConverseCommand(conversation(text)),
  new ConverseStreamCommand(conversation(text)),
]

const exception = (kind, check = () => {}) => (err) => {
  assert.ok(err instanceof runtime[kind], err)
  check(err)
  return true
}

for (const [name, start] of Object.entries(hops)) {
  test(`Bedrock Runtime failures through ${name}`, async (t) => {
    const server = await start(t)
    const client = connect(t, server)

    for (const [kind, status] of Object.entries(failures)) {
      await t.test(`${kind} is the SDK's own class`, async () => {
        for (const command of commands(`fail with ${kind}`)) {
          await assert.rejects(client.send(command), exception(kind, (err) => {
            assert.equal(err.message, 'scripted')
            assert.equal(err.$metadata.httpStatusCode, status)
            assert.ok(err.$metadata.requestId)
          }))
        }
      })
    }

    await t.test('ModelStreamErrorException is the SDK\'s own class', async () => {
      const [invoke, invokeStream, converse, converseStream] = commands(breaking)
      await assert.rejects(client.send(invoke), exception('ModelErrorException'))
      await assert.rejects(client.send(converse), exception('ModelErrorException'))
      const broken = exception('ModelStreamErrorException', (err) => {
        assert.equal(err.originalMessage, 'scripted')
        assert.equal(err.originalStatusCode, 424)
      })
      await assert.rejects(chunks(await client.send(invokeStream)), broken)
      await assert.rejects(events((await client.send(converseStream)).stream), broken)
    })

    await t.test('a principal without permission', async () => {
      const outsider = connect(t, server, bearer(server.outsider))
      await assert.rejects(outsider.send(new ConverseStreamCommand(conversation('Hello'))), exception('AccessDeniedException', (err) => {
        assert.match(err.message, /is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock/)
      }))
    })

    await t.test('the next region answers while the first is down', async () => {
      await server.regions('down', destinations[0])
      const plain = await client.send(new ConverseCommand(conversation('Hello')))
      const streamed = await client.send(new ConverseStreamCommand(conversation('Hello')))
      for (const { $metadata } of [plain, streamed]) assert.notEqual($metadata.headers['x-fairway-entry-region'], destinations[0])
      assert.ok((await events(streamed.stream)).at(-1).metadata)
      await server.regions('up', destinations[0])
    })

    await t.test('throttling everywhere is the caller\'s to retry', async () => {
      const patient = connect(t, server, { maxAttempts: 3 })
      await server.regions('throttle', ...destinations)
      await assert.rejects(patient.send(new ConverseCommand(conversation('Hello'))), exception('ThrottlingException', (err) => {
        assert.equal(err.$metadata.attempts, 3)
      }))
      const recover = (next) => async (args) => {
        const failed = await next(args).catch((err) => err)
        await server.regions('up', ...destinations)
        if (failed instanceof Error) throw failed
        return failed
      }
      patient.middlewareStack.add(recover, { step: 'finalizeRequest', priority: 'low' })
      const { $metadata } = await patient.send(new ConverseCommand(conversation('Hello')))
      assert.equal($metadata.attempts, 2)
    })

    await t.test('a caller that leaves before the answer ends the call in its region', async () => {
      await server.regions('hang', ...destinations)
      for (const command of commands('Hello')) {
        const leaving = new AbortController()
        const left = assert.rejects(client.send(command, { abortSignal: leaving.signal }), { name: 'AbortError' })
        await busy(server)
        leaving.abort()
        await left
        await idle(server)
      }
      await server.regions('up', ...destinations)
    })
  })

  test(`Bedrock Runtime streams that end early through ${name}`, async (t) => {
    const server = await start(t, { simulate: { speed: '20' } })
    const client = connect(t, server)

    await t.test('a connection that drops after content is an exception, never a clean end', async () => {
      await server.regions('cut', ...destinations)
      const [, invokeStream, , converseStream] = commands('Hello')
      await assert.rejects(chunks(await client.send(invokeStream)), exception('ServiceUnavailableException'))
      await assert.rejects(events((await client.send(converseStream)).stream), exception('ServiceUnavailableException'))
      await server.regions('up', ...destinations)
    })

    await t.test('a caller that leaves a stream ends the call in its region', async () => {
      const leaving = new AbortController()
      const { stream } = await client.send(new ConverseStreamCommand(conversation('Hello')), { abortSignal: leaving.signal })
      for await (const event of stream) if (event.contentBlockDelta) break
      leaving.abort()
      client.destroy()
      await idle(server)
    })
  })
}
