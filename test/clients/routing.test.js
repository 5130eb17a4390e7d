// What the real clients see of routing: streams that another region goes on with,
// the headers that steer a call, residency, fallbacks, hedges, and how long to wait.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import * as runtime from '@aws-sdk/client-bedrock-runtime'
import { Amplify } from 'aws-amplify'
import { decodeJWT } from 'aws-amplify/auth'
import { generateClient } from 'aws-amplify/data'
import OpenAI from 'openai'
import { bearer, chunks, connect, conversation, events, invocation, json } from './aws.js'
import { dev, project, run } from './fairway.js'
import { destinations, hops, nova, profile, serve, trailers } from './serve.js'
import { accessToken } from './user.js'

const { ConverseCommand, ConverseStreamCommand, InvokeModelCommand, InvokeModelWithResponseStreamCommand } = runtime

const question = 'What goes with rice?'
const japan = ['ap-northeast-1', 'ap-northeast-3']
const standIn = 'global.anthropic.claude-sonnet-4-6'

// The clients as an app makes them that sends the headers with each call.
const clients = {
  aws(t, server, headers, options) {
    const client = connect(t, server, options)
    const steer = (next) => (args) => {
      Object.assign(args.request.headers, headers)
      return next(args)
    }
    client.middlewareStack.add(steer, { step: 'build' })
    return client
  },
  anthropic: ({ endpoint, bearer }, defaultHeaders) =>
    new Anthropic({ baseURL: endpoint, apiKey: bearer, maxRetries: 0, defaultHeaders }),
  openai: ({ endpoint, bearer }, defaultHeaders) =>
    new OpenAI({ baseURL: `${endpoint}/v1`, apiKey: bearer, maxRetries: 0, defaultHeaders }),
}

const families = { 'a Claude': profile, 'a Claude that has to be told to go on': standIn, 'another model': nova }

const message = (model = profile) => ({ model, max_tokens: 500, messages: [{ role: 'user', content: question }] })

const only = (all, what) => {
  assert.equal(all.length, 1, `${all.length} ${what}`)
  return all[0]
}

// streams are how each client reads a stream to its end: the text, how it stopped,
// and the tokens, by what it is itself that gathers them.
const streams = {
  async 'the AWS SDK, ConverseStream'(t, server, headers, model) {
    const { stream } = await clients.aws(t, server, headers).send(new ConverseStreamCommand(conversation(question, model)))
    const said = await events(stream)
    only(said.filter((e) => e.messageStart), 'starts')
    const { usage } = said.at(-1).metadata
    return {
      text: said.map((e) => e.contentBlockDelta?.delta.text ?? '').join(''),
      stop: only(said.flatMap((e) => e.messageStop ?? []), 'stops').stopReason,
      input: usage.inputTokens,
      output: usage.outputTokens,
    }
  },

  async 'the AWS SDK, InvokeModelWithResponseStream'(t, server, headers, model) {
    if (model === nova) return // the body is Claude's
    const said = await chunks(await clients.aws(t, server, headers).send(new InvokeModelWithResponseStreamCommand(invocation(question, model))))
    only(said.filter((e) => e.type === 'message_start'), 'starts')
    const metrics = only(said.filter((e) => e.type === 'message_stop'), 'stops')['amazon-bedrock-invocationMetrics']
    return {
      text: said.map((e) => e.delta?.text ?? '').join(''),
      stop: only(said.filter((e) => e.type === 'message_delta'), 'stop reasons').delta.stop_reason,
      input: metrics.inputTokenCount,
      output: metrics.outputTokenCount,
    }
  },

  async 'the Anthropic SDK'(t, server, headers, model) {
    const { content, stop_reason: stop, usage } = await clients.anthropic(server, headers).messages.stream(message(model)).finalMessage()
    return { text: only(content, 'blocks').text, stop, input: usage.input_tokens, output: usage.output_tokens }
  },

  async 'the OpenAI SDK'(t, server, headers, model) {
    const stream = clients.openai(server, headers).chat.completions.stream({ ...message(model), stream_options: { include_usage: true } })
    const { choices, usage } = await stream.finalChatCompletion()
    const { message: { content: text }, finish_reason: stop } = only(choices, 'choices')
    return { text, stop, input: usage.prompt_tokens, output: usage.completion_tokens }
  },
}

