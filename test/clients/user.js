// A user of a running fairway dev, at aws-amplify.
import { Amplify } from 'aws-amplify'
import { confirmSignUp, fetchAuthSession, signIn, signUp } from 'aws-amplify/auth'
import { cognitoCredentialsProvider, cognitoUserPoolsTokenProvider } from 'aws-amplify/auth/cognito'
import { generateClient } from 'aws-amplify/data'
import { dev, project } from './fairway.js'

export const ana = { username: 'ana@example.com', password: 'Ripe-Mango-7' }

// start runs fairway dev on the project in dir and configures Amplify for it. ask puts the
// sample's question in an authorization mode and gives the answer, or the kinds of
// the errors.
export async function start(t, dir = project()) {
  const fairway = await dev(t, dir)
  Amplify.configure(fairway.client)
  await device()
  const client = generateClient()
  const ask = async (authMode) => {
    const { data, errors } = await client.queries.askBedrock({ ingredients: ['rice'] }, { authMode })
    return errors ? errors.map(({ errorType, originalError }) => errorType ?? originalError.name) : data.body
  }
  return { ...fairway, ask }
}

// join makes an account, with the code that it takes.
export async function join(fairway, { username, password }) {
  const confirmationCode = await fairway.code(username, () => signUp({ username, password }))
  await confirmSignUp({ username, confirmationCode })
}

// session is the tokens of who is signed in.
export const session = async (options) => (await fetchAuthSession(options)).tokens

// accessToken signs the test user in, on a new device, and leaves Amplify so.
export async function accessToken({ client, outputs }) {
  Amplify.configure(client)
  await device()
  await signIn(outputs.user)
  return (await session()).accessToken.toString()
}

// device makes Amplify forget who its user is and keep what it learns in a place of
// its own, as on a new device, until it is configured again. It gives a function that
// reads the refresh token there.
export async function device() {
  await cognitoCredentialsProvider.clearCredentialsAndIdentityId()
  const kept = new Map()
  cognitoUserPoolsTokenProvider.setKeyValueStorage({
    setItem: async (key, value) => void kept.set(key, value),
    getItem: async (key) => kept.get(key) ?? null,
    removeItem: async (key) => void kept.delete(key),
    clear: async () => kept.clear(),
  })
  return () => kept.get([...kept.keys()].find((key) => key.endsWith('.refreshToken')))
}
