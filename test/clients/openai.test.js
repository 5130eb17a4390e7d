// OpenAI's own SDK against the chat completions door.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { hops, nova, profile, until } from './serve.js'

const tools = [{
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
}]
const ask = (content, more) => ({ model: profile, messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content }], ...more })

for (const [name, start] of Object.entries(hops)) {
  test(`OpenAI chat completions through ${name}`, async (t) => {
    const server = await start(t)
    const connect = (options) => new OpenAI({ baseURL: `${server.endpoint}/v1`, apiKey: server.bearer, maxRetries: 0, ...options })
    const client = connect()

    for (const [family, model] of Object.entries({ 'a Claude': profile, 'another model': nova })) {
      await t.test(`a completion of ${family}`, async () => {
        const { choices, usage, object } = await client.chat.completions.create(ask('What goes with rice?', { model }))
        assert.equal(object, 'chat.completion')
        assert.match(choices[0].message.content, /What goes with rice\?/)
        assert.equal(choices[0].finish_reason, 'stop')
        assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
      })

      await t.test(`a stream of ${family}, with usage`, async () => {
        const plain = await client.chat.completions.create(ask('What goes with rice?', { model }))
        const chunks = []
        for await (const c of await client.chat.completions.create(ask('What goes with rice?', { model, stream: true, stream_options: { include_usage: true } }))) chunks.push(c)
        const text = chunks.map((c) => c.choices[0]?.delta.content ?? '')
        assert.ok(text.filter(Boolean).length >= 5)
        assert.equal(text.join(''), plain.choices[0].message.content)
        assert.deepEqual(chunks.at(-1).choices, [])
        assert.equal(chunks.at(-1).usage.total_tokens, plain.usage.total_tokens)
      })

      await t.test(`a tool of ${family}, plain and streamed`, async () => {
        const question = ask('Weather?', { model, tools, tool_choice: 'required' })
        const plain = await client.chat.completions.create(question)
        assert.equal(plain.choices[0].finish_reason, 'tool_calls')
        const call = plain.choices[0].message.tool_calls[0]
        assert.equal(typeof JSON.parse(call.function.arguments).city, 'string')
        const streamed = await client.chat.completions.stream(question).finalChatCompletion()
        assert.equal(streamed.choices[0].message.tool_calls[0].function.arguments, call.function.arguments)
        const after = await client.chat.completions.create({
          model, tools,
          messages: [
            { role: 'user', content: 'Weather?' }, plain.choices[0].message,
            { role: 'tool', tool_call_id: call.id, content: 'clear' },
          ],
        })
        assert.equal(after.choices[0].finish_reason, 'stop')
      })
    }

    await t.test('an image', async () => {
      const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
      const { choices } = await client.chat.completions.create(ask([
        { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }, { type: 'text', text: 'What is this?' },
      ]))
      assert.match(choices[0].message.content, /What is this\?/)
    })

    await t.test('response_format json_schema', async () => {
      const schema = { type: 'object', properties: { dish: { type: 'string' }, minutes: { type: 'integer' } }, required: ['dish', 'minutes'], additionalProperties: false }
      const { choices } = await client.chat.completions.create(ask('A dish', { response_format: { type: 'json_schema', json_schema: { name: 'dish', schema, strict: true } } }))
      const dish = JSON.parse(choices[0].message.content)
      assert.equal(typeof dish.dish, 'string')
      assert.ok(Number.isInteger(dish.minutes))
    })

    await t.test('what cannot be carried is refused by name', async () => {
      await assert.rejects(client.chat.completions.create(ask('Hello', { n: 2 })), (err) => {
        assert.ok(err instanceof OpenAI.BadRequestError, err)
        assert.match(err.message, /\bn\b/)
        return true
      })
    })

    await t.test('models', async () => {
      const ids = []
      for await (const m of client.models.list()) ids.push(m.id)
      assert.ok(ids.includes(profile))
      assert.equal((await client.models.retrieve(profile)).id, profile)
    })

    await t.test('errors are the SDK\'s own classes', async () => {
      for (const [kind, wanted] of Object.entries({
        ValidationException: OpenAI.BadRequestError, AccessDeniedException: OpenAI.PermissionDeniedError,
        ResourceNotFoundException: OpenAI.NotFoundError, ThrottlingException: OpenAI.RateLimitError,
        InternalServerException: OpenAI.InternalServerError,
      })) {
        await assert.rejects(client.chat.completions.create(ask(`fail with ${kind}`)), wanted)
        await assert.rejects(client.chat.completions.create(ask(`fail with ${kind}`, { stream: true })), wanted)
      }
      await assert.rejects(connect({ apiKey: 'wrong' }).chat.completions.create(ask('Hello')), OpenAI.AuthenticationError)
      await assert.rejects(connect({ apiKey: server.outsider }).chat.completions.create(ask('Hello')), OpenAI.PermissionDeniedError)
    })

    await t.test('the prefix /openai/v1 serves too', async () => {
      const prefixed = connect({ baseURL: `${server.endpoint}/openai/v1` })
      assert.equal((await prefixed.chat.completions.create(ask('Hello'))).choices[0].finish_reason, 'stop')
    })
  })

  test(`OpenAI streams that end early through ${name}`, async (t) => {
    const server = await start(t, { simulate: { speed: '20' } })
    const client = new OpenAI({ baseURL: `${server.endpoint}/v1`, apiKey: server.bearer, maxRetries: 0 })

    await t.test('a cut stream is an error', async () => {
      const all = ['ap-southeast-1', 'ap-northeast-1', 'ap-southeast-2', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2', 'ap-southeast-4']
      await server.regions('cut', ...all)
      await assert.rejects(async () => {
        for await (const chunk of await client.chat.completions.create(ask('Hello', { stream: true }))) void chunk
      })
      await server.regions('up', ...all)
    })

    await t.test('a client that leaves ends the call in its region', async () => {
      const stream = await client.chat.completions.create(ask('Hello', { stream: true }))
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
      stream.controller.abort()
      await until(async () => (await server.regions()).regions.every((r) => r.in_flight === 0))
    })
  })
}