// broken are the errors of each client for a stream that breaks off.
const broken = {
  'the AWS SDK, ConverseStream': runtime.ServiceUnavailableException,
  'the AWS SDK, InvokeModelWithResponseStream': runtime.ServiceUnavailableException,
  'the Anthropic SDK': Anthropic.APIError,
  'the OpenAI SDK': OpenAI.APIError,
}

// concluded are the trailers of a stream.
const { modelId: _, ...asked } = conversation(question)
const concluded = (server, headers) => trailers(server, `/model/${profile}/converse-stream`, asked, headers)

for (const [name, start] of Object.entries(hops)) {
  test(`a stream whose region dies through ${name}`, async (t) => {
    // Regions that pick a destination themselves would go round the one that cuts, and so
    // would a breaker.
    const server = await start(t, { policy: 'ordered', on_cut_instruct: true, breaker: { failures: 1000 }, simulate: { hidden_routing: false } })
    const goOn = { 'x-fairway-on-cut': 'continue' }

    for (const [client, read] of Object.entries(streams)) {
      for (const [family, model] of Object.entries(families)) {
        const whole = await read(t, server, {}, model)
        if (!whole) continue
        await server.regions('cut', destinations[0])

        await t.test(`${client} has the whole answer of ${family} where it is gone on with`, async () => {
          const { input, ...answer } = await read(t, server, goOn, model)
          const { input: asked, ...wanted } = whole
          assert.deepEqual(answer, wanted)
          assert.ok(input > 2 * asked, `${input} input tokens, where the prompt of ${asked} was read twice, once with half an answer`)
        })

        await t.test(`${client} has its own error for ${family} where it is not`, async () => {
          for (const headers of [{}, { 'x-fairway-on-cut': 'fail' }]) {
            await assert.rejects(read(t, server, headers, model), broken[client])
          }
        })
        await server.regions('up', destinations[0])
      }
    }

    await t.test('half the input of a tool is not gone on with', async () => {
      const weather = { name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }
      const forced = { ...message(), tools: [weather], tool_choice: { type: 'any' } }
      const stream = () => clients.anthropic(server, goOn).messages.stream(forced).finalMessage()
      assert.equal((await stream()).stop_reason, 'tool_use')
      await server.regions('cut', destinations[0])
      await assert.rejects(stream(), Anthropic.APIError)
      await server.regions('up', destinations[0])
    })

    await t.test('the trailers tell of it', async () => {
      const { 'x-fairway-output-tokens': output, ...whole } = await concluded(server, goOn)
      assert.equal(whole['x-fairway-continued'], '0')
      await server.regions('cut', destinations[0])
      const told = await concluded(server, goOn)
      assert.equal(told['x-fairway-continued'], '1')
      assert.equal(told['x-fairway-outcome'], 'ok')
      assert.equal(told['x-fairway-output-tokens'], output)
      assert.equal((await concluded(server))['x-fairway-outcome'], 'failed')
      await server.regions('up', destinations[0])
    })
  })

  test(`a fallback through ${name}`, async (t) => {
    const server = await start(t, { fallbacks: [standIn], retry: { wait: '0s' } })
    const client = connect(t, server)
    await server.regions('down', ...destinations)
    const { $metadata } = await client.send(new ConverseCommand(conversation(question)))
    assert.match(await server.logged(new RegExp($metadata.requestId)), new RegExp(`profile=${profile} .* fallback=${standIn}`))
    const answer = await clients.anthropic(server).messages.create(message())
    assert.match(answer.content[0].text, /claude-sonnet-4-6/)
    const { choices } = await clients.openai(server).chat.completions.create(message())
    assert.match(choices[0].message.content, /claude-sonnet-4-6/)
  })

  test(`quotas through ${name}`, async (t) => {
    // A region takes one request, and the next when a minute has passed.
    const server = await start(t, { retry: { wait: '0s' }, simulate: { quota: { requests_per_minute: 1 } } })
    const client = connect(t, server)
    for (const _ of destinations) await client.send(new ConverseCommand(conversation(question)))
    await assert.rejects(client.send(new ConverseCommand(conversation(question))), (err) => {
      assert.ok(err instanceof runtime.ThrottlingException, err)
      assert.equal(err.$metadata.httpStatusCode, 429)
      return true
    })
  })
}

