// What an app does for its users, with aws-amplify's own auth: from sign-up to the
// end of the account, and what each may ask on the way.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { CognitoIdentityProviderClient, GetTokensFromRefreshTokenCommand, InitiateAuthCommand } from '@aws-sdk/client-cognito-identity-provider'
import * as auth from 'aws-amplify/auth'
import { ask as post, project } from './fairway.js'
import { ana, device, join, session, start } from './user.js'

const refused = { name: 'NotAuthorizedException', message: 'Incorrect username or password.' }
const unauthorized = ['Unauthorized']

// direct is the AWS SDK's client of the pool.
function direct(t, { client, outputs }) {
  const pool = new CognitoIdentityProviderClient({ endpoint: client.Auth.Cognito.userPoolEndpoint, region: outputs.region })
  t.after(() => pool.destroy())
  return pool
}

// other is a code that is not this one.
const other = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

test('an account', async (t) => {
  const fairway = await start(t)
  const { username, password } = ana

  await t.test('is not made with what the pool does not take', async () => {
    await assert.rejects(auth.signUp({ username, password: 'mango' }), { name: 'InvalidPasswordException' })
    await assert.rejects(auth.signUp({ username, password: 'only-lower-7' }), { name: 'InvalidPasswordException' })
    await assert.rejects(auth.signUp({ username: 'ana', password }), { name: 'InvalidParameterException' })
  })

  await t.test('is confirmed with the code that was sent last', async () => {
    const first = await fairway.code(username, async () => {
      const { isSignUpComplete, nextStep } = await auth.signUp({ username, password })
      assert.equal(isSignUpComplete, false)
      assert.equal(nextStep.signUpStep, 'CONFIRM_SIGN_UP')
      assert.deepEqual(nextStep.codeDeliveryDetails, { attributeName: 'email', deliveryMedium: 'EMAIL', destination: 'a***@e***' })
    })
    assert.equal((await auth.signIn(ana)).nextStep.signInStep, 'CONFIRM_SIGN_UP')

    const confirmationCode = await fairway.code(username, () => auth.resendSignUpCode({ username }))
    for (const wrong of new Set([first, other(confirmationCode)])) {
      if (wrong === confirmationCode) continue
      await assert.rejects(auth.confirmSignUp({ username, confirmationCode: wrong }), { name: 'CodeMismatchException' })
    }
    const { isSignUpComplete, nextStep } = await auth.confirmSignUp({ username, confirmationCode })
    assert.equal(isSignUpComplete, true)
    assert.equal(nextStep.signUpStep, 'DONE')
    await assert.rejects(auth.confirmSignUp({ username, confirmationCode }), { name: 'CodeMismatchException' }) // it was used
  })

  await t.test('is there once', async () => {
    await assert.rejects(auth.signUp(ana), { name: 'UsernameExistsException' })
    await assert.rejects(auth.signUp({ ...ana, username: 'ANA@example.com' }), { name: 'UsernameExistsException' })
  })

  await t.test('does not open to a wrong password, no more than one that is not there', async () => {
    await assert.rejects(auth.signIn({ username, password: 'Wrong-Mango-7' }), refused)
    await assert.rejects(auth.signIn({ username: 'bob@example.com', password }), refused)
    await assert.rejects(auth.signIn({ ...ana, options: { authFlowType: 'USER_PASSWORD_AUTH' } }), { name: 'InvalidParameterException' })
    await assert.rejects(auth.getCurrentUser(), { name: 'UserUnAuthenticatedException' })
  })

  await t.test('opens to its password', async () => {
    const { isSignedIn, nextStep } = await auth.signIn(ana)
    assert.equal(isSignedIn, true)
    assert.equal(nextStep.signInStep, 'DONE')

    const { accessToken, idToken } = await session()
    const { userPoolId, userPoolClientId, userPoolEndpoint } = fairway.client.Auth.Cognito
    const { userId, signInDetails } = await auth.getCurrentUser()
    assert.equal(signInDetails.loginId, username)
    for (const { payload } of [accessToken, idToken]) {
      assert.equal(payload.iss, `${userPoolEndpoint}/${userPoolId}`)
      assert.equal(payload.sub, userId)
      assert.equal(payload.exp - payload.iat, 3600)
    }
    assert.equal(accessToken.payload.client_id, userPoolClientId)
    assert.equal(accessToken.payload.token_use, 'access')
    assert.equal(idToken.payload.aud, userPoolClientId)
    assert.equal(idToken.payload.email, username)
    assert.equal(idToken.payload.email_verified, true)
  })

  await t.test('may ask as the field allows', async () => {
    assert.match(await fairway.ask('userPool'), /rice/)
    assert.deepEqual(await fairway.ask('apiKey'), unauthorized)
    assert.deepEqual(await fairway.ask('iam'), unauthorized)
  })

  await t.test('has attributes, of which the address changes with a code', async () => {
    const { sub, ...attributes } = await auth.fetchUserAttributes()
    assert.deepEqual(attributes, { email: username, email_verified: 'true' })

    const given = await auth.updateUserAttributes({ userAttributes: { name: 'Ana' } })
    assert.deepEqual(given, { name: { isUpdated: true, nextStep: { updateAttributeStep: 'DONE' } } })

    const email = 'ana@example.org'
    const confirmationCode = await fairway.code(email, async () => {
      const { nextStep } = (await auth.updateUserAttributes({ userAttributes: { email } })).email
      assert.equal(nextStep.updateAttributeStep, 'CONFIRM_ATTRIBUTE_WITH_CODE')
    })
    assert.equal((await auth.fetchUserAttributes()).email, username)
    const confirm = (code) => auth.confirmUserAttribute({ userAttributeKey: 'email', confirmationCode: code })
    await assert.rejects(confirm(other(confirmationCode)), { name: 'CodeMismatchException' })
    await confirm(confirmationCode)
    assert.deepEqual(await auth.fetchUserAttributes(), { sub, email, email_verified: 'true', name: 'Ana' })
  })
})

