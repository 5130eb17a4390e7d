// fairway dev beside an editor: changes are picked up, mistakes survived, files
// of others left alone.
import assert from 'node:assert/strict'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask, dev, project, run } from './fairway.js'
import { accessToken } from './user.js'

test('hot reload', async (t) => {
  const fairway = await dev(t, project())
  const resolver = join(fairway.dir, 'amplify/data/bedrock.js')
  const original = readFileSync(resolver, 'utf8')

  // save replaces the resolver in one step, as editors do, and waits for what
  // the server says to it.
  const save = async (code, pattern) => {
    const said = fairway.said(pattern)
    writeFileSync(join(fairway.dir, 'unsaved'), code)
    renameSync(join(fairway.dir, 'unsaved'), resolver)
    await said
  }

  const authorization = await accessToken(fairway)
  const answer = async () => {
    const response = await ask(fairway.outputs.graphql.url, { authorization })
    const { data, errors } = await response.json()
    assert.equal(errors, undefined)
    return data.askBedrock.body
  }

  await t.test('a change shows in the next answer', async () => {
    assert.match(await answer(), /Suggest two recipes/)
    await save(original.replace('Suggest two recipes', 'Suggest two wines'), /^reloaded$/)
    assert.match(await answer(), /Suggest two wines/)
  })

  await t.test('a mistake keeps the last good backend', async () => {
    const before = await answer()
    await save(original.replace('export function request(ctx) {', 'export function request(ctx'), /^reload failed/)
    assert.equal(await answer(), before)
  })

  await t.test('its repair is picked up', async () => {
    await save(original, /^reloaded$/)
    assert.match(await answer(), /Suggest two recipes/)
  })
})

test('an outputs file that fairway did not write', async (t) => {
  const dir = project()
  const file = join(dir, 'amplify_outputs.json')
  const theirs = '{"version": "1.4"}\n'
  writeFileSync(file, theirs)

  await t.test('is not replaced', async () => {
    const { code, stdout, stderr } = await run('dev', dir, '--listen', '127.0.0.1:0')
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /amplify_outputs\.json was not written by fairway.*--force/)
    assert.equal(readFileSync(file, 'utf8'), theirs)
  })

  await t.test('is replaced with --force', async (t) => {
    const { outputs, amplifyOutputs } = await dev(t, dir, '--force')
    assert.equal(amplifyOutputs.data.url, outputs.graphql.url)
  })
})
