// The AWS SDK's Bedrock client: the control plane, and application inference
// profiles in use.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as control from '@aws-sdk/client-bedrock'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { applicationProfile, bearer, connect, conversation } from './aws.js'
import { chain, hops, model, profile, profileArn, region } from './serve.js'

const {
  BedrockClient, CreateInferenceProfileCommand, DeleteInferenceProfileCommand, GetFoundationModelCommand,
  GetInferenceProfileCommand, ListFoundationModelsCommand, ListGuardrailsCommand, ListInferenceProfilesCommand,
  ListTagsForResourceCommand, TagResourceCommand, UntagResourceCommand, paginateListInferenceProfiles,
} = control

for (const [name, start] of Object.entries(hops)) {
  test(`Bedrock control plane through ${name}`, async (t) => {
    const server = await start(t)
    const caller = connect(t, server)
    const open = (options) => {
      const client = new BedrockClient({ endpoint: server.endpoint, region, credentials: server.accessKey, maxAttempts: 1, ...options })
      t.after(() => client.destroy())
      return client
    }
    const client = open()
    const say = (modelId) => caller.send(new ConverseCommand(conversation('Hello', modelId)))

    await t.test('system-defined profiles', async () => {
      const listed = []
      for await (const page of paginateListInferenceProfiles({ client, pageSize: 5 }, {})) {
        assert.ok(page.inferenceProfileSummaries.length <= 5)
        listed.push(...page.inferenceProfileSummaries)
      }
      assert.ok(listed.length > 5)
      const found = listed.find((p) => p.inferenceProfileId === profile)
      assert.equal(found.inferenceProfileArn, profileArn)
      assert.equal(found.type, 'SYSTEM_DEFINED')
      assert.equal(found.status, 'ACTIVE')
      assert.ok(found.models.some((m) => m.modelArn === `arn:aws:bedrock:${region}::foundation-model/${model}`))
      for (const inferenceProfileIdentifier of [profile, profileArn]) {
        const { $metadata, ...got } = await client.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier }))
        assert.deepEqual(got, found)
      }
    })

    await t.test('foundation models', async () => {
      const { modelSummaries } = await client.send(new ListFoundationModelsCommand({ byProvider: 'anthropic' }))
      assert.ok(modelSummaries.length > 0 && modelSummaries.every((m) => m.providerName === 'Anthropic'))
      const { modelDetails } = await client.send(new GetFoundationModelCommand({ modelIdentifier: model }))
      assert.deepEqual(modelDetails, modelSummaries.find((m) => m.modelId === model))
      assert.deepEqual(modelDetails.inferenceTypesSupported, ['INFERENCE_PROFILE'])
      assert.equal(modelDetails.responseStreamingSupported, true)
    })

    await t.test('an application profile is usable at once, by ARN and by id, until it is deleted', async () => {
      const { inferenceProfileArn, status } = await client.send(new CreateInferenceProfileCommand({
        inferenceProfileName: 'recipes', description: 'The recipe app', modelSource: { copyFrom: profileArn },
        tags: [{ key: 'team', value: 'kitchen' }],
      }))
      const inferenceProfileId = inferenceProfileArn.split('/').at(-1)
      assert.equal(status, 'ACTIVE')
      assert.equal((await say(inferenceProfileArn)).stopReason, 'end_turn')
      assert.equal((await say(inferenceProfileId)).stopReason, 'end_turn')

      const { $metadata, ...got } = await client.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: inferenceProfileId }))
      assert.equal(got.inferenceProfileName, 'recipes')
      assert.equal(got.description, 'The recipe app')
      assert.equal(got.type, 'APPLICATION')
      assert.ok(got.createdAt instanceof Date)
      const { inferenceProfileSummaries } = await client.send(new ListInferenceProfilesCommand({ typeEquals: 'APPLICATION' }))
      assert.deepEqual(inferenceProfileSummaries, [got])

      const tags = async () => (await client.send(new ListTagsForResourceCommand({ resourceARN: inferenceProfileArn }))).tags
      await client.send(new TagResourceCommand({ resourceARN: inferenceProfileArn, tags: [{ key: 'stage', value: 'test' }] }))
      assert.deepEqual(await tags(), [{ key: 'stage', value: 'test' }, { key: 'team', value: 'kitchen' }])
      await client.send(new UntagResourceCommand({ resourceARN: inferenceProfileArn, tagKeys: ['team'] }))
      assert.deepEqual(await tags(), [{ key: 'stage', value: 'test' }])

      await client.send(new DeleteInferenceProfileCommand({ inferenceProfileIdentifier: inferenceProfileArn }))
      await assert.rejects(client.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: inferenceProfileArn })),
        control.ResourceNotFoundException)
      await assert.rejects(tags(), control.ResourceNotFoundException)
      await assert.rejects(say(inferenceProfileArn), { name: 'ValidationException' })
    })

    await t.test('an application profile of one model, in the region of that', async () => {
      const elsewhere = 'ap-southeast-2'
      const { inferenceProfileArn } = await open({ region: elsewhere }).send(new CreateInferenceProfileCommand({
        inferenceProfileName: 'single',
        modelSource: { copyFrom: `arn:aws:bedrock:${elsewhere}::foundation-model/amazon.nova-pro-v1:0` },
      }))
      const there = connect(t, { ...server, region: elsewhere })
      const { stopReason, $metadata } = await there.send(new ConverseCommand(conversation('Hello', inferenceProfileArn)))
      assert.equal(stopReason, 'end_turn')
      assert.equal($metadata.headers['x-fairway-destination-region'], elsewhere)
    })

    await t.test('errors are the SDK\'s own classes', async () => {
      const create = (copyFrom) => client.send(new CreateInferenceProfileCommand({ inferenceProfileName: 'x', modelSource: { copyFrom } }))
      await assert.rejects(create('not an arn'), control.ValidationException)
      await assert.rejects(client.send(new GetFoundationModelCommand({ modelIdentifier: 'no.such-model-v1' })), control.ResourceNotFoundException)
      await assert.rejects(client.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: 'no.such-profile' })),
        control.ResourceNotFoundException)
      await assert.rejects(client.send(new ListGuardrailsCommand({})), { name: 'UnknownOperationException' })
      await assert.rejects(open({ credentials: undefined, ...bearer(server.outsider) }).send(new ListInferenceProfilesCommand({})),
        control.AccessDeniedException)
    })
  })
}

test('an application profile that only the real control plane knows', async (t) => {
  const near = await chain(t)
  const arn = await applicationProfile(near.far)
  const client = connect(t, near)
  for (const modelId of [arn, arn.split('/').at(-1)]) {
    assert.equal((await client.send(new ConverseCommand(conversation('Hello', modelId)))).stopReason, 'end_turn')
  }
})