test('headers that steer', async (t) => {
  const server = await serve(t, { keep_cache: '10s' }) // no region is worth leaving for being slow
  const converse = (headers) => clients.aws(t, server, headers).send(new ConverseCommand(conversation('Hello')))

  for (const policy of ['ordered', 'latency', 'weighted', 'least-load', 'cost', 'round-robin', 'adaptive']) {
    await t.test(`x-fairway-policy: ${policy}`, async () => {
      const { $metadata } = await converse({ 'x-fairway-policy': policy })
      assert.match(await server.logged(new RegExp($metadata.requestId)), new RegExp(`policy=${policy}$`))
    })
  }

  for (const [header, value] of Object.entries({
    'x-fairway-policy': 'fastest',
    'x-fairway-session': 'x'.repeat(257),
    'x-fairway-on-cut': 'retry',
    'x-fairway-trace': 'yes',
  })) {
    await t.test(`${header} with a value that it does not take`, async () => {
      const steered = { [header]: value }
      const text = new RegExp(`${header} does not take`)
      await assert.rejects(converse(steered), (err) => {
        assert.ok(err instanceof runtime.ValidationException, err)
        assert.match(err.message, text)
        return true
      })
      await assert.rejects(clients.anthropic(server, steered).messages.create(message()), (err) => {
        assert.ok(err instanceof Anthropic.BadRequestError, err)
        assert.equal(err.error.error.type, 'invalid_request_error')
        assert.match(err.message, text)
        return true
      })
      await assert.rejects(clients.openai(server, steered).chat.completions.create(message()), (err) => {
        assert.ok(err instanceof OpenAI.BadRequestError, err)
        assert.equal(err.type, 'invalid_request_error')
        assert.match(err.message, text)
        return true
      })
    })
  }

  for (const policy of ['least-load', 'adaptive']) {
    await t.test(`x-fairway-session with ${policy}`, async () => {
      const sessions = Array.from({ length: 8 }, (_, i) => `kitchen ${i}`)
      const home = async (session) => {
        const { $metadata } = await converse({ 'x-fairway-policy': policy, 'x-fairway-session': session })
        return $metadata.headers['x-fairway-entry-region']
      }
      const homes = async () => {
        const all = []
        for (const session of sessions) all.push(await home(session))
        return all
      }
      const before = await homes()
      assert.ok(new Set(before).size > 1, `all sessions are in ${before[0]}`)
      assert.deepEqual(await homes(), before)

      const [lost] = before
      await server.regions('down', lost)
      const meanwhile = await homes()
      for (const [i, region] of before.entries()) {
        if (region === lost) assert.notEqual(meanwhile[i], lost)
        else assert.equal(meanwhile[i], region, `${sessions[i]} has moved, though its region is up`)
      }
      await server.regions('up', lost)
    })
  }
})

test('residency', async (t) => {
  const server = await serve(t)
  const resident = connect(t, server, bearer(server.resident))
  const region = async (command) => (await resident.send(command)).$metadata.headers['x-fairway-destination-region']

  await t.test('a principal\'s calls stay, whatever is down', async () => {
    for (const up of japan) {
      await server.regions('down', ...destinations.filter((region) => region !== up))
      assert.equal(await region(new ConverseCommand(conversation(question))), up)
      assert.equal(await region(new InvokeModelCommand(invocation(question))), up)
      await server.regions('up', ...destinations)
    }
    await server.regions('down', ...japan)
    await assert.rejects(region(new ConverseCommand(conversation(question))), runtime.ServiceUnavailableException)
    await server.regions('up', ...japan)
  })

  await t.test('a profile that cannot stay is refused', async () => {
    const sydney = connect(t, { ...server, endpoint: `${server.endpoint}/region/ap-southeast-2` }, bearer(server.resident))
    const australian = conversation(question, 'au.anthropic.claude-sonnet-4-6')
    await assert.rejects(sydney.send(new ConverseCommand(australian)), (err) => {
      assert.ok(err instanceof runtime.AccessDeniedException, err)
      assert.match(err.message, /no target that stays within jp/)
      return true
    })
  })
})

test('residency is judged on where a real region may run a profile', async (t) => {
  const server = await hops['a server in front of a server'](t)
  const resident = connect(t, server, bearer(server.resident))
  await assert.rejects(resident.send(new ConverseCommand(conversation(question))), runtime.AccessDeniedException)
})

