// What callers may spend and what they did, as the real clients see it: budgets at every
// door, the errors that stop them, what a call cost, and the reports of it all.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { json as read } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import Anthropic from '@anthropic-ai/sdk'
import * as runtime from '@aws-sdk/client-bedrock-runtime'
import { signIn } from 'aws-amplify/auth'
import { generateClient } from 'aws-amplify/data'
import OpenAI from 'openai'
import { bearer, connect, conversation, invocation, messages } from './aws.js'
import { project, run } from './fairway.js'
import { atLength, destinations, profile, serve, trailers, until } from './serve.js'
import { device, session, start } from './user.js'

const { ConverseCommand, ConverseStreamCommand, InvokeModelCommand, InvokeModelWithResponseStreamCommand } = runtime

const question = 'What goes with rice?'
const standIn = 'global.anthropic.claude-sonnet-4-6'
const unlimited = [{ Statement: [{ Effect: 'Allow', Action: 'bedrock:*', Resource: '*' }] }]
const message = (text, more) => ({ model: profile, max_tokens: 100, messages: [{ role: 'user', content: text }], ...more })

// nanos is an amount of dollars as an integer of their billionths, in which sums are exact.
const nanos = (dollars) => {
  const [whole, part = ''] = dollars.split('.')
  return Number(whole + part.padEnd(9, '0'))
}

// sonnet is what tokens of Sonnet 4 cost: 3 dollars for a million of the prompt, 15 for a
// million of the answer.
const sonnet = (input, output) => input * 3_000 + output * 15_000

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

// sending is a command of the AWS SDK that sends headers too.
function sending(command, headers) {
  const add = (next) => (args) => {
    Object.assign(args.request.headers, headers)
    return next(args)
  }
  command.middlewareStack.add(add, { step: 'build' })
  return command
}

// doors are the clients of the model doors. ask resolves with the headers of an answer
// and its tokens; told is what an error says of itself, which is minute of one for a limit
// a minute, and money of one for dollars.
const doors = {
  bedrock: {
    connect: (t, server, key, { maxRetries = 2 } = {}) =>
      connect(t, { ...server, accessKey: undefined }, { ...bearer(key), maxAttempts: maxRetries + 1 }),
    async ask(client, text, headers, modelId = profile) {
      const command = new ConverseCommand({ ...conversation(text, modelId), inferenceConfig: { maxTokens: 100 } })
      const { $metadata, usage } = await client.send(sending(command, headers))
      return { header: (name) => $metadata.headers[name] ?? null, input: usage.inputTokens, output: usage.outputTokens }
    },
    told: (err) => ({ class: err.constructor, status: err.$metadata.httpStatusCode, type: err.name, wait: err.$response.headers['retry-after'] }),
    minute: { class: runtime.ThrottlingException, status: 429, type: 'ThrottlingException' },
    money: { class: runtime.ServiceQuotaExceededException, status: 400, type: 'ServiceQuotaExceededException' },
  },

  openai: {
    connect: (_, { endpoint }, apiKey, options) => new OpenAI({ baseURL: `${endpoint}/v1`, apiKey, ...options }),
    async ask(client, text, headers, model = profile) {
      const { data: { usage }, response } = await client.chat.completions.create(message(text, { model }), { headers }).withResponse()
      return { header: (name) => response.headers.get(name), input: usage.prompt_tokens, output: usage.completion_tokens }
    },
    told: (err) => ({ class: err.constructor, status: err.status, type: err.code, wait: err.headers.get('retry-after') }),
    minute: { class: OpenAI.RateLimitError, status: 429, type: 'rate_limit_exceeded' },
    money: { class: OpenAI.RateLimitError, status: 429, type: 'insufficient_quota' },
  },

  anthropic: {
    connect: (_, { endpoint: baseURL }, apiKey, options) => new Anthropic({ baseURL, apiKey, ...options }),
    async ask(client, text, headers, model = profile) {
      const { data: { usage }, response } = await client.messages.create(message(text, { model }), { headers }).withResponse()
      return { header: (name) => response.headers.get(name), input: usage.input_tokens, output: usage.output_tokens }
    },
    told: (err) => ({ class: err.constructor, status: err.status, type: err.error.error.type, wait: err.headers.get('retry-after') }),
    minute: { class: Anthropic.RateLimitError, status: 429, type: 'rate_limit_error' },
    money: { class: Anthropic.PaymentRequiredError, status: 402, type: 'billing_error' },
  },
}

