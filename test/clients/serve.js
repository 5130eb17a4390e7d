// A running fairway serve, and one in front of another: what the suites of the
// model clients are driven against.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { on, once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { binary, patience, run } from './fairway.js'

export const region = 'ap-southeast-1'
export const profile = 'apac.anthropic.claude-sonnet-4-20250514-v1:0'
export const model = 'anthropic.claude-sonnet-4-20250514-v1:0'
export const nova = 'apac.amazon.nova-pro-v1:0'
export const profileArn = `arn:aws:bedrock:${region}:123456789012:inference-profile/${profile}`

// destinations are where the profile runs a call that enters in region.
export const destinations = [
  'ap-southeast-1', 'ap-northeast-1', 'ap-southeast-2', 'ap-northeast-2', 'ap-northeast-3',
  'ap-south-1', 'ap-south-2', 'ap-southeast-4',
]

// png is an image of one pixel, in base64.
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

// failures are the errors that the prompt "fail with" their name is answered with.
export const failures = {
  AccessDeniedException: 403,
  InternalServerException: 500,
  ModelErrorException: 424,
  ModelNotReadyException: 429,
  ModelTimeoutException: 408,
  ResourceNotFoundException: 404,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  ValidationException: 400,
}

// breaking is a prompt whose answer the model breaks off, a stream's after its text.
export const breaking = 'break off'

// atLength is a prompt whose answer goes on for a while, as long as its max_tokens lets it.
export const atLength = 'tell it at length'

const responses = [
  ...Object.keys(failures).map((kind) => ({ match: `fail with ${kind}`, error: { kind, message: 'scripted' } })),
  { match: atLength, text: 'A long story. '.repeat(10_000) },
  { match: breaking, text: 'Half an answer', error: { kind: 'ModelErrorException', message: 'scripted' } },
]

const everything = [{ Statement: [{ Effect: 'Allow', Action: 'bedrock:*', Resource: '*' }] }]

const word = () => randomBytes(12).toString('hex')

// serve runs fairway serve with the given settings until the test ends. Besides
// theirs, its principals are "tester", who may do everything, "resident", who may do
// so within Japan, and "outsider", who may nothing. logged(pattern) resolves with the
// first line of its log that matches, said or still to come; see launch for restart.
export async function serve(t, settings = {}, env = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-serve-'))
  const keys = {
    accessKey: { accessKeyId: 'FWAK' + word().toUpperCase(), secretAccessKey: word() },
    bearer: 'fairway-api-key-' + word(),
    resident: 'fairway-api-key-' + word(),
    outsider: 'fairway-api-key-' + word(),
  }
  const file = join(dir, 'fairway.yaml')
  // JSON is YAML.
  writeFileSync(join(dir, 'responses.yaml'), JSON.stringify(responses))
  writeFileSync(file, JSON.stringify({
    listen: '127.0.0.1:0',
    region,
    admin: { listen: '127.0.0.1:0' },
    retry: { wait: '0s' }, // what breaks every region here stays broken
    ...settings,
    simulate: { speed: 'instant', responses: 'responses.yaml', ...settings.simulate },
    principals: [
      {
        name: 'tester',
        access_keys: [{ id: keys.accessKey.accessKeyId, secret: 'env:TESTER_SECRET' }],
        bearer_keys: ['env:TESTER_BEARER'],
        policies: everything,
      },
      { name: 'resident', bearer_keys: ['env:RESIDENT_BEARER'], policies: everything, residency: ['jp'] },
      {
        name: 'outsider',
        bearer_keys: ['env:OUTSIDER_BEARER'],
        policies: [{ Statement: [{ Effect: 'Allow', Action: 'bedrock:CallWithBearerToken', Resource: '*' }] }],
      },
      ...(settings.principals ?? []),
    ],
  }))
  const program = {
    args: ['serve', '--config', file],
    env: {
      ...process.env,
      TESTER_SECRET: keys.accessKey.secretAccessKey,
      TESTER_BEARER: keys.bearer,
      RESIDENT_BEARER: keys.resident,
      OUTSIDER_BEARER: keys.outsider,
      ...env,
    },
  }
  const started = []
  t.after(async () => {
    for (const end of started) await end('SIGKILL') // a SIGTERM would wait for connections that a client left open
    rmSync(dir, { recursive: true, force: true })
  })
  return launch(program, keys, started)
}

