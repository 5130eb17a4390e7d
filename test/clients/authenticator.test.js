// An app in a browser: Amplify's own sign-in screens before the sample's question,
// on a page of another origin than the API.
import assert from 'node:assert/strict'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build, preview } from 'vite'
import { dev, patience, project } from './fairway.js'

const { CHROMIUM: executablePath, SHOTS: shots } = process.env // the browser; a folder for what it shows
const here = (name) => fileURLToPath(new URL(name, import.meta.url))

const email = 'ana@example.com'
const password = 'Ripe-Mango-7'
const another = 'Ripe-Papaya-8'

test('Authenticator', { skip: !executablePath && 'set CHROMIUM to a browser' }, async (t) => {
  const fairway = await dev(t, project())
  const page = await open(t, await serve(t, fairway.dir))
  const field = (name) => page.getByRole('textbox', { name, exact: true })
  const press = (name) => page.getByRole('button', { name, exact: true }).click()
  const show = (name) => shots && page.screenshot({ path: join(shots, `${name}.png`) })

  // complaints are what the page has written to the console as an error since they
  // were asked for last.
  const said = []
  page.on('console', (message) => message.type() === 'error' && said.push(message.text()))
  page.on('pageerror', (error) => said.push(error.stack))
  const complaints = () => said.splice(0)

  const signIn = async (word) => {
    await field('Email').fill(email)
    await field('Password').fill(word)
    await press('Sign in')
  }

  await t.test('creates an account and enters the code', async () => {
    await show('1 sign in')
    await page.getByRole('tab', { name: 'Create Account' }).click()
    await field('Email').fill(email)
    await field('Password').fill(password)
    await field('Confirm Password').fill(password)
    await show('2 create account')
    const code = await fairway.code(email, () => press('Create Account'))
    await field('Confirmation Code').fill(code)
    await show('3 confirm')
    await press('Confirm')
    await field('Ingredients').waitFor()
    await show('4 signed in')
    await press('Sign out')
    await field('Email').waitFor()
    assert.deepEqual(complaints(), [])
  })

  await t.test('shows why a password is refused', async () => {
    await signIn('Wrong-Mango-7')
    await page.getByText('Incorrect username or password.').waitFor()
    await show('5 wrong password')
    const [refused, ...others] = complaints()
    assert.match(refused, /the server responded with a status of 400/)
    assert.deepEqual(others, [])
  })

  await t.test('replaces a password that was forgotten', async () => {
    await press('Forgot your password?')
    await field('Enter your email').fill(email)
    const code = await fairway.code(email, () => press('Send code'))
    await field('Code *').fill(code)
    await field('New Password').fill(another)
    await field('Confirm Password').fill(another)
    await show('6 new password')
    await press('Submit')
    await page.getByRole('tab', { name: 'Sign In' }).waitFor()
    assert.deepEqual(complaints(), [])
  })

  await t.test('signs in and asks while the first region is down', async () => {
    await fairway.operate('regions', 'down', fairway.outputs.region)
    await signIn(another)
    await field('Ingredients').fill('chicken, rice, carrots')
    await press('Suggest recipes')
    await page.getByRole('status').getByText('chicken, rice, carrots').waitFor()
    await show('7 answer')
    assert.deepEqual(complaints(), [])

    const { regions } = JSON.parse(await fairway.operate('regions', '--json'))
    assert.deepEqual(regions.map(({ region, fault }) => [region, fault]), [
      ['ap-northeast-1', 'up'],
      ['ap-southeast-1', 'down'],
    ])
  })

  await t.test('is still signed in after a reload, until it signs out', async () => {
    await page.reload()
    await press('Sign out')
    await field('Email').waitFor()
    await page.reload()
    await field('Email').waitFor()
    await show('8 signed out')
    assert.deepEqual(complaints(), [])
  })
})

// serve builds the page into the project in dir, where fairway dev has left what it
// imports, and gives the URL where it is served.
async function serve(t, dir) {
  cpSync(here('authenticator'), dir, { recursive: true })
  symlinkSync(here('node_modules'), join(dir, 'node_modules'))
  await build({ root: dir, logLevel: 'error' })
  const server = await preview({ root: dir, preview: { host: 'localhost', port: 0 } })
  t.after(() => server.close())
  return server.resolvedUrls.local[0]
}

// open shows a page in a browser until the test ends.
async function open(t, url) {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  t.after(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 800, height: 700 } })
  page.setDefaultTimeout(patience)
  await page.goto(url)
  return page
}
