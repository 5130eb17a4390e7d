// An issuer of tokens besides the user pool.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

// issuer is an OpenID Connect provider on this machine until the test ends. Its
// tokens are good for an hour, but for what claims say otherwise. It signs with the
// first of the two keys that it publishes, after rotate() with the other.
export async function issuer(t) {
  const keys = [newKey(), newKey()]
  const server = createServer((request, response) => {
    const discovery = request.url === '/.well-known/openid-configuration'
    const answer = discovery ? { issuer: url, jwks_uri: `${url}/keys` } : { keys: keys.map(({ jwk }) => jwk) }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${server.address().port}`

  const token = (claims) => {
    const [{ jwk: { kid, alg }, privateKey }] = keys
    const now = Math.floor(Date.now() / 1000)
    const all = { iss: url, sub: 'ana', aud: 'recipes', iat: now, auth_time: now, exp: now + 3600, ...claims }
    const unsigned = `${base64url({ kid, alg })}.${base64url(all)}`
    return `${unsigned}.${sign('RSA-SHA256', Buffer.from(unsigned), privateKey).toString('base64url')}`
  }
  return { url, token, rotate: () => keys.reverse() }
}

function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' } }
}

const base64url = (json) => Buffer.from(JSON.stringify(json)).toString('base64url')