test('a session', async (t) => {
  const fairway = await start(t)
  await join(fairway, ana)
  const client = direct(t, fairway)
  const refresh = (RefreshToken) =>
    client.send(new GetTokensFromRefreshTokenCommand({ ClientId: fairway.client.Auth.Cognito.userPoolClientId, RefreshToken }))

  // dead asserts that what the session's access token opened is closed.
  const dead = async (authorization) => {
    const response = await post(fairway.outputs.graphql.url, { authorization })
    assert.equal(response.status, 401)
    assert.equal(response.headers.get('x-amzn-errortype'), 'UnauthorizedException')
  }

  await t.test('is refreshed, and ended by a refresh token that was replaced', async () => {
    const refreshToken = await device()
    await auth.signIn(ana)
    const first = { ...(await session()), refreshToken: refreshToken() }
    await session({ forceRefresh: true })
    const last = { ...(await session({ forceRefresh: true })), refreshToken: refreshToken() }

    assert.notEqual(last.accessToken.toString(), first.accessToken.toString())
    assert.notEqual(last.refreshToken, first.refreshToken)
    for (const claim of ['sub', 'origin_jti', 'auth_time']) assert.equal(last.accessToken.payload[claim], first.accessToken.payload[claim])
    assert.match(await fairway.ask('userPool'), /rice/)

    await assert.rejects(refresh(first.refreshToken), { name: 'RefreshTokenReuseException' })
    await assert.rejects(refresh(last.refreshToken), { name: 'NotAuthorizedException' })
    await dead(last.accessToken.toString())
    await assert.rejects(session({ forceRefresh: true }), { name: 'NotAuthorizedException' })
    await assert.rejects(auth.getCurrentUser(), { name: 'UserUnAuthenticatedException' })
  })

  await t.test('ends with a sign-out, on that device', async () => {
    await device()
    await auth.signIn(ana)
    const phone = (await session()).accessToken.toString()
    const refreshToken = await device()
    await auth.signIn(ana)
    const laptop = { accessToken: (await session()).accessToken.toString(), refreshToken: refreshToken() }

    await auth.signOut()
    assert.equal(await session(), undefined)
    await assert.rejects(refresh(laptop.refreshToken), { name: 'NotAuthorizedException' })
    await dead(laptop.accessToken)
    assert.equal((await post(fairway.outputs.graphql.url, { authorization: phone })).status, 200)
  })

  await t.test('ends with a global sign-out, on every device', async () => {
    await device()
    await auth.signIn(ana)
    const phone = (await session()).accessToken.toString()
    await device()
    await auth.signIn(ana)
    const laptop = (await session()).accessToken.toString()

    await auth.signOut({ global: true })
    await dead(laptop)
    await dead(phone)
  })
})

