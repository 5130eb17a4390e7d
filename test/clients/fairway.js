// What the suites share: the program under test, run as its users run it.
import { spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

if (!process.env.FAIRWAY) throw new Error('set FAIRWAY to the fairway binary; make test builds one')
export const binary = resolve(process.env.FAIRWAY)
const sample = fileURLToPath(new URL('../../internal/sample/amplify', import.meta.url))

// patience is how many milliseconds an expected line may take; only a failure
// takes that long.
export const patience = 30_000

// project copies the built-in sample into a new folder that lasts as long as
// this process. Edits are functions from a file's text to another, by its path
// below amplify/; settings are those of its fairway.yaml.
export function project(edits = {}, settings) {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  cpSync(sample, join(dir, 'amplify'), { recursive: true })
  for (const [name, edit] of Object.entries(edits)) {
    const file = join(dir, 'amplify', name)
    writeFileSync(file, edit(readFileSync(file, 'utf8')))
  }
  if (settings) writeFileSync(join(dir, 'fairway.yaml'), JSON.stringify(settings)) // JSON is YAML
  return dir
}

// run runs a command to its end.
export async function run(...args) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, stdout, stderr }
}

// dev serves the project in dir until the test ends and gives what its clients
// are configured with. said(pattern) resolves with the next line on its stderr
// that matches, code(to, act) with the code that act has sent to an address,
// operate(...args) with what a command prints that is run at this server.
export async function dev(t, dir, ...flags) {
  const args = ['dev', dir, '--listen', '127.0.0.1:0', '--speed', 'instant', ...flags]
  const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  t.after(() => child.kill() && closed)

  const stderr = []
  const lines = createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line))
  const said = async (pattern) => {
    const next = on(lines, 'line', { close: ['close'], signal: AbortSignal.timeout(patience) })
    try {
      for await (const [line] of next) if (pattern.test(line)) return line
    } catch (err) {
      if (err.name !== 'AbortError') throw err
    }
    throw new Error(`fairway dev never said ${pattern}, but:\n${stderr.join('\n')}`)
  }

  const code = async (to, act) => {
    const [line] = await Promise.all([said(new RegExp(`verification code.* to=${to}\\b`)), act()])
    return line.match(/ code=(\d+)/)[1]
  }

  await said(/^ready http:\/\//)
  const read = (file) => JSON.parse(readFileSync(join(dir, file), 'utf8'))
  const outputs = read('fairway_outputs.json')

  const operate = async (...args) => {
    const { code, stdout, stderr } = await run(...args, '--url', outputs.endpoint)
    if (code !== 0) throw new Error(stderr)
    return stdout
  }
  return { dir, said, code, operate, outputs, amplifyOutputs: read('amplify_outputs.json'), client: read('fairway_client.json') }
}

// ask puts the sample's question over GraphQL, with headers besides the plain ones.
export function ask(url, headers) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: '{ askBedrock(ingredients: ["rice"]) { body } }' }),
  })
}
