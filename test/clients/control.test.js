// The AWS SDK's Bedrock client: the control plane, and application inference
// profiles in use.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as control from '@aws-sdk/client-bedrock'
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { hops, model, profile, profileArn, region } from './serve.js'

const {
  BedrockClient, CreateInferenceProfileCommand, DeleteInferenceProfileCommand, GetFoundationModelCommand,
  GetInferenceProfileCommand, ListFoundationModelsCommand, ListInferenceProfilesCommand, ListTagsForResourceCommand,
  TagResourceCommand, UntagResourceCommand, paginateListInferenceProfiles,
} = control

for (const [name, start] of Object.entries(hops)) {
  test(`Bedrock control plane through ${name}`, async (t) => {
    const server = await start(t)
    const options = { endpoint: server.endpoint, region: server.region, credentials: server.accessKey, maxAttempts: 1 }
    const client = new BedrockClient(options)
    const caller = new BedrockRuntimeClient(options)
    t.after(() => { client.destroy(); caller.destroy() })

    const say = (modelId) => caller.send(new ConverseCommand({ modelId, messages: [{ role: 'user', content: [{ text: 'Hello' }] }] }))

    await t.test('system-defined profiles', async () => {
      const listed = []
      for await (const page of paginateListInferenceProfiles({ client, pageSize: 5 }, {})) listed.push(...page.inferenceProfileSummaries)
      assert.ok(listed.length > 5)
      const found = listed.find((p) => p.inferenceProfileId === profile)
      assert.equal(found.inferenceProfileArn, profileArn)
      assert.equal(found.type, 'SYSTEM_DEFINED')
      assert.ok(found.createdAt instanceof Date)
      const got = await client.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: profileArn }))
      assert.deepEqual(got.models, found.models)
      assert.ok(got.models.some((m) => m.modelArn === `arn:aws:bedrock:${region}::foundation-model/${model}`))
    })

    await t.test('foundation models', async () => {
      const { modelSummaries } = await client.send(new ListFoundationModelsCommand({ byProvider: 'anthropic' }))
      assert.ok(modelSummaries.length > 0 && modelSummaries.every((m) => m.providerName === 'Anthropic'))
      const { modelDetails } = await client.send(new GetFoundationModelCommand({ modelIdentifier: model }))
      assert.deepEqual(modelDetails.inferenceTypesSupported, ['INFERENCE_PROFILE'])
      assert.equal(modelDetails.responseStreamingSupported, true)
    })

    await t.test('an application profile is usable at once, by ARN and by id', async () => {
      const { inferenceProfileArn, status } = await client.send(new CreateInferenceProfileCommand({
        inferenceProfileName: 'recipes', description: 'The recipe app', modelSource: { copyFrom: profileArn },
        tags: [{ key: 'team', value: 'kitchen' }],
      }))
      assert.equal(status, 'ACTIVE')
      assert.equal((await say(inferenceProfileArn)).stopReason, 'end_turn')
      assert.equal((await say(inferenceProfileArn.split('/').at(-1))).stopReason, 'end_turn')

      const { inferenceProfileSummaries } = await client.send(new ListInferenceProfilesCommand({ typeEquals: 'APPLICATION' }))
      assert.deepEqual(inferenceProfileSummaries.map((p) => p.inferenceProfileArn), [inferenceProfileArn])

      await client.send(new TagResourceCommand({ resourceARN: inferenceProfileArn, tags: [{ key: 'stage', value: 'test' }] }))
      await client.send(new UntagResourceCommand({ resourceARN: inferenceProfileArn, tagKeys: ['team'] }))
      const { tags } = await client.send(new ListTagsForResourceCommand({ resourceARN: inferenceProfileArn }))
      assert.deepEqual(tags, [{ key: 'stage', value: 'test' }])

      await client.send(new DeleteInferenceProfileCommand({ inferenceProfileIdentifier: inferenceProfileArn }))
      await assert.rejects(client.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: inferenceProfileArn })),
        control.ResourceNotFoundException)
      await assert.rejects(say(inferenceProfileArn), { name: 'ValidationException' })
    })

    await t.test('errors are the SDK\'s own classes', async () => {
      await assert.rejects(client.send(new GetFoundationModelCommand({ modelIdentifier: 'no.such-model-v1' })), control.ResourceNotFoundException)
      await assert.rejects(client.send(new CreateInferenceProfileCommand({ inferenceProfileName: 'x', modelSource: { copyFrom: 'not an arn' } })),
        control.ValidationException)
      const outsider = new BedrockClient({ ...options, credentials: undefined, token: { token: server.outsider }, authSchemePreference: ['httpBearerAuth'] })
      await assert.rejects(outsider.send(new ListInferenceProfilesCommand({})), control.AccessDeniedException)
      outsider.destroy()
    })
  })
}
