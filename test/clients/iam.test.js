test('IAM', async (t) => {
  const grant = `
backend.auth.resources.authenticatedUserIamRole.addToPrincipalPolicy(
  new PolicyStatement({
    actions: ["appsync:GraphQL"],
    resources: [\`\${backend.data.resources.graphqlApi.arn}/types/Query/fields/askBedrock\`],
  }),
);
`
  const fairway = await start(t, { 'backend.ts': (text) => text + grant })

  await t.test('guests have an identity, and no permission', async () => {
    const { identityId, credentials, tokens } = await auth.fetchAuthSession()
    assert.equal(tokens, undefined)
    assert.match(identityId, /^[\w-]+:[\da-f-]{36}$/)
    assert.ok(credentials.sessionToken)
    assert.ok(credentials.expiration > new Date())
    assert.equal((await auth.fetchAuthSession({ forceRefresh: true })).identityId, identityId)
    assert.deepEqual(await fairway.ask('iam'), unauthorized)
  })

  await t.test('who signed in has the same identity every time, and the permission that the project grants', async () => {
    await join(fairway, ana)
    await auth.signIn(ana)
    const { identityId } = await auth.fetchAuthSession()
    assert.match(await fairway.ask('iam'), /rice/)
    await auth.signOut()
    await device()
    await auth.signIn(ana)
    assert.equal((await auth.fetchAuthSession()).identityId, identityId)
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
