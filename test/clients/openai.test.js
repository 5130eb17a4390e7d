// OpenAI's own SDK against the chat completions door.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { applicationProfile } from './aws.js'
import { breaking, busy, destinations, failures, hops, idle, nova, png, profile, profileArn, recovering } from './serve.js'

const question = 'What goes with rice?'

const tools = [{
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
}]
const ask = (content, more) => ({ model: profile, messages: [{ role: 'user', content }], ...more })

// classes are how the SDK shows each failure: its class and the status.
const classes = {
  AccessDeniedException: [OpenAI.PermissionDeniedError, 403],
  InternalServerException: [OpenAI.InternalServerError, 500],
  ModelErrorException: [OpenAI.InternalServerError, 500],
  ModelNotReadyException: [OpenAI.RateLimitError, 429],
  ModelTimeoutException: [OpenAI.InternalServerError, 503],
  ResourceNotFoundException: [OpenAI.NotFoundError, 404],
  ServiceQuotaExceededException: [OpenAI.RateLimitError, 429],
  ServiceUnavailableException: [OpenAI.InternalServerError, 503],
  ThrottlingException: [OpenAI.RateLimitError, 429],
  ValidationException: [OpenAI.BadRequestError, 400],
}

async function chunks(stream) {
  const all = []
  for await (const chunk of await stream) all.push(chunk)
  return all
}

