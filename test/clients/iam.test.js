// IAM credentials: those that an app gets of the identity pool, of the roles that the
// project grants something, and those that a program has.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { CognitoIdentityClient, GetCredentialsForIdentityCommand, GetIdCommand } from '@aws-sdk/client-cognito-identity'
import { Amplify } from 'aws-amplify'
import * as auth from 'aws-amplify/auth'
import { connect, conversation } from './aws.js'
import { project } from './fairway.js'
import { ana, device, join, session, start } from './user.js'

const unauthorized = ['Unauthorized']

test('IAM', async (t) => {
  const grant = `
backend.auth.resources.authenticatedUserIamRole.addToPrincipalPolicy(
  new PolicyStatement({
    actions: ["appsync:GraphQL"],
    resources: [\`\${backend.data.resources.graphqlApi.arn}/types/Query/fields/askBedrock\`],
  }),
);
backend.auth.resources.authenticatedUserIamRole.addToPrincipalPolicy(
  new PolicyStatement({ actions: ["bedrock:InvokeModel"], resources: ["arn:aws:bedrock:*:*:*/*anthropic.*"] }),
);
`
  const fairway = await start(t, project({ 'backend.ts': (text) => text + grant }))
  const { endpoint, region } = fairway.outputs
  const converse = (accessKey) => connect(t, { endpoint, region, accessKey }).send(new ConverseCommand(conversation('Hello')))

  await t.test('guests have an identity, and no permission', async () => {
    const { identityId, credentials, tokens } = await auth.fetchAuthSession()
    assert.equal(tokens, undefined)
    assert.match(identityId, /^[\w-]+:[\da-f-]{36}$/)
    assert.ok(credentials.sessionToken)
    assert.ok(credentials.expiration > new Date())
    assert.equal((await auth.fetchAuthSession({ forceRefresh: true })).identityId, identityId)
    assert.deepEqual(await fairway.ask('iam'), unauthorized)
    await assert.rejects(converse(credentials), { name: 'AccessDeniedException', message: /unauthenticatedUserIamRole/ })
  })

  await t.test('who signed in has the same identity every time, and the permission that the project grants', async () => {
    await join(fairway, ana)
    await auth.signIn(ana)
    const { identityId, credentials } = await auth.fetchAuthSession()
    assert.match(await fairway.ask('iam'), /rice/)
    assert.equal((await converse(credentials)).stopReason, 'end_turn')
    await auth.signOut()
    await device()
    await auth.signIn(ana)
    assert.equal((await auth.fetchAuthSession()).identityId, identityId)
  })

  await t.test('identities are not others\' to take, by the AWS SDK', async (t) => {
    const { identityPoolId: IdentityPoolId, userPoolId } = fairway.client.Auth.Cognito
    const pool = new CognitoIdentityClient({ endpoint, region })
    t.after(() => pool.destroy())
    const getId = (input) => pool.send(new GetIdCommand({ IdentityPoolId, ...input }))
    const credentials = (input) => pool.send(new GetCredentialsForIdentityCommand(input))

    const idToken = (await session()).idToken.toString()
    const login = (token) => ({ Logins: { [`${endpoint}/${userPoolId}`.replace(/^https?:\/\//, '')]: token } })
    const { IdentityId } = await getId(login(idToken))
    assert.equal(IdentityId, (await auth.fetchAuthSession()).identityId)
    const { Credentials } = await credentials({ IdentityId, ...login(idToken) })
    assert.ok(Credentials.Expiration > new Date())

    const guest = await getId()
    await credentials(guest)
    const stranger = guest.IdentityId.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
    for (const wrong of [IdentityId, stranger]) {
      await assert.rejects(credentials({ IdentityId: wrong }), { name: 'NotAuthorizedException' })
    }
    const [header, claims] = idToken.split('.')
    for (const wrong of [`${header}.${claims}.${'A'.repeat(342)}`, (await session()).accessToken.toString()]) {
      await assert.rejects(getId(login(wrong)), { name: 'NotAuthorizedException' })
    }
    await assert.rejects(getId({ IdentityPoolId: `${region}:00000000-0000-0000-0000-000000000000` }), { name: 'ResourceNotFoundException' })
  })

  await t.test('an access key signs too', async () => {
    const signing = (secretAccessKey) => {
      const credentials = { accessKeyId: fairway.outputs.aws.access_key_id, secretAccessKey }
      const credentialsProvider = { getCredentialsAndIdentityId: async () => ({ credentials }), clearCredentialsAndIdentityId() {} }
      Amplify.configure(fairway.client, { Auth: { credentialsProvider } })
    }
    signing(fairway.outputs.aws.secret_access_key)
    assert.match(await fairway.ask('iam'), /rice/)
    signing('wrong')
    assert.deepEqual(await fairway.ask('iam'), ['InvalidSignatureException'])
  })
})