// keysOf makes keys of a principal, and gives their secrets by their names.
async function keysOf(principal, server, names, ...flags) {
  const make = async (name) => {
    const { code, stdout, stderr } = await run('keys', 'create', name, '--principal', principal, '--json', '--url', server.admin, ...flags)
    assert.equal(code, 0, stderr)
    return [name, JSON.parse(stdout).key]
  }
  return Object.fromEntries(await Promise.all(names.map(make)))
}

// refused is the error of the first call that a budget does not admit, with how many
// were. A window that ends meanwhile admits a few more.
async function refused(call) {
  for (let admitted = 0; admitted < 20; admitted++) {
    try {
      await call()
    } catch (err) {
      return { err, admitted }
    }
  }
  assert.fail('no call was refused')
}

const usage = async (server, ...args) => {
  const { code, stdout, stderr } = await run('usage', ...args, '--url', server.admin)
  assert.equal(code, 0, stderr)
  return stdout
}
const report = async (...args) => JSON.parse(await usage(...args, '--json'))

test('budgets of keys', async (t) => {
  const posted = []
  const hook = createServer(async (request, response) => {
    posted.push({ method: request.method, type: request.headers['content-type'], ...await read(request) })
    response.end()
  }).listen(0, '127.0.0.1')
  t.after(() => hook.closeAllConnections() ?? hook.close())
  await once(hook, 'listening')

  const app = 'https://app.example.com'
  const server = await serve(t, {
    cors: { origins: [app] },
    budgets: [
      { name: 'minute', keys: ['minute-*'], per: 'key', requests_per_minute: 1, soft: 0 },
      { name: 'money', keys: ['money-*'], per: 'key', dollars_per_day: 0.0025, soft: 0 },
      { name: 'told', keys: ['told'], dollars_per_month: 0.01, soft: 0.25, webhook: `http://127.0.0.1:${hook.address().port}/` },
      { name: 'trial', requests_per_minute: 1 },
    ],
  })
  const names = Object.keys(doors)
  const keys = await keysOf('tester', server, ['told', 'free', ...names.flatMap((name) => [`minute-${name}`, `money-${name}`])])

  for (const [name, door] of Object.entries(doors)) {
    await t.test(`requests a minute, ${name}`, async (t) => {
      const client = door.connect(t, server, keys[`minute-${name}`], { maxRetries: 0 })
      const { err, admitted } = await refused(() => door.ask(client, question))
      assert.ok(admitted >= 1, err)
      const { wait, ...told } = door.told(err)
      assert.deepEqual(told, door.minute)
      assert.ok(wait >= 1 && wait <= 60, `to wait ${wait} seconds`)
      assert.match(err.message, /Too many requests, please wait before trying again\./)
    })

    await t.test(`dollars a day, ${name}`, async (t) => {
      const client = door.connect(t, server, keys[`money-${name}`])
      const { err, admitted } = await refused(() => door.ask(client, question))
      assert.ok(admitted >= 1, err)
      const { wait, ...told } = door.told(err)
      assert.deepEqual(told, door.money)
      assert.ok(wait >= 1 && wait <= 86_400, `to wait ${wait} seconds`)
      assert.match(err.message, /Too many tokens per day, please wait before trying again\./)
      if (name === 'openai') assert.equal(err.headers.get('x-should-retry'), 'false')
    })
  }

  await t.test('the budget that a key names, which has to be one there is', async (t) => {
    const { anthropic } = doors
    const { trial } = await keysOf('tester', server, ['trial'], '--budget', 'trial')
    const client = anthropic.connect(t, server, trial, { maxRetries: 0 })
    const { err, admitted } = await refused(() => anthropic.ask(client, question))
    assert.ok(admitted >= 1, err)
    assert.ok(err instanceof Anthropic.RateLimitError, err)
    const { code, stderr } = await run('keys', 'create', 'trail', '--principal', 'tester', '--budget', 'trail', '--url', server.admin)
    assert.notEqual(code, 0)
    assert.match(stderr, /no budget is called "trail": the configuration has minute, money, told, trial/)
  })

  await t.test('no client tries again where money is spent', async (t) => {
    await doors.openai.ask(doors.openai.connect(t, server, keys.free), question)
    const rows = await until(async () => {
      const { rows } = await report(server, '--by', 'key')
      return rows.some((row) => row.keys.key === 'free') && rows // and so the calls before it
    })
    const failed = Object.fromEntries(rows.map(({ keys: { key }, failed }) => [key, failed]))
    for (const name of names) assert.equal(failed[`money-${name}`], 1, name)
  })

  await t.test('a page may read how long to wait, and that it need not try', async () => {
    const response = await fetch(`${server.endpoint}/v1/chat/completions`, {
      method: 'POST', body: JSON.stringify(message(question)),
      headers: { authorization: `Bearer ${keys['money-openai']}`, 'content-type': 'application/json', origin: app },
    })
    assert.equal(response.status, 429)
    const readable = response.headers.get('access-control-expose-headers').split(', ')
    for (const header of ['retry-after', 'x-should-retry']) {
      assert.ok(response.headers.get(header))
      assert.ok(readable.includes(header), header)
    }
    for (const header of ['x-fairway-cost-usd', 'x-fairway-budget']) assert.ok(readable.includes(header), header)
  })

  await t.test('a budget that is nearly spent, and one that is', async (t) => {
    const { openai } = doors
    const client = openai.connect(t, server, keys.told)
    const told = []
    await refused(async () => told.push((await openai.ask(client, question)).header('x-fairway-budget')))
    assert.equal(told[0], null)
    assert.match(told.at(-1), /^told dollars_per_month \d+%$/)
    await until(() => turn(posted.length === 2))
    const soft = { method: 'POST', type: 'application/json', budget: 'told', measure: 'dollars_per_month', limit: '0.01', hard: false }
    posted.sort((a, b) => a.hard - b.hard)
    for (const [i, { spent, percent, window_ends, ...rest }] of posted.entries()) {
      assert.deepEqual(rest, { ...soft, hard: i === 1 })
      assert.ok(percent >= 25 && percent <= 100, `${percent}%`)
      assert.equal(percent, Math.floor(spent / 0.01 * 100 + 1e-9))
      assert.match(window_ends, /^\d{4}-\d\d-01T00:00:00Z$/)
    }
    await assert.rejects(openai.ask(client, question), OpenAI.RateLimitError)
  })

  await t.test('fairway usage --budgets', async () => {
    const { budgets } = await report(server, '--budgets')
    const pots = budgets.filter(({ budget }) => budget === 'money').map(({ pot }) => pot)
    assert.deepEqual(pots.sort(), names.map((name) => `money-${name}`).sort())
    for (const { measure, limit, spent, window_ends } of budgets) {
      assert.ok(nanos(spent) <= nanos(limit), `${spent} of ${limit}`)
      if (measure === 'dollars_per_day') assert.match(window_ends, /T00:00:00Z$/)
    }
    assert.equal(posted.length, 2) // each notice came once
    assert.match(await usage(server, '--budgets'), /^told +- +dollars_per_month +0\.0100 /m)
  })
})

