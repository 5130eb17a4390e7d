// Anthropic's own SDK against the Messages door.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { hops, nova, profile, until } from './serve.js'

const tools = [{
  name: 'weather',
  description: 'The weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}]
const ask = (text, more) => ({ model: profile, max_tokens: 500, messages: [{ role: 'user', content: text }], ...more })

for (const [name, start] of Object.entries(hops)) {
  test(`Anthropic Messages through ${name}`, async (t) => {
    const server = await start(t)
    const connect = (options) => new Anthropic({ baseURL: server.endpoint, apiKey: server.bearer, maxRetries: 0, ...options })
    const client = connect()

    for (const [family, model] of Object.entries({ 'a Claude': profile, 'another model': nova })) {
      await t.test(`a message of ${family}`, async () => {
        const message = await client.messages.create(ask('What goes with rice?', { model, system: 'Be brief.' }))
        assert.equal(message.role, 'assistant')
        assert.match(message.content[0].text, /What goes with rice\?/)
        assert.equal(message.stop_reason, 'end_turn')
        assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
      })

      await t.test(`a stream of ${family}`, async () => {
        const plain = await client.messages.create(ask('What goes with rice?', { model }))
        const stream = client.messages.stream(ask('What goes with rice?', { model }))
        let deltas = 0
        stream.on('text', () => deltas++)
        const message = await stream.finalMessage()
        assert.ok(deltas >= 5, `${deltas} deltas`)
        assert.deepEqual(message.content, plain.content)
        assert.equal(message.usage.output_tokens, plain.usage.output_tokens)
      })

      await t.test(`a tool of ${family}, plain and streamed`, async () => {
        const question = ask('Weather?', { model, tools, tool_choice: { type: 'any' } })
        const plain = await client.messages.create(question)
        assert.equal(plain.stop_reason, 'tool_use')
        const call = plain.content.at(-1)
        assert.equal(typeof call.input.city, 'string')
        const streamed = await client.messages.stream(question).finalMessage()
        assert.deepEqual(streamed.content.at(-1).input, call.input)
        const after = await client.messages.create({
          ...ask('Weather?', { model, tools }),
          messages: [
            { role: 'user', content: 'Weather?' },
            { role: 'assistant', content: plain.content },
            { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'clear' }] },
          ],
        })
        assert.equal(after.stop_reason, 'end_turn')
      })
    }

    await t.test('an image', async () => {
      const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
      const message = await client.messages.create(ask([
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } }, { type: 'text', text: 'What is this?' },
      ]))
      assert.match(message.content[0].text, /What is this\?/)
    })

    await t.test('thinking', async () => {
      const message = await client.messages.create(ask('Think', { max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 } }))
      assert.equal(message.content[0].type, 'thinking')
      assert.ok(message.content[0].signature)
    })

    await t.test('max_tokens and stop sequences', async () => {
      assert.equal((await client.messages.create(ask('What goes with rice?', { max_tokens: 5 }))).stop_reason, 'max_tokens')
      const stopped = await client.messages.create(ask('What goes with rice?', { stop_sequences: ['simulated'] }))
      assert.equal(stopped.stop_reason, 'stop_sequence')
      assert.equal(stopped.stop_sequence, 'simulated')
    })

    await t.test('count_tokens is what the message then takes', async () => {
      const { max_tokens, ...question } = ask('What goes with rice?')
      const counted = await client.messages.countTokens(question)
      const message = await client.messages.create({ max_tokens, ...question })
      assert.equal(counted.input_tokens, message.usage.input_tokens)
    })

    await t.test('errors are the SDK\'s own classes', async () => {
      for (const [kind, wanted] of Object.entries({
        ValidationException: Anthropic.BadRequestError, AccessDeniedException: Anthropic.PermissionDeniedError,
        ResourceNotFoundException: Anthropic.NotFoundError, ThrottlingException: Anthropic.RateLimitError,
        InternalServerException: Anthropic.InternalServerError,
      })) {
        await assert.rejects(client.messages.create(ask(`fail with ${kind}`)), (err) => err instanceof wanted && !!err.requestID)
        await assert.rejects(client.messages.stream(ask(`fail with ${kind}`)).finalMessage(), wanted)
      }
      await assert.rejects(connect({ apiKey: 'wrong' }).messages.create(ask('Hello')), (err) => err instanceof Anthropic.AuthenticationError)
      await assert.rejects(connect({ apiKey: server.outsider }).messages.create(ask('Hello')), Anthropic.PermissionDeniedError)
      await assert.rejects(client.messages.create(ask('Hello', { model: 'no-such-model' })), Anthropic.BadRequestError)
    })

    await t.test('the SDK retries what it may', async () => {
      await assert.rejects(connect({ maxRetries: 1 }).messages.create(ask('fail with ThrottlingException')), Anthropic.RateLimitError)
    })

    await t.test('the prefix /anthropic serves too', async () => {
      const prefixed = connect({ baseURL: `${server.endpoint}/anthropic` })
      assert.equal((await prefixed.messages.create(ask('Hello'))).stop_reason, 'end_turn')
    })
  })

  test(`Anthropic streams that end early through ${name}`, async (t) => {
    const server = await start(t, { simulate: { speed: '20' } })
    const client = new Anthropic({ baseURL: server.endpoint, apiKey: server.bearer, maxRetries: 0 })

    await t.test('a cut stream is an error', async () => {
      const all = ['ap-southeast-1', 'ap-northeast-1', 'ap-southeast-2', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2', 'ap-southeast-4']
      await server.regions('cut', ...all)
      await assert.rejects(client.messages.stream(ask('Hello')).finalMessage())
      await server.regions('up', ...all)
    })

    await t.test('a client that leaves ends the call in its region', async () => {
      const stream = client.messages.stream(ask('Hello'))
      for await (const event of stream) if (event.type === 'content_block_delta') break
      stream.abort()
      await until(async () => (await server.regions()).regions.every((r) => r.in_flight === 0))
    })
  })
}
