// Access tokens as the user pool of a running fairway dev issues them.
import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const base64url = (json) => Buffer.from(JSON.stringify(json)).toString('base64url')

// accessToken signs a token for the test user with the key that dev keeps in its
// project. It is good for an hour from issuedAt, in milliseconds, as Cognito's is.
export async function accessToken({ dir, outputs }, issuedAt = Date.now()) {
  const { endpoint, user_pool_id: pool, client_id } = outputs.user_pool
  const issuer = `${endpoint}/${pool}`
  const { keys } = await (await fetch(`${issuer}/.well-known/jwks.json`)).json()
  const seconds = Math.floor(issuedAt / 1000)
  const claims = {
    sub: randomUUID(),
    iss: issuer,
    client_id,
    origin_jti: randomUUID(),
    event_id: randomUUID(),
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: seconds,
    exp: seconds + 3600,
    iat: seconds,
    jti: randomUUID(),
    username: outputs.user.username,
  }
  const unsigned = `${base64url({ kid: keys[0].kid, alg: 'RS256' })}.${base64url(claims)}`
  const key = createPrivateKey(readFileSync(join(dir, '.fairway', 'signing-key.pem')))
  return `${unsigned}.${sign('RSA-SHA256', Buffer.from(unsigned), key).toString('base64url')}`
}
