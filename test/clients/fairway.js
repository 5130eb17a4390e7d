// What the suites share: the program under test, run as its users run it.
import { spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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
// this process.
export function project() {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  cpSync(sample, join(dir, 'amplify'), { recursive: true })
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
// that matches.
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

  await said(/^ready http:\/\//)
  const read = (file) => JSON.parse(readFileSync(join(dir, file), 'utf8'))
  return { dir, said, outputs: read('fairway_outputs.json'), amplifyOutputs: read('amplify_outputs.json') }
}

// ask puts the sample's question over GraphQL, with headers besides the plain ones.
export function ask(url, headers) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: '{ askBedrock(ingredients: ["rice"]) { body } }' }),
  })
}
