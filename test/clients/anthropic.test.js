// Anthropic's own SDK against the Messages door.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { applicationProfile } from './aws.js'
import { breaking, busy, destinations, failures, hops, idle, nova, png, profile, profileArn, recovering } from './serve.js'

const question = 'What goes with rice?'

const tools = [{
  name: 'weather',
  description: 'The weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}]
const ask = (text, more) => ({ model: profile, max_tokens: 500, messages: [{ role: 'user', content: text }], ...more })

// classes are how the SDK shows each failure: its class, the status, the error's type.
const classes = {
  AccessDeniedException: [Anthropic.PermissionDeniedError, 403, 'permission_error'],
  InternalServerException: [Anthropic.InternalServerError, 500, 'api_error'],
  ModelErrorException: [Anthropic.InternalServerError, 500, 'api_error'],
  ModelNotReadyException: [Anthropic.InternalServerError, 529, 'overloaded_error'],
  ModelTimeoutException: [Anthropic.InternalServerError, 504, 'timeout_error'],
  ResourceNotFoundException: [Anthropic.NotFoundError, 404, 'not_found_error'],
  ServiceQuotaExceededException: [Anthropic.PaymentRequiredError, 402, 'billing_error'],
  ServiceUnavailableException: [Anthropic.InternalServerError, 529, 'overloaded_error'],
  ThrottlingException: [Anthropic.RateLimitError, 429, 'rate_limit_error'],
  ValidationException: [Anthropic.BadRequestError, 400, 'invalid_request_error'],
}

for (const [name, start] of Object.entries(hops)) {
  test(`Anthropic Messages through ${name}`, async (t) => {
    const server = await start(t)
    const connect = (options) => new Anthropic({ baseURL: server.endpoint, apiKey: server.bearer, maxRetries: 0, ...options })
    const client = connect()

    for (const [family, model] of Object.entries({ 'a Claude': profile, 'another model': nova })) {
      await t.test(`a message of ${family}`, async () => {
        const message = await client.messages.create(ask(question, { model, system: 'Be very brief.' }))
        assert.equal(message.role, 'assistant')
        assert.match(message.content[0].text, /What goes with rice\?/)
        assert.match(message.content[0].text, /Words in the system prompt: 3/)
        assert.equal(message.stop_reason, 'end_turn')
        assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0)
      })

      await t.test(`a stream of ${family}`, async () => {
        const plain = await client.messages.create(ask(question, { model }))
        const stream = client.messages.stream(ask(question, { model }))
        let deltas = 0
        stream.on('text', () => deltas++)
        const message = await stream.finalMessage()
        assert.ok(deltas >= 5, `${deltas} deltas`)
        assert.deepEqual(message.content, plain.content)
        assert.equal(message.stop_reason, plain.stop_reason)
        assert.equal(message.usage.input_tokens, plain.usage.input_tokens)
        assert.equal(message.usage.output_tokens, plain.usage.output_tokens)
      })

      await t.test(`a tool of ${family}, plain and streamed`, async () => {
        const forced = ask('Weather?', { model, tools, tool_choice: { type: 'any' } })
        const plain = await client.messages.create(forced)
        assert.equal(plain.stop_reason, 'tool_use')
        const call = plain.content.at(-1)
        assert.equal(call.name, 'weather')
        assert.equal(typeof call.input.city, 'string')
        const streamed = await client.messages.stream(forced).finalMessage()
        assert.equal(streamed.stop_reason, 'tool_use')
        assert.deepEqual(streamed.content.at(-1).input, call.input)
        const { messages, ...asked } = ask('Weather?', { model, tools })
        const after = await client.messages.create({
          ...asked,
          messages: [
            ...messages,
            { role: 'assistant', content: plain.content },
            { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'clear' }] },
          ],
        })
        assert.equal(after.stop_reason, 'end_turn')
      })

      await t.test(`an image for ${family}`, async () => {
        const text = await client.messages.create(ask('What is this?', { model }))
        const message = await client.messages.create(ask([
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } }, { type: 'text', text: 'What is this?' },
        ], { model }))
        assert.match(message.content[0].text, /What is this\?/)
        assert.ok(message.usage.input_tokens > text.usage.input_tokens)
      })

      await t.test(`a limit and a stop sequence for ${family}`, async () => {
        const limited = await client.messages.create(ask(question, { model, max_tokens: 5 }))
        assert.equal(limited.stop_reason, 'max_tokens')
        assert.equal(limited.usage.output_tokens, 5)
        const stopped = await client.messages.create(ask(question, { model, stop_sequences: ['model ran'] }))
        assert.equal(stopped.stop_reason, 'stop_sequence')
        assert.match(stopped.content[0].text, /no $/)
      })
    }

    await t.test('the stop sequence that was met', async () => {
      const stopped = await client.messages.create(ask(question, { stop_sequences: ['never', 'model ran'] }))
      assert.equal(stopped.stop_sequence, 'model ran')
    })

    await t.test('thinking, plain and streamed', async () => {
      const thinking = ask('Think', { max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 } })
      const [thought, answer] = (await client.messages.create(thinking)).content
      assert.equal(thought.type, 'thinking')
      assert.ok(thought.signature)
      const streamed = await client.messages.stream(thinking).finalMessage()
      assert.equal(streamed.content[0].thinking, thought.thinking)
      assert.ok(streamed.content[0].signature)
      assert.deepEqual(streamed.content[1], answer)
    })

    await t.test('a prefill is continued', async () => {
      const prefill = '[simulated] This is'
      const whole = await client.messages.create(ask(question))
      const rest = await client.messages.create({
        ...ask(question), messages: [{ role: 'user', content: question }, { role: 'assistant', content: prefill }],
      })
      assert.equal(prefill + rest.content[0].text, whole.content[0].text)
    })

    await t.test('count_tokens is what the message then takes', async () => {
      const { max_tokens, ...counted } = ask(question, { system: 'Be very brief.', tools })
      const { input_tokens } = await client.messages.countTokens(counted)
      const message = await client.messages.create({ max_tokens, ...counted })
      assert.equal(input_tokens, message.usage.input_tokens)
    })

    await t.test('a profile by its ARN, and an application profile', async () => {
      for (const model of [profileArn, await applicationProfile(server)]) {
        assert.equal((await client.messages.create(ask('Hello', { model }))).stop_reason, 'end_turn')
        assert.equal((await client.messages.stream(ask('Hello', { model })).finalMessage()).stop_reason, 'end_turn')
      }
    })

    for (const kind of Object.keys(failures)) {
      await t.test(`${kind} is one of the SDK's own classes`, async () => {
        const [wanted, status, type] = classes[kind]
        const check = (err) => {
          assert.ok(err instanceof wanted, err)
          assert.equal(err.status, status)
          assert.equal(err.error.error.type, type)
          assert.ok(err.requestID)
          return true
        }
        await assert.rejects(client.messages.create(ask(`fail with ${kind}`)), check)
        await assert.rejects(client.messages.stream(ask(`fail with ${kind}`)).finalMessage(), check)
      })
    }

    await t.test('who and what is refused', async () => {
      await assert.rejects(connect({ apiKey: 'wrong' }).messages.create(ask('Hello')), Anthropic.AuthenticationError)
      await assert.rejects(connect({ apiKey: server.outsider }).messages.create(ask('Hello')), Anthropic.PermissionDeniedError)
      await assert.rejects(client.messages.create(ask('Hello', { model: 'no-such-model' })), Anthropic.NotFoundError)
      await assert.rejects(client.messages.create(ask('Hello', { max_tokens: 0 })), Anthropic.BadRequestError)
      await assert.rejects(client.messages.batches.list(), Anthropic.NotFoundError)
    })

    await t.test('a stream that the model breaks off is an error', async () => {
      await assert.rejects(client.messages.stream(ask(breaking)).finalMessage(), (err) => {
        assert.ok(err instanceof Anthropic.APIError, err)
        assert.equal(err.error.error.type, 'api_error')
        return true
      })
    })

    await t.test('the SDK retries until the regions are well', async () => {
      const fetch = recovering(server)
      await server.regions('throttle', ...destinations)
      const message = await connect({ maxRetries: 2, fetch }).messages.create(ask('Hello'))
      assert.equal(message.stop_reason, 'end_turn')
      assert.equal(fetch.calls, 2)
    })

    await t.test('a caller that leaves before the answer ends the call in its region', async () => {
      await server.regions('hang', ...destinations)
      const leaving = new AbortController()
      const left = assert.rejects(client.messages.create(ask('Hello'), { signal: leaving.signal }), Anthropic.APIUserAbortError)
      await busy(server)
      leaving.abort()
      await left
      await idle(server)
      await server.regions('up', ...destinations)
    })

    await t.test('the prefix /anthropic serves too, and a bearer key in Authorization', async () => {
      const prefixed = connect({ baseURL: `${server.endpoint}/anthropic`, apiKey: null, authToken: server.bearer })
      assert.equal((await prefixed.messages.create(ask('Hello'))).stop_reason, 'end_turn')
    })
  })

  test(`Anthropic streams that end early through ${name}`, async (t) => {
    const server = await start(t, { simulate: { speed: '20' } })
    const client = new Anthropic({ baseURL: server.endpoint, apiKey: server.bearer, maxRetries: 0 })

    await t.test('a connection that drops after content is an error, never a clean end', async () => {
      await server.regions('cut', ...destinations)
      for (const model of [profile, nova]) {
        await assert.rejects(client.messages.stream(ask('Hello', { model })).finalMessage(), (err) => {
          assert.ok(err instanceof Anthropic.APIError, err)
          assert.equal(err.error.error.type, 'overloaded_error')
          return true
        })
      }
      await server.regions('up', ...destinations)
    })

    await t.test('a caller that leaves a stream ends the call in its region', async () => {
      const stream = client.messages.stream(ask('Hello'))
      for await (const event of stream) if (event.type === 'content_block_delta') break
      stream.abort()
      await idle(server)
    })
  })
}