for (const [name, start] of Object.entries(hops)) {
  test(`OpenAI chat completions through ${name}`, async (t) => {
    const server = await start(t)
    const connect = (options) => new OpenAI({ baseURL: `${server.endpoint}/v1`, apiKey: server.bearer, maxRetries: 0, ...options })
    const everywhere = connect()
    const mumbai = connect({ baseURL: `${server.endpoint}/region/ap-south-1/v1` })

    for (const [family, client, model] of [
      ['a Claude', everywhere, profile],
      ['another model', everywhere, nova],
      ['a model of OpenAI\'s', mumbai, 'openai.gpt-oss-20b-1:0'],
    ]) {
      const create = (content, more) => client.chat.completions.create(ask(content, { model, ...more }))

      await t.test(`a completion of ${family}`, async () => {
        const { choices, usage, object } = await client.chat.completions.create({
          model, messages: [{ role: 'system', content: 'Be very brief.' }, { role: 'user', content: question }],
        })
        assert.equal(object, 'chat.completion')
        assert.match(choices[0].message.content, /What goes with rice\?/)
        assert.match(choices[0].message.content, /Words in the system prompt: 3/)
        assert.equal(choices[0].finish_reason, 'stop')
        assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
      })

      await t.test(`a stream of ${family}, with usage`, async () => {
        const plain = await create(question)
        const said = await chunks(create(question, { stream: true, stream_options: { include_usage: true } }))
        const text = said.map((c) => c.choices[0]?.delta.content ?? '')
        assert.ok(text.filter(Boolean).length >= 5)
        assert.equal(text.join(''), plain.choices[0].message.content)
        assert.equal(said.findLast((c) => c.choices.length).choices[0].finish_reason, 'stop')
        assert.deepEqual(said.at(-1).choices, [])
        assert.deepEqual(said.at(-1).usage, plain.usage)
        const silent = await chunks(create(question, { stream: true }))
        assert.ok(silent.every((c) => !c.usage && c.choices.length === 1))
      })

      await t.test(`a tool of ${family}, plain and streamed`, async () => {
        const forced = ask('Weather?', { model, tools, tool_choice: 'required' })
        const plain = await client.chat.completions.create(forced)
        assert.equal(plain.choices[0].finish_reason, 'tool_calls')
        const call = plain.choices[0].message.tool_calls[0]
        assert.equal(call.function.name, 'weather')
        assert.equal(typeof JSON.parse(call.function.arguments).city, 'string')
        const streamed = await client.chat.completions.stream(forced).finalChatCompletion()
        assert.equal(streamed.choices[0].finish_reason, 'tool_calls')
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

      await t.test(`a limit and a stop sequence for ${family}`, async () => {
        const limited = await create(question, { max_completion_tokens: 5 })
        assert.equal(limited.choices[0].finish_reason, 'length')
        assert.equal(limited.usage.completion_tokens, 5)
        const stopped = await create(question, { stop: ['model ran'] })
        assert.equal(stopped.choices[0].finish_reason, 'stop')
        assert.match(stopped.choices[0].message.content, /no $/)
      })
    }

    const client = everywhere
    const create = (...args) => client.chat.completions.create(ask(...args))

    await t.test('an image', async () => {
      const text = await create('What is this?')
      const { choices, usage } = await create([
        { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }, { type: 'text', text: 'What is this?' },
      ])
      assert.match(choices[0].message.content, /What is this\?/)
      assert.ok(usage.prompt_tokens > text.usage.prompt_tokens)
    })

    await t.test('response_format json_schema, plain and streamed', async () => {
      const schema = { type: 'object', properties: { dish: { type: 'string' }, minutes: { type: 'integer' } }, required: ['dish', 'minutes'], additionalProperties: false }
      const format = { response_format: { type: 'json_schema', json_schema: { name: 'dish', schema, strict: true } } }
      const { content } = (await create('A dish', format)).choices[0].message
      const dish = JSON.parse(content)
      assert.equal(typeof dish.dish, 'string')
      assert.ok(Number.isInteger(dish.minutes))
      const said = await chunks(create('A dish', { ...format, stream: true }))
      assert.equal(said.map((c) => c.choices[0].delta.content ?? '').join(''), content)
    })

    await t.test('what cannot be carried is refused by name', async () => {
      await assert.rejects(create('Hello', { n: 2 }), (err) => {
        assert.ok(err instanceof OpenAI.BadRequestError, err)
        assert.equal(err.param, 'n')
        return true
      })
    })

    await t.test('models', async () => {
      const ids = []
      for await (const m of client.models.list()) ids.push(m.id)
      assert.ok(ids.includes(profile))
      assert.equal((await client.models.retrieve(profile)).id, profile)
      await assert.rejects(client.models.retrieve('no-such-model'), OpenAI.NotFoundError)
    })

    await t.test('a profile by its ARN, and an application profile', async () => {
      for (const model of [profileArn, await applicationProfile(server)]) {
        assert.equal((await create('Hello', { model })).choices[0].finish_reason, 'stop')
        assert.equal((await chunks(create('Hello', { model, stream: true }))).at(-1).choices[0].finish_reason, 'stop')
      }
    })

    for (const kind of Object.keys(failures)) {
      await t.test(`${kind} is one of the SDK's own classes`, async () => {
        const [wanted, status] = classes[kind]
        const check = (err) => {
          assert.ok(err instanceof wanted, err)
          assert.equal(err.status, status)
          assert.match(err.message, /scripted/)
          assert.ok(err.requestID)
          return true
        }
        await assert.rejects(create(`fail with ${kind}`), check)
        await assert.rejects(create(`fail with ${kind}`, { stream: true }), check)
      })
    }

    await t.test('who and what is refused', async () => {
      const as = (apiKey) => connect({ apiKey }).chat.completions.create(ask('Hello'))
      await assert.rejects(as('wrong'), OpenAI.AuthenticationError)
      await assert.rejects(as(server.outsider), OpenAI.PermissionDeniedError)
      await assert.rejects(create('Hello', { model: 'no-such-model' }), OpenAI.NotFoundError)
      await assert.rejects(client.embeddings.create({ model: profile, input: 'Hello' }), OpenAI.NotFoundError)
    })

    await t.test('a stream that the model breaks off is an error', async () => {
      await assert.rejects(chunks(create(breaking, { stream: true })), (err) => {
        assert.ok(err instanceof OpenAI.APIError, err)
        assert.equal(err.type, 'server_error')
        return true
      })
    })

    await t.test('the SDK retries until the regions are well', async () => {
      const fetch = recovering(server)
      await server.regions('throttle', ...destinations)
      const { choices } = await connect({ maxRetries: 2, fetch }).chat.completions.create(ask('Hello'))
      assert.equal(choices[0].finish_reason, 'stop')
      assert.equal(fetch.calls, 2)
    })

    await t.test('a caller that leaves before the answer ends the call in its region', async () => {
      await server.regions('hang', ...destinations)
      const leaving = new AbortController()
      const left = assert.rejects(client.chat.completions.create(ask('Hello'), { signal: leaving.signal }), OpenAI.APIUserAbortError)
      await busy(server)
      leaving.abort()
      await left
      await idle(server)
      await server.regions('up', ...destinations)
    })

    await t.test('the prefix /openai/v1 serves too', async () => {
      const prefixed = connect({ baseURL: `${server.endpoint}/openai/v1` })
      assert.equal((await prefixed.chat.completions.create(ask('Hello'))).choices[0].finish_reason, 'stop')
    })
  })

  test(`OpenAI streams that end early through ${name}`, async (t) => {
    const server = await start(t, { simulate: { speed: '20' } })
    const client = new OpenAI({ baseURL: `${server.endpoint}/v1`, apiKey: server.bearer, maxRetries: 0 })

    await t.test('a connection that drops after content is an error, never a clean end', async () => {
      await server.regions('cut', ...destinations)
      for (const model of [profile, nova]) {
        await assert.rejects(chunks(client.chat.completions.create(ask('Hello', { model, stream: true }))), (err) => {
          assert.ok(err instanceof OpenAI.APIError, err)
          assert.equal(err.type, 'server_error')
          return true
        })
      }
      await server.regions('up', ...destinations)
    })

    await t.test('a caller that leaves a stream ends the call in its region', async () => {
      const stream = await client.chat.completions.create(ask('Hello', { stream: true }))
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
      stream.controller.abort()
      await idle(server)
    })
  })
}