// streams are how each client begins to read a stream.
const streams = {
  bedrock: async (client, text, abortSignal) => {
    const command = new ConverseStreamCommand({ ...conversation(text), inferenceConfig: { maxTokens: 30_000 } })
    return (await client.send(command, { abortSignal })).stream
  },
  'bedrock, in the model\'s own form': async (client, text, abortSignal) => {
    const command = new InvokeModelWithResponseStreamCommand({ ...invocation(text), body: JSON.stringify({ ...messages(text), max_tokens: 30_000 }) })
    return (await client.send(command, { abortSignal })).body
  },
  openai: (client, text, signal) => client.chat.completions.create(message(text, { max_tokens: 30_000, stream: true }), { signal }),
  anthropic: (client, text, signal) => client.messages.create(message(text, { max_tokens: 30_000, stream: true }), { signal }),
}

test('streams at a time', async (t) => {
  const server = await serve(t, {
    simulate: { speed: '20' },
    budgets: [{ name: 'one', keys: ['one-*'], per: 'key', streams: 1 }],
  })
  const keys = await keysOf('tester', server, Object.keys(doors).map((name) => `one-${name}`))

  for (const [name, open] of Object.entries(streams)) {
    await t.test(name, async (t) => {
      const [door] = name.split(',')
      const { connect, ask, told, minute } = doors[door]
      const client = connect(t, server, keys[`one-${door}`], { maxRetries: 0 })
      const drain = async () => {
        for await (const _ of await open(client, 'Hello'));
        return true
      }
      const refuses = (err) => {
        const { wait, ...all } = told(err)
        assert.deepEqual(all, minute)
        assert.ok(wait >= 1)
        return true
      }

      const leaving = new AbortController()
      const first = (await open(client, atLength, leaving.signal))[Symbol.asyncIterator]()
      assert.equal((await first.next()).done, false)
      await assert.rejects(drain(), refuses)
      await ask(client, 'Hello') // is no stream

      const left = first.next().then(() => first.next()).catch(() => {})
      leaving.abort()
      await left
      await until(() => drain().catch((err) => !refuses(err)))
      await drain() // the one before has ended
    })
  }

  const { modelId: _, ...converse } = conversation('Hello')
  for (const [door, path, body] of [
    ['bedrock', `/model/${profile}/converse-stream`, converse],
    ['openai', '/v1/chat/completions', message('Hello', { stream: true })],
    ['anthropic', '/v1/messages', message('Hello', { stream: true })],
  ]) {
    await t.test(`a stream says that there is no room for another, ${door}`, async () => {
      const response = await fetch(server.endpoint + path, {
        method: 'POST', headers: { authorization: `Bearer ${keys[`one-${door}`]}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
      })
      assert.equal(response.headers.get('x-fairway-budget'), 'one streams 100%')
      await response.arrayBuffer()
    })
  }

  await t.test('what was left is charged for what had come', async () => {
    const left = await until(async () => {
      const records = (await usage(server, 'export', '--format', 'jsonl')).trimEnd().split('\n').map((line) => JSON.parse(line))
      const canceled = records.filter(({ error }) => error?.type === 'Canceled')
      return canceled.length === Object.keys(streams).length && canceled
    })
    for (const { usage: { input_tokens: input, output_tokens: output }, cost_usd, estimated } of left) {
      assert.ok(estimated && input > 0 && output > 0 && output < 30_000, `${input} and ${output} tokens`)
      assert.equal(nanos(cost_usd), sonnet(input, output))
    }
  })
})

test('what a call costs', async (t) => {
  const server = await serve(t)
  const asked = { 'x-fairway-cost': '1' }

  for (const [name, door] of Object.entries(doors)) {
    await t.test(`an answer, ${name}`, async (t) => {
      const client = door.connect(t, server, server.bearer)
      const { header, input, output } = await door.ask(client, question, asked)
      assert.ok(input > 0 && output > 0)
      assert.equal(nanos(header('x-fairway-cost-usd')), sonnet(input, output))
      for (const headers of [{}, { 'x-fairway-cost': '0' }]) {
        assert.equal((await door.ask(client, question, headers)).header('x-fairway-cost-usd'), null)
      }
    })
  }

  await t.test('an answer in the model\'s own form', async (t) => {
    const { headers } = (await connect(t, server).send(sending(new InvokeModelCommand(invocation(question)), asked))).$metadata
    const [input, output] = ['input', 'output'].map((side) => Number(headers[`x-amzn-bedrock-${side}-token-count`]))
    assert.ok(input > 0 && output > 0)
    assert.equal(nanos(headers['x-fairway-cost-usd']), sonnet(input, output))
  })

  const { modelId: _, ...converse } = conversation(question)
  for (const [path, body] of Object.entries({
    [`/model/${profile}/converse-stream`]: converse,
    [`/model/${profile}/invoke-with-response-stream`]: messages(question),
    '/v1/chat/completions': message(question, { stream: true }),
    '/v1/messages': message(question, { stream: true }),
  })) {
    await t.test(`a stream, ${path}`, async () => {
      const told = await trailers(server, path, body, asked)
      const [input, output] = ['input', 'output'].map((side) => Number(told[`x-fairway-${side}-tokens`]))
      assert.ok(input > 0 && output > 0)
      assert.equal(nanos(told['x-fairway-cost-usd']), sonnet(input, output))
      const unasked = await trailers(server, path, body)
      assert.equal(unasked['x-fairway-outcome'], 'ok')
      assert.equal(unasked['x-fairway-cost-usd'], undefined)
    })
  }
})

test('a fallback whose own budget is spent is left out', async (t) => {
  const server = await serve(t, {
    fallbacks: [standIn],
    budgets: [{ name: 'spare', principals: ['tester'], models: ['anthropic.claude-sonnet-4-6*'], requests_per_minute: 1, soft: 0 }],
  })
  await server.regions('down', ...destinations)
  const client = new OpenAI({ baseURL: `${server.endpoint}/v1`, apiKey: server.bearer, maxRetries: 0 })
  const { err, admitted } = await refused(() => doors.openai.ask(client, question))
  assert.ok(admitted >= 1, err)
  assert.equal(err.status, 503) // Sonnet's regions are down: its own budgets have nothing against the call
  await server.regions('up', ...destinations)
  await doors.openai.ask(client, question)
  await assert.rejects(doors.openai.ask(client, question, {}, standIn), OpenAI.RateLimitError)
})

test('what was spent today stays spent when the server starts again', async (t) => {
  let server = await serve(t, { budgets: [{ name: 'day', keys: ['till'], dollars_per_day: 0.0025, soft: 0 }] })
  const { till } = await keysOf('tester', server, ['till'])
  const ask = () => doors.anthropic.ask(doors.anthropic.connect(t, server, till), question)
  const spent = async () => (await report(server, '--budgets')).budgets.find(({ budget }) => budget === 'day').spent
  assert.ok((await refused(ask)).admitted >= 1)
  const before = await spent()
  assert.ok(nanos(before) > 0)
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    server = await server.restart(signal)
    await assert.rejects(ask(), Anthropic.PaymentRequiredError)
    assert.equal(await spent(), before)
  }
})

// table reads CSV of lines that have no others within.
function table(text) {
  const cells = (line) => [...`${line},`.matchAll(/("(?:[^"]|"")*"|[^,]*),/g)]
    .map(([, cell]) => cell.replace(/^"(.*)"$/, '$1').replaceAll('""', '"'))
  const [names, ...rows] = text.trimEnd().split('\r\n').map(cells)
  return rows.map((row) => {
    assert.equal(row.length, names.length)
    return Object.fromEntries(names.map((name, i) => [name, row[i]]))
  })
}

test('users, teams, and the report of all doors', async (t) => {
  const fairway = await start(t, project({
    'auth/resource.ts': (text) => text.replace('loginWith: { email: true },', '$& groups: ["Cooks"],'),
    // What the resolver is given goes to the client beside the error.
    'data/bedrock.js': (text) => text.replace('type.split(":")[0])', 'type.split(":")[0], null, { statusCode, wait: headers["Retry-After"] })'),
  }, {
    principals: [{ name: 'shop', policies: unlimited }],
    teams: [{ name: 'kitchen', groups: ['Cooks'] }, { name: 'tills', keys: ['till-*'] }],
    budgets: [
      { name: 'each', users: ['*'], per: 'user', requests_per_minute: 5, soft: 0.2 },
      { name: 'kitchen', teams: ['kitchen'], dollars_per_day: 0.02, soft: 0 },
    ],
  }))
  const server = { ...fairway.outputs, admin: fairway.outputs.endpoint, region: 'ap-southeast-1' }
  const client = generateClient({ authMode: 'userPool' })
  const query = '{ askBedrock(ingredients: ["rice"]) { body } }'

  // made are the calls so far: through which door, and what the answer said it cost.
  const made = []
  const ask = async () => {
    let answer
    try {
      answer = await client.graphql({ query }, { 'x-fairway-cost': '1', 'x-fairway-trace': '1' })
    } catch (refused) {
      answer = refused
    }
    const { errors, extensions } = answer
    const { cost_usd, calls: [{ usage, error }] } = extensions.fairway
    made.push({ door: 'graphql', cost: nanos(cost_usd) })
    if (errors) throw errors[0]
    assert.equal(error, undefined)
    assert.equal(nanos(cost_usd), sonnet(usage.input_tokens, usage.output_tokens))
  }
  const user = async (username, ...group) => {
    await device()
    const { password } = JSON.parse(await fairway.operate('users', 'add', username, ...group, '--json'))
    await signIn({ username, password })
  }
  const throttled = { errorType: 'ThrottlingException', message: 'Too many requests, please wait before trying again.', statusCode: 429 }
  const spent = { errorType: 'ServiceQuotaExceededException', message: 'Too many tokens per day, please wait before trying again.', statusCode: 400 }
  const refuses = (wanted) => ({ errorType, message, errorInfo: { statusCode, wait } }) => {
    assert.deepEqual({ errorType, message, statusCode }, wanted)
    assert.ok(wait >= 1, `to wait ${wait} seconds`)
    return true
  }

  await t.test('nothing is told unasked', async () => {
    await user('ana@example.com')
    const authorization = (await session()).accessToken.toString()
    const post = (headers) => fetch(fairway.outputs.graphql.url, {
      method: 'POST', headers: { authorization, 'content-type': 'application/json', ...headers }, body: JSON.stringify({ query }),
    })
    const silent = await post()
    assert.equal(silent.headers.get('x-fairway-cost-usd'), null)
    assert.equal((await silent.json()).extensions, undefined)
    const asked = await post({ 'x-fairway-cost': '1' })
    assert.match(asked.headers.get('x-fairway-budget'), /^each requests_per_minute [24]0%$/)
    const { cost_usd, ...others } = (await asked.json()).extensions.fairway
    assert.deepEqual(others, {})
    assert.equal(cost_usd, asked.headers.get('x-fairway-cost-usd'))
    const call = { door: 'graphql', cost: nanos(cost_usd) }
    made.push(call, call) // the same answer twice
  })

  await t.test('a signed-in user has a pot, and a team has one together', async () => {
    const ana = await refused(ask)
    assert.ok(ana.admitted >= 3, ana.err)
    refuses(throttled)(ana.err)

    await user('cleo@example.com', '--group', 'Cooks')
    const cleo = await refused(ask)
    assert.ok(cleo.admitted >= 1, cleo.err)
    refuses(spent)(cleo.err)

    await user('dan@example.com', '--group', 'Cooks')
    await assert.rejects(ask(), refuses(spent))
  })

  await t.test('the sums of any dimension are the total, and what the answers told', async (t) => {
    const keys = await keysOf('shop', server, ['till-1', 'till-2', 'desk'])
    for (const [name, door] of Object.entries(doors)) {
      for (const key of Object.values(keys)) {
        const { header } = await door.ask(door.connect(t, server, key), `${question} ${key.slice(-3)}`, { 'x-fairway-cost': '1' })
        made.push({ door: name, cost: nanos(header('x-fairway-cost-usd')) })
      }
    }
    const cost = sum(made.map(({ cost }) => cost))
    await until(async () => (await report(server)).total.calls >= made.length)
    const by = {}
    for (const dimension of ['door', 'key', 'user', 'team', 'model', 'principal', 'outcome', 'user,door,team']) {
      const { rows, total, others } = await report(server, '--by', dimension)
      assert.equal(others, undefined)
      assert.equal(total.calls, made.length)
      assert.equal(nanos(total.cost_usd), cost)
      assert.equal(sum(rows.map(({ calls }) => calls)), total.calls, dimension)
      assert.equal(sum(rows.map(({ cost_usd }) => nanos(cost_usd))), cost, dimension)
      for (const tokens of ['input_tokens', 'output_tokens']) assert.equal(sum(rows.map((row) => row[tokens])), total[tokens], dimension)
      by[dimension] = Object.fromEntries(rows.map(({ keys, calls, cost_usd }) => [keys[dimension], { calls, cost: nanos(cost_usd) }]))
    }
    for (const door of ['graphql', ...Object.keys(doors)]) {
      const costs = made.filter((call) => call.door === door).map(({ cost }) => cost)
      assert.deepEqual(by.door[door], { calls: costs.length, cost: sum(costs) }, door)
    }
    assert.deepEqual(Object.keys(by.key).sort(), ['', 'desk', 'till-1', 'till-2'])
    assert.equal(by.team.tills.calls, 2 * Object.keys(doors).length)
    assert.equal(by.team.kitchen.calls, made.length - by.team.tills.calls - by.team[''].calls)
    assert.equal(Object.keys(by.user).length, 4) // nobody, and three
    assert.equal(by.outcome.failed.cost, 0)
  })

  await t.test('fairway usage export', async () => {
    const exported = (format) => usage(server, 'export', '--format', format)
    const lines = async (format) => (await exported(format)).trimEnd().split('\n').map((line) => JSON.parse(line))
    const records = await lines('jsonl')
    assert.equal(records.length, made.length)
    assert.equal(sum(records.map(({ cost_usd }) => nanos(cost_usd))), sum(made.map(({ cost }) => cost)))

    const rows = table(await exported('csv'))
    const logs = await lines('invocation-log')
    for (const [i, { request_id, cost_usd, door, usage, error, user_id = '', key = '', team = '' }] of records.entries()) {
      const { input_tokens: input, output_tokens: output } = usage
      const row = rows[i]
      assert.deepEqual(
        [row.request_id, row.cost_usd, row.door, row.user_id, row.key, row.team, row.error_type, row.input_tokens, row.output_tokens],
        [request_id, cost_usd, door, user_id, key, team, error?.type ?? '', String(input), String(output)],
      )
      const log = logs[i]
      assert.equal(log.schemaType, 'ModelInvocationLog')
      assert.deepEqual(
        [log.requestId, log.modelId, log.errorCode, log.input.inputTokenCount, log.output.outputTokenCount],
        [request_id, profile, error?.type, input, output],
      )
    }
    assert.equal(rows.length, made.length)
    assert.equal(logs.length, made.length)
  })
})