test('how long to wait is passed on', async (t) => {
  const aws = createServer((_, response) => {
    const headers = { 'content-type': 'application/json', 'x-amzn-errortype': 'ThrottlingException', 'retry-after': '7' }
    response.writeHead(429, headers).end('{"message":"Too many tokens, please wait before trying again."}')
  }).listen(0, '127.0.0.1')
  t.after(() => aws.closeAllConnections() ?? aws.close())
  await once(aws, 'listening')
  const endpoint = `http://127.0.0.1:${aws.address().port}`
  const server = await serve(t, { model: 'bedrock', bedrock: { endpoint, bearer_key: 'env:AWS_KEY' } }, { AWS_KEY: 'secret' })

  await assert.rejects(connect(t, server).send(new ConverseCommand(conversation(question))), (err) => {
    assert.ok(err instanceof runtime.ThrottlingException, err)
    assert.equal(err.$response.headers['retry-after'], '7')
    return true
  })
  const limited = (SDK) => (err) => {
    assert.ok(err instanceof SDK.RateLimitError, err)
    assert.equal(err.headers.get('retry-after'), '7')
    return true
  }
  await assert.rejects(clients.anthropic(server).messages.create(message()), limited(Anthropic))
  await assert.rejects(clients.openai(server).chat.completions.create(message()), limited(OpenAI))
})

test('a region that hangs is hedged', async (t) => {
  const server = await serve(t, { policy: 'ordered' })
  const client = connect(t, server)
  const converse = () => client.send(new ConverseCommand(conversation(question)))
  const stream = async () => {
    const answer = await client.send(new ConverseStreamCommand(conversation(question)))
    await events(answer.stream)
    return answer
  }
  for (const call of [converse, stream]) {
    for (let i = 0; i < 25; i++) await call() // to learn what is usual
  }
  await server.regions('hang', destinations[0])
  for (const call of [converse, stream]) {
    const { headers, requestId } = (await call()).$metadata
    assert.equal(headers['x-fairway-entry-region'], destinations[1])
    assert.match(await server.logged(new RegExp(`call request_id=${requestId}`)), /hedged=true/)
  }
})

test('the record of a GraphQL request, through Amplify', async (t) => {
  const dir = project()
  writeFileSync(join(dir, 'fairway.yaml'), JSON.stringify({ routes: [{ principals: ['bedrockDS'], residency: ['jp'] }] }))
  const fairway = await dev(t, dir)
  const token = decodeJWT(await accessToken(fairway))
  Amplify.configure(fairway.amplifyOutputs, { Auth: { tokenProvider: { getTokens: async () => ({ accessToken: token }) } } })
  const client = generateClient({ authMode: 'userPool' })
  const ask = (headers) => client.graphql({ query: '{ askBedrock(ingredients: ["rice"]) { body } }' }, headers)

  // record is that of the one model call behind an answer.
  const record = async (headers) => {
    const { data, extensions } = await ask({ 'x-fairway-trace': '1', ...headers })
    assert.match(data.askBedrock.body, /rice/)
    return only(extensions.fairway.calls, 'calls')
  }

  await t.test('nothing is told unasked', async () => {
    assert.equal((await ask()).extensions, undefined)
  })

  await t.test('the plan, with what gave each target its place, and the residency', async () => {
    const { plan, residency, destination_region } = await record()
    assert.deepEqual(plan.map((target) => target.region), japan)
    for (const { because } of plan) assert.match(because, /^named \w+ by amplify\/backend\.ts:\d+$/)
    assert.deepEqual(residency, ['jp'])
    assert.equal(destination_region, japan[0])
  })

  await t.test('the policy that was asked for', async () => {
    const { plan, policy } = await record({ 'x-fairway-policy': 'least-load' })
    assert.equal(policy, 'least-load')
    for (const { because } of plan) assert.match(because, /in flight/)
  })

  await t.test('a policy that is not known is refused', async () => {
    await assert.rejects(ask({ 'x-fairway-policy': 'fastest' }), ({ errors: [{ originalError }] }) => {
      const { statusCode, body } = originalError.response
      assert.equal(statusCode, 400)
      const [{ errorType, message }] = JSON.parse(body).errors
      assert.equal(errorType, 'MalformedHttpRequestException')
      assert.match(message, /x-fairway-policy does not take "fastest"/)
      return true
    })
  })

  await t.test('the hedge of a region that hangs', async () => {
    for (let i = 0; i < 25; i++) await ask() // to learn what is usual
    const set = (fault) => run('regions', fault, japan[0], '--url', new URL(fairway.outputs.graphql.url).origin)
    assert.equal((await set('hang')).code, 0)
    const { attempts } = await record()
    assert.deepEqual(attempts.map(({ region, outcome, hedge }) => [region, outcome, hedge]), [
      [japan[0], 'failed', undefined],
      [japan[1], 'ok', true],
    ])
  })
})