test('users outlive the server', async (t) => {
  const dir = project()
  await t.test('that they joined', async (t) => join(await start(t, dir), ana))
  await t.test('at the next', async (t) => {
    const fairway = await start(t, dir)
    assert.equal((await auth.signIn(ana)).isSignedIn, true)
    assert.match(await fairway.ask('userPool'), /rice/)
  })
})

test('a password', async (t) => {
  const fairway = await start(t)
  await join(fairway, ana)
  const { username } = ana
  const [second, third] = ['Ripe-Papaya-8', 'Ripe-Guava-9']

  await t.test('is changed by who knows it', async () => {
    await auth.signIn(ana)
    const change = (oldPassword, newPassword) => auth.updatePassword({ oldPassword, newPassword })
    await assert.rejects(change('Wrong-Mango-7', second), { name: 'NotAuthorizedException' })
    await assert.rejects(change(ana.password, 'mango'), { name: 'InvalidPasswordException' })
    await change(ana.password, second)
    await auth.signOut()
    await assert.rejects(auth.signIn(ana), refused)
    await auth.signIn({ username, password: second })
    await auth.signOut()
  })

  await t.test('that is forgotten is replaced with a code, once', async () => {
    const confirmationCode = await fairway.code(username, async () => {
      const { nextStep } = await auth.resetPassword({ username })
      assert.equal(nextStep.resetPasswordStep, 'CONFIRM_RESET_PASSWORD_WITH_CODE')
    })
    const confirm = (code, newPassword) => auth.confirmResetPassword({ username, confirmationCode: code, newPassword })
    await assert.rejects(confirm(other(confirmationCode), third), { name: 'CodeMismatchException' })
    await assert.rejects(confirm(confirmationCode, 'mango'), { name: 'InvalidPasswordException' })
    await confirm(confirmationCode, third)
    await assert.rejects(confirm(confirmationCode, second), { name: 'ExpiredCodeException' })
    await assert.rejects(auth.signIn({ username, password: second }), refused)
    assert.equal((await auth.signIn({ username, password: third })).isSignedIn, true)
  })

  await t.test('of nobody seems to be replaced too', async () => {
    const { nextStep } = await auth.resetPassword({ username: 'bob@example.com' })
    assert.equal(nextStep.resetPasswordStep, 'CONFIRM_RESET_PASSWORD_WITH_CODE')
    const guess = { username: 'bob@example.com', confirmationCode: '123456', newPassword: third }
    await assert.rejects(auth.confirmResetPassword(guess), { name: 'CodeMismatchException' })
  })

  await t.test('goes with the account', async () => {
    await auth.deleteUser()
    assert.equal(await session(), undefined)
    await assert.rejects(auth.signIn({ username, password: third }), refused)
    await join(fairway, ana)
    assert.equal((await auth.signIn(ana)).isSignedIn, true)
  })
})