// launch starts the program, and adds to started how it is ended. restart(signal) ends
// it and gives the one that was started in its place.
async function launch(program, keys, started) {
  const child = spawn(binary, program.args, { stdio: ['ignore', 'ignore', 'pipe'], env: program.env })
  const closed = once(child, 'close')
  const end = async (signal) => {
    child.kill(signal)
    await closed
  }
  started.push(end)
  const restart = async (signal) => {
    await end(signal)
    return launch(program, keys, started)
  }

  const stderr = []
  const lines = createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line))
  const next = () => on(lines, 'line', { close: ['close'], signal: AbortSignal.timeout(patience) })
  const logged = async (pattern) => {
    const coming = next()
    const said = stderr.find((line) => pattern.test(line))
    if (said) return said
    for await (const [line] of coming) if (pattern.test(line)) return line
    throw new Error(`fairway serve never said ${pattern}, but:\n${stderr.join('\n')}`)
  }
  let admin
  for await (const [line] of next()) {
    admin = line.match(/^admin (http:\S+)/)?.[1] ?? admin
    const endpoint = line.match(/^ready (http:\S+)/)?.[1]
    if (endpoint) return { endpoint, admin, region, stderr, logged, restart, ...keys, regions: (...args) => regions(admin, ...args) }
  }
  throw new Error(`fairway serve never became ready:\n${stderr.join('\n')}`)
}

async function regions(admin, ...args) {
  const { code, stdout, stderr } = await run('regions', ...args, '--json', '--url', admin)
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

// chain runs a fairway in front of a fairway, whose simulated regions stand in for
// AWS and pick destinations themselves: the first calls them as it would call real
// ones, signature and all. What is done to regions is done to the second, which is
// given as far. Both have the settings.
export async function chain(t, { simulate, ...settings } = {}) {
  const far = await serve(t, { ...settings, simulate: { hidden_routing: true, ...simulate } })
  const near = await serve(t, {
    ...settings,
    model: 'bedrock',
    bedrock: { endpoint: far.endpoint, control_endpoint: far.endpoint },
  }, {
    AWS_ACCESS_KEY_ID: far.accessKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: far.accessKey.secretAccessKey,
    AWS_SESSION_TOKEN: undefined,
    AWS_BEARER_TOKEN_BEDROCK: undefined,
    AWS_PROFILE: undefined,
    AWS_EC2_METADATA_DISABLED: 'true',
  })
  return { ...near, regions: far.regions, far }
}

// hops are the servers that every suite runs against.
export const hops = { 'one server': serve, 'a server in front of a server': chain }

// idle waits until no call is in any region.
export const idle = (server) => until(async () => (await server.regions()).regions.every((r) => r.in_flight === 0))

// busy waits until a call is in some region.
export const busy = (server) => until(async () => (await server.regions()).regions.some((r) => r.in_flight > 0))

// recovering is a fetch that counts its calls, and makes the regions well again
// after the first.
export function recovering(server) {
  const fetching = async (...args) => {
    const response = await fetch(...args)
    if (++fetching.calls === 1) await server.regions('up', ...destinations)
    return response
  }
  fetching.calls = 0
  return fetching
}

// trailers are those of the answer to a POST, which no SDK shows.
export async function trailers({ endpoint, bearer }, path, body, headers) {
  const asking = request(endpoint + path, {
    method: 'POST', headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', ...headers },
  })
  asking.end(JSON.stringify(body))
  const [response] = await once(asking, 'response')
  if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}`)
  await once(response.resume(), 'end')
  return response.trailers
}

// until waits for check to give something, for as long as anything may take.
export async function until(check) {
  for (const end = Date.now() + patience; Date.now() < end; ) {
    const found = await check()
    if (found) return found
  }
  throw new Error('it never came to pass')
}