test('a second factor', async (t) => {
  const multifactor = (mode) => ({
    'auth/resource.ts': (text) => text.replace('loginWith: { email: true },', `$& multifactor: { mode: "${mode}", totp: true },`),
  })

  await t.test('that users may have', async (t) => {
    const fairway = await start(t, project(multifactor('OPTIONAL')))
    await join(fairway, ana)
    await auth.signIn(ana)
    const { sharedSecret } = await auth.setUpTOTP()
    const codes = authenticator(sharedSecret)
    await assert.rejects(auth.verifyTOTPSetup({ code: other(codes.now()) }), { name: 'EnableSoftwareTokenMFAException' })
    await auth.verifyTOTPSetup({ code: codes.now() })
    await auth.updateMFAPreference({ totp: 'PREFERRED' })
    assert.deepEqual(await auth.fetchMFAPreference(), { enabled: ['TOTP'], preferred: 'TOTP' })
    await auth.signOut()

    assert.equal((await auth.signIn(ana)).nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_TOTP_CODE')
    const challengeResponse = codes.next()
    await assert.rejects(auth.confirmSignIn({ challengeResponse: other(challengeResponse) }), { name: 'CodeMismatchException' })
    assert.equal((await auth.confirmSignIn({ challengeResponse })).isSignedIn, true)
    assert.match(await fairway.ask('userPool'), /rice/)

    await auth.updateMFAPreference({ totp: 'DISABLED' })
    await auth.signOut()
    assert.equal((await auth.signIn(ana)).isSignedIn, true)
  })

  await t.test('that users must have', async (t) => {
    await join(await start(t, project(multifactor('REQUIRED'))), ana)
    const { nextStep } = await auth.signIn(ana)
    assert.equal(nextStep.signInStep, 'CONTINUE_SIGN_IN_WITH_TOTP_SETUP')
    const codes = authenticator(nextStep.totpSetupDetails.sharedSecret)
    assert.equal((await auth.confirmSignIn({ challengeResponse: codes.now() })).isSignedIn, true)
    await auth.signOut()
    assert.equal((await auth.signIn(ana)).nextStep.signInStep, 'CONFIRM_SIGN_IN_WITH_TOTP_CODE')
    assert.equal((await auth.confirmSignIn({ challengeResponse: codes.next() })).isSignedIn, true)
  })
})

// authenticator is an app on a phone (RFC 6238): the code of this half minute, and
// the one after, for a code counts once.
function authenticator(secret) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const code = (step) => {
    const counter = Buffer.alloc(8)
    counter.writeBigUInt64BE(BigInt(step))
    const hash = createHmac('sha1', key).update(counter).digest()
    return String((hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
  }
  const now = () => Math.floor(Date.now() / 30_000)
  return { now: () => code(now()), next: () => code(now() + 1) }
}

test('an operator', async (t) => {
  const fairway = await start(t, project({
    'auth/resource.ts': (text) => text.replace('loginWith: { email: true },', '$& groups: ["Cooks"],'),
    'data/resource.ts': (text) => text.replace('allow.authenticated()', 'allow.group("Cooks")'),
  }))

  await t.test('puts a user into the group that a field is for', async () => {
    await join(fairway, ana)
    await auth.signIn(ana)
    assert.deepEqual(await fairway.ask('userPool'), unauthorized)
    await fairway.operate('users', 'group', ana.username, 'Cooks')
    assert.deepEqual(await fairway.ask('userPool'), unauthorized)
    const { accessToken, idToken } = await session({ forceRefresh: true })
    for (const { payload } of [accessToken, idToken]) assert.deepEqual(payload['cognito:groups'], ['Cooks'])
    assert.match(await fairway.ask('userPool'), /rice/)
  })

  await t.test('adds a user, and disables one', async () => {
    await device()
    const username = 'bob@example.com'
    const { password } = JSON.parse(await fairway.operate('users', 'add', username, '--group', 'Cooks', '--json'))
    assert.equal((await auth.signIn({ username, password })).isSignedIn, true)
    assert.match(await fairway.ask('userPool'), /rice/)
    await fairway.operate('users', 'disable', username)
    const { status } = await post(fairway.outputs.graphql.url, { authorization: (await session()).accessToken.toString() })
    assert.equal(status, 401)
    await device()
    await assert.rejects(auth.signIn({ username, password }), { name: 'NotAuthorizedException' })
  })
})

test('a pool with settings of its own', async (t) => {
  const fairway = await start(t, project({}, {
    user_pool: { password_auth: true, keep_refresh_token: true, lockout: { failures: 2, for: '10m' } },
  }))
  await join(fairway, ana)

  await t.test('takes passwords, and goes on with one refresh token', async (t) => {
    const refreshToken = await device()
    assert.equal((await auth.signIn({ ...ana, options: { authFlowType: 'USER_PASSWORD_AUTH' } })).isSignedIn, true)
    assert.match(await fairway.ask('userPool'), /rice/)
    const first = refreshToken()
    await session({ forceRefresh: true })
    assert.equal(refreshToken(), first)

    const { AuthenticationResult } = await direct(t, fairway).send(new InitiateAuthCommand({
      ClientId: fairway.client.Auth.Cognito.userPoolClientId,
      AuthFlow: 'REFRESH_TOKEN_AUTH',
      AuthParameters: { REFRESH_TOKEN: first },
    }))
    const { status } = await post(fairway.outputs.graphql.url, { authorization: AuthenticationResult.AccessToken })
    assert.equal(status, 200)
    await auth.signOut()
  })

  await t.test('locks out who guesses, whether there is such a user or not', async () => {
    const locked = { name: 'NotAuthorizedException', message: 'Password attempts exceeded' }
    for (const username of [ana.username, 'bob@example.com']) {
      await assert.rejects(auth.signIn({ username, password: 'Wrong-Mango-7' }), refused)
      await assert.rejects(auth.signIn({ username, password: 'Wrong-Mango-8' }), refused)
      await assert.rejects(auth.signIn({ username, password: ana.password }), locked)
    }
  })
})
